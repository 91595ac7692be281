"""When the plant closes: what a promise without a time of its own means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from orders.worktime import WorkingCalendar

_YEARS = 3  # this one and what may be promised now


@dataclass(frozen=True, slots=True)
class Workday:
    """The closing time of a full day, `HH:MM` in the plant's zone, and by ISO day where it is another one."""

    ends: str
    other: Mapping[str, str] = field(default_factory=dict)

    def closing(self, day: date) -> str:
        """Return the closing time of a day; on a day off, that of a full day."""
        return self.other.get(day.isoformat(), self.ends)

    def text(self) -> str:
        """Return it as JSON, always the same text for the same times."""
        return json.dumps({"ends": self.ends, "other": self.other}, sort_keys=True)


def workday(calendar: WorkingCalendar, year: int) -> Workday:
    """Read the closing times of a year and the two after it from the calendar."""
    ends = f"{calendar.hours[-1][1]:%H:%M}"
    days = (date(year, 1, 1) + timedelta(n) for n in range((date(year + _YEARS, 1, 1) - date(year, 1, 1)).days))
    closings = {day.isoformat(): f"{calendar.end_of_day(day).astimezone(calendar.zone):%H:%M}" for day in days}
    return Workday(ends, {day: closing for day, closing in closings.items() if closing != ends})
