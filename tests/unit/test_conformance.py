"""Rule: an order that went its diagram's way has no deviation, and every side door is found and named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mirrored import the_route, the_staff
from shop import ROOT

from diagram.bpmn import Diagram
from engine.history import PastActivity
from reports.conformance import Seen, Verdict, check, summary

DIAGRAM = Diagram((ROOT / "bpmn" / "custom-furniture-order.bpmn").read_bytes())
ROUTE, STAFF = the_route(), the_staff()
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
REFUSED = (
    "StartEvent_OrderRequested", "ServiceTask_RegisterOrder", "ServiceTask_JudgeRequest", "Gateway_RequestReady",
    "Stage_ApproveOrder", "StartEvent_ApproveOrder", "ServiceTask_SyncApproveOrder", "UserTask_ApproveOrder",
    "EndEvent_ApproveOrder", "Gateway_DirectorDecision",
)  # fmt: skip


def activity(element: str, number: int = 0, **changes: Any) -> PastActivity:
    at = AT + timedelta(minutes=number)
    made = PastActivity(f"{element}:{number}", element, "x", "i1", None, at, at + timedelta(minutes=1), False)
    return replace(made, **changes)


def walk(*elements: str) -> list[PastActivity]:
    return [activity(element, number) for number, element in enumerate(elements)]


def refused() -> list[PastActivity]:
    """Return the path of an order that the director refused, whatever stands between decision and end."""
    path, node = list(REFUSED), "Gateway_DirectorDecision"
    wanted = next(flow for flow in DIAGRAM.outgoing(node) if flow.condition is None)
    node = wanted.target
    while True:
        path.append(node)
        if node in ROUTE.ends:
            return walk(*path)
        node = DIAGRAM.outgoing(node)[0].target


def operation(kind: str, who: str, entity: str = "ProcessInstance", task: str | None = None) -> dict[str, Any]:
    stamp = "2026-11-24T12:00:00.000+0300"
    return {"operationType": kind, "userId": who, "entityType": entity, "taskId": task, "timestamp": stamp}


def verdict(activities: list[PastActivity], *operations: dict[str, Any], ended: bool = True, **more: Any) -> Verdict:
    seen = Seen("ORD-1", "i1", ended, activities, operations, {"t1": "UserTask_ApproveOrder"})
    return check(seen, DIAGRAM, ROUTE, STAFF, {"worker", "integration"}, **more)


def texts(found: Verdict) -> list[str]:
    return [f.text for f in found.deviations]


def test_the_diagrams_way_is_no_deviation() -> None:
    found = verdict(refused(), operation("Complete", "orlov", "Task", "t1"), operation("SetVariable", "integration"))
    assert texts(found) == []
    assert summary([found]) == "Проверено 1 заказ: 0 отклонений"


def test_a_step_without_the_one_before_and_a_step_that_nothing_followed() -> None:
    path = [a for a in refused() if a.element != "UserTask_ApproveOrder"]
    assert any("начат без предыдущего" in t for t in texts(verdict(path)))
    path = [a for a in refused() if a.element not in ROUTE.ends]
    assert any("ничего не последовало" in t for t in texts(verdict(path)))
    assert "закончен не исходом схемы" in texts(verdict(path))
    jumped = [*refused(), activity("UserTask_Ship", 99)]
    assert any("начат без предыдущего" in t for t in texts(verdict(jumped)))


def test_what_runs_and_what_was_interrupted_is_no_deviation() -> None:
    inside = {"Stage_ApproveOrder", "UserTask_ApproveOrder"}
    path = refused()[:8]
    running = [replace(a, ended=None) if a.element in inside else a for a in path]
    assert texts(verdict(running, ended=False)) == []
    cancelled = [replace(a, canceled=True) if a.element in inside else a for a in path]
    assert texts(verdict(cancelled)) == ["закончен не исходом схемы"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("ModifyProcessInstance", "ход заказа изменён"), ("Delete", "удалён вручную"), ("SetVariable", "изменены"),
        ("ModifyVariable", "изменены"), ("RemoveVariable", "удалены"), ("Resolve", "в обход формы"),
    ],
)  # fmt: skip
def test_side_doors(kind: str, words: str) -> None:
    (text,) = texts(verdict(refused(), operation(kind, "admin")))
    assert words in text


def test_a_step_closed_by_a_stranger_and_by_a_substitute() -> None:
    stranger = operation("Complete", "stepanov", "Task", "t1")
    (text,) = texts(verdict(refused(), stranger))
    assert "другого отдела" in text
    assert texts(verdict(refused(), stranger, candidates=lambda _task: {"stepanov"})) == [], "a substitute"
    gone = verdict(refused(), operation("Complete", "leftLongAgo", "Task", "t1"))
    assert texts(gone) == []
    assert "отдел не проверен" in gone.remarks[0].text


def test_moves_between_versions_are_told_and_are_no_deviation() -> None:
    found = verdict(refused(), operation("Migrate", "petrov"))
    assert texts(found) == []
    assert [f.text for f in found.remarks] == ["переведён на другую версию схемы"]
