"""Values on their way between engine and card: how each kind is written, and when two notations mean the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from bitrix_sync.schema import CardField
from orders.dates import parse_day, parse_moment
from orders.errors import Permanent, Refused
from orders.snapshot import Scalar
from orders.stage import FieldKind

CURRENCY = "RUB"


def to_portal(field: CardField, value: Scalar, zone: tzinfo) -> Any:
    """Return what to send for a value. Raises Permanent where the card lacks a choice of the diagram."""
    if value is None or value == "":
        return cleared(field)
    match field.kind:
        case FieldKind.CHOICE:
            if str(value) not in field.choices:
                raise Permanent(f"в портале у поля «{field.label}» нет варианта {value}: запустите bitrix setup")
            return field.choices[str(value)]
        case FieldKind.SUM:
            return f"{Decimal(str(value)):.2f}|{CURRENCY}"
        case FieldKind.DATE:
            return str(value)[:10]
        case FieldKind.MOMENT:
            return parse_moment(str(value), zone).astimezone(zone).isoformat(timespec="seconds")
        case _:
            return str(value)


def cleared(field: CardField) -> Any:
    """Return what empties a field: a multiple one takes nothing but a list."""
    return [] if field.multiple else ""


def from_portal(field: CardField, shown: Any, zone: tzinfo) -> str:
    """Return what a person put into a card's field as the engine takes it, "" for nothing; the gate judges it."""
    if shown in (None, "", False, [], {}):
        return ""
    match field.kind:
        case FieldKind.CHOICE:
            return next((value for value, number in field.choices.items() if str(number) == str(shown)), str(shown))
        case FieldKind.SUM:
            return str(shown).partition("|")[0]
        case FieldKind.DATE:
            day = day_of(str(shown))
            return day.isoformat() if day else str(shown)
        case FieldKind.MOMENT:
            moment = instant(shown, zone)
            return moment.astimezone(zone).isoformat() if moment else str(shown)
        case _:
            return str(shown)


def same(field: CardField, shown: Any, value: Scalar, zone: tzinfo) -> bool:
    """Tell whether the card shows the engine's value: sums as numbers, instants as instants, days as days."""
    empty: tuple[Any, ...] = (None, "", False, [], {})
    if value is None or value == "":
        return shown in empty
    if shown in empty:
        return False
    match field.kind:
        case FieldKind.CHOICE:
            return str(shown) == str(field.choices.get(str(value)))
        case FieldKind.SUM:
            return _number(str(shown).partition("|")[0]) == _number(str(value))
        case FieldKind.DATE:
            return day_of(str(shown)) == day_of(str(value))
        case FieldKind.MOMENT:
            return instant(shown) == instant(str(value), zone)
        case _:
            return _text(str(shown)) == _text(str(value))


def instant(text: Any, zone: tzinfo | None = None) -> datetime | None:
    """Return an ISO text as an instant in UTC to the second, None where it is empty or not one."""
    if not text:
        return None
    try:
        return parse_moment(str(text), zone).replace(microsecond=0)
    except Refused:
        return None


def day_of(text: str) -> date | None:
    """Return the day that a date field shows.

    Portals write a pure date as midnight: of UTC in their own offset, or of their zone. Neither may shift the day.
    """
    if len(text.strip()) <= 10:
        try:
            return parse_day(text)
        except Refused:
            return None
    moment = instant(text)
    if moment is None:
        return None
    if moment.astimezone(UTC).time().replace(second=0) == datetime.min.time():
        return moment.astimezone(UTC).date()
    return date.fromisoformat(text[:10])


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace(",", ".").replace(" ", ""))
    except InvalidOperation:
        return None


def _text(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n"))
