"""Texts to people, in Russian, in one place: to the customer, to colleagues, and why an answer was refused."""

from __future__ import annotations

from datetime import date, datetime, tzinfo

from orders.dates import long_moment
from orders.money import format_sum
from orders.persons import GROUPS, Person, Staff
from orders.plural import late_by
from orders.snapshot import OrderSnapshot, Scalar
from orders.stage import Field, Stage

NOTHING = "—"
CHAT_LINE = 140
TITLE = 60


def responsible_accountant(order: OrderSnapshot, staff: Staff, day: date) -> Person | None:
    """Return whom the customer pays to: the accountant who made the estimate, if here, else the head of accounting."""
    made = [v.person for v in order.done if "estimateSum" in v.values]
    person = staff.find(made[-1]) if made else None
    if person and "accounting" in person.groups and person.present(day):
        return person
    head = staff.head("accounting")
    present = [p for p in staff.members("accounting") if p.present(day)]
    return head if head and head.present(day) else next(iter(present), head)


def customer_message(order: OrderSnapshot, accountant: Person | None, site: str | None = None) -> str:
    """Return the message to the customer: ready, what to pay, who will be in touch and how to reach them.

    `site` is the address that customers reach us by; with it the message holds the link to the order's own page.
    """
    values = order.variables
    total = values.get("estimateSum")
    lines = [
        f"Здравствуйте, {values.get('customerName') or 'заказчик'}.",
        f"Ваш заказ {order.key} ({one_line(values.get('itemDescription'))}) готов.",
        f"К оплате по счёту: {format_sum(str(total))}." if total else "Сумму назовёт бухгалтер.",
    ]
    if accountant:
        ways = ", ".join(way for way in (accountant.phone, accountant.email) if way)
        lines.append(f"По оплате с вами свяжется {accountant.name}{f' ({ways})' if ways else ''}.")
    if site and (token := values.get("trackToken")):
        lines.append(f"Где ваш заказ сейчас: {site}/track/{token}")
    return "\n".join(lines)


def one_line(value: Scalar, limit: int = CHAT_LINE) -> str:
    """Return a value as one line of at most `limit` characters, cut at a word with «…»."""
    text = " ".join(str(value or NOTHING).split())
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    cut = head.rsplit(" ", 1)[0] if " " in head[limit // 2 :] else head
    return cut.rstrip(" ,.;:—-") + "…"


def task_title(stage: Stage, key: str, item: Scalar) -> str:
    """Return the title of a portal task, at most 60 characters: «Рассчитать смету: ORD-2026-00042, комод дубовый»."""
    head = f"{stage.name}: {key}, "
    if len(head) > TITLE - 10:  # no room for the item: the number matters more
        return one_line(f"{key}: {stage.name}", TITLE)
    return head + one_line(item, TITLE - len(head))


def late_notice(key: str, customer: Scalar, ready_by: datetime, zone: tzinfo, *, group: str = "workshop") -> str:
    """Say that a promise passed: what, since when, at whom."""
    where = GROUPS.get(group, group)
    return f"Заказ {key} ({one_line(customer, 60)}) не готов к сроку {long_moment(ready_by, zone)}. Сейчас: {where}."


def late_reminder(key: str, hours: float) -> str:
    """Remind of a late order on a working day; `hours` are working hours past the promise."""
    return f"Заказ {key} всё ещё не готов: {late_by(hours)}. Нажмите «Готово» или перенесите срок с причиной."


def missing_field(field: Field) -> str:
    """Say which demanded field is empty."""
    if field.kind.holds_files:
        return f"Приложите файл: {field.label}"
    return f"Заполните поле «{field.label}»"


def missing_reason(stage: Stage, decision: str) -> str:
    """Say that this decision needs a reason."""
    chosen = stage.decision_field()
    label = dict(chosen.choices).get(decision, decision) if chosen else decision
    return f"Вы выбрали «{label}»: напишите причину"


def not_yours(groups: tuple[str, ...]) -> str:
    """Say whose step it is."""
    return f"Этот шаг выполняет {', '.join(GROUPS.get(g, g) for g in groups) or 'другой сотрудник'}"


def visit_over(by: str | None) -> str:
    """Say that the step is done already, and by whom if that is known."""
    return f"Этот шаг уже выполнен: {by}" if by else "Этот шаг уже выполнен"
