"""How long the history store and a report take for many orders: `python tests/bench/history.py [ORDERS]`.

Goals on an idle machine for 10,000 orders: first fill ≤ 60 s, refresh ≤ 2 s, report ≤ 5 s. Each line shows wall and
CPU seconds and the machine's load, because the wall alone says little on a busy one.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from made_history import BPMN, make_history  # noqa: E402

from diagram.stages import read_route  # noqa: E402
from orders.calendar import read_calendar  # noqa: E402
from orders.staff import read_staff  # noqa: E402
from reports.book import Book  # noqa: E402
from reports.clock import ms  # noqa: E402
from reports.page import page  # noqa: E402
from reports.period import Month  # noqa: E402
from reports.report import make_report  # noqa: E402
from reports.store import Store  # noqa: E402
from reports.targets import Targets  # noqa: E402

T = TypeVar("T")


def timed(what: str, goal: str, work: Callable[[], T]) -> T:
    """Run and print how long it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:28} wall {wall:7.2f} s  cpu {cpu:7.2f} s  goal {goal:7} load {os.getloadavg()[0]:.1f}")  # noqa: T201
    return result


def main(orders: int) -> None:
    """Measure with that many orders over two years."""
    calendar = read_calendar((ROOT / "config" / "calendar.toml").read_text(encoding="utf-8"))
    staff = read_staff((ROOT / "config" / "staff.toml").read_text(encoding="utf-8"))
    route = read_route(BPMN.read_bytes())
    history = timed(f"{orders} orders made up", "", lambda: make_history(orders, calendar, staff))
    now = ms(datetime(2026, 11, 20, 12, tzinfo=UTC))
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "history.db") as store:
        timed("first fill", "60 s", lambda: store.refresh(history, lambda _: route))
        timed("refresh", "2 s", lambda: store.refresh(history, lambda _: route))

        def whole() -> str:
            facts = store.facts(files=False)
            book = Book(facts, calendar, staff, route, now, store.records(), store.papers(), store.verdicts())
            return page(make_report(book, Month(2026, 10), Targets()))

        text = timed("report: numbers and page", "5 s", whole)
        print(f"page {len(text) // 1024} KB, store {store.path.stat().st_size >> 20} MB")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
