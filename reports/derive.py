"""From raw rows of one order to what happened: visits with wait and touch, promises, files, decisions, outcome.

Pure: the same rows give the same facts, in whatever order they came and however often.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.facts import read_info
from engine.steps import ACTIVATE, SUSPEND
from orders.dates import parse_moment
from orders.errors import Refused
from orders.lateness import production_stage
from orders.money import parse_sum
from orders.norms import parse_norm
from orders.stage import Route, Stage
from orders.steps import END_CODES
from reports.clock import ms
from reports.facts import (
    CANCELLED,
    DONE,
    DUPLICATE,
    OPEN,
    REFUSED_FILES,
    REMOVED,
    RUNNING,
    Decision,
    FileSeen,
    Ms,
    Order,
    OrderFacts,
    Promise,
    Record,
    Visit,
)
from reports.raw import COST, ORDER

Row = Mapping[str, Any]
_SAME_MOMENT: Ms = 1000  # a claim that a door made within the same second as the answer is none
_VERSION = re.compile(r"[^:]+:(\d+):[^:]+")
_ENDS = {**END_CODES, "End_Duplicate": DUPLICATE}
_INFO = "Info"


@dataclass(slots=True)
class RawOrder:
    """The rows of one instance, by column name."""

    instance: Row
    tasks: Sequence[Row] = ()
    events: Sequence[Row] = ()
    writes: Sequence[Row] = ()
    operations: Sequence[Row] = ()
    last: dict[str, str | None] = field(default_factory=dict)  # variable -> value as it stands
    by_activity: dict[str, dict[str, str | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put all rows in the order of events."""
        self.tasks = sorted(self.tasks, key=lambda t: (t["created"], t["id"]))
        self.events = sorted(self.events, key=lambda e: (e["moment"], e["id"]))
        self.writes = sorted(self.writes, key=lambda w: (w["moment"], w["place"], w["id"]))
        self.operations = sorted(self.operations, key=lambda o: (o["moment"], o["id"]))
        for write in self.writes:
            self.last[write["name"]] = write["value"]
            self.by_activity.setdefault(write["activity_id"] or "", {})[write["name"]] = write["value"]


def version_of(definition_id: str) -> int:
    """Return the version that a definition's id names; 0 for an id that is only a number of the engine."""
    match = _VERSION.fullmatch(definition_id)
    return int(match[1]) if match else 0


def derive(raw: RawOrder, routes: Callable[[str], Route]) -> OrderFacts:
    """Return the facts of one order. `routes` gives the deployed diagram of a definition id."""
    visits = _visits(raw, routes)
    route = routes(raw.instance["definition_id"])
    order = _order(raw, route, visits)
    decisions = tuple(
        Decision(v.instance_id, v.id, v.stage, v.decision, v.positive, v.person, v.comment, v.ended)
        for v in visits
        if v.decision is not None and v.positive is not None and v.ended is not None
    )
    return OrderFacts(order, tuple(visits), tuple(_files(raw)), decisions)


def _order(raw: RawOrder, route: Route, visits: Sequence[Visit]) -> Order:
    instance = raw.instance
    stage = production_stage(route)
    making = [v for v in visits if stage and v.element == stage.task_id and v.outcome == DONE]
    ready = making[-1].ended if making else None
    paid = _answered(visits, route, "paidSum")
    return Order(
        instance_id=instance["id"],
        key=instance["key"],
        version=version_of(instance["definition_id"]),
        started=instance["started"],
        ended=instance["ended"],
        outcome=_outcome(raw, route),
        initiator=raw.last.get("initiator") or instance["starter"],
        customer=raw.last.get("customerName"),
        item=raw.last.get("itemDescription"),
        stage=visits[-1].stage if visits else None,
        promises=tuple(_promises(raw, stage, visits, ready)),
        ready=ready,
        invoiced=_answered(visits, route, "invoiceNumber"),
        paid=paid,
        estimate=_kopecks(raw.last.get("estimateSum")),
        paid_sum=_kopecks(raw.last.get("paidSum")) if paid is not None else None,
        reason=raw.last.get("cancelReason"),
        paused=tuple(_paused(raw)),
    )


def _paused(raw: RawOrder) -> Iterator[tuple[Ms, Ms | None]]:
    """Return from when until when an order was suspended; one that ended meanwhile is so until its end."""
    since: Ms | None = None
    for each in raw.operations:
        if each["kind"] == SUSPEND and since is None:
            since = each["moment"]
        elif each["kind"] == ACTIVATE and since is not None:
            yield since, each["moment"]
            since = None
    if since is not None:
        yield since, raw.instance["ended"]


def _outcome(raw: RawOrder, route: Route) -> str:
    if raw.instance["ended"] is None:
        return RUNNING
    reached = [e["element"] for e in raw.events if e["element"] in route.ends and not e["canceled"]]
    if not reached:
        return REMOVED
    return _ENDS.get(str(reached[-1]), str(reached[-1]))


def _answered(visits: Sequence[Visit], route: Route, name: str) -> Ms | None:
    """Return when the stage that asks for a field was answered last."""
    asks = {s.task_id for s in route.stages if any(f.name == name for f in s.fields)}
    ends = [v.ended for v in visits if v.element in asks and v.outcome == DONE]
    return ends[-1] if ends else None


