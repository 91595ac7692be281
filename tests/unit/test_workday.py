"""Rule: a promise without a time of its own means the end of that working day, as the plant's calendar has it."""

from __future__ import annotations

import json
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from app.door.page import texts
from orders.calendar import read_calendar
from orders.errors import Refused
from orders.stage import Field, FieldKind, Stage
from orders.workday import workday

EARLY = """
[week]
days = ["mon", "tue", "wed", "thu", "fri"]
hours = ["08:00-12:00", "13:00-17:00"]

[year.2026]
short_days = ["27.11.2026"]
working_days = ["28.11.2026"]
"""
DAY = workday(read_calendar(EARLY), 2026)
ZONE = ZoneInfo("Europe/Moscow")
STAGE = Stage(
    *("UserTask_SetReadyDate", "readydate", "Назначить срок", "Срок", "8h"),
    fields=(
        Field("readyBy", FieldKind.MOMENT, "Готовность", options=("future",)),
        Field("paidOn", FieldKind.DATE, "Оплата"),
    ),
)


@pytest.mark.parametrize(
    ("day", "closes"),
    [
        (date(2026, 11, 26), "17:00"),
        (date(2026, 11, 27), "16:00"),  # short by the plant's own file
        (date(2026, 11, 28), "17:00"),  # a Saturday that is worked
        (date(2026, 11, 29), "17:00"),  # nobody works: as a full day would close
        (date(2027, 4, 30), "16:00"),  # the day before a holiday, by the country's calendar
        (date(2040, 1, 1), "17:00"),
    ],
)
def test_each_day_closes_as_the_calendar_says(day: date, closes: str) -> None:
    assert DAY.closing(day) == closes


def test_the_form_gets_only_what_differs() -> None:
    told = json.loads(DAY.text())
    assert told["ends"] == "17:00"
    assert told["other"]["2026-11-27"] == "16:00"
    assert set(told["other"].values()) == {"16:00"}
    assert DAY.text() == workday(read_calendar(EARLY), 2026).text()


@pytest.mark.parametrize(
    ("form", "ready_by"),
    [
        ({"readyBy.day": "2026-11-27", "readyBy.time": ""}, "2026-11-27T16:00:00+03:00"),
        ({"readyBy.day": "26.11.2026"}, "2026-11-26T17:00:00+03:00"),
        ({"readyBy.day": "27.11.2026", "readyBy.time": "12:30"}, "2026-11-27T12:30:00+03:00"),
        ({}, ""),
    ],
)
def test_a_day_alone_is_its_end(form: dict[str, str], ready_by: str) -> None:
    assert texts(STAGE, form, ZONE, DAY)["readyBy"] == ready_by


def test_dates_are_read_as_people_write_them() -> None:
    """What is no date goes on to the gate, which names the field."""
    assert texts(STAGE, {"paidOn": "05.12.2026"}, ZONE, DAY)["paidOn"] == "2026-12-05"
    assert texts(STAGE, {"paidOn": "2026-12-05"}, ZONE, DAY)["paidOn"] == "2026-12-05"
    assert texts(STAGE, {"paidOn": "завтра"}, ZONE, DAY)["paidOn"] == "завтра"
    with pytest.raises(Refused, match="завтра"):
        texts(STAGE, {"readyBy.day": "завтра"}, ZONE, DAY)
