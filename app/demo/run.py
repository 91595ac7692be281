"""The demo from start to the verdict: carry the orders, compare engine and cards, answer the owner's questions."""

from __future__ import annotations

import signal
import time

from rich.console import Console

from app.demo.carry import Carried, Carrier
from app.demo.past.showcase import history_lines
from app.demo.plan import make_plan
from app.demo.shop import DemoShop
from app.demo.summary import doors_line, requests_lines, show_answers, show_kanban, show_logins, show_outcomes
from app.demo.verdict import verdict
from app.demo.view import Progress
from app.settings import Settings


def run_demo(
    console: Console, *, orders: int, seed: int, keep: bool, user: Settings, portal: str | None = None
) -> bool:
    """Run the demo; tell whether every order and every card ended as it must.

    `user`: the user's own settings; the demo works in a folder of its own, a made history lies in the user's.
    `portal`: the webhook of a portal of one's own, in place of the sandbox.
    """
    began = time.monotonic()

    def tell(line: str) -> None:
        console.print(line, markup=False)

    carried = [Carried(plan) for plan in make_plan(orders, seed)]
    with DemoShop(tell, portal) as shop:
        route = shop.parts.newest_route()
        ready = time.monotonic()
        tell(f"Заказов: {orders}, начальное число {seed}. Сотрудники ведут их по маршруту…")
        if shop.foreign is None:
            tell("Портал мешает: десятая часть событий теряется, десятая часть ответов обрывается после выполнения.")
        else:
            tell("Люди работают в Tasklist, карточки следуют за ними с той частотой, какую разрешает портал.")
        with Progress(console, route, carried) as progress:
            carrier = Carrier(
                shop.parts.integration,
                shop.people,
                route,
                shop.settings.zone,
                progress.tell,
                shop.portal_people,
                shop.patience,
            )
            carrier.carry_all(carried)
        shop.calm()
        asked = requests_lines(shop, carried)
        faults = verdict(shop, carried)
        show_kanban(console, shop)
        show_outcomes(console, carried, route, faults)
        show_answers(console, shop)
        for fault in faults:
            tell(f"Расхождение: {fault}")
        for line in (doors_line(carried), *asked):
            if line:
                tell(line)
        if shop.foreign is not None:
            tell(f"Карточки показа: {shop.foreign.board}")
        if not faults:
            tell("Карточки = движок: этапы, поля, файлы, комментарии и задачи совпадают; сбоев нет.")
        for line in history_lines(user):
            tell(line)
        tell(f"Время: запуск {ready - began:.0f} с, маршруты и сверка {time.monotonic() - ready:.0f} с")
        if keep:
            show_logins(console, shop)
            _wait_for_ctrl_c()
    return not faults


def _wait_for_ctrl_c() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        return
