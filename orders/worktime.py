"""The plant's working time: which hours are worked, and how to count in them.

Instants come and go in UTC; what a day is, the plant's zone decides, never the machine's. A working day ends at its
closing hour: eight hours from the opening are due at closing, not next morning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from orders.dates import utc
from orders.errors import OrderRouteError
from orders.holidays_ru import year_plan

NOT_APPROVED = "календарь года не утверждён"
_HORIZON = timedelta(days=366 * 30)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
Span = tuple[datetime, datetime]


class CalendarError(OrderRouteError):
    """The calendar file is wrong; `problems` lists everything that is, each with its line. Nothing was applied."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("Календарь с ошибками:\n" + "\n".join(f"— {p}" for p in self.problems))


class Kind(StrEnum):
    """What the calendar file says of one day."""

    OFF = "days_off"
    FULL = "working_days"
    SHORT = "short_days"


@dataclass(frozen=True, slots=True)
class Day:
    """One day as it is worked: spans in UTC in order, empty on a day off; `note` says why in Russian."""

    day: date
    spans: tuple[Span, ...]
    note: str
    approved: bool  # False in a year whose moved days are not published

    @property
    def working(self) -> bool:
        """Tell whether anything is worked on the day."""
        return bool(self.spans)


@dataclass(frozen=True, slots=True)
class DayLine:
    """One line of an explanation: how many working hours of a day lie between two instants."""

    day: date
    hours: float
    note: str


WEEK = frozenset(range(5))
HOURS = ((time(9), time(13)), (time(14), time(18)))


@dataclass(frozen=True)
class WorkingCalendar:
    """Working hours of a plant. `hours` are the spans of a full day in local time; lunch is the gap between them."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Moscow"))
    week: frozenset[int] = WEEK
    hours: tuple[tuple[time, time], ...] = HOURS
    overrides: Mapping[date, Kind] = field(default_factory=dict)
    published: frozenset[int] = frozenset()  # years that the file itself declares complete
    _days: dict[date, Day] = field(default_factory=dict, repr=False, compare=False)

    def day(self, day: date) -> Day:
        """Return one day of the plant."""
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = self._plan(day)
        return known

    def approved(self, year: int) -> bool:
        """Tell whether the moved days of a year are known."""
        return year in self.published or year_plan(year).published

    def is_working(self, day: date) -> bool:
        """Tell whether a day is worked at all."""
        return self.day(day).working

    def today(self, now: datetime) -> date:
        """Return the plant's day of an instant."""
        return utc(now).astimezone(self.zone).date()

    def add(self, start: datetime, hours: float | timedelta) -> datetime:
        """Return the instant (UTC) at which that much working time has passed since `start`; zero gives `start`.

        Raises ValueError for a negative amount, and CalendarError where 30 years do not hold that much.
        """
        left = hours if isinstance(hours, timedelta) else timedelta(hours=hours)
        if left < timedelta():
            raise ValueError("working time is added forwards only")
        start = utc(start)
        if not left:
            return start
        for begin, end in self._spans(start):
            if end - begin >= left:
                return begin + left
            left -= end - begin
        raise CalendarError([f"за 30 лет от {start:%d.%m.%Y} столько рабочего времени не набралось"])

    def between(self, a: datetime, b: datetime) -> float:
        """Return the working hours from `a` to `b`; negative where `b` comes first."""
        return self.worked(a, b) / _HOUR

    def worked(self, a: datetime, b: datetime) -> timedelta:
        """Return the working time from `a` to `b`, exactly; negative where `b` comes first."""
        a, b = utc(a), utc(b)
        if b < a:
            return -self.worked(b, a)
        return sum((d for _, d in self._daily(a, b)), timedelta())

    def end_of_day(self, day: date) -> datetime:
        """Return the closing instant (UTC) of a day; on a day off, the time at which a full day would close."""
        spans = self.day(day).spans or self._full(day)
        return spans[-1][1]

    def next_working_day(self, day: date) -> date:
        """Return the first working day after a day."""
        day += _DAY
        while not self.is_working(day):
            day += _DAY
        return day

    def explain(self, a: datetime, b: datetime) -> list[DayLine]:
        """Return the working time between two instants day by day, days off with their reason included."""
        return [DayLine(day.day, worked / _HOUR, _said(day)) for day, worked in self._daily(utc(a), utc(b))]

    def unapproved_years(self, a: datetime, b: datetime) -> list[int]:
        """Return the years between two instants whose moved days are not known, for the mark on a date."""
        years = range(self.today(a).year, self.today(b).year + 1)
        return [year for year in years if not self.approved(year)]

    def mark(self, moment: datetime) -> str:
        """Return « (календарь года не утверждён)» for an instant in such a year, else nothing."""
        return "" if self.approved(self.today(moment).year) else f" ({NOT_APPROVED})"

    def _daily(self, a: datetime, b: datetime) -> Iterator[tuple[Day, timedelta]]:
        day, last = self.today(a), self.today(b)
        while day <= last:
            plan = self.day(day)
            parts = (max(min(end, b) - max(begin, a), timedelta()) for begin, end in plan.spans)
            yield plan, sum(parts, timedelta())
            day += _DAY

    def _spans(self, start: datetime) -> Iterator[Span]:
        day = self.today(start)
        last = min(date.max - _DAY - _HORIZON, day) + _HORIZON
        while day <= last:
            for begin, end in self.day(day).spans:
                if end > start:
                    yield max(begin, start), end
            day += _DAY

    def _full(self, day: date) -> tuple[Span, ...]:
        return tuple(
            (datetime.combine(day, a, self.zone).astimezone(UTC), datetime.combine(day, b, self.zone).astimezone(UTC))
            for a, b in self.hours
        )

    def _plan(self, day: date) -> Day:
        kind, note = self._kind(day)
        approved = self.approved(day.year)
        if kind is Kind.OFF:
            return Day(day, (), note, approved)
        full = self._full(day)
        return Day(day, full if kind is Kind.FULL else _shortened(full), note, approved)

    def _kind(self, day: date) -> tuple[Kind, str]:
        plan, said = year_plan(day.year), self.overrides.get(day)
        if said is not None:
            names = {Kind.OFF: "нерабочий день", Kind.FULL: "рабочий день", Kind.SHORT: "короткий день"}
            return said, f"{names[said]} по календарю предприятия"
        if day in plan.days_off:
            return Kind.OFF, plan.days_off[day]
        if day not in plan.working and day.weekday() not in self.week:
            return Kind.OFF, "выходной"
        note = plan.working.get(day, "рабочий день")
        if day in plan.short:
            return (
                Kind.SHORT,
                f"{note}, на час короче" if day in plan.working else "предпраздничный день, на час короче",
            )
        return Kind.FULL, note


def _shortened(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Cut one hour off the end of a day."""
    left, kept = _HOUR, list(spans)
    while kept and left:
        begin, end = kept.pop()
        cut = min(left, end - begin)
        left -= cut
        if end - cut > begin:
            kept.append((begin, end - cut))
    return tuple(kept)


def _said(day: Day) -> str:
    return day.note if day.approved else f"{day.note}; {NOT_APPROVED}"
