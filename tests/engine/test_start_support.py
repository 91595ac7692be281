"""A support process names an order that exists and is in the right state; the gate finds its instance, nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from gate_models import Door, door, in_days, refusal, text
from shop import Shop, wait_until

from engine.processes import Instance

pytestmark = pytest.mark.engine

CANCEL, MOVE = "cancel-order", "move-ready-date"


def cancel(opened: Door, key: str | None, **more: Any) -> Any:
    return opened.start(CANCEL, {"orderKey": text(key), "cancelReason": text("Заказчик передумал"), **more})


def move(opened: Door, key: str | None, days: float = 30) -> Any:
    sent = {"orderKey": text(key), "newReadyBy": text(in_days(days)), "moveReason": text("Ждём фурнитуру")}
    return opened.start(MOVE, sent)


def running(shop: Shop, process: str) -> int:
    answer = door(shop, "admin").call("GET", f"/history/process-instance/count?processDefinitionKey={process}")
    return int(answer.json()["count"])


@pytest.fixture
def order(shop: Shop) -> Instance:
    """An order that waits for the director."""
    started = shop.start_order()
    shop.open_step(started)
    return started


def test_a_running_order_is_found_by_its_number(shop: Shop, order: Instance) -> None:
    answer = cancel(door(shop, "belova"), f" {order.business_key} ")
    assert answer.status_code == 200, answer.text
    found = door(shop, "admin").call("GET", f"/process-instance/{answer.json()['id']}/variables/orderInstanceId")
    assert found.json()["value"] == order.id


@pytest.mark.parametrize("key", ["ORD-2020-99999", "нет такого", "%", ""])
def test_an_order_that_does_not_exist(shop: Shop, order: Instance, key: str) -> None:
    before = running(shop, CANCEL)
    assert refusal(cancel(door(shop, "belova"), key)) in (
        f"Заказа с номером «{key}» нет",
        "Не хватает: «Номер заказа»",
    )
    assert running(shop, CANCEL) == before


def test_the_instance_is_found_by_the_gate_alone(shop: Shop, order: Instance) -> None:
    before = running(shop, CANCEL)
    answer = cancel(door(shop, "belova"), order.business_key, orderInstanceId=text(order.id))
    assert "«orderInstanceId»" in refusal(answer)
    assert running(shop, CANCEL) == before


def test_a_reason_is_demanded(shop: Shop, order: Instance) -> None:
    answer = cancel(door(shop, "belova"), order.business_key, cancelReason=text(" "))
    assert "«Причина отмены»" in refusal(answer)


@pytest.mark.parametrize("person", ["volkov", "elena", "gromov", "nikitina"])
def test_only_directors_and_commerce_cancel(shop: Shop, order: Instance, person: str) -> None:
    before = running(shop, CANCEL)
    assert cancel(door(shop, person), order.business_key).status_code in (403, 404)
    assert running(shop, CANCEL) == before


def test_a_date_is_moved_only_where_one_was_promised(shop: Shop, order: Instance) -> None:
    before = running(shop, MOVE)
    assert "ещё не назначен" in refusal(move(door(shop, "gromov"), order.business_key))
    shop.carry_to(order, "UserTask_Manufacture")
    assert "в будущем" in refusal(move(door(shop, "gromov"), order.business_key, days=-1))
    assert running(shop, MOVE) == before
    assert move(door(shop, "gromov"), order.business_key).status_code == 200
    assert running(shop, MOVE) == before + 1


def test_after_payment_only_a_director_cancels(shop: Shop, order: Instance) -> None:
    shop.carry_to(order, "UserTask_TakePayment")
    unpaid = cancel(door(shop, "sokolova"), order.business_key)
    assert unpaid.status_code == 200, unpaid.text
    shop.answer(order)
    shop.open_step(order)
    before = running(shop, CANCEL)
    assert "только директор" in refusal(cancel(door(shop, "sokolova"), order.business_key))
    assert "только директор" in refusal(cancel(door(shop, "integration", "sokolova"), order.business_key))
    assert running(shop, CANCEL) == before
    assert cancel(door(shop, "integration", "belova"), order.business_key).status_code == 200


def test_nothing_is_cancelled_or_moved_after_shipping(shop: Shop, order: Instance) -> None:
    shop.carry_to(order, "UserTask_Ship")
    shop.answer(order)
    assert shop.integration.external.find(processInstanceId=order.id)
    before = running(shop, CANCEL), running(shop, MOVE)
    assert "уже отгружен" in refusal(cancel(door(shop, "belova"), order.business_key))
    assert "уже отгружен" in refusal(move(door(shop, "gromov"), order.business_key))
    shop.drain(order)
    wait_until(lambda: not shop.reader.snapshot(order.id).running, 20, "the order's end")
    assert "уже закрыт" in refusal(cancel(door(shop, "belova"), order.business_key))
    assert "уже закрыт" in refusal(move(door(shop, "gromov"), order.business_key))
    assert (running(shop, CANCEL), running(shop, MOVE)) == before
