"""History that never happened, in the shape that the engine's history REST answers: seeded, from the diagram itself.

Each order walks the nodes and flows of the BPMN file; a gateway follows its conditions, a step writes what its
properties ask for. The same seed and a later `until` continue the same orders, so that a refresh has news.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from diagram.bpmn import Diagram, Node
from diagram.stages import route_of
from orders.norms import parse_norm
from orders.persons import Staff
from orders.stage import Field, FieldKind, Stage
from orders.worktime import WorkingCalendar

ROOT = Path(__file__).resolve().parent.parent
BPMN = ROOT / "bpmn" / "custom-furniture-order.bpmn"
DEFINITION = "custom-furniture-order:1:made"
_CONDITION = re.compile(r"\$\{(\w+) == '(\w+)'\}")
_TIMES = {
    "startedAfter": "startTime",
    "finishedAfter": "endTime",
    "occurredAfter": "time",
    "afterTimestamp": "timestamp",
}
Row = dict[str, Any]


def text(at: datetime) -> str:
    """Return an instant as the engine writes it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


class _NotYet(Exception):
    """The order has reached the end of the time that is told of."""


class _Cancelled(Exception):
    """Somebody cancelled the order."""


@dataclass
class MadeHistory:
    """Answers `page` as the REST does. `rows`: resource -> rows."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    pages: int = 0
    _sorted: dict[tuple[str, str], tuple[list[str], list[Row]]] = field(default_factory=dict)

    def page(self, resource: str, query: Mapping[str, Any]) -> list[Row]:
        """Return one page; a condition that this history does not know is an error, not ignored."""
        self.pages += 1
        left = dict(query)
        first, most = left.pop("firstResult"), left.pop("maxResults")
        keys, rows = self._by(resource, left.pop("sortBy"))
        assert left.pop("sortOrder") == "asc"
        begin, end = 0, len(rows)
        for name in [n for n in left if n in _TIMES]:
            begin = bisect_left(keys, left.pop(name))
        left.pop("variableUpdates", None), left.pop("deserializeValues", None)
        if left.pop("unfinished", False):
            rows, begin = [r for r in rows if r["endTime"] is None], 0
            end = len(rows)
        if kind := left.pop("activityType", None):
            rows = [r for r in rows[begin:end] if r["activityType"] == kind]
            begin, end = 0, len(rows)
        if entities := left.pop("entityTypeIn", None):
            assert entities == "Task,ProcessInstance"
        left.pop("processDefinitionKey", None)
        assert not left, f"unknown conditions {left}"
        return rows[begin + first : min(end, begin + first + most)]

    def _by(self, resource: str, sort: str) -> tuple[list[str], list[Row]]:
        found = self._sorted.get((resource, sort))
        if found is None:
            rows = sorted((r for r in self.rows[resource] if r[sort] or sort != "endTime"), key=lambda r: r[sort] or "")
            found = self._sorted[resource, sort] = ([r[sort] or "" for r in rows], rows)
        return found


def make_history(
    orders: int,
    calendar: WorkingCalendar,
    staff: Staff,
    *,
    seed: int = 1,
    first: datetime = datetime(2024, 11, 1, 6, tzinfo=UTC),
    last: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC),
    until: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC),
    xml: bytes | None = None,
) -> MadeHistory:
    """Make the history of that many orders, begun evenly from `first` to `last`, as it stands at `until`."""
    world = _World(calendar, staff, Diagram(xml or BPMN.read_bytes()), until, seed)
    step = (last - first) / orders
    for number in range(orders):
        _Walk(world, number, first + step * number).go()
    return MadeHistory(world.rows)


class _World:
    def __init__(self, calendar: WorkingCalendar, staff: Staff, diagram: Diagram, until: datetime, seed: int) -> None:
        self.calendar, self.staff, self.diagram, self.until, self.seed = calendar, staff, diagram, until, seed
        self.route = route_of(diagram)
        self.members = {g: [p.id for p in staff.members(g)] for s in self.route.stages for g in s.groups}
        self.rows: dict[str, list[Row]] = {
            r: [] for r in ("process-instance", "task", "activity-instance", "detail", "user-operation")
        }


class _Walk:
    def __init__(self, world: _World, number: int, at: datetime) -> None:
        self.world, self.number, self.now = world, number, at
        self.random = Random(f"{world.seed}:{number}")
        self.id = f"i{number:06d}"
        self.count = 0
        self.values: dict[str, str] = {}
        self.revisions: dict[str, int] = {}
        self.open: Row | None = None
        self.cancel_at = self.random.randrange(4, 9) if self.random.random() < 0.03 else -1
        self.steps = 0

    def go(self) -> None:
        """Walk until the end, or until what is told of ends."""
        if self.now > self.world.until:
            return
        customer = f"ООО «Ромашка-{self.number % 180}»"
        instance = self._instance()
        start = {"initiator": "sokolova", "customerName": customer, "itemDescription": f"Шкаф № {self.number}"}
        for name, value in start.items():
            self._write(name, value, self.id)
        self._write("orderFile", None, self.id, kind="File")
        try:
            self._scope(self.world.diagram.process_id)
        except _NotYet:
            return
        except _Cancelled:
            self._write("cancelReason", "передумал", self.id)
            self._event("End_Cancelled", "noneEndEvent")
        instance["endTime"], instance["state"] = text(self.now), "COMPLETED"
        if self.world.rows["activity-instance"][-1]["activityId"] == "End_Delivered":
            self._afterwards()

    def _afterwards(self) -> None:
        """Let some customers complain and some costs become known, each by a process of its own."""
        if self.random.random() < 0.1:
            self._record("record-complaint", {"complaintText": "скол"}, self.random.uniform(10, 300))
        if "estimateSum" in self.values and self.random.random() < 0.7:
            cost = float(self.values["estimateSum"]) * self.random.uniform(0.8, 1.25)
            self._record("record-actual-cost", {"actualCost": f"{cost:.2f}"}, self.random.uniform(2, 60))

    def _record(self, process: str, values: Mapping[str, str], hours: float) -> None:
        at = self.now + timedelta(hours=hours)
        if at > self.world.until:
            return
        instance = self._new()
        for name, value in {"orderInstanceId": self.id, **values}.items():
            self.world.rows["detail"].append(
                {
                    "id": self._new(), "processInstanceId": instance, "processDefinitionKey": process,
                    "variableName": name, "variableType": "String", "value": value, "activityInstanceId": instance,
                    "taskId": None, "time": text(at), "revision": 0,
                }
            )  # fmt: skip

    def _scope(self, scope: str) -> None:
        diagram = self.world.diagram
        node = next(n for n in diagram.scope(scope) if n.kind == "startEvent" and not n.defined)
        while node.kind != "endEvent":
            node = self._through(node)
        self._event(node.id, "noneEndEvent")

    def _through(self, node: Node) -> Node:
        if node.kind == "subProcess":
            self._scope(node.id)
        elif node.kind == "userTask":
            self._person(node)
        elif node.kind == "serviceTask" and (caught := self._service(node)) is not None:
            return caught
        return self._next(node)

    def _next(self, node: Node) -> Node:
        diagram = self.world.diagram
        flows = diagram.outgoing(node.id)
        for flow in flows:
            match = _CONDITION.search(flow.condition or "")
            if match and self.values.get(match[1]) == match[2]:
                return diagram.nodes[flow.target]
        plain = [f for f in flows if not f.condition]
        return diagram.nodes[plain[0].target]

    def _service(self, node: Node) -> Node | None:
        self._pass(timedelta(seconds=self.random.uniform(0.2, 4)))
        chance = {"register-order": 0.01, "validate-attachments": 0.04}.get(node.topic or "", 0.0)
        if node.topic == "sync-stage":
            target = self.world.route.sync_targets[node.id]
            for name in (f"visit_{target}", "portalPending", "cardStage", f"due_{target}"):
                self._write(name, "x", f"{node.id}:{self.count}")
        boundaries = self.world.diagram.boundaries(node.id)
        if boundaries and self.random.random() < chance:
            self._event(boundaries[0].id, "boundaryError")
            return self._next(boundaries[0])
        if node.topic == "validate-attachments":
            self._judged(node)
        return None

    def _judged(self, node: Node) -> None:
        stage = self.world.route.stage(self.world.route.judged[node.id])
        fields = stage.file_fields() if stage else tuple(f for f in self.world.route.start_fields if f.kind.holds_files)
        for each in fields:
            info = {"name": f"{each.name}.pdf", "size": 9000, "sha256": f"{self.id}{self.count:04d}", "by": "worker"}
            self._write(f"{each.name}Info", json.dumps({**info, "at": text(self.now)}), f"{node.id}:{self.count}")

    def _person(self, node: Node) -> None:
        stage = self.world.route.stage(node.id)
        assert stage is not None
        self.steps += 1
        due = self._due(stage)
        activity = f"{node.id}:{self._new()}"
        task: Row = {
            "id": self._new(), "processInstanceId": self.id, "processDefinitionId": DEFINITION,
            "processDefinitionKey": "custom-furniture-order", "taskDefinitionKey": node.id,
            "activityInstanceId": activity, "assignee": None, "startTime": text(self.now), "endTime": None,
            "due": text(due) if due else None, "deleteReason": None, "duration": None,
        }  # fmt: skip
        self.world.rows["task"].append(task)
        person = self.random.choice(self.world.members[stage.groups[0]]) if stage.groups else "sokolova"
        norm = parse_norm(stage.norm).hours or 60.0
        self._work(norm * self.random.betavariate(1.3, 4) * 1.2)
        if self.steps == self.cancel_at:
            task["endTime"], task["deleteReason"] = text(self.now), "deleted"
            raise _Cancelled
        if self.random.random() < 0.85:
            self._claim(task, person)
        if node.id == "UserTask_Manufacture" and self.random.random() < 0.12:
            self._write("readyBy", self._later(60).isoformat(), f"Stage_Manufacture:{self.count}")
        self._work(norm * self.random.betavariate(1.5, 3) * 1.6)
        self._answer(stage, activity, person)
        task["endTime"], task["deleteReason"] = text(self.now), "completed"

    def _claim(self, task: Row, person: str) -> None:
        task["assignee"] = person
        self.world.rows["user-operation"].append(
            {
                "id": self._new(), "processInstanceId": self.id, "taskId": task["id"], "entityType": "Task",
                "operationType": "Claim", "property": "assignee", "orgValue": None, "newValue": person,
                "userId": person, "timestamp": text(self.now), "processDefinitionKey": "custom-furniture-order",
            }
        )  # fmt: skip

    def _answer(self, stage: Stage, activity: str, person: str) -> None:
        choice = stage.decision_field()
        decision = None
        if choice is not None:
            values = [value for value, _ in choice.choices]
            decision = values[0] if self.random.random() < 0.93 else self.random.choice(values)
            self._write(choice.name, decision, activity)
        for each in stage.fields:
            value = self._value(each, decision)
            if each is not choice and value is not None:
                self._write(each.name, None if each.kind.holds_files else value, activity, kind=_kind(each))
        self._write(f"done_{stage.task_id}", json.dumps({"person": person, "name": person}), activity)

    def _value(self, each: Field, decision: str | None) -> str | None:
        if each.name == "readyBy":
            return self._later(self.random.uniform(60, 110)).isoformat() if decision == "approve" else None
        if each.kind is FieldKind.SUM:
            return f"{self.random.randrange(20_000, 900_000)}.00"
        if each.kind is FieldKind.TEXT:
            return "причина" if decision in ("reject", "return") else None
        if each.kind in (FieldKind.DATE, FieldKind.MOMENT):
            return self.now.isoformat()
        return "x"

    def _instance(self) -> Row:
        row: Row = {
            "id": self.id, "businessKey": f"ORD-{self.now.year}-{self.number:05d}", "processDefinitionId": DEFINITION,
            "processDefinitionKey": "custom-furniture-order", "startTime": text(self.now), "endTime": None,
            "startUserId": "sokolova", "state": "ACTIVE", "deleteReason": None,
        }  # fmt: skip
        self.world.rows["process-instance"].append(row)
        return row

    def _event(self, element: str, kind: str) -> None:
        self.world.rows["activity-instance"].append(
            {
                "id": f"{element}:{self._new()}", "activityId": element, "activityType": kind,
                "processInstanceId": self.id, "processDefinitionKey": "custom-furniture-order",
                "startTime": text(self.now), "endTime": text(self.now), "canceled": False,
            }
        )  # fmt: skip

    def _write(self, name: str, value: str | None, activity: str, *, kind: str = "String") -> None:
        if value is not None:
            self.values[name] = value
        self.revisions[name] = self.revisions.get(name, -1) + 1
        self.world.rows["detail"].append(
            {
                "id": self._new(), "processInstanceId": self.id, "processDefinitionKey": "custom-furniture-order",
                "variableName": name, "variableType": kind, "value": value, "activityInstanceId": activity,
                "taskId": None, "time": text(self.now), "revision": self.revisions[name],
            }
        )  # fmt: skip

    def _due(self, stage: Stage) -> datetime | None:
        norm = parse_norm(stage.norm)
        if norm.until:
            promised = self.values.get(norm.until)
            return datetime.fromisoformat(promised) if promised else None
        return self.world.calendar.add(self.now, norm.hours) if norm.hours else None

    def _later(self, hours: float) -> datetime:
        """Return the closing of a day so many working hours ahead."""
        return self.world.calendar.end_of_day(self.world.calendar.today(self.world.calendar.add(self.now, hours)))

    def _work(self, hours: float) -> None:
        self._pass(self.world.calendar.add(self.now, max(hours, 0.02)) - self.now)

    def _pass(self, span: timedelta) -> None:
        if self.now + span > self.world.until:
            raise _NotYet
        self.now += span

    def _new(self) -> str:
        self.count += 1
        return f"{self.id}-{self.count:04d}"


def _kind(each: Field) -> str:
    return "File" if each.kind.holds_files else "String"
