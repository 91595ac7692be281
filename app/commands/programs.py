"""`demo`, `up`, `setup`, `worker`, `web`: the programs that run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.common import console, parts, settings
from app.running import in_use


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("demo")(demo)
    cli.command("up")(up)
    cli.command("setup")(setup)
    cli.command("worker")(worker)
    cli.command("web")(web)


def demo(
    orders: Annotated[int, typer.Option(min=1, max=500, help="сколько заказов")] = 12,
    seed: Annotated[int, typer.Option(help="начальное число: тот же план при том же числе")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="оставить всё работать и показать адреса и пароли")] = False,
    history: Annotated[
        int | None, typer.Option(min=1, max=36, help="вместо этого: история стольких месяцев, без портала")
    ] = None,
    monthly: Annotated[float, typer.Option(min=0.5, max=40, help="сколько заказов в месяц в истории")] = 8,
    portal: Annotated[
        str | None, typer.Option(help="вебхук своего портала https://портал/rest/НОМЕР/КЛЮЧ/ вместо песочницы")
    ] = None,
) -> None:
    """Провести заказы по всему маршруту на настоящем движке и ответить на вопросы владельца.

    Пример: order-route demo --orders 40 --seed 7
    """
    from app.demo.stopping import sigterm_as_ctrl_c

    sigterm_as_ctrl_c()
    if history is not None:
        _history(history, monthly, seed)
        return
    from app.demo.run import run_demo

    if not run_demo(console, orders=orders, seed=seed, keep=keep, user=settings(), portal=portal):
        raise typer.Exit(1)


def _history(months: int, monthly: float, seed: int) -> None:
    from app.demo.past.run import run_past

    page = run_past(console, settings(), months=months, orders=monthly, seed=seed)
    console.print(f"Отчёт: {page}", markup=False, soft_wrap=True)


def up() -> None:
    """Запустить всё: движок, исполнителя, страницы состояния; Ctrl-C останавливает. Пример: order-route up"""
    from app.programs import run_up, stop_signal

    with parts() as p, in_use(p.settings.data_dir), stop_signal() as stop:
        run_up(p, stop, lambda line: console.print(line, markup=False))


def setup(
    logins: Annotated[Path | None, typer.Option(help="файл для первых паролей сотрудников; без него на экран")] = None,
) -> None:
    """Дождаться движка и подготовить его: сотрудники, диаграммы, права, портал; можно повторять.

    Пример: order-route setup --logins первые-пароли.txt
    """
    from app.programs import run_setup, stop_signal

    with parts() as p, stop_signal() as stop:
        run_setup(p, stop, lambda line: console.print(line, markup=False), logins)


def worker(
    topics: Annotated[str | None, typer.Option(help="только эти темы, через запятую")] = None,
    slots: Annotated[
        int | None, typer.Option(min=1, max=256, help="сколько задач сразу; без него 4 на ядро, до 16")
    ] = None,
) -> None:
    """Запустить исполнителя внешних задач. Пример: order-route worker --topics sync-stage,notify"""
    from app.programs import run_worker, stop_signal

    chosen = [t.strip() for t in topics.split(",") if t.strip()] if topics else None
    with parts() as p, in_use(p.settings.data_dir), stop_signal() as stop:
        run_worker(p, chosen, stop, slots)


def web() -> None:
    """Запустить страницы состояния и показателей. Пример: order-route web"""
    from app.programs import run_web, stop_signal

    with parts() as p, in_use(p.settings.data_dir), stop_signal() as stop:
        run_web(p, stop)
