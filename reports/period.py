"""A month of the plant: its bounds as instants, in the plant's zone and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from orders.errors import Refused
from reports.clock import ms
from reports.facts import Ms

NAMES = (
    *("январь", "февраль", "март", "апрель", "май", "июнь"),
    *("июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь"),
)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar."""

    year: int
    month: int

    def __str__(self) -> str:
        """Render «2026-10»."""
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def title(self) -> str:
        """Render «октябрь 2026»."""
        return f"{NAMES[self.month - 1]} {self.year}"

    def shifted(self, months: int) -> Month:
        """Return the month so many months later."""
        place = self.year * 12 + self.month - 1 + months
        return Month(place // 12, place % 12 + 1)

    def bounds(self, zone: ZoneInfo) -> tuple[Ms, Ms]:
        """Return (first instant, first instant after it)."""
        after = self.shifted(1)
        begin, end = (datetime(m.year, m.month, 1, tzinfo=zone).astimezone(UTC) for m in (self, after))
        return ms(begin), ms(end)


def month_of(now: datetime, zone: ZoneInfo) -> Month:
    """Return the plant's month of an instant."""
    local = now.astimezone(zone)
    return Month(local.year, local.month)


def read_month(text: str | None, now: datetime, zone: ZoneInfo) -> Month:
    """Read «2026-10»; nothing means the last whole month. Raises Refused for what is no month or not yet begun."""
    current = month_of(now, zone)
    if text is None:
        return current.shifted(-1)
    match = re.fullmatch(r"(\d{4})-(\d{2})", text.strip())
    if not match or not 1 <= int(match[2]) <= 12 or not 1970 <= int(match[1]) <= 9000:
        raise Refused(f"Месяц «{text}» не понят: напишите его как {current.shifted(-1)}")
    month = Month(int(match[1]), int(match[2]))
    if month > current:
        raise Refused(f"{month.title.capitalize()} ещё не начался: отчёт есть по {current.title} включительно")
    return month


def months_until(last: Month, n: int) -> Iterator[Month]:
    """Return the n months that end with `last`, oldest first."""
    return (last.shifted(-back) for back in range(n - 1, -1, -1))
