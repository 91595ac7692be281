"""What people's queries are compared with does not grow with the orders ever made: a right on a task goes with it."""

from __future__ import annotations

import pytest
from gate_models import door, text
from shop import Shop

pytestmark = pytest.mark.engine
_TASK, _HISTORIC_TASK = 7, 19


def _rights(shop: Shop) -> int:
    """Count the rows that belong to single tasks."""
    rows = [
        row
        for kind in (_TASK, _HISTORIC_TASK)
        for row in shop.admin.caller.rows("/authorization", {"resourceType": kind}, sort="resourceId")
    ]
    return sum(row["resourceId"] != "*" for row in rows)


def test_ended_orders_leave_no_rights_behind(shop: Shop) -> None:
    before = _rights(shop)
    delivered, running, deleted = shop.start_order(), shop.start_order(), shop.start_order()
    shop.carry_home(delivered)
    shop.carry_to(running, "UserTask_PrepareDesign")
    shop.open_step(deleted)
    assert _rights(shop) > before, "people need the right while the task is open"
    shop.admin.processes.delete(running.id)
    shop.admin.processes.delete(deleted.id)
    assert _rights(shop) == before


def test_many_orders_are_read_in_the_requests_of_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open and ended orders together, the same as when each is read alone; complaints stay with their orders."""
    orders = [shop.start_order() for _ in range(8)]
    for order in orders:
        shop.open_step(order)
    ended, complaints = orders[:4], ["Скрипит", "Царапина", "Не тот цвет"]
    for order in ended:
        shop.carry_home(order)
    for order, words in zip([ended[0], ended[0], ended[2]], complaints, strict=True):
        sent = {"orderKey": text(order.business_key), "complaintText": text(words)}
        assert door(shop, "sokolova").start("record-complaint", sent).status_code == 200
    alone = [shop.reader.snapshot(order.id) for order in orders]
    asked: list[str] = []
    send = shop.integration.caller.transport.send

    def counted(method: str, path: str, *arguments: object, **more: object) -> object:
        asked.append(path)
        return send(method, path, *arguments, **more)  # type: ignore[arg-type]  # passed through as it came

    monkeypatch.setattr(shop.integration.caller.transport, "send", counted)
    together = list(shop.reader.snapshots([order.id for order in orders]))
    assert together == alone
    said = [[record.text for record in each.records] for each in together]
    assert said == [complaints[:2], [], complaints[2:], *[[]] * 5]
    assert len(asked) <= 10, f"two of them for what was recorded of all that have ended: {asked}"
