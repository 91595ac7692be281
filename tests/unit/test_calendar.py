"""Rule: working time follows the Russian production calendar, the plant's zone and the plant's own file."""

from __future__ import annotations

import os
import time as clock
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orders.calendar import CalendarError, WorkingCalendar, read_calendar

MOSCOW = WorkingCalendar()
BERLIN = WorkingCalendar(ZoneInfo("Europe/Berlin"))
instants = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31)).map(
    lambda d: d.replace(second=0, microsecond=0, tzinfo=UTC)
)
minutes = st.integers(0, 200 * 60).map(lambda m: timedelta(minutes=m))
calendars = st.sampled_from([MOSCOW, BERLIN, WorkingCalendar(ZoneInfo("Asia/Vladivostok"))])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("year", "days", "hours"),
    [(2024, 248, 1979), (2025, 247, 1972), (2026, 247, 1972), (2027, 247, 1972)],
)
def test_a_year_has_the_official_norm_of_days_and_hours(year: int, days: int, hours: int) -> None:
    """The norms of the published production calendars, 40-hour week: moved and short days must all be right."""
    plans = [MOSCOW.day(date(year, 1, 1) + timedelta(n)) for n in range(366)]
    plans = [p for p in plans if p.day.year == year]
    assert sum(p.working for p in plans) == days
    assert sum((b - a for p in plans for a, b in p.spans), timedelta()) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("day", "working", "closes"),
    [
        ("2024-04-27", True, "18:00"),  # Saturday worked for a Monday
        ("2024-11-02", True, "17:00"),  # Saturday worked for 30 April, a day before a holiday
        ("2024-12-28", True, "18:00"),
        ("2025-11-01", True, "17:00"),
        ("2027-02-20", True, "17:00"),
        ("2026-01-09", False, "18:00"),  # moved day off
        ("2026-12-31", False, "18:00"),
        ("2026-12-30", True, "18:00"),
        ("2026-04-30", True, "17:00"),
        ("2026-05-08", True, "17:00"),
        ("2026-06-11", True, "17:00"),
        ("2026-11-03", True, "17:00"),
        ("2026-03-06", True, "18:00"),  # Friday before a Sunday holiday is a full day
        ("2027-11-05", False, "18:00"),
        ("2024-02-29", True, "18:00"),
        ("2028-11-06", False, "18:00"),  # article 112 in a year that is not published
    ],
)
def test_moved_and_short_days(day: str, working: bool, closes: str) -> None:
    """A moved day, a worked Saturday and the day before a holiday have their own length."""
    found = date.fromisoformat(day)
    assert MOSCOW.is_working(found) is working
    assert f"{MOSCOW.end_of_day(found).astimezone(MOSCOW.zone):%H:%M}" == closes


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-23T09:00+03:00", 8, "2026-11-23T18:00+03:00"),
        ("2026-11-23T09:00+03:00", 4, "2026-11-23T13:00+03:00"),
        ("2026-11-23T13:30+03:00", 1, "2026-11-23T15:00+03:00"),  # lunch
        ("2026-11-23T17:00+03:00", 2, "2026-11-24T10:00+03:00"),
        ("2026-11-27T18:00+03:00", 1, "2026-11-30T10:00+03:00"),  # over a weekend
        ("2026-11-28T12:00+03:00", 8, "2026-11-30T18:00+03:00"),  # begun on a Saturday
        ("2026-12-30T17:00+03:00", 2, "2027-01-11T10:00+03:00"),  # New Year
        ("2026-11-03T09:00+03:00", 8, "2026-11-05T10:00+03:00"),  # a short day, then a holiday
        ("2025-10-31T17:00+03:00", 8, "2025-11-01T17:00+03:00"),  # then a short worked Saturday
        ("2028-02-28T09:00+03:00", 16, "2028-02-29T18:00+03:00"),  # leap day
        ("2026-11-23T06:00+00:00", 8, "2026-11-23T15:00+00:00"),  # the portal's notation changes nothing
        ("2026-11-23T16:00+10:00", 8, "2026-11-24T01:00+10:00"),
    ],
)
def test_add(start: str, hours: float, end: str) -> None:
    """Working time is counted over lunch, weekends, holidays and the year's end; a day ends at closing."""
    assert MOSCOW.add(at(start), hours) == at(end)


