"""Rule: one flag per promise, reminders on working days, no flag taken away by a moved date."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from orders.calendar import WorkingCalendar
from orders.errors import Permanent
from orders.lateness import LateFlag, late_update, lateness, read_flags, write_flags
from orders.snapshot import OrderSnapshot, Promise, VisitDone
from orders.stage import Route, Stage

CALENDAR = WorkingCalendar()
FRIDAY = "2026-11-27T18:00:00+03:00"
ROUTE = Route(
    "custom-furniture-order",
    (
        Stage("UserTask_SetReadyDate", "readydate", "Назначить срок", "Срок", "8h"),
        Stage("UserTask_Manufacture", "manufacture", "Изготовить", "Производство", "until:readyBy"),
    ),
    "StartEvent_OrderRequested",
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_nothing_before_the_promise() -> None:
    """Up to the promised instant the order is not late."""
    update = late_update(Promise("i", FRIDAY), at("2026-11-27T17:59+03:00"), CALENDAR)
    assert not update.changed
    assert update.late_flags is None


def test_one_flag_then_reminders_on_working_days() -> None:
    """Friday evening raises the flag; Saturday and Sunday are silent; Monday and Tuesday remind, once each."""
    promise, said = Promise("i", FRIDAY), []
    for step in range(10):
        now = at("2026-11-27T18:00:05+03:00") + timedelta(hours=12 * step)
        update = late_update(promise, now, CALENDAR)
        promise = Promise("i", FRIDAY, update.late_flags, update.late_reminder)
        if update.changed:
            said.append((now.day, "flag" if update.raised else update.late_reminder))
    assert said == [(27, "flag"), (30, "2026-11-30"), (1, "2026-12-01"), (2, "2026-12-02")]
    assert len(read_flags(promise.late_flags)) == 1


def test_the_same_promise_in_another_notation_is_one_flag() -> None:
    """Instants are compared, not texts."""
    first = late_update(Promise("i", FRIDAY), at("2026-11-27T18:01+03:00"), CALENDAR)
    again = late_update(Promise("i", "2026-11-27T15:00:00Z", first.late_flags), at("2026-11-27T18:02+03:00"), CALENDAR)
    assert not again.changed


def test_a_moved_date_keeps_the_old_flag() -> None:
    """A new promise that passes too is a second flag beside the first."""
    first = late_update(Promise("i", FRIDAY), at("2026-11-27T18:01+03:00"), CALENDAR)
    moved = "2026-12-02T18:00:00+03:00"
    calm = late_update(Promise("i", moved, first.late_flags), at("2026-12-01T10:00+03:00"), CALENDAR)
    assert not calm.changed
    second = late_update(Promise("i", moved, first.late_flags), at("2026-12-02T18:00+03:00"), CALENDAR)
    assert [json.loads(second.late_flags or "")[n]["readyBy"] for n in (0, 1)] == [
        "2026-11-27T15:00:00Z",
        "2026-12-02T15:00:00Z",
    ]


def test_flags_always_fit_a_variable() -> None:
    """A hundred promises still fit the engine's text; the first and the newest stay."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    flags = tuple(LateFlag(start + timedelta(days=n), start + timedelta(days=n)) for n in range(100))
    kept = read_flags(write_flags(flags))
    assert len(write_flags(flags)) <= 4000
    assert (kept[0], kept[-1]) == (flags[0], flags[-1])


@pytest.mark.parametrize("text", ["{", "[1]", '[{"readyBy":"x","at":"y"}]'])
def test_foreign_text_in_the_variable_is_permanent(text: str) -> None:
    """What we did not write is named, not overwritten."""
    with pytest.raises(Permanent, match="lateFlags"):
        read_flags(text)


def order(*, ready_by: str | None, first: str | None = FRIDAY, ready: str | None = None) -> OrderSnapshot:
    done = []
    if first:
        done.append(
            VisitDone("v1", "UserTask_SetReadyDate", "g", "G", at("2026-11-01T10:00Z"), values={"readyBy": first})
        )
    if ready:
        done.append(VisitDone("v2", "UserTask_Manufacture", "s", "S", at(ready)))
    return OrderSnapshot("K", "i", "d", at("2026-10-30T10:00Z"), "a", {"readyBy": ready_by}, done=tuple(done))


def test_late_against_both_promises() -> None:
    """Ready on the moved date is late against the first promise and in time for the last."""
    found = lateness(
        order(ready_by="2026-12-02T18:00:00+03:00", ready="2026-12-02T15:00+03:00"),
        ROUTE,
        CALENDAR,
        at("2027-01-20T10:00Z"),
    )
    assert (found.late_first, found.late_last) == (True, False)
    assert found.hours_first == 8 + 8 + 5
    assert found.hours_last == -3


def test_still_in_production_is_measured_against_now() -> None:
    """An open order past its promise is late by the working hours until now, also outside working hours."""
    found = lateness(order(ready_by=FRIDAY), ROUTE, CALENDAR, at("2026-11-28T12:00+03:00"))
    assert found.late_last
    assert found.hours_last == 0
    assert found.ready_at is None


def test_without_a_promise_nothing_is_late() -> None:
    """Before the date is set there is nothing to be late against."""
    found = lateness(order(ready_by=None, first=None), ROUTE, CALENDAR, at("2027-01-20T10:00Z"))
    assert (found.first, found.late_first, found.late_last) == (None, False, False)
