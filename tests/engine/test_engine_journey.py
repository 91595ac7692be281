"""An order travels on the real engine: what was sent comes back whole, and a snapshot tells the whole story."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from shop import Shop, good_answer, pdf, pdf_file, wait_until

from engine.errors import NotFound
from engine.variables import FileValue, JsonText
from orders.errors import BusinessError

pytestmark = pytest.mark.engine


def test_a_file_and_its_cyrillic_name_come_back_unchanged(shop: Shop) -> None:
    data = pdf("Ёлка") + b"\n% " + bytes(range(128, 256))
    order = shop.start_order(orderFile=FileValue("Чертёж №1 «Ёлка».pdf", data, "application/pdf"))
    assert shop.reader.file_bytes(order.id, "orderFile") == ("Чертёж №1 «Ёлка».pdf", data)
    assert shop.reader.file_names(order.id) == {"orderFile": "Чертёж №1 «Ёлка».pdf"}


def test_cyrillic_values_come_back_unchanged(shop: Shop) -> None:
    order = shop.start_order(customerName="Ёжиков & «Сыновья»", itemDescription="Шкаф\nдве строки — 3,2 м")
    held = shop.integration.processes.variables(order.id)
    assert held["customerName"] == "Ёжиков & «Сыновья»"
    assert held["itemDescription"] == "Шкаф\nдве строки — 3,2 м"


def test_more_than_4000_letters_are_kept_as_a_file(shop: Shop) -> None:
    order = shop.start_order()
    talk = JsonText([{"text": "ж" * 4001}])
    shop.integration.processes.set_variable(order.id, "discussion", talk)
    name, data = shop.reader.file_bytes(order.id, "discussion")
    assert (name, data) == ("discussion.json", talk.text().encode())


def test_an_order_reaches_its_end_and_stays_readable(shop: Shop) -> None:
    order = shop.start_order("sokolova", budget="150000.00")
    shop.carry_home(order)
    told = shop.reader.snapshot(order.id)
    assert (told.end_id, told.running, told.open, told.incidents) == ("End_Delivered", False, (), 0)
    assert (told.key, told.initiator) == (order.business_key, "sokolova")
    assert [v.task_id.removeprefix("UserTask_") for v in told.done] == [
        *("ApproveOrder", "PrepareDesign", "PrepareEstimate", "AgreePrice", "SetReadyDate"),
        *("Manufacture", "TellCustomer", "IssueInvoice", "TakePayment", "Ship"),
    ]
    assert len({v.visit for v in told.done}) == len(told.done)
    assert told.variables["budget"] == "150000.00"
    assert {f.variable for f in told.files} == {"orderFile", "designFile", "estimateFile"}
    for ref in told.files:
        name, data = shop.reader.file_bytes(order.id, ref.variable)
        assert (name, hashlib.sha256(data).hexdigest(), len(data)) == (ref.name, ref.sha256, ref.size)
    assert shop.reader.instances_of(order.business_key or "") == [order.id]
    assert order.id not in shop.reader.open_orders()


def test_a_rework_keeps_both_answers_apart(shop: Shop) -> None:
    order = shop.start_order()
    shop.carry_to(order, "UserTask_PrepareDesign")
    shop.answer(order, designFile=pdf_file("первый.pdf"), designComment="первый")
    shop.carry_to(order, "UserTask_SetReadyDate")
    shop.answer(order, readyDecision="return", readyComment="Нужна другая петля")
    second = shop.carry_to(order, "UserTask_PrepareDesign")
    half_way = shop.reader.snapshot(order.id)
    shop.answer(order, designFile=pdf_file("второй.pdf"), designComment="второй")
    shop.carry_to(order, "UserTask_Manufacture")
    told = shop.reader.snapshot(order.id)
    designs = [v for v in told.done if v.task_id == "UserTask_PrepareDesign"]
    assert [v.comment for v in designs] == ["первый", "второй"]
    assert designs[0].visit != designs[1].visit == second.visit
    sent_back = next(v for v in told.done if v.decision == "return")
    assert (sent_back.task_id, sent_back.comment) == ("UserTask_SetReadyDate", "Нужна другая петля")
    assert [f.name for f in told.files if f.variable == "designFile"] == ["второй.pdf"]
    assert [v.visit for v in half_way.done if v.task_id == "UserTask_PrepareDesign"] == [designs[0].visit]
    approved = next(v for v in told.done if v.task_id == "UserTask_ApproveOrder")
    assert (approved.decision, approved.comment) == ("approve", "Супер заказ")
    assert approved.values == {"directorDecision": "approve", "directorComment": "Супер заказ"}


def test_a_step_that_is_still_opening_has_its_own_key(shop: Shop) -> None:
    """While sync-stage is open the visit is that external task's, not the variable of an earlier visit."""
    order = shop.start_order()
    step = shop.open_step(order)
    assert (step.task_id, step.groups, step.assignee) == ("UserTask_ApproveOrder", ("directors",), None)
    assert step.due is not None and step.due > datetime.now(UTC)
    shop.answer(order)
    (opening,) = shop.reader.snapshot(order.id).open
    (sync,) = shop.integration.external.find(processInstanceId=order.id)
    assert sync.topic == "sync-stage"
    assert (opening.visit, opening.task_id) == (sync.activity_instance_id, "UserTask_PrepareDesign")
    assert opening.engine_task is None and opening.groups == ("designers",)
    opened = shop.open_step(order)
    assert opened.visit == opening.visit and opened.engine_task is not None


