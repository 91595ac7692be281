"""What the demo shows at its end: the kanban as a table, each order's outcome, the seven answers, the logins."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.commands.orders import answers_of
from app.demo.carry import Carried
from app.demo.plan import Story
from app.demo.portal import DRAGGED, UNTASKED, Door
from app.demo.shop import DemoShop
from app.demo.traffic import spent
from app.wiring import ROUTE
from orders.answers import Answers
from orders.plural import count, working_time
from orders.stage import Route


def show_kanban(console: Console, shop: DemoShop) -> None:
    """Print the portal's columns in their order, with the cards that stand in each."""
    by_column: dict[str, list[str]] = defaultdict(list)
    for card in shop.parts.cards().cards():
        by_column[card.column].append(card.title)
    grid = _grid("Канбан в портале", ("Колонка", "Карточек", "Заказы"))
    for column in shop.parts.cards().columns():
        cards = by_column.get(column, [])
        grid.add_row(column, str(len(cards)), escape(", ".join(sorted(cards))))
    console.print(grid)


def show_outcomes(console: Console, orders: list[Carried], route: Route, faults: list[str]) -> None:
    """Print what was planned for each order and where it ended."""
    grid = _grid("Чем кончился каждый заказ", ("Заказ", "Что должно было случиться", "Итог", ""))
    for order in orders:
        good = not order.fault and not any(order.key and order.key in fault for fault in faults)
        outcome = route.end_names.get(order.plan.story.end, order.plan.story.end)
        grid.add_row(
            escape(order.key or "—"),
            order.plan.story.words,
            outcome if good else escape(order.fault or "не так, как задумано"),
            "[green]✓[/green]" if good else "[red]✗[/red]",
        )
    console.print(grid)


def show_answers(console: Console, shop: DemoShop) -> None:
    """Print the answers to the seven questions of the owner."""
    instances = [i.id for i in shop.parts.integration.history.instances(processDefinitionKey=ROUTE)]
    answers = answers_of(shop.parts, instances)
    console.print("[bold]Ответы владельцу[/bold]")
    for question, reply in seven(answers):
        console.print(f"  {question} — {reply}", markup=False)


def seven(answers: Answers) -> list[tuple[str, str]]:
    """Return the seven questions of the case with their answers, each on one line."""
    r = answers.received
    running = [row for row in answers.orders if row.running]
    stages = "; ".join(f"{stage}: {count}" for stage, count in answers.stages())
    holders = "; ".join(f"{row.key}: {row.holder}" for row in running)
    dues = [row for row in running if row.due is not None]
    late = [row for row in answers.orders if row.promise.late_last]
    delays = "; ".join(f"{d.name} ({d.department}) {working_time(d.hours)}" for d in answers.by_person)
    missing = "; ".join(f"{row.key}: {', '.join(row.missing)}" for row in answers.orders if row.missing)
    total = len(answers.orders)
    return [
        (
            "Сколько заказов получено?",
            f"{count(r.received, 'заказ', 'заказа', 'заказов')} (заявок {r.started}, из них повторов {r.duplicates})",
        ),
        ("Что происходит с каждым?", "; ".join(f"{row.key}: {row.last_event}" for row in answers.orders)),
        ("У кого заказ?", holders or "в работе никого не держит: все заказы завершены"),
        ("Какие сроки?", "; ".join(f"{row.key}: {row.due:%d.%m}" for row in dues) or "открытых сроков нет"),
        (
            "Кто задерживает?",
            (delays or "просроченных шагов нет")
            + (f"; готовы позже обещанного: {', '.join(row.key for row in late)}" if late else ""),
        ),
        ("На какой стадии?", stages),
        ("Все ли документы на месте?", missing or f"все, во всех {total} заказах"),
    ]


def show_logins(console: Console, shop: DemoShop) -> None:
    """Print addresses and sample logins of a shop that is kept running."""
    root = shop.engine.root
    console.print("[bold]Всё работает, Ctrl-C остановит[/bold]")
    console.print(f"  Tasklist:  {root}/operaton/app/tasklist/", markup=False)
    console.print(f"  Cockpit:   {root}/operaton/app/cockpit/", markup=False)
    console.print(f"  Портал:    {shop.foreign.board if shop.foreign else shop.portal_url + '/'}", markup=False)
    console.print(f"  Доска:     {shop.board}/", markup=False)
    console.print(f"  Показатели: {shop.metrics}", markup=False)
    grid = _grid("Учётные записи", ("Кто", "Отдел", "Логин", "Пароль"))
    seen: set[str] = set()
    for person in shop.parts.staff.persons:
        department = shop.parts.staff.department(person.id)
        if department not in seen:
            seen.add(department)
            grid.add_row(person.name, department, person.id, escape(shop.passwords[person.id]))
    console.print(grid)


def _grid(title: str, headings: tuple[str, ...]) -> Table:
    grid = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        grid.add_column(heading, overflow="fold")
    return grid


def requests_lines(shop: DemoShop, carried: list[Carried]) -> list[str]:
    """Say what the portal's own log tells of our requests; nothing where a portal of one's own keeps none for us."""
    if shop.foreign is not None:
        return []
    lines = shop.portal_log.read_text(encoding="utf-8").splitlines()
    return spent(json.loads(line) for line in lines if line.strip()).words(_steps(carried))


def _steps(carried: list[Carried]) -> int:
    """Count the steps that people took: starts, answers, withdrawals."""
    withdrawn = sum(order.plan.story is Story.CANCELLED for order in carried)
    return len(carried) + sum(sum(order.doors.values()) for order in carried) + withdrawn


def doors_line(carried: list[Carried]) -> str:
    """Say where the steps were answered, and what people did to the cards meanwhile."""
    counted = sum((order.doors for order in carried), Counter[Door]())
    if set(counted) <= {Door.TASKLIST}:
        return ""
    where = ", ".join(f"{door.value} {counted[door]}" for door in Door)
    dragged = sum(order.plan.number in DRAGGED for order in carried)
    deleted = sum(order.plan.number == UNTASKED for order in carried)
    return f"Ответы: {where}. Передвинуто карточек: {dragged}, удалено задач: {deleted}."
