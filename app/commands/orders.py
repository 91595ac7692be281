"""`start`, `import`, `status`: orders in, and where each one is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.common import console, local, parts, table
from app.errors import CommandError
from orders.plural import working_time

if TYPE_CHECKING:
    from app.wiring import Parts
    from orders.answers import Answers, OrderRow


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("start")(start)
    cli.command("import")(import_file)
    cli.command("status")(status)


def start(
    file: Annotated[Path, typer.Option("--file", help="заказ в JSON: key, initiator, поля заявки, orderFile")],
) -> None:
    """Завести один заказ; повтор с тем же номером ничего не меняет. Пример: order-route start --file заказ.json"""
    from app.intake import importer, start_order
    from orders.intake import read_order

    order = read_order(_text(file))
    with parts() as p:
        key, new = start_order(p, order, file.parent, importer(p.staff, order.initiator))
    console.print(f"{key}: заказ заведён" if new else f"{key}: такой заказ уже есть")


def import_file(
    file: Annotated[Path, typer.Argument(help="таблица CSV: key;customerName;customerContact;itemDescription;…")],
    person: Annotated[str | None, typer.Option("--as", help="сотрудник, который заводит заказы")] = None,
) -> None:
    """Завести заказы из таблицы CSV; каждый один раз. Пример: order-route import заказы.csv"""
    from app.intake import import_orders, importer
    from orders.intake import read_table

    intake = read_table(file.read_bytes())
    with parts() as p:
        done = import_orders(p, intake, file.parent, importer(p.staff, person), _told)
    for order, found in done.changed:
        console.print(f"строка {order.line}: {order.key} уже заведён, изменения не применены:", markup=False)
        for change in found:
            console.print(f"  {change}", markup=False)
    for line in done.refused:
        console.print(line, markup=False)
    console.print(
        f"Заведено {len(done.started)}, уже было {len(done.known)}, отличается {len(done.changed)}, "
        f"не понято {len(done.refused)}, итоговых строк пропущено {len(intake.totals)}"
    )
    if done.refused or done.changed:
        raise typer.Exit(1)


def status(
    order: Annotated[str | None, typer.Argument(help="номер заказа; пусто: все идущие")] = None,
) -> None:
    """Где каждый заказ, у кого и до какого срока. Пример: order-route status ORD-2026-00042"""
    with parts() as p:
        ids = p.orders.instances_of(order) if order else p.orders.open_orders()
        if order and not ids:
            raise CommandError(f"Заказа «{order}» нет: проверьте номер")
        answers = answers_of(p, ids)
        if order:
            _one(answers.orders, p)
            return
    _all(answers, p)


def answers_of(p: Parts, instance_ids: list[str]) -> Answers:
    """Answer the seven questions for these instances, now."""
    from orders.answers import answer

    snapshots = list(p.orders.snapshots(instance_ids))
    routes = {s.definition_id: p.route(s.definition_id) for s in snapshots}
    return answer(snapshots, routes, p.staff, p.calendar, datetime.now(UTC))


def _all(answers: Answers, p: Parts) -> None:
    zone = p.settings.zone
    rows = [
        (r.key, r.stage, r.holder, local(r.since, zone), local(r.due, zone), late(r), ", ".join(r.missing) or "все")
        for r in answers.orders
        if r.running
    ]
    headings = ("Заказ", "Шаг", "У кого", "С какого времени", "Срок", "Опоздание", "Документы")
    table(headings, rows, empty="Идущих заказов нет: заведите новый в Tasklist или order-route start")


def _one(rows: tuple[OrderRow, ...], p: Parts) -> None:
    zone = p.settings.zone
    for r in rows:
        facts = [
            ("Заказ", r.key),
            ("Заказчик", r.customer),
            ("Изделие", r.item),
            ("Шаг", r.stage),
            ("У кого", r.holder),
            ("С какого времени", local(r.since, zone)),
            ("Срок шага", local(r.due, zone)),
            ("Опоздание", late(r)),
            ("Последнее событие", f"{r.last_event}, {local(r.last_at, zone)}"),
            ("Что дальше", r.next_action or "—"),
            ("Не хватает документов", ", ".join(r.missing) or "все на месте"),
        ]
        table(("", ""), facts, empty="")


def late(row: OrderRow) -> str:
    """Return the delay of the open step in working hours, or a dash; a suspended order is named so."""
    if row.suspended:
        return "приостановлен"
    return working_time(row.hours_left) if row.hours_left is not None and row.overdue else "—"


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CommandError(f"{file}: нужен файл в UTF-8", 2) from None


def _told(key: str) -> None:
    console.print(f"{key}: заказ заведён", markup=False)
