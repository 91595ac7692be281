"""Finish an order: the customer hears that it is ready, and the order is closed with a summary."""

from __future__ import annotations

from datetime import datetime

from orders.closing import closing_summary, email_of
from orders.errors import Permanent
from orders.messages import customer_message, responsible_accountant
from orders.persons import Staff
from orders.ports import Engine, Mail
from orders.worktime import WorkingCalendar
from workers.registry import Input, Output, Values, topic
from workers.task import Task


class ToCustomer(Input):
    """How the customer was told, and the message prepared before."""

    told_how: str | None = None
    customer_contact: str | None = None
    customer_message: str | None = None


class Closed(Output):
    """When the order was closed (UTC), and the summary for its card."""

    closed_at: datetime
    closing_summary: str


@topic("notify-customer")
def notify_customer(
    order: ToCustomer, task: Task, *, engine: Engine, staff: Staff, calendar: WorkingCalendar, mail: Mail | None,
    site: str | None = None,
) -> Values:  # fmt: skip
    """Write the message to the customer (mode prepare), or mail it (mode send). Running twice mails once.

    Mailed only when the customer is told by e-mail, mail is set up and the contact holds an address.
    """
    match task.properties.get("mode"):
        case "prepare":
            whole = engine.snapshot(task.instance_id)
            accountant = responsible_accountant(whole, staff, calendar.today(task.create_time))
            return {"customerMessage": customer_message(whole, accountant, site)}
        case "send":
            _mail(order, task, mail)
            return {}
        case mode:
            raise Permanent(f"{task.activity_id}: свойство mode должно быть prepare или send, а не «{mode}»")


def _mail(order: ToCustomer, task: Task, mail: Mail | None) -> None:
    address = email_of(order.customer_contact or "")
    if mail is None or order.told_how != "email" or address is None or not order.customer_message:
        return
    task.hold()
    key = f"{task.business_key}:mail:{task.activity_instance_id}"
    mail.send(address, f"Заказ {task.business_key} готов", order.customer_message, key)


@topic("close-order")
def close_order(task: Task, *, engine: Engine, calendar: WorkingCalendar) -> Closed:
    """Note when the order was closed and what it came to. Running twice writes the same instant."""
    order, route = engine.snapshot(task.instance_id), engine.route(task.definition_id)
    return Closed(closed_at=task.create_time, closing_summary=closing_summary(order, route, calendar, task.create_time))
