"""Data are corrected while an order runs; complaints and costs are recorded once it is shipped; each with its demands,
by its own departments, and a refusal changes nothing.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from gate_models import door, refusal, text
from shop import Shop, wait_until

from engine.processes import Instance
from orders.snapshot import RecordKind

pytestmark = pytest.mark.engine

CORRECT, COMPLAIN, COST = "correct-order", "record-complaint", "record-actual-cost"


def send(shop: Shop, person: str, process: str, order: Instance, **values: str) -> Any:
    sent = {"orderKey": text(order.business_key), **{name: text(value) for name, value in values.items()}}
    return door(shop, person).start(process, sent)


def started(shop: Shop) -> list[int]:
    counts = [f"/history/process-instance/count?processDefinitionKey={p}" for p in (CORRECT, COMPLAIN, COST)]
    return [int(door(shop, "admin").call("GET", path).json()["count"]) for path in counts]


@pytest.fixture(scope="module")
def running(shop: Shop) -> Instance:
    """An order that waits for the director."""
    order = shop.start_order()
    shop.open_step(order)
    return order


@pytest.fixture(scope="module")
def shipped(shop: Shop) -> Instance:
    """A delivered order."""
    order = shop.start_order()
    shop.carry_home(order)
    wait_until(lambda: not shop.reader.snapshot(order.id).running, 20, "the order's end")
    return order


def test_a_correction_needs_a_reason_and_something_to_correct(shop: Shop, running: Instance) -> None:
    before = started(shop), shop.reader.snapshot(running.id)
    no_reason = send(shop, "sokolova", CORRECT, running, customerName="ООО «Ель»")
    assert "«Причина исправления»" in refusal(no_reason)
    nothing = send(shop, "sokolova", CORRECT, running, correctReason="Опечатка", customerName=" ")
    assert "что исправить" in refusal(nothing)
    bad_sum = send(shop, "sokolova", CORRECT, running, correctReason="Опечатка", budget="1.250")
    assert "«Бюджет, ₽»" in refusal(bad_sum)
    foreign = send(shop, "sokolova", CORRECT, running, correctReason="Опечатка", estimateSum="1.00")
    assert "«estimateSum»" in refusal(foreign)
    assert (started(shop), shop.reader.snapshot(running.id)) == before


@pytest.mark.parametrize(
    ("process", "outsiders"),
    [(CORRECT, ["orlov", "elena", "makarov"]), (COMPLAIN, ["elena", "makarov"]), (COST, ["sokolova", "makarov"])],
)
def test_only_its_departments_start_it(shop: Shop, running: Instance, process: str, outsiders: list[str]) -> None:
    before = started(shop)
    for person in outsiders:
        assert send(shop, person, process, running, actualCost="1", complaintText="x").status_code in (403, 404), person
    assert started(shop) == before


@pytest.mark.parametrize("person", ["sokolova", "kozlov"])
def test_a_correction_reaches_the_order(shop: Shop, person: str) -> None:
    order = shop.start_order(budget="100000.00")
    shop.open_step(order)
    answer = send(shop, person, CORRECT, order, customerName=f"ООО «Ель» {person}", correctReason="Опечатка")
    assert answer.status_code == 200, answer.text
    sent = {"customerName": f"ООО «Ель» {person}", "correctReason": "Опечатка", "correctedBy": person}
    assert shop.reader.correlate("OrderCorrected", order.id, sent)
    found = shop.reader.snapshot(order.id)
    assert found.variables["customerName"] == f"ООО «Ель» {person}"
    assert (found.variables["budget"], found.variables["customerContact"]) == ("100000.00", "+7 900 123-45-67")
    assert [(r.kind, r.number, r.person, r.text) for r in found.records] == [
        (RecordKind.CORRECTED, "1", person, "Опечатка")
    ]
    assert shop.open_step(order).task_id == "UserTask_ApproveOrder", "the order stands where it stood"


def test_complaints_and_costs_wait_for_the_shipping(shop: Shop, running: Instance) -> None:
    before = started(shop)
    assert "ещё не отгружен" in refusal(send(shop, "sokolova", COMPLAIN, running, complaintText="Скрипит"))
    assert "ещё не отгружен" in refusal(send(shop, "elena", COST, running, actualCost="100"))
    assert started(shop) == before


def test_what_is_missing_is_named(shop: Shop, shipped: Instance) -> None:
    before = started(shop)
    assert "«Суть рекламации»" in refusal(send(shop, "sokolova", COMPLAIN, shipped, complaintText=" "))
    assert "«Фактические затраты, ₽»" in refusal(send(shop, "elena", COST, shipped, actualCost="много"))
    assert "больше нуля" in refusal(send(shop, "elena", COST, shipped, actualCost="0"))
    assert "закрыт" in refusal(send(shop, "sokolova", CORRECT, shipped, customerName="x", correctReason="y"))
    unknown = Instance(shipped.id, shipped.definition_id, "ORD-2020-99999")
    assert "нет" in refusal(send(shop, "sokolova", COMPLAIN, unknown, complaintText="Скрипит"))
    assert started(shop) == before


def test_complaints_have_numbers_of_their_own_and_stay_with_the_order(shop: Shop, shipped: Instance) -> None:
    body = {"orderKey": text(shipped.business_key), "complaintText": text("Скрипит дверца")}
    given = door(shop, "sokolova").call(
        "POST", f"/process-definition/key/{COMPLAIN}/start", {"businessKey": "RCL-2026-00001", "variables": body}
    )
    assert "присваивает программа" in refusal(given)
    for words in ("Скрипит дверца", "Царапина"):
        assert send(shop, "sokolova", COMPLAIN, shipped, complaintText=words).status_code == 200
    assert send(shop, "elena", COST, shipped, actualCost="110 000,50 ₽").status_code == 200
    found = shop.reader.snapshot(shipped.id)
    complaints = [r for r in found.records if r.kind is RecordKind.COMPLAINT]
    assert [(r.person, r.text) for r in complaints] == [("sokolova", "Скрипит дверца"), ("sokolova", "Царапина")]
    numbers = [int(re.fullmatch(r"RCL-\d{4}-(\d{5})", r.number)[1]) for r in complaints]  # type: ignore[index] # matched
    assert numbers[1] == numbers[0] + 1
    (cost,) = [r for r in found.records if r.kind is RecordKind.COST]
    assert (cost.person, cost.text, cost.planned) == ("elena", "110000.50", "125000.00")
    assert shipped.id in shop.reader.orders_recorded(found.started)
