"""Dates and instants: what people type and what they read. Zones are always given, never the machine's."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, tzinfo

from orders.errors import Refused

WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")
MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
_RUSSIAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def utc(moment: datetime) -> datetime:
    """Return an aware instant in UTC. Raises ValueError for a naive one: its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {moment.isoformat()}")
    return moment.astimezone(UTC)


def parse_day(text: str) -> date:
    """Read dd.mm.yyyy or YYYY-MM-DD; anything else is Refused, because 03/04/26 means two days."""
    cleaned = text.strip()
    if match := _RUSSIAN.fullmatch(cleaned):
        day, month, year = (int(part) for part in match.groups())
    elif match := _ISO.fullmatch(cleaned):
        year, month, day = (int(part) for part in match.groups())
    else:
        raise Refused(f"Дата «{cleaned}» не понята: напишите её как 25.12.2026 или 2026-12-25")
    try:
        return date(year, month, day)
    except ValueError:
        raise Refused(f"Даты «{cleaned}» нет в календаре") from None


def parse_moment(text: str, zone: tzinfo | None = None) -> datetime:
    """Read an ISO instant and return it in UTC; without an offset it is taken in `zone`, else Refused."""
    cleaned = re.sub(r"([+-]\d{2})(\d{2})$", r"\1:\2", text.strip())
    try:
        moment = datetime.fromisoformat(cleaned)
    except ValueError:
        raise Refused(f"Дата и время «{text}» не поняты: нужны как 2026-12-25T18:00:00+03:00") from None
    if moment.tzinfo is None:
        if zone is None:
            raise Refused(f"У времени «{text}» не указан часовой пояс")
        moment = moment.replace(tzinfo=zone)
    return utc(moment)


def same_instant(a: str, b: str) -> bool:
    """Tell whether two ISO texts mean one instant, whatever their offsets; unreadable ones are equal only as text."""
    try:
        return parse_moment(a) == parse_moment(b)
    except Refused:
        return a == b


def local_day(moment: datetime, zone: tzinfo) -> date:
    """Return the calendar day of an instant in a zone ("today" is the plant's)."""
    return utc(moment).astimezone(zone).date()


def at_local(day: date, clock: time, zone: tzinfo) -> datetime:
    """Return the instant (UTC) of a wall-clock time on a day in a zone."""
    return utc(datetime.combine(day, clock, tzinfo=zone))


def long_day(day: date, *, today: date | None = None) -> str:
    """Render «пт 27 ноября»; the year is added where it differs from today's."""
    text = f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"
    return text if today is None or today.year == day.year else f"{text} {day.year}"


def long_moment(moment: datetime, zone: tzinfo, *, today: date | None = None) -> str:
    """Render «пт 27 ноября, 18:00» in a zone."""
    local = utc(moment).astimezone(zone)
    return f"{long_day(local.date(), today=today)}, {local:%H:%M}"


def short_day(day: date) -> str:
    """Render «27.11.2026»."""
    return f"{day:%d.%m.%Y}"


def short_moment(moment: datetime, zone: tzinfo) -> str:
    """Render «27.11 18:00» in a zone, for tables."""
    return f"{utc(moment).astimezone(zone):%d.%m %H:%M}"
