"""Requests about an order that come as a process of their own.

Cancelling, moving the promised date and correcting data are correlated to the running order. One that comes too late
ends quietly, and its starter is told; one that was already carried out (the worker died before its answer) is
recognised by what it left behind. Complaints and actual costs concern shipped orders: they stay in their own process's
history, with the order's instance id.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from orders.money import stored
from orders.notices import held_by
from orders.snapshot import OrderSnapshot, Scalar

CANCELLED_END = "End_Cancelled"
PAYMENT = "UserTask_TakePayment"


def cancellation(order: OrderSnapshot, reason: str, by: str) -> dict[str, Scalar]:
    """Return what `OrderCancelled` carries. refundDue: the customer has paid already."""
    paid = any(done.task_id == PAYMENT for done in order.done)
    return {"cancelReason": reason, "cancelledBy": by, "heldBy": held_by(order), "refundDue": paid}


def cancelled_so(order: OrderSnapshot, reason: str, by: str) -> bool:
    """Tell whether exactly this request has cancelled the order."""
    ending = CANCELLED_END in (order.end_id, order.closing)
    said = order.variables.get("cancelReason") == reason and order.variables.get("cancelledBy") == by
    return said and (ending or not order.open)


def moving(ready_by: str, reason: str, by: str) -> dict[str, Scalar]:
    """Return what `ReadyDateMoved` carries."""
    return {"readyBy": ready_by, "moveReason": reason, "movedBy": by}


def moved_so(order: OrderSnapshot, ready_by: str, reason: str, by: str) -> bool:
    """Tell whether exactly this request has moved the date."""
    return all(order.variables.get(name) == value for name, value in moving(ready_by, reason, by).items())


def correction(asked: Mapping[str, str | None], reason: str, by: str) -> dict[str, Scalar]:
    """Return what `OrderCorrected` carries: only what was typed; a field left empty stays as it is."""
    return {**{name: value for name, value in asked.items() if value}, "correctReason": reason, "correctedBy": by}


def corrected_so(order: OrderSnapshot, values: Mapping[str, Scalar]) -> bool:
    """Tell whether exactly this correction stands in the order."""
    return all(order.variables.get(name) == value for name, value in values.items())


def compared(estimate: Scalar, actual: str) -> dict[str, Scalar]:
    """Return the planned cost beside the actual one (sums in roubles); nothing where the order has no estimate.

    costDifference = actual − planned, signed: more than zero when the order cost more than was estimated.
    """
    if not isinstance(estimate, str) or not estimate:
        return {}
    return {"plannedCost": estimate, "costDifference": stored(Decimal(actual) - Decimal(estimate))}


def too_late_to_cancel(key: str) -> str:
    """Say that an order could not be cancelled any more."""
    return f"Заказ {key} не отменён: он уже отгружен или закончен. Изменений нет"


def too_late_to_move(key: str) -> str:
    """Say that the promised date could not be moved any more."""
    return f"Срок заказа {key} не перенесён: заказ уже закончен. Изменений нет"


def too_late_to_correct(key: str) -> str:
    """Say that an order's data could not be corrected any more."""
    return f"Данные заказа {key} не исправлены: заказ уже закончен. Изменений нет"
