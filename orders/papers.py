"""The papers of an order: whether what finished stages demanded is there, and what people added beside the route."""

from __future__ import annotations

from collections.abc import Iterable

from orders.snapshot import OrderSnapshot
from orders.stage import Demand, Field, Route

BESIDE = "paper_"  # variables of files that no step asked for: of comments, chats, fields out of turn
BESIDE_LABEL = "Из обсуждения"


def missing_papers(order: OrderSnapshot, route: Route) -> tuple[str, ...]:
    """Return the labels of demanded files that an order lacks, in the order of the route.

    Asked of the start and of stages finished at least once; a file that an open step asks for is awaited, not missing.
    """
    done, opened = {v.task_id for v in order.done}, {v.task_id for v in order.open}
    awaited = {f.name for s in route.stages if s.task_id in opened for f in s.file_fields()}
    asked = [*_demanded(route.start_fields, route.start_required)]
    for stage in route.stages:
        if stage.task_id in done:
            asked += _demanded(stage.fields, stage.required)
    held = {_field_of(ref.variable) for ref in order.files}
    lacking = (f.label for f in asked if f.name not in held and f.name not in awaited)
    return tuple(dict.fromkeys(lacking))


def _field_of(variable: str) -> str:
    """Return the field that a file's variable belongs to: `designFile_2` to `designFile`."""
    name, _, number = variable.rpartition("_")
    return name if name and number.isdigit() else variable


def label_of(variable: str, route: Route) -> str:
    """Return what people call the file of a variable, "" where the route knows no such field."""
    if variable.startswith(BESIDE):
        return BESIDE_LABEL
    fields = (*route.start_fields, *(f for s in route.stages for f in s.fields))
    return {f.name: f.label for f in fields}.get(_field_of(variable), "")


def _demanded(fields: Iterable[Field], required: Iterable[Demand]) -> Iterable[Field]:
    always = {d.field for d in required if d.decision is None and d.differs is None}
    return (f for f in fields if f.kind.holds_files and f.name in always)
