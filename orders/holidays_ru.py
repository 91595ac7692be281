"""The Russian production calendar of one year, from the `holidays` package and two rules of the Labour Code.

The package knows statutory holidays and, for published years, the moved days (2024-2027 in version 0.109). It does not
know short days. Article 95: the working day immediately before a statutory holiday is one hour shorter. Order 588n of
13.08.2009: a weekend day worked instead of a weekday has the length of that weekday. Article 112: a holiday that falls
on a weekend moves the day off to the next working day, January left out (applied to years not published yet).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

import holidays

_MOVED = re.compile(r"перенесено с (\d\d\.\d\d\.\d{4})")
_OBSERVED = "(выходной)"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class YearPlan:
    """What is special in one year. Days not named here follow the plant's week."""

    published: bool
    days_off: Mapping[date, str]  # day -> why, in Russian
    working: Mapping[date, str]  # weekend day that is worked -> why
    short: frozenset[date]


@lru_cache(maxsize=64)
def year_plan(year: int) -> YearPlan:
    """Return the plan of a year; an unpublished one holds statutory holidays and article 112 only."""
    days = dict(holidays.country_holidays("RU", years=[year], language="ru").items())
    days = {day: name for day, name in days.items() if day.year == year}
    moved = {day: _source(name) for day, name in days.items() if _MOVED.search(name)}
    statutory = {d: n for d, n in days.items() if d not in moved and not n.endswith(_OBSERVED)}
    if not moved:
        days |= _carried_over(statutory)
    # A move from a statutory holiday (say Sunday, 5 January) gives a day off elsewhere and no day of work.
    swapped = {source: day for day, source in moved.items() if source.weekday() >= 5 and source not in statutory}
    working = {source: f"рабочий день вместо {day:%d.%m.%Y}" for source, day in swapped.items()}
    next_new_year = date(year + 1, 1, 1)
    eves = {day - _DAY for day in [*statutory, next_new_year]}
    short = {d for d in eves if d.year == year and d.weekday() < 5 and d not in days}
    short |= {source for source, day in swapped.items() if day in eves}
    return YearPlan(bool(moved), MappingProxyType(days), MappingProxyType(working), frozenset(short))


def _source(name: str) -> date:
    match = _MOVED.search(name)
    assert match is not None
    return datetime.strptime(match[1], "%d.%m.%Y").date()  # noqa: DTZ007 a pure date has no zone


def _carried_over(statutory: Mapping[date, str]) -> dict[date, str]:
    found: dict[date, str] = {}
    for day, name in sorted(statutory.items()):
        if day.weekday() < 5 or day.month == 1:
            continue
        free = day + _DAY
        while free.weekday() >= 5 or free in statutory or free in found:
            free += _DAY
        found[free] = f"{name} {_OBSERVED}"
    return found
