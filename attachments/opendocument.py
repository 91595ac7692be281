"""OpenDocument: sheets and texts of LibreOffice and its relatives. Source of the form: OASIS OpenDocument 1.3."""

from __future__ import annotations

import re

from attachments import links, sentences, signatures, xmlread
from attachments.office import MAX_NESTED, Nested
from attachments.sentences import Refusal
from attachments.zipread import Archive, Member

MIMETYPE = "mimetype"
MANIFEST = "META-INF/manifest.xml"
PREFIX = b"application/vnd.oasis.opendocument."

_KINDS = {
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.presentation": "презентация",
    b"application/vnd.oasis.opendocument.graphics": "рисунок OpenDocument",
    b"application/vnd.oasis.opendocument.spreadsheet-template": "шаблон документа",
    b"application/vnd.oasis.opendocument.text-template": "шаблон документа",
}
_LIBRARY_LISTS = ("script-lc.xml", "script-lb.xml", "dialog-lc.xml", "dialog-lb.xml")
_SCANNED = ("content.xml", "styles.xml", "meta.xml", "settings.xml")
_WORDS = re.compile(
    rb"href|event-listener|DDE|dde-|WEBSERVICE|database-|applet|plugin|floating-frame|<!\[CDATA\[", re.IGNORECASE
)
_ASKED_FOR = frozenset({"a", "bookmark-ref", "reference-ref", "bibliography-mark"})  # a person has to click
_LOCAL_ALLOWED = frozenset({"image", "fill-image", "template", "background-image"})
_OBJECTS = {
    "applet": "апплет",
    "plugin": "подключаемый модуль",
    "floating-frame": "плавающая рамка",
    "object-ole": "OLE",
}


def examine(archive: Archive, nested: Nested) -> str:
    """Return `ods` or `odt`, or what else the package is, in Russian. Raises Refusal.

    `nested` judges a package that lies inside this one or refuses it.
    """
    parts = {member.name: member for member in archive.members if not member.is_folder}
    manifest = _Manifest()
    if MANIFEST in parts:
        xmlread.parse(archive.chunks(parts[MANIFEST]), manifest)
    if manifest.encrypted:
        raise Refusal(sentences.LOCKED)
    kind = _KINDS.get(archive.read(parts[MIMETYPE], 256).strip(), "")
    if "content.xml" not in parts:
        raise Refusal(sentences.DAMAGED.format(detail="нет главной части"))
    for name, member in parts.items():
        _check_part(archive, name, member, nested)
    return kind


class _Manifest(xmlread.Handler):
    """The package's own list of parts, which says whether they are encrypted."""

    def __init__(self) -> None:
        self.encrypted = False

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        """Take one entry."""
        self.encrypted |= tag.endswith(("}encryption-data", "}encrypted-key"))


def _check_part(archive: Archive, name: str, member: Member, nested: Nested) -> None:
    lower = name.casefold()
    leaf = lower.rpartition("/")[2]
    head = archive.head(member)
    if lower.startswith("basic/") and leaf not in _LIBRARY_LISTS:
        raise Refusal(sentences.MACROS)
    if (lower.startswith("scripts/") and head) or "vbaproject" in leaf:
        raise Refusal(sentences.MACROS)
    if head.startswith(signatures.OLE):
        raise Refusal(sentences.EMBEDDED_OBJECT.format(what="OLE"))
    if signatures.program(head):
        raise Refusal(sentences.PROGRAM)
    if signatures.archive(head):
        nested(archive.read(member, MAX_NESTED))
    elif leaf in _SCANNED:
        watch = xmlread.Watch(archive.chunks(member), _WORDS)
        xmlread.parse(watch)
        if watch.hit:
            xmlread.parse(archive.chunks(member), _Content())
    else:
        for _ in archive.chunks(member):
            pass


class _Content(xmlread.Handler):
    """Links, scripts and formulas of one part."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Judge one element."""
        local = tag.rpartition("}")[2]
        values = {name.rpartition("}")[2]: value for name, value in attributes.items()}
        if local == "event-listener" and ("script:" in values.get("href", "") or "macro-name" in values):
            raise Refusal(sentences.MACROS)
        if local.startswith("dde-") and local != "dde-links":
            raise Refusal(sentences.DDE)
        if local in ("applet", "plugin", "floating-frame"):
            raise Refusal(sentences.ACTIVE_CONTENT.format(what=_OBJECTS[local]))
        _check_formula(values.get("formula", ""))
        _check_link(local, values.get("href", "").strip())


def _check_formula(formula: str) -> None:
    code = formula.partition(":=")[2] or formula
    if not formula:
        return
    # Here "|" is an ordinary separator of array rows, so only the function by name starts a program.
    if links.is_dde(code.replace("|", "")):
        raise Refusal(sentences.DDE)
    if function := links.fetches(code):
        raise Refusal(sentences.EXTERNAL_LINK.format(what=f"функция {function}"))


def _check_link(local: str, target: str) -> None:
    if not target or target.startswith("#") or local in _ASKED_FOR:
        return
    if target.casefold().startswith(("vnd.sun.star.script:", "macro:", "javascript:")):
        raise Refusal(sentences.MACROS)
    if _is_inside(target) or (local in _LOCAL_ALLOWED and links.is_local(target)):
        return
    names = {"image": "картинка", "object": "связанный объект", "table-source": "другая таблица", "template": "шаблон"}
    raise Refusal(sentences.EXTERNAL_LINK.format(what=names.get(local, "связь с другим файлом")))


def _is_inside(target: str) -> bool:
    """Inside the package are relative names that do not climb out of it."""
    return links.is_local(target) and ":" not in target and not target.startswith(("/", "../", "..\\"))
