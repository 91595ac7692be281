"""Working time in no time: the same hours as `orders.worktime`, asked for hundreds of thousands of times.

The working time since a fixed beginning is a function that only grows; what lies between two instants is the
difference of two of its values. So durations add up exactly, whatever the machine's zone and whichever nights the
clocks were changed in.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta

from orders.persons import Person
from orders.worktime import WorkingCalendar
from reports.facts import Ms

HOUR = 3_600_000
DAY = 8 * HOUR  # a working day of norms and reports
CALENDAR_DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_A_DAY = timedelta(days=1)


def ms(moment: datetime) -> Ms:
    """Return an aware instant in milliseconds."""
    span = moment - _EPOCH
    return span.days * CALENDAR_DAY + span.seconds * 1000 + span.microseconds // 1000


def moment(at: Ms) -> datetime:
    """Return the instant (UTC) of milliseconds."""
    return _EPOCH + timedelta(milliseconds=at)


class WorkClock:
    """The plant's working time, or that of one person: days of absence and free weekdays left out.

    `years` (first, last) spares laying the days anew for each year that is asked for.
    """

    def __init__(
        self, calendar: WorkingCalendar, person: Person | None = None, years: tuple[int, int] | None = None
    ) -> None:
        self.calendar = calendar
        self._person = person
        self._years: tuple[int, int] | None = None
        self._begins: list[Ms] = []
        self._ends: list[Ms] = []
        self._before: list[Ms] = []  # worked before the span of the same place begins
        if years:
            self._lay(years[0] - 1, years[1] + 1)

    def worked(self, a: Ms, b: Ms) -> Ms:
        """Return the working time from `a` to `b`; negative where `b` comes first."""
        self._reach(a)
        self._reach(b)
        return self._total(b) - self._total(a)

    def hours(self, a: Ms, b: Ms) -> float:
        """Return the working hours from `a` to `b`; negative where `b` comes first."""
        return self.worked(a, b) / HOUR

    def _total(self, at: Ms) -> Ms:
        place = bisect_right(self._begins, at) - 1
        return 0 if place < 0 else self._before[place] + min(at, self._ends[place]) - self._begins[place]

    def _reach(self, at: Ms) -> None:
        if self._years and self._begins and self._begins[0] <= at <= self._ends[-1]:
            return
        year = self.calendar.today(moment(at)).year
        if self._years and self._years[0] < year < self._years[1]:
            return
        # One year more on both sides: a difference needs a beginning before both instants.
        first, last = self._years or (year, year)
        self._lay(max(1, min(first, year - 1)), min(9999, max(last, year + 1)))

    def _lay(self, first: int, last: int) -> None:
        self._years = (first, last)
        self._begins, self._ends, self._before = [], [], []
        total, day, end = 0, date(first, 1, 1), date(last, 12, 31)
        while day <= end:
            if self._person is None or self._person.present(day):
                for begin, close in self.calendar.day(day).spans:
                    first_ms, last_ms = ms(begin), ms(close)
                    self._begins.append(first_ms)
                    self._ends.append(last_ms)
                    self._before.append(total)
                    total += last_ms - first_ms
            if day == date.max:
                break
            day += _A_DAY


def overlap(a: Ms, b: Ms, first: Ms, last: Ms) -> tuple[Ms, Ms]:
    """Return the part of [a, b] that lies in [first, last]; an empty part begins where it ends."""
    begin, end = max(a, first), min(b, last)
    return (begin, max(begin, end))
