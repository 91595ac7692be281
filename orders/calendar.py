"""Read the calendar file (TOML): all problems at once, each with its line; nothing is half applied."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from orders.dates import parse_day
from orders.errors import Refused
from orders.tomlread import TomlProblem, load_toml
from orders.worktime import HOURS, NOT_APPROVED, WEEK, CalendarError, Day, DayLine, Kind, WorkingCalendar

__all__ = ["NOT_APPROVED", "CalendarError", "Day", "DayLine", "Kind", "WorkingCalendar", "read_calendar"]

_DAYS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
_SPAN = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)")
_YEAR_NAMES = {"published", *(kind.value for kind in Kind)}


def read_calendar(text: str, zone: str = "Europe/Moscow") -> WorkingCalendar:
    """Read `[week]` and `[year.YYYY]` tables. Raises CalendarError; an empty file is the plain Russian calendar."""
    try:
        data = load_toml(text)
    except TomlProblem as error:
        raise CalendarError([str(error)]) from None
    return _Reader(text, data).calendar(ZoneInfo(zone))


class _Reader:
    def __init__(self, text: str, data: Mapping[str, Any]) -> None:
        self.lines, self.data, self.problems = text.splitlines(), data, list[str]()
        self.seen: defaultdict[str, int] = defaultdict(int)

    def calendar(self, zone: ZoneInfo) -> WorkingCalendar:
        """Build the calendar, or raise with everything that is wrong."""
        for name in self.data:
            if name not in ("week", "year"):
                self.problem(name, f"раздел «{name}» неизвестен, есть [week] и [year.2026]")
        week = self.table("week", self.data.get("week", {}), {"days", "hours"})
        days, hours = self.week_days(week), self.day_hours(week)
        overrides: dict[date, Kind] = {}
        published: set[int] = set()
        for name, table in self.table("year", self.data.get("year", {}), None).items():
            self.year(name, table, overrides, published)
        if self.problems:
            raise CalendarError(self.problems)
        calendar = WorkingCalendar(zone, days, hours, overrides, frozenset(published))
        self.useless_short_days(calendar)
        if self.problems:
            raise CalendarError(self.problems)
        return calendar

    def problem(self, needle: str, text: str) -> None:
        """Note a problem with the line on which `needle` stands (its next one, if it was named before)."""
        hits = [n for n, line in enumerate(self.lines, 1) if needle in line.split("#")[0]]
        nth = self.seen[needle]
        self.seen[needle] += 1
        place = f"строка {hits[min(nth, len(hits) - 1)]}: " if hits else ""
        self.problems.append(place + text)

    def table(self, name: str, value: object, known: set[str] | None) -> Mapping[str, Any]:
        """Return a table; note names in it that mean nothing."""
        if not isinstance(value, dict):
            self.problem(name, f"«{name}» должно быть разделом [{name}]")
            return {}
        for key in value:
            if known is not None and key not in known:
                self.problem(key, f"«{key}» неизвестно, есть {', '.join(sorted(known))}")
        return value

    def items(self, table: Mapping[str, Any], name: str) -> list[Any]:
        """Return a list of a table."""
        value = table.get(name, [])
        if not isinstance(value, list):
            self.problem(name, f'«{name}» должно быть списком: {name} = ["…"]')
            return []
        return value

    def week_days(self, week: Mapping[str, Any]) -> frozenset[int]:
        """Read the weekdays worked."""
        names = self.items(week, "days")
        for name in names:
            if name not in _DAYS:
                self.problem(str(name), f"день недели «{name}»: есть {', '.join(_DAYS)}")
        return frozenset(_DAYS[n] for n in names if n in _DAYS) or WEEK

    def day_hours(self, week: Mapping[str, Any]) -> tuple[tuple[time, time], ...]:
        """Read the spans of a full day; they must follow each other and hold more than an hour."""
        spans: list[tuple[time, time]] = []
        for item in self.items(week, "hours"):
            span = _span(item)
            if span is None or (spans and span[0] < spans[-1][1]):
                self.problem(str(item), f"часы «{item}»: пишите как 09:00-13:00, по порядку и без наложения")
            else:
                spans.append(span)
        if spans and sum(_minutes(b) - _minutes(a) for a, b in spans) <= 60:
            self.problem("hours", "рабочий день должен быть длиннее часа")
        return tuple(spans) or HOURS

    def year(self, name: str, value: object, overrides: dict[date, Kind], published: set[int]) -> None:
        """Read one year's days into `overrides`."""
        if not re.fullmatch(r"(19|20|21)\d\d", name):
            self.problem(name, f"год «{name}» не понят: раздел пишется [year.2026]")
            return
        table = self.table(f"year.{name}", value, _YEAR_NAMES)
        said = table.get("published", False)
        if not isinstance(said, bool):
            self.problem("published", "published бывает true или false")
        elif said:
            published.add(int(name))
        for kind in Kind:
            for item in self.items(table, kind.value):
                self.one_day(item, int(name), kind, overrides)

    def one_day(self, item: object, year: int, kind: Kind, overrides: dict[date, Kind]) -> None:
        """Read one day of one list."""
        try:
            day = item if isinstance(item, date) and not isinstance(item, datetime) else parse_day(str(item))
        except Refused as error:
            self.problem(str(item), str(error))
            return
        if day.year != year:
            self.problem(str(item), f"{day:%d.%m.%Y} стоит в разделе {year} года")
        elif day in overrides:
            self.seen[str(item)] = max(self.seen[str(item)], 1)  # the second mention is the wrong one
            self.problem(str(item), f"{day:%d.%m.%Y} указан дважды: {overrides[day]} и {kind}")
        else:
            overrides[day] = kind

    def useless_short_days(self, calendar: WorkingCalendar) -> None:
        """A short day on a weekend that nobody works is a slip of the pen: say so."""
        plain = WorkingCalendar(calendar.zone, calendar.week, calendar.hours)
        for day, kind in calendar.overrides.items():
            if kind is Kind.SHORT and not plain.is_working(day):
                needle = day.isoformat() if any(day.isoformat() in line for line in self.lines) else f"{day:%d.%m.%Y}"
                self.problem(needle, f"{day:%d.%m.%Y} и так нерабочий, коротким его не сделать")


def _span(item: object) -> tuple[time, time] | None:
    match = _SPAN.fullmatch(str(item))
    try:
        pair = tuple(time.fromisoformat(part) for part in match.groups()) if match else ()
    except ValueError:
        return None
    return (pair[0], pair[1]) if len(pair) == 2 and pair[0] < pair[1] else None


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute
