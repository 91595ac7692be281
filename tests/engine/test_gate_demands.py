"""A stage is completed only with what it demands, sent with this completion, and writes nothing but its own fields."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gate_models import Door, door, file, in_days, process, refusal, stage, state, task_of, text
from shop import Shop, pdf

pytestmark = pytest.mark.engine

PROCESS = "gate-demands"
DECIDE = {
    "field.decision": "choice; Решение; approve=Согласовать, return=Вернуть",
    "field.readyBy": "moment; Готовность; future",
    "field.comment": "text; Комментарий",
    "required": "decision, readyBy@approve",
    "commentOn": "return",
}
PAY = {
    "field.paidSum": "sum; Оплачено",
    "field.payNote": "text; Почему иначе",
    "required": "paidSum, payNote@paidSum!=estimateSum",
}
ESTIMATE = {
    "field.estimateFile": "file; Смета",
    "field.designFile": "files; Чертежи",
    "field.estimateSum": "sum; Сумма сметы, ₽",
    "required": "estimateFile, estimateSum",
}
AGAIN = {"field.again": "choice; Ещё раз; yes=Да, no=Нет", "required": "again"}


def looped(process_id: str) -> str:
    """Return a diagram whose estimate is done again as long as the second step says so."""
    straight = process(process_id, [stage("Estimate", ESTIMATE), stage("Again", AGAIN)])
    gate = (
        '<bpmn:exclusiveGateway id="Gate" default="On"/>'
        '<bpmn:sequenceFlow id="ToGate" sourceRef="Again" targetRef="Gate"/>'
        '<bpmn:sequenceFlow id="On" sourceRef="Gate" targetRef="End"/>'
        '<bpmn:sequenceFlow id="Back" sourceRef="Gate" targetRef="Estimate"><bpmn:conditionExpression '
        "xsi:type=\"bpmn:tFormalExpression\">${again == 'yes'}</bpmn:conditionExpression></bpmn:sequenceFlow>"
    )
    return straight.replace('<bpmn:sequenceFlow id="Flow_2" sourceRef="Again" targetRef="End"/>', gate)


@pytest.fixture(scope="module")
def admin(shop: Shop) -> Door:
    """The admin's door, with the diagrams deployed."""
    opened = door(shop, "admin")
    diagrams = [
        process(PROCESS, [stage("Decide", DECIDE)]),
        process("gate-pay", [stage("Estimate", ESTIMATE), stage("Pay", PAY)]),
        looped("gate-again"),
    ]
    answer = opened.deploy(*diagrams)
    assert answer.status_code == 200, answer.text
    return opened


def started(admin: Door, process_id: str) -> str:
    answer = admin.start(process_id)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def values(admin: Door, instance: str) -> dict[str, Any]:
    rows = admin.rows(f"/history/variable-instance?processInstanceId={instance}&deserializeValues=false")
    return {row["name"]: row["value"] for row in rows}


MISSING = [
    ({}, ["«Решение»"]),
    ({"decision": text("")}, ["«Решение»"]),
    ({"decision": {"value": None}}, ["«Решение»"]),
    ({"decision": text("approve")}, ["«Готовность»"]),
    ({"decision": text("approve"), "readyBy": text(" ")}, ["«Готовность»"]),
    ({"decision": text("return")}, ["причина в поле «Комментарий»"]),
    ({"decision": text("return"), "comment": text(" \n ")}, ["причина в поле «Комментарий»"]),
]
FOREIGN = ["estimateSum", "initiator", "done_Decide", "comment_2", "due_Decide", "decision "]


@pytest.mark.parametrize(("sent", "named"), MISSING)
def test_what_is_missing_is_named(shop: Shop, admin: Door, sent: dict[str, Any], named: list[str]) -> None:
    instance = started(admin, PROCESS)
    before = state(admin, instance)
    sentence = refusal(door(shop, "volkov").complete(task_of(admin, instance), sent))
    assert sentence == "Не хватает: " + ", ".join(named)
    assert state(admin, instance) == before


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_variable_is_refused(shop: Shop, admin: Door, name: str) -> None:
    instance = started(admin, PROCESS)
    before = state(admin, instance)
    sent = {"decision": text("return"), "comment": text("Нет размеров"), name: text("1")}
    assert "менять нельзя" in refusal(door(shop, "volkov").complete(task_of(admin, instance), sent))
    assert state(admin, instance) == before


def test_a_date_that_only_the_other_decision_asks_for_is_not_written(shop: Shop, admin: Door) -> None:
    """A form prefills the old date; returning with a reason must not fail on it or make a promise of it."""
    instance = started(admin, PROCESS)
    sent = {"decision": text("return"), "comment": text("Нет размеров"), "readyBy": text(in_days(-3))}
    assert door(shop, "volkov").complete(task_of(admin, instance), sent).status_code == 204
    assert "readyBy" not in values(admin, instance)


def test_the_completion_says_who_and_when(shop: Shop, admin: Door) -> None:
    instance = started(admin, PROCESS)
    sent = {"decision": text("return"), "comment": text("Нет размеров")}
    assert door(shop, "volkov").complete(task_of(admin, instance), sent).status_code == 204
    done = json.loads(values(admin, instance)["done_Decide"])
    assert (done["person"], done["name"]) == ("volkov", "Дмитрий Волков")
    assert done["at"].endswith("Z")


@pytest.mark.parametrize(
    ("paid", "note", "words"), [("900", None, "«Почему иначе»"), ("900,00", "Скидка", None), ("1000", None, None)]
)
def test_a_demand_may_hang_on_two_values_that_differ(
    shop: Shop, admin: Door, paid: str, note: str | None, words: str | None
) -> None:
    instance = started(admin, "gate-pay")
    estimate = {"estimateFile": file("смета.pdf", pdf()), "estimateSum": text("1000,00")}
    assert door(shop, "volkov").complete(task_of(admin, instance), estimate).status_code == 204
    answer = door(shop, "volkov").complete(task_of(admin, instance), {"paidSum": text(paid), "payNote": text(note)})
    if words is None:
        assert answer.status_code == 204, answer.text
    else:
        assert words in refusal(answer)


def test_values_of_an_earlier_visit_do_not_count_and_its_files_are_unset(shop: Shop, admin: Door) -> None:
    instance = started(admin, "gate-again")
    person = door(shop, "volkov")
    first = {"estimateFile": file("1.pdf", pdf("1")), "estimateSum": text("10"), "designFile": file("a.pdf", pdf("a"))}
    first["designFile_2"] = file("b.pdf", pdf("b"))
    assert person.complete(task_of(admin, instance), first).status_code == 204
    assert person.complete(task_of(admin, instance), {"again": text("yes")}).status_code == 204
    before = state(admin, instance)
    assert "файл «Смета»" in refusal(person.complete(task_of(admin, instance), {"estimateSum": text("10")}))
    assert "«Сумма сметы, ₽»" in refusal(
        person.complete(task_of(admin, instance), {"estimateFile": first["estimateFile"]})
    )
    assert state(admin, instance) == before
    second = {
        "estimateFile": file("2.pdf", pdf("2")),
        "estimateSum": text("10.00"),
        "designFile": file("c.pdf", pdf("c")),
    }
    assert person.complete(task_of(admin, instance), second).status_code == 204
    names = {
        row["name"]: row["valueInfo"].get("filename")
        for row in admin.rows(f"/variable-instance?processInstanceIdIn={instance}&deserializeValues=false")
    }
    assert (names["estimateFile"], names["designFile"], names["designFile_2"]) == ("2.pdf", "c.pdf", None)


def test_the_same_decision_sent_again_counts_as_sent(shop: Shop, admin: Door) -> None:
    instance = started(admin, "gate-again")
    person = door(shop, "volkov")
    for _ in range(2):
        estimate = {"estimateFile": file("1.pdf", pdf("1")), "estimateSum": text("10")}
        assert person.complete(task_of(admin, instance), estimate).status_code == 204
        assert person.complete(task_of(admin, instance), {"again": text("yes")}).status_code == 204
    assert task_of(admin, instance)


def test_a_refusals_sentence_is_cleared_by_the_next_completion(shop: Shop, admin: Door) -> None:
    instance = started(admin, PROCESS)
    admin.call("PUT", f"/process-instance/{instance}/variables/refusal_Decide", text("Файл пуст"))
    sent = {"decision": text("return"), "comment": text("Нет размеров")}
    assert door(shop, "volkov").complete(task_of(admin, instance), sent).status_code == 204
    assert values(admin, instance)["refusal_Decide"] is None


def test_an_error_of_the_model_cannot_carry_variables_past_the_form(shop: Shop, admin: Door) -> None:
    instance = started(admin, PROCESS)
    before = state(admin, instance)
    person = door(shop, "volkov")
    for way, code in (("bpmnError", "errorCode"), ("bpmnEscalation", "escalationCode")):
        body = {code: "X", "variables": {"estimateSum": text("1")}}
        assert "только его формой" in refusal(person.call("POST", f"/task/{task_of(admin, instance)}/{way}", body))
    assert state(admin, instance) == before


@pytest.mark.parametrize("way", ["variables", "localVariables"])
def test_variables_are_not_written_beside_the_form(shop: Shop, admin: Door, way: str) -> None:
    instance = started(admin, PROCESS)
    before = state(admin, instance)
    path = f"/task/{task_of(admin, instance)}/{way}/decision"
    assert door(shop, "volkov").call("PUT", path, text("approve")).status_code in (403, 404)
    assert state(admin, instance) == before
