"""Carry a person's request about an order to that order, or to its card."""

from __future__ import annotations

from orders.keys import note_key
from orders.ports import Engine, Mirror
from orders.support import (
    cancellation,
    cancelled_so,
    compared,
    corrected_so,
    correction,
    moved_so,
    moving,
    too_late_to_cancel,
    too_late_to_correct,
    too_late_to_move,
)
from workers.registry import Input, Values, topic
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


class Correct(Input):
    """Which data of which order are to be corrected, and why; what is left empty stays."""

    order_key: str
    order_instance_id: str
    customer_name: str | None = None
    customer_contact: str | None = None
    item_description: str | None = None
    wished_by: str | None = None
    budget: str | None = None
    correct_reason: str
    initiator: str

    def asked(self) -> dict[str, str | None]:
        """Return the data by the order's variable names."""
        data = {"customer_name", "customer_contact", "item_description", "wished_by", "budget"}
        return self.model_dump(by_alias=True, include=data)


def _too_late(sentence: str, request: Cancel | MoveReadyDate | Correct, task: Task, mirror: Mirror) -> None:
    key = note_key(request.order_key, task.activity_instance_id, request.initiator)
    mirror.tell(request.initiator, sentence, key, task.hold)


class Complaint(Input):
    """The shipped order that a customer complains about."""

    order_instance_id: str


class ActualCost(Input):
    """What a shipped order really cost, a sum in roubles."""

    order_instance_id: str
    actual_cost: str


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
        _too_late(too_late_to_cancel(request.order_key), request, task, mirror)


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
        _too_late(too_late_to_move(request.order_key), request, task, mirror)


def correct_untold(request: Correct, task: Task) -> None:
    """End quietly: the order has ended, and its starter sees that on the card."""


@topic("correct-order", patience=correct_untold)
def correct_order(request: Correct, task: Task, *, engine: Engine, mirror: Mirror) -> None:
    """Correct an order's data. Running twice corrects once; too late tells the starter and changes nothing."""
    values = correction(request.asked(), request.correct_reason, request.initiator)
    if corrected_so(engine.snapshot(request.order_instance_id), values):
        return
    if not engine.correlate("OrderCorrected", request.order_instance_id, values):
        _too_late(too_late_to_correct(request.order_key), request, task, mirror)


def complaint_later(complaint: Complaint, task: Task) -> None:
    """End without the card: the sweep looks at orders that something was recorded about lately."""


@topic("record-complaint", portal=True, patience=complaint_later)
def record_complaint(complaint: Complaint, task: Task, *, mirror: Mirror) -> None:
    """Show a complaint on the order's card; it is kept by its own process's history."""
    mirror.reconcile(complaint.order_instance_id, task.hold)


@topic("record-actual-cost")
def record_actual_cost(cost: ActualCost, *, engine: Engine) -> Values:
    """Compare the actual cost with the estimate; the sweep shows both on the card. Running twice writes the same."""
    return compared(engine.variables(cost.order_instance_id).get("estimateSum"), cost.actual_cost)
