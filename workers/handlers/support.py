"""Carry a person's request about a running order to that order."""

from __future__ import annotations

from orders.keys import note_key
from orders.ports import Engine, Mirror
from orders.support import cancellation, cancelled_so, moved_so, moving, too_late_to_cancel, too_late_to_move
from workers.registry import Input, topic
from workers.task import Task


class Cancel(Input):
    """Who wants which order cancelled, and why. The start gate found the instance."""

    order_key: str
    order_instance_id: str
    cancel_reason: str
    initiator: str


class MoveReadyDate(Input):
    """Who moves the promised date of which order to when (ISO 8601), and why."""

    order_key: str
    order_instance_id: str
    new_ready_by: str
    move_reason: str
    initiator: str


def cancel_untold(request: Cancel, task: Task) -> None:
    """End quietly: the order lives on unchanged, and its starter sees that on the card."""


@topic("cancel-order", patience=cancel_untold)
def cancel_order(request: Cancel, task: Task, *, engine: Engine, mirror: Mirror) -> None:
    """Cancel a running order. Running twice cancels once; too late tells the starter and changes nothing."""
    order = engine.snapshot(request.order_instance_id)
    if cancelled_so(order, request.cancel_reason, request.initiator):
        return
    values = cancellation(order, request.cancel_reason, request.initiator)
    if not engine.correlate("OrderCancelled", request.order_instance_id, values):
        key = note_key(request.order_key, task.activity_instance_id, request.initiator)
        mirror.tell(request.initiator, too_late_to_cancel(request.order_key), key, task.hold)


def move_untold(request: MoveReadyDate, task: Task) -> None:
    """End quietly: the order has ended, and its starter sees that on the card."""


@topic("move-ready-date", patience=move_untold)
def move_ready_date(request: MoveReadyDate, task: Task, *, engine: Engine, mirror: Mirror) -> None:
    """Move the promised date. Running twice moves once; too late tells the starter and changes nothing."""
    order = engine.snapshot(request.order_instance_id)
    if moved_so(order, request.new_ready_by, request.move_reason, request.initiator):
        return
    values = moving(request.new_ready_by, request.move_reason, request.initiator)
    if not engine.correlate("ReadyDateMoved", request.order_instance_id, values):
        key = note_key(request.order_key, task.activity_instance_id, request.initiator)
        mirror.tell(request.initiator, too_late_to_move(request.order_key), key, task.hold)
