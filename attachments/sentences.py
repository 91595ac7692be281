"""Every reason for which a file is refused, as the person reads it: what is wrong and what to do, one sentence."""

from __future__ import annotations


class Refusal(Exception):
    """The file is refused; the text is one plain Russian sentence."""


EMPTY = "Файл пустой: приложите его заново."
NO_EXTENSION = "У файла нет расширения, поэтому непонятно, что это: переименуйте его и приложите снова."
DETACHED_SIGNATURE = "Это подпись без документа: приложите сам документ."
ARCHIVE = "Архивы не принимаются: распакуйте и приложите сами документы."
MACRO_FORMAT = "Файлы с макросами не принимаются: сохраните документ как {better} без макросов и приложите его."
OLD_FORMAT = "Старый формат .{extension} не принимается: сохраните документ как {better} и приложите его."
OLD_FORMAT_INSIDE = "Внутри документ старого формата Office: сохраните его заново как .xlsx или .docx и приложите."
LOCKED = "Файл защищён паролем: снимите пароль и приложите его снова."
PROGRAM = "Внутри файла программа или сценарий: приложите сам документ."
POLYGLOT = "К содержимому файла приклеены посторонние данные ({what}): сохраните документ заново и приложите его."
DAMAGED = "Файл повреждён и не открывается ({detail}): сохраните его заново и приложите снова."
CUT_SHORT = "Файл обрывается, похоже, он загрузился не целиком: приложите его снова."

MACROS = "В документе макросы: сохраните его без макросов и приложите снова."
ACTIVE_CONTENT = "В документе активные элементы ({what}): уберите их, сохраните и приложите снова."
EMBEDDED_OBJECT = "В документ вложен посторонний файл или объект ({what}): уберите его и приложите документ снова."
EXTERNAL_LINK = "Документ сам подгружает данные извне ({what}): разорвите связь, сохраните и приложите снова."
DDE = "В документе команда DDE, которая запускает программы: замените её значением и приложите документ снова."

PDF_SCRIPT = "В PDF есть сценарий JavaScript: распечатайте документ в новый PDF и приложите его."
PDF_LAUNCH = "PDF запускает другую программу или файл: распечатайте документ в новый PDF и приложите его."
PDF_EMBEDDED = "В PDF вложен файл «{what}»: приложите его отдельно, а PDF без вложений."
PDF_XFA = "Это PDF с динамической формой XFA: распечатайте её в обычный PDF и приложите его."
PDF_AUTO_OPEN = "PDF при открытии обращается по внешней ссылке: распечатайте документ в новый PDF и приложите его."
PDF_MEDIA = "В PDF встроены ролик или сценарий 3D: распечатайте документ в обычный PDF и приложите его."

BOMB = "Содержимое файла при распаковке разрастается сверх меры: сохраните документ заново и приложите его."
TOO_MANY_MEMBERS = "Внутри файла больше {limit} частей: разделите документ и приложите по частям."
NESTED_TOO_DEEP = "Внутри файла архив в архиве: приложите сам документ."
TOO_MANY_PIXELS = "Картинка больше {limit} мегапикселей: уменьшите её и приложите снова."

CHECK_FAILED = "Проверить файл не удалось ({why}): сохраните его заново или в другом виде и приложите снова."
VIRUS = "Антивирус нашёл в файле угрозу ({what}): не открывайте файл и приложите чистый документ."

NOT_READABLE = "Файл не читается ({why}): проверьте путь и права."


def megabytes(count: float) -> str:
    """Write a size in MiB the Russian way, as short as it can be said."""
    return f"{count:.1f}".rstrip("0").rstrip(".").replace(".", ",")


def too_large(size: int, limit: int) -> str:
    """Say that a file of `size` bytes is over `limit` bytes; both are shown in MiB and never look equal."""
    mib = 1024 * 1024
    shown = max(size / mib, limit / mib + 0.1)
    return (
        f"Файл слишком большой ({megabytes(shown)} МБ, можно до {megabytes(limit / mib)} МБ): "
        "уменьшите или разделите его и приложите снова."
    )


def not_allowed(extension: str, allowed: tuple[str, ...]) -> str:
    """Say that files of this ending are not taken and which are."""
    return f"Файлы .{extension} не принимаются: приложите документ в одном из видов: {', '.join(allowed)}."


def mismatch(extension: str, found: str) -> str:
    """Say that the bytes are not what the ending promises; `found` is what they look like, or empty."""
    named = found and not found.endswith(f".{extension}")
    inside = f"внутри {found}" if named else "содержимое не похоже на такой файл"
    return f"Файл назван .{extension}, но {inside}: приложите настоящий .{extension} или исправьте расширение."


def archive_inside(extension: str, found: str) -> str:
    """Say that an archive hides under a document's ending."""
    return f"Файл назван .{extension}, но внутри {found}: распакуйте его и приложите сами документы."
