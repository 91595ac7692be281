"""Sums in roubles: what people and bookkeepers' programs write, what the engine holds, what people read.

In the engine a sum is text with a dot and two digits (`125000.00`), more than zero. An amount that can be read in two
ways is asked about, never guessed: a sum a thousand times too small is worse than a question.
"""

from __future__ import annotations

import re
from decimal import Decimal

from orders.errors import Refused

LIMIT = Decimal("999999999999.99")
NARROW = "\u202f"  # narrow no-break space
_BLANKS = "[ \u00a0\u202f\u2009\u2007\t]"
_CURRENCY = re.compile(r"(?:₽|руб(?:лей|ля|ль)?\.?|р\.|RUB)$", re.IGNORECASE)
_GROUPED = re.compile(rf"[0-9]{{1,3}}(?:{_BLANKS}[0-9]{{3}})+(?=[.,]|$)")


class AmbiguousSum(Refused):
    """The text reads as two different sums; `readings` holds both as the engine would store them."""

    def __init__(self, text: str, readings: tuple[str, str]) -> None:
        self.readings = readings
        one, other = (plain(r) for r in readings)
        super().__init__(f"Сумма «{text}» читается двояко: {one} или {other} ₽? Запишите её с копейками")


def parse_sum(text: str) -> Decimal:
    """Read a sum in roubles with exactly two decimals; more than zero.

    Blanks of all widths are thousands marks, a comma or a dot before one or two last digits is the decimal mark.
    Raises AmbiguousSum for `1.250` and `1,250`, Refused for all that is not one sum.
    """
    shown = text.strip()
    body = _CURRENCY.sub("", shown).rstrip(" \u00a0\u202f\u2009\u2007\t")
    if not body:
        raise Refused("Сумма пуста")
    if body[0] in "-−–" and re.match(r"[-−–]\s*[0-9]", body):
        raise Refused(f"Сумма «{shown}» отрицательная")
    if match := _GROUPED.match(body):
        body = re.sub(_BLANKS, "", match.group()) + _three_decimals_are_too_many(shown, body[match.end() :])
    if not re.fullmatch(r"[0-9][0-9.,]*", body):
        raise Refused(f"Сумма «{shown}» не понята: нужно число рублей, например 125000,00")
    return _checked(shown, _decimal(shown, body))


def _three_decimals_are_too_many(shown: str, rest: str) -> str:
    if re.fullmatch(r"[.,][0-9]{3,}", rest):
        raise Refused(f"В сумме «{shown}» больше двух знаков после запятой")
    return rest


def _decimal(shown: str, body: str) -> Decimal:
    """Decide which mark is the decimal one."""
    marks = re.findall(r"[.,]", body)
    if not marks:
        return Decimal(body)
    if len(marks) == 1:
        whole, part = re.split(r"[.,]", body)
        if len(part) == 3 and len(whole) <= 3 and not whole.startswith("0"):
            raise AmbiguousSum(shown, (f"{whole}.{part}", f"{whole}{part}"))
        return _joined(shown, whole, part)
    last = marks[-1]
    if len(set(marks)) == 1:  # 1.250.000: a number has one decimal mark at most
        return _joined(shown, _ungrouped(shown, body, last), "")
    if marks.count(last) != 1 or len(set(marks[:-1])) != 1:
        raise Refused(f"Сумма «{shown}» не понята: точки и запятые стоят вперемешку")
    head, part = body.rsplit(last, 1)
    return _joined(shown, _ungrouped(shown, head, marks[0]), part)


def _ungrouped(shown: str, body: str, mark: str) -> str:
    groups = body.split(mark)
    if not 1 <= len(groups[0]) <= 3 or any(len(g) != 3 for g in groups[1:]):
        raise Refused(f"Сумма «{shown}» не понята: разряды отделены не по три цифры")
    return "".join(groups)


def _joined(shown: str, whole: str, part: str) -> Decimal:
    if len(part) > 2:
        raise Refused(f"В сумме «{shown}» больше двух знаков после запятой")
    return Decimal(f"{whole}.{part or '0'}")


def _checked(shown: str, value: Decimal) -> Decimal:
    if value <= 0:
        raise Refused(f"Сумма «{shown}» должна быть больше нуля")
    if value > LIMIT:
        raise Refused(f"Сумма «{shown}» слишком велика")
    return value.quantize(Decimal("0.01"))


def stored(value: Decimal) -> str:
    """Return the engine's text of a sum: `125000.00`."""
    return f"{value:.2f}"


def plain(value: Decimal | str) -> str:
    """Render a sum without its unit: «128 400», «128 400,50» (narrow no-break spaces)."""
    exact = Decimal(value).normalize()
    exponent = exact.as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) else 0
    text = f"{exact:,.{max(2, digits) if digits > 0 else 0}f}"
    return text.replace(",", NARROW).replace(".", ",")


def format_sum(value: Decimal | str) -> str:
    """Render «128 400 ₽», kopecks only where there are any."""
    return f"{plain(value)}{NARROW}₽"