def _visits(raw: RawOrder, routes: Callable[[str], Route]) -> list[Visit]:
    found: list[Visit] = []
    for task in raw.tasks:
        stage = routes(task["definition_id"]).stage(task["element"])
        if stage is not None:
            found.append(_visit(raw, task, stage, len(found) + 1))
    return _with_refused_files(raw, found)


def _visit(raw: RawOrder, task: Row, stage: Stage, number: int) -> Visit:
    written = raw.by_activity.get(task["activity_id"] or "", {})
    answered = task["reason"] == "completed"
    person = (_signed(written.get(f"done_{stage.task_id}")) if answered else None) or task["assignee"]
    choice, text = stage.decision_field(), stage.comment_field()
    gate = choice is not None and bool(stage.comment_on)
    decision = written.get(choice.name) if gate and choice and answered else None
    return Visit(
        id=task["id"],
        instance_id=task["instance_id"],
        number=number,
        element=stage.task_id,
        stage=stage.code,
        label=stage.label,
        department=stage.groups[0] if stage.groups else "",
        customer=stage.waits == "customer",
        version=version_of(task["definition_id"]),
        created=task["created"],
        claimed=_claimed(raw, task, person),
        ended=task["ended"],
        due=task["due"],
        person=person,
        outcome=OPEN if task["ended"] is None else DONE if answered else CANCELLED,
        decision=decision,
        positive=None if decision is None else decision not in stage.comment_on,
        comment=written.get(text.name) if text and answered else None,
    )


def _claimed(raw: RawOrder, task: Row, person: str | None) -> Ms | None:
    """Return when the one who answered (or holds) the step took it; None where nobody took it before the answer.

    What was given back meanwhile begins anew with the next claim.
    """
    held: Ms | None = None
    for change in raw.operations:
        if change["task_id"] == task["id"]:
            held = change["moment"] if change["new"] is not None and change["new"] == person else None
    if held is None or (task["ended"] is not None and task["ended"] - held < _SAME_MOMENT):
        return None
    return held


def _with_refused_files(raw: RawOrder, visits: list[Visit]) -> list[Visit]:
    """Mark answers whose files were refused: the step opened once more, which is no rework."""
    errors = [e["moment"] for e in raw.events if e["kind"] == "boundaryError"]
    for place, visit in enumerate(visits[:-1]):
        after = visits[place + 1]
        if visit.outcome != DONE or visit.element != after.element or visit.ended is None:
            continue
        if any(visit.ended <= at <= after.created for at in errors):
            visits[place] = replace(visit, outcome=REFUSED_FILES)
            visits[place + 1] = replace(after, again=True)
    return visits


def _promises(raw: RawOrder, stage: Stage | None, visits: Sequence[Visit], ready: Ms | None) -> list[Promise]:
    """Return the dates that were given, each once in a row: agreed dates and moved ones, none after it was ready.

    A date typed together with a return to the designers was never promised.
    """
    name = parse_norm(stage.norm).until if stage else None
    returned = {t["activity_id"] for t, v in _with_tasks(raw, visits) if v.positive is False}
    found: list[Promise] = []
    for write in raw.writes:
        if write["name"] != name or not write["value"] or write["activity_id"] in returned:
            continue
        if ready is not None and write["moment"] > ready:
            continue
        try:
            by = ms(parse_moment(write["value"]))
        except Refused:
            continue  # the gate refuses such a date; a foreign engine may hold one
        if not found or found[-1].ready_by != by:
            found.append(Promise(by, write["moment"]))
    return found


def _with_tasks(raw: RawOrder, visits: Sequence[Visit]) -> list[tuple[Row, Visit]]:
    tasks = {task["id"]: task for task in raw.tasks}
    return [(tasks[v.id], v) for v in visits]


def _files(raw: RawOrder) -> list[FileSeen]:
    found: dict[tuple[str, str], FileSeen] = {}
    for write in raw.writes:
        if not write["name"].endswith(_INFO) or not write["value"]:
            continue
        variable = write["name"].removesuffix(_INFO)
        info = read_info(write["value"])
        if info is None:
            continue
        seen = FileSeen(raw.instance["id"], variable, **{**info, "at": ms(info["at"])})
        found.setdefault((variable, seen.sha256), seen)
    return list(found.values())


def _signed(text: str | None) -> str | None:
    try:
        done = json.loads(text or "")
    except ValueError:
        return None
    person = done.get("person") if isinstance(done, dict) else None
    return str(person) if person else None


def derive_records(rows: Sequence[Row]) -> list[Record]:
    """Return complaints and costs, oldest first, from the rows of their own processes."""
    named: dict[str, dict[str, Row]] = {}
    for row in rows:
        named.setdefault(row["instance_id"], {})[row["name"]] = row
    found = []
    for instance_id, by_name in named.items():
        if (order := by_name.get(ORDER)) is not None:
            cost = by_name.get(COST)
            found.append(
                Record(
                    instance_id, order["kind"], order["value"], order["moment"],
                    _kopecks(cost["value"]) if cost else None,
                )
            )  # fmt: skip
    return sorted(found, key=lambda r: (r.at, r.id))


def _kopecks(text: str | None) -> int | None:
    try:
        return int(parse_sum(text) * 100) if text else None
    except Refused:
        return None
