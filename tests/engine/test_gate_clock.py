"""In a demo the clock goes forward from due job to due job, so that late flags and reminders fall on their days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from gate_models import TIMEOUT, Door, door, text
from shop import Shop, open_shop

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop of its own: its clock does not go back."""
    with open_shop(tmp_path_factory.mktemp("clock")) as opened:
        yield opened


def clock(shop: Shop, to: datetime) -> dict[str, Any]:
    login = ("admin", shop.engine.admin_password.get_secret_value())
    address = shop.url.removesuffix("/engine-rest") + "/demo/clock/advance"
    answer = requests.post(address, auth=login, json={"to": to.isoformat()}, timeout=TIMEOUT)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def advance(shop: Shop, to: datetime) -> list[datetime]:
    """Go to a moment; return the stops on the way, their external tasks worked off."""
    stops = []
    while True:
        answer = clock(shop, to)
        stops.append(datetime.fromisoformat(answer["now"]))
        shop.drain()
        if answer["arrived"]:
            return stops


def flags(admin: Door, instance: str) -> list[datetime]:
    path = f"/history/activity-instance?processInstanceId={instance}&activityId=BoundaryEvent_Late"
    rows = admin.rows(f"{path}&sortBy=startTime&sortOrder=asc")
    return [datetime.strptime(row["startTime"], "%Y-%m-%dT%H:%M:%S.%f%z") for row in rows]


def test_late_reminders_follow_a_moved_date(alone: Shop) -> None:
    admin = door(alone, "admin")
    order = alone.start_order()
    alone.carry_to(order, "UserTask_Manufacture")
    promised = datetime.now(UTC).replace(microsecond=0) + timedelta(days=5)
    sent = {"readyBy": text(promised.isoformat()), "moveReason": text("Раньше"), "movedBy": text("gromov")}
    body = {"messageName": "ReadyDateMoved", "processInstanceId": order.id, "processVariables": sent}
    assert door(alone, "integration").call("POST", "/message", body).status_code == 204
    advance(alone, promised + timedelta(days=2, hours=1))
    expected = [promised + timedelta(days=day) for day in range(3)]
    found = flags(admin, order.id)
    assert [abs(a - b) < timedelta(minutes=2) for a, b in zip(found, expected, strict=True)] == [True] * 3
    alone.answer(order)
    advance(alone, promised + timedelta(days=5))
    assert flags(admin, order.id) == found


def test_dates_are_judged_by_the_engines_clock(alone: Shop) -> None:
    """The first test has moved it about ten days ahead of ours."""
    order = alone.start_order()
    step = alone.carry_to(order, "UserTask_SetReadyDate")
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    answer = door(alone, "gromov").complete(
        step.engine_task or "", {"readyDecision": text("approve"), "readyBy": text(soon)}
    )
    assert answer.status_code == 400
    assert "в будущем" in answer.json()["message"]
