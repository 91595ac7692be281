"""Rule: a day that is freed or declared afterwards counts for what comes from it on, and for no month that is closed;
a year whose moved days are not published is named.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from counted import ROUTE, STAFF
from told_history import Told

from orders.calendar import CalendarError, read_calendar
from orders.plural import working_time
from orders.snapshot import OpenVisit, OrderSnapshot
from orders.worktime import WorkingCalendar
from reports.board import make_board
from reports.book import Book
from reports.clock import ms
from reports.period import Month
from reports.report import Report, make_report
from reports.store import Store
from reports.targets import Targets

PLAIN = read_calendar("")
REVOKED = read_calendar('[year.2026]\ndays_off = ["30.12.2026"]\n')  # a decree in the middle of December
NOVEMBER, DECEMBER = Month(2026, 11), Month(2026, 12)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+03:00")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Late in both months: a step due on 27.11 and done on the 30th, one due on 28.12 and still open."""
    told = Told()
    first = told.order("november", at("2026-11-26T09:00"))
    first.step("ApproveOrder", at("2026-11-26T09:00"), at("2026-11-30T12:00"), due=at("2026-11-27T12:00"))
    first.ship(at("2026-11-30T15:00"))
    second = told.order("december", at("2026-12-28T09:00"))
    second.step("ApproveOrder", at("2026-12-28T09:00"), due=at("2026-12-28T12:00"))
    made = Store(tmp_path / "history.db")
    made.refresh(told.history, lambda _: ROUTE)
    return made


def told(store: Store, calendar: WorkingCalendar, month: Month, now: datetime) -> Report:
    return make_report(Book(store.facts(), calendar, STAFF, ROUTE, ms(now)), month, Targets())


def test_a_revoked_day_costs_nobody_hours_and_leaves_closed_months_alone(store: Store) -> None:
    now = at("2026-12-31T12:00")
    before, after = (told(store, c, DECEMBER, now).find("overdue_hours") for c in (PLAIN, REVOKED))
    assert before is not None and after is not None
    assert (before.value, after.value) == (5 + 8 + 8, 5 + 8)  # the 31st is off anyway
    closed = [told(store, c, NOVEMBER, now).model_dump_json() for c in (PLAIN, REVOKED)]
    assert closed[0] == closed[1]
    assert told(store, PLAIN, NOVEMBER, now).find("overdue_hours").value == 8  # type: ignore[union-attr]


def test_the_board_counts_by_the_present_calendar_too() -> None:
    visit = OpenVisit(
        "v", "UserTask_ApproveOrder", at("2026-12-28T09:00"), "t", None, ("directors",), due=at("2026-12-28T12:00")
    )
    order = OrderSnapshot("A", "i", "d", at("2026-12-28T09:00"), "sokolova", open=(visit,))
    words = [
        make_board([order], {"d": ROUTE}, ROUTE, STAFF, c, at("2026-12-31T12:00")).tiles[0].words
        for c in (PLAIN, REVOKED)
    ]
    assert words == [f"опоздание {working_time(hours)}" for hours in (21, 13)]


@pytest.mark.parametrize(("year", "said"), [(2026, False), (2028, True)])
def test_a_year_that_is_not_published_is_named(store: Store, year: int, said: bool) -> None:
    made = told(store, PLAIN, Month(year, 2), at(f"{year}-02-20T12:00"))
    assert any("не утверждён" in remark for remark in made.remarks) is said


def test_a_wrong_line_is_named_and_nothing_is_half_applied() -> None:
    text = '[year.2026]\ndays_off = [\n"30.12.2026",\n"31.13.2026",\n]\n'
    with pytest.raises(CalendarError) as error:
        read_calendar(text)
    assert "строка 4" in str(error.value)
    assert replace(PLAIN, _days={}).is_working(date(2026, 12, 30))
    assert PLAIN.today(at("2026-12-30T23:30") + timedelta(hours=1)) == date(2026, 12, 31)
