"""The papers of an order: whether what finished stages demanded is there, and what people added beside the route."""

from __future__ import annotations

from collections.abc import Iterable

from orders.snapshot import FileRef, OrderSnapshot
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
    held = {base_name(ref) for ref in order.files}
    lacking = (f.label for f in asked if f.name not in held and f.name not in awaited)
    return tuple(dict.fromkeys(lacking))


def base_name(ref: FileRef) -> str:
    """Return the field of a file: `designFile_2` belongs to `designFile`."""
    name, _, number = ref.variable.rpartition("_")
    return name if name and number.isdigit() else ref.variable


def label_of(variable: str, route: Route) -> str:
    """Return what people call the file of a variable, "" where the route knows no such field."""
    if variable.startswith(BESIDE):
        return BESIDE_LABEL
    base, _, number = variable.rpartition("_")
    fields = (*route.start_fields, *(f for s in route.stages for f in s.fields))
    return {f.name: f.label for f in fields}.get(base if base and number.isdigit() else variable, "")


def _demanded(fields: Iterable[Field], required: Iterable[Demand]) -> Iterable[Field]:
    always = {d.field for d in required if d.decision is None and d.differs is None}
    return (f for f in fields if f.kind.holds_files and f.name in always)