@pytest.mark.parametrize("edge", ["2026-03-27T16:00+01:00", "2026-10-23T16:00+02:00"])
def test_a_change_of_clocks_does_not_move_the_closing_hour(edge: str) -> None:
    """Across summer time a day still closes at 18:00 by the wall clock."""
    end = BERLIN.add(at(edge), 2 + 8)
    assert f"{end.astimezone(BERLIN.zone):%a %H:%M}" == "Mon 18:00"


@settings(max_examples=300, deadline=None)
@given(calendars, instants, minutes, minutes)
@example(MOSCOW, at("2026-11-23T15:00+00:00"), timedelta(), timedelta(hours=8))
def test_adding_in_two_parts_is_adding_at_once(
    calendar: WorkingCalendar, start: datetime, a: timedelta, b: timedelta
) -> None:
    """Additive: the sum of two amounts gives the instant of one after the other."""
    assert calendar.add(calendar.add(start, a), b) == calendar.add(start, a + b)


@settings(max_examples=300, deadline=None)
@given(calendars, instants, minutes)
def test_between_undoes_add(calendar: WorkingCalendar, start: datetime, amount: timedelta) -> None:
    """Inverse: as much lies between as was added."""
    assert calendar.worked(start, calendar.add(start, amount)) == amount


@settings(max_examples=300, deadline=None)
@given(calendars, instants, instants, minutes)
def test_add_keeps_the_order_of_starts(
    calendar: WorkingCalendar, one: datetime, other: datetime, amount: timedelta
) -> None:
    """Monotone: who begins earlier is not due later."""
    first, second = sorted((one, other))
    assert calendar.add(first, amount) <= calendar.add(second, amount)


@settings(max_examples=200, deadline=None)
@given(calendars, st.lists(instants, min_size=3, max_size=3))
def test_spans_add_up(calendar: WorkingCalendar, moments: list[datetime]) -> None:
    """Between a and c lies what lies between a and b plus b and c; backwards is the negative."""
    a, b, c = sorted(moments)
    assert calendar.worked(a, c) == calendar.worked(a, b) + calendar.worked(b, c)
    assert calendar.worked(c, a) == -calendar.worked(a, c)


