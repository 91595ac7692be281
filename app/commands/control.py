"""`board`: what the manager asks for every day, at the terminal."""

from __future__ import annotations

import typer

from app.commands.common import console, local, parts, table
from orders.plural import working_time


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("board")(board)


def board() -> None:
    """Показать доску: сколько заказов на каждом этапе, кто занят, кто задерживает. Пример: order-route board"""
    from app.board.keeper import read_now
    from orders.money import format_sum
    from reports.board import total

    with parts() as p:
        shown, zone, listen = read_now(p), p.settings.zone, p.settings.board_listen
    late = sum(t.row.overdue for t in shown.tiles)
    unpaid = [t for t in shown.tiles if t.unpaid]
    console.print(
        f"Получено за месяц {shown.received}, в работе {len(shown.tiles)}, опаздывают {late}, "
        f"готовы и не оплачены {len(unpaid)} ({format_sum(total(unpaid))})"
    )
    stages = []
    for code, title in shown.columns:
        those = [t for t in shown.tiles if t.column == code]
        stages.append((title, len(those), sum(t.row.overdue for t in those), format_sum(total(those)) if those else ""))
    table(("Этап", "Заказов", "Опаздывают", "По сметам"), stages, empty="", right=(1, 2, 3))
    loads = [(x.name, x.department, x.open, x.addressed, x.overdue, x.today) for x in shown.loads]
    headings = ("Сотрудник", "Отдел", "Открыто", "не взято", "Просрочено", "Срок сегодня")
    table(headings, loads, empty="Открытых шагов нет", right=(2, 3, 4, 5))
    delays = [
        (d.name, d.department, d.open_overdue, d.done_late, working_time(d.hours), ", ".join(d.orders[:5]))
        for d in shown.answers.by_person
    ]
    headings = ("Кто задерживает", "Отдел", "Сейчас", "Сделано поздно", "Всего", "Заказы")
    table(headings, delays, empty="Никто не задерживает", right=(2, 3, 4))
    console.print(f"Данные на {local(shown.now, zone)}. В браузере: http://{listen}/", markup=False)
