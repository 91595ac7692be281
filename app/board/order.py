"""One order on one screen: where it is, who holds it, what comes next, its papers, decisions and words; its files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from io import BytesIO
from typing import Any

from flask import Blueprint, Response, abort, g, render_template, send_file

from app.board.keeper import Keeper
from app.board.pages import frame
from app.wiring import Parts
from engine.errors import NotFound
from orders.access import readers
from orders.answers import END_DUPLICATE, answer
from orders.notices import value_text
from orders.papers import label_of
from orders.snapshot import FileRef, OrderSnapshot, RecordKind, VisitDone
from orders.stage import Route
from reports.board import sum_of

DOWNLOAD = "application/octet-stream"  # a paper is saved, never shown as a page of ours
_RECORDS = {
    RecordKind.CORRECTED: "Данные исправлены",
    RecordKind.COMPLAINT: "Рекламация",
    RecordKind.COST: "Фактические затраты",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an order's story."""

    at: datetime
    what: str
    who: str
    text: str = ""
    facts: tuple[tuple[str, str], ...] = ()


def order_pages(parts: Parts, keeper: Keeper) -> Blueprint:
    """Build the page of an order and the door to its files."""
    site = Blueprint("order", __name__)

    @site.get("/order/<key>")
    def order(key: str) -> str:
        found = find_order(parts, key)
        if found is None:
            abort(404)
        return render_template("order.html", **frame(keeper, keeper.board), **shown(parts, found, datetime.now(UTC)))

    @site.get("/order/<key>/file/<variable>")
    def file(key: str, variable: str) -> Response:
        found = find_order(parts, key)
        if found is None or not readers(found, parts.route(found.definition_id)).allow(g.person):
            abort(404)
        held = next((ref for ref in found.files if ref.variable == variable), None)
        if held is None:
            abort(404)
        _, data = parts.orders.file_bytes(found.instance_id, variable)
        return send_file(BytesIO(data), mimetype=DOWNLOAD, as_attachment=True, download_name=held.name)

    return site


def find_order(parts: Parts, key: str) -> OrderSnapshot | None:
    """Return the order of a number; of several instances the one that is no repeated request."""
    ids = parts.orders.instances_of(key)
    try:
        snapshots = list(parts.orders.snapshots(ids))
    except NotFound:
        return None
    real = [s for s in snapshots if s.end_id != END_DUPLICATE]
    return next(iter(real or snapshots), None)


def shown(parts: Parts, order: OrderSnapshot, now: datetime) -> dict[str, Any]:
    """Return what the page of an order shows to the person who is signed in."""
    route = parts.route(order.definition_id)
    sees = readers(order, route).allow(g.person)
    answers = answer([order], {order.definition_id: route}, parts.staff, parts.calendar, now)
    row = next(iter(answers.orders), None)
    if row is None:
        abort(404)
    held = parts.calendar.between(row.since, now) if row.since else None
    basic = {"row": row, "sees": sees, "held": held, "stages": _progress(order, route)}
    basic["paused_since"] = order.paused[-1][0] if order.suspended else None
    if not sees:
        return basic
    return basic | {
        "order": order,
        "facts": _facts(order, route, parts),
        "amount": sum_of(order.variables.get("estimateSum")),
        "files": [(ref, _label(ref, route), parts.staff.name(ref.by)) for ref in order.files],
        "events": story(order, route, parts),
        "flags": order.variables.get("refundDue") is True,
    }


def story(order: OrderSnapshot, route: Route, parts: Parts) -> list[Event]:
    """Return what happened with an order, the newest first."""
    name = parts.staff.name
    events = [Event(order.started, "Заказ заведён", name(order.initiator))]
    events += [_answered(visit, route, parts.settings.zone) for visit in order.done]
    for record in order.records:
        number = f" {record.number}" if record.kind is RecordKind.COMPLAINT else ""
        events.append(Event(record.at, _RECORDS[record.kind] + number, name(record.person), record.text))
    if order.ended is not None:
        what = route.end_names.get(order.end_id or "", "Заказ завершён")
        events.append(Event(order.ended, what, "", str(order.variables.get("cancelReason") or "")))
    return sorted(events, key=lambda e: e.at, reverse=True)


def _answered(visit: VisitDone, route: Route, zone: tzinfo) -> Event:
    stage = route.stage(visit.task_id)
    if stage is None:
        return Event(visit.at, visit.task_id, visit.person_name, visit.comment or "")
    comment = stage.comment_field()
    facts = tuple(
        (field.label, value_text(visit.values[field.name], field, zone))
        for field in stage.fields
        if field != comment and visit.values.get(field.name) is not None
    )
    return Event(visit.at, stage.name, visit.person_name, visit.comment or "", facts)


def _facts(order: OrderSnapshot, route: Route, parts: Parts) -> list[tuple[str, str]]:
    fields = [f for f in route.start_fields if not f.kind.holds_files]
    found = [(f.label, value_text(order.variables.get(f.name), f, parts.settings.zone)) for f in fields]
    return [pair for pair in found if pair[1] != "—"]


def _label(ref: FileRef, route: Route) -> str:
    return label_of(ref.variable, route) or ref.variable


def _progress(order: OrderSnapshot, route: Route) -> list[tuple[str, str]]:
    """Return (title, past | here | "") of each stage; one that only mends a file is left out unless it is open."""
    done = {v.task_id for v in order.done}
    opened = {v.task_id for v in order.open} if order.running else set()
    places = [n for n, s in enumerate(route.stages) if s.task_id in opened]
    here = places[0] if places else len(route.stages)
    return [
        (stage.label, "here" if stage.task_id in opened else "past" if stage.task_id in done and n < here else "")
        for n, stage in enumerate(route.stages)
        if not stage.assignee or stage.task_id in opened
    ]
