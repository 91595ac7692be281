"""The dossier of one order from the engine's history: read once, a dozen requests, whatever has ended since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.conformance import verdicts
from app.wiring import Parts
from diagram.bpmn import Diagram
from engine.errors import EngineError
from engine.rest import path_id
from engine.variables import from_instant
from orders.answers import END_DUPLICATE
from reports import raw
from reports.book import Book
from reports.clock import ms
from reports.derive import RawOrder, derive
from reports.dossier import Papers, Remark, page

Row = Mapping[str, Any]


def dossier(parts: Parts, key: str, now: datetime) -> str | None:
    """Return the page of an order, None where there is none of that number."""
    snapshots = list(parts.orders.snapshots(parts.orders.instances_of(key)))
    order = next((s for s in snapshots if s.end_id != END_DUPLICATE), next(iter(snapshots), None))
    if order is None:
        return None
    history, one = parts.integration.history, {"processInstanceId": order.instance_id}
    operations = history.operations(**one)
    facts = derive(_raw(parts, order.instance_id, operations), parts.route)
    diagram = Diagram(parts.integration.processes.xml(order.definition_id))
    names = {node.id: node.name for node in diagram.nodes.values()}
    tasks = {t.id: names.get(t.element, t.element) for t in history.tasks(**one)}
    verdict = next(v for v in verdicts(parts, key) if v.instance_id == order.instance_id)
    papers = Papers(
        order, facts, list(history.activities(**one)), operations, _remarks(parts, list(tasks)), names | tasks, verdict
    )
    route = parts.route(order.definition_id)
    return page(papers, Book([facts], parts.calendar, parts.staff, route, ms(now)), route, now)


def _raw(parts: Parts, instance_id: str, operations: Sequence[Row]) -> RawOrder:
    """Read one order's rows in the shape of the history store."""
    caller, one = parts.integration.caller, {"processInstanceId": instance_id}

    def rows(resource: str, table: str, sort: str, **query: Any) -> list[Row]:
        make = getattr(raw, f"{table}_row")
        made = (make(row) for row in caller.rows(f"/history/{resource}", {**one, **query}, sort=sort))
        return [dict(zip(raw.COLUMNS[table], row, strict=True)) for row in made if row is not None]

    events = [
        row
        for kind in ("noneEndEvent", "boundaryError")
        for row in rows("activity-instance", "event", "startTime", activityType=kind)
    ]
    changes = [raw.operation_row(row) for row in operations]
    return RawOrder(
        rows("process-instance", "instance", "startTime")[0],
        rows("task", "task", "startTime"),
        events,
        rows("detail", "write", "time", variableUpdates=True, deserializeValues=False),
        [dict(zip(raw.COLUMNS["operation"], row, strict=True)) for row in changes if row is not None],
    )


def _remarks(parts: Parts, task_ids: list[str]) -> list[Remark]:
    """Read what was written beside the steps' own forms; a task whose comments are gone has none."""
    found = []
    for task_id in task_ids:
        try:
            rows = parts.integration.caller.rest("GET", f"/task/{path_id(task_id)}/comment").json()
        except EngineError:
            continue
        found += [Remark(from_instant(r["time"]), str(r["userId"] or ""), str(r["message"] or "")) for r in rows]
    return sorted(found, key=lambda r: r.at)
