"""The demo on a terminal: one line an order while it runs; plain lines where the output is no terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table

from app.demo.carry import Carried
from orders.stage import Route

_STEP = "●"


class Progress:
    """A live table on a terminal, one line a second otherwise. Use as a context manager; `tell` redraws."""

    def __init__(self, console: Console, route: Route, orders: Sequence[Carried]) -> None:
        self._console, self._route, self._orders = console, route, orders
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None
        self._lock = threading.Lock()
        self._said = 0.0

    def __enter__(self) -> Progress:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def tell(self) -> None:
        """Show where the orders are now; called from many threads."""
        if self._live:
            self._live.update(self._table())
            return
        with self._lock:
            ended = sum(o.ended for o in self._orders)
            if time.monotonic() - self._said >= 5 or ended == len(self._orders):
                self._said = time.monotonic()
                started = sum(bool(o.instance_id) for o in self._orders)
                self._console.print(f"  принято {started}, завершено {ended} из {len(self._orders)}", highlight=False)

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 1), title="Заказы идут по маршруту", title_justify="left")
        for heading in ("Заказ", "Что должно случиться", "Путь", "Сейчас"):
            table.add_column(heading, no_wrap=True)
        for order in self._orders:
            table.add_row(order.key or "—", order.plan.story.words, self._path(order), self._now(order))
        return table

    def _path(self, order: Carried) -> str:
        marks = (_STEP * order.visits[s.code] or "·" for s in self._route.stages if s.code != "fix")
        return " ".join(marks)

    def _now(self, order: Carried) -> str:
        if order.fault:
            return f"[red]сбой: {order.fault}[/red]"
        if order.ended:
            return "[green]маршрут пройден[/green]"
        stage = self._route.stage_of_code(order.stage)
        return stage.label if stage else "ждёт начала"