def test_a_refused_file_leads_back_with_its_sentence(shop: Shop) -> None:
    order = shop.start_order("sokolova")
    refusal = BusinessError(
        "ATTACHMENT_REJECTED", "Файл пуст", {"orderFile": None, "refusal_UserTask_FixRequest": "Файл пуст"}
    )
    wait_until(
        lambda: (
            "register-order" not in {t.topic for t in shop.integration.external.find(processInstanceId=order.id)}
            or shop.drain(order, {"validate-attachments": refusal})
        ),
        30,
        "the request's file refused",
    )
    step = shop.open_step(order)
    assert (step.task_id, step.assignee, step.refusal) == ("UserTask_FixRequest", "sokolova", "Файл пуст")
    assert shop.reader.snapshot(order.id).files == ()


def test_the_outcome_is_the_end_event_also_before_it_is_reached(shop: Shop) -> None:
    order = shop.start_order()
    shop.open_step(order)
    shop.answer(order, directorDecision="reject", directorComment="Не наше")
    (notify,) = shop.integration.external.find(processInstanceId=order.id)
    assert notify.topic == "notify"
    _work_off_one(shop, order.id)
    assert shop.reader.snapshot(order.id).closing == "End_RefusedByDirector"
    shop.drain(order)
    told = shop.reader.snapshot(order.id)
    assert (told.end_id, told.closing) == ("End_RefusedByDirector", None)


def test_a_message_reaches_its_order_once_and_then_comes_too_late(shop: Shop) -> None:
    order = shop.start_order()
    shop.open_step(order)
    cancel = {"cancelReason": "Заказчик передумал", "cancelledBy": "orlov", "heldBy": "orlov", "refundDue": False}
    assert shop.reader.correlate("OrderCancelled", order.id, cancel)
    assert not shop.reader.correlate("OrderCancelled", order.id, cancel)
    shop.drain(order)
    assert shop.reader.snapshot(order.id).end_id == "End_Cancelled"
    assert not shop.reader.correlate("OrderCancelled", order.id, cancel)


def test_promises_are_those_in_production(shop: Shop) -> None:
    order = shop.start_order()
    shop.carry_to(order, "UserTask_SetReadyDate")
    assert [p for p in shop.reader.promises() if p.instance_id == order.id] == []
    ready = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0).isoformat()
    shop.answer(order, readyDecision="approve", readyBy=ready)
    shop.open_step(order)
    (promise,) = [p for p in shop.reader.promises() if p.instance_id == order.id]
    assert datetime.fromisoformat(promise.ready_by) == datetime.fromisoformat(ready)
    assert promise.late_flags is None


def test_an_incident_is_counted(shop: Shop) -> None:
    order = shop.start_order()
    (task,) = shop.integration.external.find(processInstanceId=order.id)
    worker = shop.signed_in("worker").external
    worker.lock(task.id, "w", 30)
    worker.failure(task.id, "w", "не вышло: " + "ж" * 1000, retries=0, details="почему", values={"cardStage": "x"})
    assert shop.reader.snapshot(order.id).incidents == 1
    (incident,) = shop.admin.processes.incidents(processInstanceId=order.id)
    assert incident.message.startswith("не вышло") and incident.configuration == task.id
    assert worker.error_details(task.id) == "почему"
    shop.admin.external.set_retries(task.id)
    assert shop.reader.snapshot(order.id).incidents == 0


def test_a_page_of_history_ends_where_it_ends(shop: Shop) -> None:
    with pytest.raises(NotFound):
        shop.reader.snapshot(str(uuid.uuid4()))
    assert shop.reader.instances_of("no-such-key") == []
    with pytest.raises(ValueError, match="processDefinitionId"):
        shop.integration.history.activities(processDefinitionKey="custom-furniture-order")


def _work_off_one(shop: Shop, instance_id: str) -> None:
    worker = shop.signed_in("worker").external
    (task,) = shop.integration.external.find(processInstanceId=instance_id)
    worker.lock(task.id, "w", 30)
    worker.complete(task.id, "w")


def test_good_answers_exist_for_every_step(shop: Shop) -> None:
    route = shop.reader.route(shop.admin.processes.newest("custom-furniture-order").id)
    for stage in route.stages:
        named = {demand.field for demand in stage.required if demand.decision is None and demand.differs is None}
        assert named <= set(good_answer(stage.task_id))
