"""The end of an order that was delivered: the summary on its card, and the message by mail before it."""

from __future__ import annotations

import re
from datetime import datetime

from orders.dates import parse_day, short_day, short_moment
from orders.errors import Refused
from orders.lateness import Lateness, lateness
from orders.money import format_sum
from orders.plural import late_by
from orders.snapshot import OrderSnapshot, Scalar
from orders.stage import Route
from orders.worktime import WorkingCalendar

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def closing_summary(order: OrderSnapshot, route: Route, calendar: WorkingCalendar, now: datetime) -> str:
    """Return the closing comment: sums, shipment, the promise kept or broken, how often work came back."""
    values = order.variables
    late = lateness(order, route, calendar, now)
    lines = [
        f"Заказ {order.key} закрыт.",
        f"Смета: {_sum(values.get('estimateSum'))}. Оплачено: {_sum(values.get('paidSum'))}.",
        f"Отгружен: {_day(values.get('shippedOn'))}, накладная {values.get('shipmentNumber') or '—'}.",
        _kept(late, calendar),
        f"Возвратов на доработку: {rework(order)}.",
    ]
    return "\n".join(line for line in lines if line)


def rework(order: OrderSnapshot) -> int:
    """Return how often the ready date stage sent an order back to design."""
    return sum(done.decision == "return" for done in order.done)


def email_of(contact: str) -> str | None:
    """Return the first e-mail address of what a person typed as the customer's contact, or None."""
    found = _EMAIL.search(contact)
    return found.group() if found else None


def _kept(late: Lateness, calendar: WorkingCalendar) -> str:
    if late.last is None or late.ready_at is None:
        return ""
    promised, ready = (short_moment(moment, calendar.zone) for moment in (late.last, late.ready_at))
    kept = late_by(late.hours_last or 0.0) if late.late_last else "в срок"
    return f"Обещан {promised}, готов {ready}: {kept}."


def _sum(value: Scalar) -> str:
    return format_sum(str(value)) if value else "—"


def _day(value: Scalar) -> str:
    try:
        return short_day(parse_day(str(value))) if value else "—"
    except Refused:
        return str(value)