@pytest.mark.parametrize("machine", ["UTC", "America/New_York", "Asia/Vladivostok"])
def test_the_machines_zone_does_not_matter(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plant's zone decides, wherever the program runs."""
    monkeypatch.setitem(os.environ, "TZ", machine)
    clock.tzset()
    try:
        assert WorkingCalendar().add(at("2026-12-30T17:00+03:00"), 2) == at("2027-01-11T10:00+03:00")
    finally:
        monkeypatch.undo()
        clock.tzset()


def test_a_year_that_is_not_published_is_marked() -> None:
    """Dates past the last published year say so; the file can declare a year complete."""
    start, end = at("2027-12-30T17:00+03:00"), at("2028-02-01T09:00+03:00")
    assert MOSCOW.unapproved_years(start, end) == [2028]
    assert MOSCOW.mark(end) == " (календарь года не утверждён)"
    assert MOSCOW.mark(start) == ""
    assert "календарь года не утверждён" in MOSCOW.explain(start, end)[-1].note
    declared = read_calendar("[year.2028]\npublished = true\n")
    assert declared.unapproved_years(start, end) == []


def test_a_revoked_day_moves_the_deadline() -> None:
    """A decree in the file makes a working day free, a Saturday worked, a day short or a short day full."""
    changed = read_calendar(
        '[year.2026]\ndays_off = ["30.12.2026"]\nworking_days = ["2026-11-28", "03.11.2026"]\nshort_days = [2026-11-27]'
    )
    assert MOSCOW.add(at("2026-12-29T09:00+03:00"), 16) == at("2026-12-30T18:00+03:00")
    assert changed.add(at("2026-12-29T09:00+03:00"), 16) == at("2027-01-11T18:00+03:00")
    assert changed.is_working(date(2026, 11, 28))
    assert changed.end_of_day(date(2026, 11, 3)) == at("2026-11-03T18:00+03:00")
    assert changed.end_of_day(date(2026, 11, 27)) == at("2026-11-27T17:00+03:00")


def test_the_explanation_names_each_day() -> None:
    """Day by day: hours, and why a day is off or short."""
    lines = MOSCOW.explain(at("2026-11-03T09:00+03:00"), at("2026-11-05T10:00+03:00"))
    assert [(line.day.day, line.hours) for line in lines] == [(3, 7.0), (4, 0.0), (5, 1.0)]
    assert "на час короче" in lines[0].note
    assert lines[1].note == "День народного единства"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[year.2026]\n# 31.02.2026\ndays_off = [\n "30.12.2026",\n "31.02.2026",\n]', "строка 5: Даты «31.02.2026»"),
        ('[year.2026]\ndays_off = ["30.12.2027"]', "строка 2: 30.12.2027 стоит в разделе 2026 года"),
        ('[year.2026]\ndays_off = ["30.12.2026"]\nshort_days = ["30.12.2026"]', "строка 3: 30.12.2026 указан дважды"),
        ('[year.2026]\nshort_days = ["28.11.2026"]', "строка 2: 28.11.2026 и так нерабочий"),
        ('[year.2026]\nholidays = ["28.11.2026"]', "строка 2: «holidays» неизвестно"),
        ('[week]\nhours = ["18:00-09:00"]', "строка 2: часы «18:00-09:00»"),
        ('[week]\nhours = ["09:00-13:00", "12:00-18:00"]', "строка 2: часы «12:00-18:00»"),
        ('[week]\ndays = ["mon", "понедельник"]', "строка 2: день недели «понедельник»"),
        ("[year.2026]\npublished = 1", "строка 2: published"),
        ('[year.26]\ndays_off = ["30.12.2026"]', "строка 1: год «26»"),
        ('[year.2026]\ndays_off = ["30.12.2026]', "строка 2"),
        ("[year.2026]\ndays_off = 5", "строка 2: «days_off» должно быть списком"),
    ],
)
def test_a_wrong_line_is_named(text: str, said: str) -> None:
    """A wrong line is named by its number; nothing is applied."""
    with pytest.raises(CalendarError) as caught:
        read_calendar(text)
    assert said in str(caught.value)


def test_all_problems_come_at_once() -> None:
    """Two wrong lines give two problems."""
    with pytest.raises(CalendarError) as caught:
        read_calendar('[year.2026]\ndays_off = ["40.12.2026", "1.1.26"]')
    assert len(caught.value.problems) == 2


def test_a_naive_instant_and_a_negative_amount_are_errors() -> None:
    """No zone is guessed, and time is not added backwards."""
    with pytest.raises(ValueError, match="time zone"):
        MOSCOW.add(datetime(2026, 11, 23, 9), 1)
    with pytest.raises(ValueError, match="forwards"):
        MOSCOW.add(at("2026-11-23T09:00+03:00"), -1)


def test_a_calendar_without_working_days_ends() -> None:
    """An absurd calendar gives an error, not an endless loop."""
    idle = WorkingCalendar(week=frozenset(), published=frozenset(range(1900, 2200)))
    with pytest.raises(CalendarError, match="30 лет"):
        idle.add(at("2029-01-11T09:00+03:00"), 1)
