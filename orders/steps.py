"""What a step of the route writes when it opens: the visit, when it is due, the card's column."""

from __future__ import annotations

from datetime import datetime

from orders.errors import Permanent
from orders.stage import Route

END_CODES = {
    "End_Delivered": "delivered",
    "End_RefusedByDirector": "refused",
    "End_PriceRejected": "rejected",
    "End_Cancelled": "cancelled",
}
"""End event -> the column of its outcome. `End_Duplicate` has none: a duplicate never gets a card."""


def sync_target(route: Route, sync_id: str) -> str:
    """Return the user task or end event that a sync-stage leads to. Raises Permanent when the diagram has none."""
    target = route.sync_targets.get(sync_id)
    if target is None:
        raise Permanent(f"{sync_id}: за шагом sync-stage должен стоять ровно один этап или исход. Исправьте схему")
    return target


def norm_of(route: Route, target: str) -> str:
    """Return the norm of the step that opens; empty for an end."""
    stage = route.stage(target)
    return stage.norm if stage else ""


def opening(route: Route, target: str, visit: str, due: datetime | None, *, pending: bool) -> dict[str, object]:
    """Return the variables of a step that opens. `visit` is the activityInstanceId of its sync-stage."""
    stage = route.stage(target)
    code = stage.code if stage else END_CODES.get(target, "")
    values: dict[str, object] = {f"visit_{target}": visit, "portalPending": pending, "cardStage": code}
    if stage:
        values[f"due_{target}"] = due
    return values
