"""What people read in the portal: titles, task descriptions, comments, log lines. Russian, short, no secrets."""

from __future__ import annotations

from datetime import datetime, tzinfo

from orders.dates import long_moment, parse_moment
from orders.lateness import LateFlag
from orders.money import format_sum
from orders.snapshot import OrderSnapshot, Record, RecordKind
from orders.stage import Stage

TITLE = 60  # characters of a task's title: what a phone shows
CANCEL_PREFIX = "ОТМЕНЁН · "


def card_title(order: OrderSnapshot) -> str:
    """Return «ORD-2026-00042 · Комод дубовый»."""
    item = _item(order)
    return cut(f"{order.key} · {item}" if item else order.key, 250)


def task_title(order: OrderSnapshot, stage: Stage) -> str:
    """Return «Рассчитать смету: ORD-2026-00042, комод дубовый»; the number is never cut."""
    head = f": {order.key}"
    action = cut(stage.name, TITLE - len(head))
    item = _item(order)
    small = item[:1].lower() + item[1:] if item[1:2].islower() else item
    room = TITLE - len(action + head) - 2
    return f"{action}{head}, {cut(small, room)}" if small and room >= 8 else action + head


def task_description(
    order: OrderSnapshot, stage: Stage, due: datetime | None, refusal: str | None, zone: tzinfo
) -> str:
    """Return number, customer, item, what to do and until when."""
    values = order.variables
    needed = ", ".join(field.label for field in stage.fields)
    customer = ", ".join(str(values[n]) for n in ("customerName", "customerContact") if values.get(n))
    lines = [
        f"[B]Заказ {order.key}[/B]",
        f"Заказчик: {plain(customer)}" if customer else "",
        f"Изделие: {plain(str(values['itemDescription']))}" if values.get("itemDescription") else "",
        "",
        f"[B]Что сделать:[/B] {stage.name}." + (f" {stage.documentation}" if stage.documentation else ""),
        f"Что указать: {needed}." if needed else "",
        f"Как ответить здесь: {_how(stage)}",
        f"Срок: {long_moment(due, zone)}." if due else "",
        f"[B]Прошлые файлы не приняты:[/B] {plain(refusal)}" if refusal else "",
        _return_words(order),
    ]
    return "\n".join(line for line, after in zip(lines, [*lines[1:], ""], strict=True) if line or after).strip()


def _how(stage: Stage) -> str:
    """Say how a step is answered in the portal itself."""
    words = []
    if any(not field.kind.holds_files for field in stage.fields):
        words.append("заполните эти поля в карточке заказа")
    if stage.file_fields():
        words.append("приложите файлы к её полям или результатом задачи")
    return f"{', '.join(words)} и завершите задачу." if words else "завершите задачу."


def _return_words(order: OrderSnapshot) -> str:
    last = order.done[-1] if order.done else None
    return f"Предыдущий шаг, {last.person_name}: {plain(last.comment)}" if last and last.comment else ""


def decision_label(stage: Stage | None, decision: str | None) -> str:
    """Return a decision as people know it, "" where there was none."""
    choice = stage.decision_field() if stage else None
    return dict(choice.choices).get(decision or "", decision or "") if choice else decision or ""


def visit_comment(label: str, decision: str, comment: str) -> str:
    """Return a person's words with the step they belong to."""
    return f"[B]{label}[/B]{': ' + decision if decision else ''}\n{plain(comment)}"


def visit_line(decision: str, person: str, at: datetime, zone: tzinfo) -> str:
    """Return one line about a step done without words."""
    return f"{decision or 'Сделано'}: {person}, {long_moment(at, zone)}"


def late_line(flag: LateFlag, zone: tzinfo) -> str:
    """Return the log line of a late flag."""
    return f"Обещано к {long_moment(flag.ready_by, zone)}, изделие ещё не готово. Работа продолжается."


def late_notice(order: OrderSnapshot, flag: LateFlag, zone: tzinfo) -> str:
    """Return the message about a promise that has passed."""
    return f"Заказ {order.key} ({cut(_item(order), 80)}): срок изготовления {long_moment(flag.ready_by, zone)} прошёл."


def late_reminder(order: OrderSnapshot, flag: LateFlag, zone: tzinfo) -> str:
    """Return the reminder of later working days."""
    since = long_moment(flag.ready_by, zone)
    return f"Заказ {order.key} ({cut(_item(order), 80)}) всё ещё не готов, срок был {since}."


def overdue_notice(order: OrderSnapshot, stage: Stage, due: datetime, zone: tzinfo) -> str:
    """Return the reminder about a step whose norm has passed."""
    item = cut(_item(order), 40)
    return f"Заказ {order.key} ({item}): шаг «{cut(stage.label, 50)}» просрочен, срок был {long_moment(due, zone)}."


def moved_line(order: OrderSnapshot, zone: tzinfo) -> str:
    """Return the log line of a moved promise."""
    ready = long_moment(parse_moment(str(order.variables["readyBy"]), zone), zone)
    return f"Новый срок: {ready}. Причина: {plain(str(order.variables['moveReason']))}"


def cancel_comment(order: OrderSnapshot) -> str:
    """Return the comment of a cancelled order."""
    refund = "\nНужен возврат оплаты." if order.variables.get("refundDue") is True else ""
    return f"[B]Заказ отменён[/B]\nПричина: {plain(str(order.variables['cancelReason']))}{refund}"


def record_comment(record: Record) -> str:
    """Return the comment about a correction, a complaint or the actual cost."""
    if record.kind is RecordKind.COST:
        planned = f"\nПо смете: {format_sum(record.planned)}" if record.planned else ""
        return f"[B]Фактические затраты: {format_sum(record.text)}[/B]{planned}"
    if record.kind is RecordKind.COMPLAINT:
        return f"[B]Рекламация {record.number}[/B]\n{plain(record.text)}"
    return f"[B]Данные заказа исправлены[/B]\nПричина: {plain(record.text)}"


def plain(text: str | None) -> str:
    """Return a person's text with brackets that would act as the portal's markup made harmless."""
    return (text or "").replace("[", "［").replace("]", "］").strip()


def cut(text: str, room: int) -> str:
    """Cut to so many characters, with an ellipsis where something is lost: between words where that costs little."""
    flat = " ".join(text.split())
    if len(flat) <= room:
        return flat
    kept = flat[: max(0, room - 1)]
    words = kept if flat[len(kept)] == " " else kept.rpartition(" ")[0]
    return (words if len(words) >= 0.6 * room else kept).rstrip(" ,.;:") + "…"


def _item(order: OrderSnapshot) -> str:
    return " ".join(str(order.variables.get("itemDescription") or "").split())
