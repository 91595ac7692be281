"""What a customer is told of an order: the stage in the customer's words, what was promised, whether that changed.

No name of a person or department, no sum, nothing that is written between colleagues. In Russian and English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orders.dates import utc
from orders.lateness import lateness
from orders.snapshot import OrderSnapshot
from orders.stage import Route
from orders.worktime import WorkingCalendar

Language = Literal["ru", "en"]
LANGUAGES: tuple[Language, ...] = ("ru", "en")

MILESTONES: Mapping[str, Mapping[Language, str]] = {
    "request": {"ru": "Заявка", "en": "Request"},
    "project": {"ru": "Проект и цена", "en": "Design and price"},
    "making": {"ru": "Изготовление", "en": "Production"},
    "payment": {"ru": "Оплата", "en": "Payment"},
    "shipping": {"ru": "Отправка", "en": "Shipping"},
}
"""The customer's five steps, in order."""

_STAGES: Mapping[str, tuple[str, Mapping[Language, str]]] = {
    "fix": ("request", {"ru": "Уточняем вашу заявку", "en": "We are clarifying your request"}),
    "approve": ("request", {"ru": "Рассматриваем вашу заявку", "en": "We are looking at your request"}),
    "design": ("project", {"ru": "Готовим чертежи", "en": "We are preparing the drawings"}),
    "estimate": ("project", {"ru": "Считаем стоимость", "en": "We are working out the price"}),
    "price": ("project", {"ru": "Ждём вашего решения по цене", "en": "We are waiting for your decision on the price"}),
    "readydate": ("project", {"ru": "Назначаем срок готовности", "en": "We are setting the date"}),
    "manufacture": ("making", {"ru": "Изготавливаем ваш заказ", "en": "Your order is being made"}),
    "tell": ("payment", {"ru": "Заказ готов, скоро с вами свяжемся", "en": "It is ready, we will be in touch soon"}),
    "invoice": (
        "payment",
        {"ru": "Заказ готов, готовим счёт", "en": "It is ready, we are preparing the invoice"},
    ),
    "payment": ("payment", {"ru": "Заказ готов, ждём оплату", "en": "It is ready, we are waiting for the payment"}),
    "ship": ("shipping", {"ru": "Готовим отправку", "en": "We are preparing the shipment"}),
}
_ENDS: Mapping[str, Mapping[Language, str]] = {
    "End_Delivered": {"ru": "Заказ отправлен", "en": "Your order has been shipped"},
    "End_RefusedByDirector": {"ru": "Мы не сможем выполнить этот заказ", "en": "We cannot take this order"},
    "End_PriceRejected": {"ru": "Заказ закрыт: цена не согласована", "en": "Closed: the price was not agreed"},
    "End_Cancelled": {"ru": "Заказ отменён", "en": "The order has been cancelled"},
}
_CLOSED: Mapping[Language, str] = {"ru": "Заказ закрыт", "en": "The order is closed"}
_BEGINS: Mapping[Language, str] = {"ru": "Заявка получена", "en": "We have received your request"}


@dataclass(frozen=True, slots=True)
class Track:
    """What the page shows. Instants in UTC; `moved_from` is the date promised before the present one."""

    key: str
    item: str
    says: str
    milestones: tuple[tuple[str, str], ...]  # (title, "past" | "here" | "")
    promised: datetime | None
    moved_from: datetime | None
    ready: datetime | None
    late: bool  # the date has passed and the order is not ready
    ended: datetime | None


def track(order: OrderSnapshot, route: Route, calendar: WorkingCalendar, now: datetime, language: Language) -> Track:
    """Return what the customer is told of an order."""
    here, says = _stage(order, route, language)
    names = list(MILESTONES)
    place = names.index(here) if here in names else len(names)
    delivered = order.end_id == "End_Delivered"
    shown = tuple(
        (MILESTONES[name][language], "past" if n < place or delivered else "here" if n == place else "")
        for n, name in enumerate(names)
    )
    promise = lateness(order, route, calendar, now)
    moved = promise.first if promise.first != promise.last else None
    return Track(
        order.key, str(order.variables.get("itemDescription") or ""), says,
        shown if order.running or delivered else (),
        promise.last, moved, promise.ready_at,
        late=bool(order.running and promise.last and promise.ready_at is None and utc(now) > promise.last),
        ended=order.ended,
    )  # fmt: skip


def _stage(order: OrderSnapshot, route: Route, language: Language) -> tuple[str, str]:
    """Return (milestone, words). An added stage has its own words (`track`), else those before it."""
    if not order.running:
        return "", _ENDS.get(order.end_id or "", _CLOSED)[language]
    opened = {visit.task_id for visit in order.open}
    known: tuple[str, Mapping[Language, str]] = ("request", _BEGINS)
    present = str(order.variables.get("cardStage") or "")
    for stage in route.stages:
        if not stage.assignee or stage.task_id in opened:
            milestone, words = _STAGES.get(stage.code, known)
            own: Mapping[Language, str] = dict(zip(LANGUAGES, stage.track, strict=True)) if stage.track else words
            known = (milestone, own)
        if stage.task_id in opened or (not opened and stage.code == present):
            return known[0], known[1][language]
    return "request", _BEGINS[language]
