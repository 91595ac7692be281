"""Rule: working time adds up, only grows, equals the plant's calendar, and does not know the machine's zone or DST."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shop import ROOT

from orders.calendar import read_calendar
from orders.persons import Period, Person
from orders.worktime import WorkingCalendar
from reports.clock import HOUR, WorkClock, moment, ms, overlap

CALENDARS = {
    "plant": read_calendar((ROOT / "config" / "calendar.toml").read_text(encoding="utf-8")),
    "clocks that change": WorkingCalendar(ZoneInfo("Europe/Berlin")),
    "nights": read_calendar(
        '[week]\ndays = ["mon", "sat", "sun"]\nhours = ["00:00-03:30", "22:00-23:59"]', "Europe/Berlin"
    ),
}
CLOCKS = {name: WorkClock(calendar) for name, calendar in CALENDARS.items()}
instants = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)).map(ms)
kinds = st.sampled_from(sorted(CALENDARS))


@given(kinds, instants, instants, instants)
@settings(deadline=None)
def test_it_adds_up_and_only_grows(kind: str, a: int, b: int, c: int) -> None:
    clock = CLOCKS[kind]
    assert clock.worked(a, b) + clock.worked(b, c) == clock.worked(a, c)
    first, last = sorted((a, b))
    assert 0 <= clock.worked(first, last) <= last - first
    assert clock.worked(a, b) == -clock.worked(b, a)


@given(kinds, instants, st.integers(-40 * 24 * HOUR, 40 * 24 * HOUR))
@settings(max_examples=60, deadline=None)
def test_it_equals_the_calendar(kind: str, a: int, span: int) -> None:
    exact = CALENDARS[kind].worked(moment(a), moment(a + span))
    assert CLOCKS[kind].worked(a, a + span) == exact / timedelta(milliseconds=1)


@given(instants, instants)
@settings(max_examples=15, deadline=None)
def test_the_machines_zone_does_not_matter(a: int, b: int) -> None:
    found = set()
    with pytest.MonkeyPatch.context() as patch:
        for zone in ("America/New_York", "Asia/Kamchatka", "UTC"):
            patch.setenv("TZ", zone)
            time.tzset()
            found.add(WorkClock(CALENDARS["clocks that change"]).worked(a, b))
    time.tzset()
    assert len(found) == 1


def test_a_night_of_changed_clocks_is_as_long_as_it_was() -> None:
    night = read_calendar('[week]\ndays = ["sat", "sun"]\nhours = ["00:00-06:00"]', "Europe/Berlin")
    clock = WorkClock(night)
    spring, autumn = (datetime(2026, m, d, tzinfo=ZoneInfo("Europe/Berlin")) for m, d in ((3, 29), (10, 25)))
    assert clock.hours(ms(spring), ms(spring + timedelta(hours=12))) == 5
    assert clock.hours(ms(autumn), ms(autumn + timedelta(hours=12))) == 7


def test_moved_and_short_days_of_the_russian_calendar() -> None:
    clock = CLOCKS["plant"]
    zone = CALENDARS["plant"].zone

    def day(month: int, number: int) -> float:
        begin = datetime(2026, month, number, tzinfo=zone)
        return clock.hours(ms(begin), ms(begin + timedelta(days=1)))

    assert (day(4, 30), day(5, 1), day(11, 3), day(1, 9)) == (7, 0, 7, 0)


def test_a_persons_absence_and_free_weekdays() -> None:
    person = Person("p", "P", week=frozenset(range(4)), away=(Period(date(2026, 3, 17), date(2026, 3, 18)),))
    begin = ms(datetime(2026, 3, 16, tzinfo=CALENDARS["plant"].zone))
    week = begin + 7 * 24 * HOUR
    assert CLOCKS["plant"].hours(begin, week) == 40
    assert WorkClock(CALENDARS["plant"], person).hours(begin, week) == 16
    never = Person("n", "N", week=frozenset())
    assert WorkClock(CALENDARS["plant"], never).hours(begin, week) == 0


@given(instants, instants, instants, instants)
@settings(deadline=None)
def test_an_overlap_is_no_longer_than_either(a: int, b: int, c: int, d: int) -> None:
    (a, b), (c, d) = sorted((a, b)), sorted((c, d))
    first, last = overlap(a, b, c, d)
    assert first <= last
    assert last - first <= min(b - a, d - c)
    assert last == first or (a <= first and last <= b and c <= first and last <= d)
