"""A step's due date comes from the step before it; a moved ready date moves timer, reminders and due date at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from gate_models import Door, door, in_days, text
from shop import Shop

from engine.processes import Instance

pytestmark = pytest.mark.engine


@pytest.fixture
def made(shop: Shop) -> Instance:
    """An order in manufacture."""
    order = shop.start_order()
    shop.carry_to(order, "UserTask_Manufacture")
    return order


def moment(value: str) -> datetime:
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%f%z")


def task(admin: Door, order: Instance) -> dict[str, Any]:
    (row,) = admin.rows(f"/task?processInstanceId={order.id}")
    return row


def timers(admin: Door, order: Instance) -> list[datetime]:
    return [moment(row["dueDate"]) for row in admin.rows(f"/job?processInstanceId={order.id}")]


def moved(shop: Shop, order: Instance, ready_by: str, **more: Any) -> int:
    values = {"readyBy": text(ready_by), "moveReason": text("Ждём фурнитуру"), "movedBy": text("gromov"), **more}
    body = {"messageName": "ReadyDateMoved", "processInstanceId": order.id, "processVariables": values}
    return door(shop, "integration").call("POST", "/message", body).status_code


def test_the_due_date_is_the_variables(shop: Shop) -> None:
    order = shop.start_order()
    shop.open_step(order)
    admin = door(shop, "admin")
    due = admin.call("GET", f"/process-instance/{order.id}/variables/due_UserTask_ApproveOrder").json()["value"]
    assert task(admin, order)["due"] == due


@pytest.mark.parametrize("days", [40, 3])
def test_a_moved_date_moves_everything(shop: Shop, made: Instance, days: int) -> None:
    admin = door(shop, "admin")
    new = in_days(days)
    assert moved(shop, made, new) == 204
    expected = datetime.fromisoformat(new)
    assert timers(admin, made) == [expected]
    assert moment(task(admin, made)["due"]) == expected
    variable = admin.call("GET", f"/process-instance/{made.id}/variables/due_UserTask_Manufacture").json()
    assert moment(variable["value"]) == expected


def test_a_bad_date_changes_nothing(shop: Shop, made: Instance) -> None:
    admin = door(shop, "admin")
    before = timers(admin, made), task(admin, made)["due"]
    assert moved(shop, made, "24.12.2026") == 400
    kept = admin.call("GET", f"/process-instance/{made.id}/variables/readyBy").json()["value"]
    assert datetime.fromisoformat(kept) > datetime.now(UTC)
    assert (timers(admin, made), task(admin, made)["due"]) == before


def test_a_date_moved_after_the_work_is_over_harms_nothing(shop: Shop, made: Instance) -> None:
    shop.answer(made)
    assert moved(shop, made, in_days(40)) == 204
    assert timers(door(shop, "admin"), made) == []


def test_our_route_sets_the_due_date_and_nothing_else(shop: Shop, made: Instance) -> None:
    admin = door(shop, "admin")
    before = task(admin, made)
    answer = door(shop, "integration").call("PUT", f"/order/task/{before['id']}/due", {"due": "2099-01-02T03:04:05Z"})
    assert answer.status_code == 204, answer.text
    after = task(admin, made)
    assert moment(after["due"]) == datetime(2099, 1, 2, 3, 4, 5, tzinfo=UTC)
    moved_on = dict.fromkeys(("due", "lastUpdated", "taskState"))
    assert after | moved_on == before | moved_on


def test_our_client_moves_a_deadline(shop: Shop, made: Instance) -> None:
    """What the client sends, in the engine's own writing of a moment, our route reads."""
    due = datetime(2099, 1, 2, 3, 4, 5, tzinfo=UTC)
    shop.integration.tasks.set_due(shop.open_step(made).engine_task or "", due)
    assert moment(task(door(shop, "admin"), made)["due"]) == due


@pytest.mark.parametrize(("user", "allowed"), [("stepanov", (403,)), ("volkov", (403, 404)), ("worker", (403,))])
def test_others_set_no_due_date(shop: Shop, made: Instance, user: str, allowed: tuple[int, ...]) -> None:
    admin = door(shop, "admin")
    before = task(admin, made)
    answer = door(shop, user).call("PUT", f"/order/task/{before['id']}/due", {"due": "2099-01-02T03:04:05Z"})
    assert answer.status_code in allowed, answer.text
    assert task(admin, made) == before


@pytest.mark.parametrize("due", ["2099-01-02", "завтра", "2099-01-02T03:04:05"])
def test_a_due_date_without_an_offset_is_refused(shop: Shop, made: Instance, due: str) -> None:
    path = f"/order/task/{task(door(shop, 'admin'), made)['id']}/due"
    assert door(shop, "integration").call("PUT", path, {"due": due}).status_code == 400
