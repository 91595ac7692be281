"""The work that is measured in a shop of a certain size."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chain import Chain
from postgres import Postgres
from shop import ROOT, good_answer

from app.commands.operate import run_bootstrap
from app.commands.orders import answers_of
from engine.deploy import deploy, folder_files
from engine.external import Topic
from engine.running import RunningOrders
from growth.meter import Cost, Meter
from growth.pages import Page
from workers.handlers import registry


@dataclass(frozen=True)
class Level:
    """What was measured at one size."""

    running: int
    finished: int
    load: float  # of the machine, one minute's average, at the begin
    costs: dict[str, Cost]


def measure(chain: Chain, server: Postgres, running: int, finished: int, tell: Callable[[str], None]) -> Level:
    """Measure everything at this size; `tell` hears of each as soon as it is known."""
    load, before = os.getloadavg()[0], chain.portal.mark()
    meter = Meter(chain, server)
    costs = {}
    for name, act in _work(chain, running).items():
        costs[name] = meter.best(act)
        tell(f"{running}:{finished} {name} {costs[name]}")
        if name == "sweep":
            repaired = len(chain.portal.log(applied=True, since=before))
            assert not repaired, f"the sweep found {repaired} things to repair"
    return Level(running, finished, load, costs)


def _work(chain: Chain, running: int) -> dict[str, Callable[[], Any]]:
    parts = chain.parts
    client, worker = (parts.engine_client(a) for a in (parts.accounts.deploy, parts.accounts.engine))
    topics = [Topic(each.name, 1.0) for each in registry()]
    accountant = Page(chain.shop, "tasklist", chain.shop.member("accounting"))
    auditor = Page(chain.shop, "cockpit", chain.shop.member("auditors"))
    board = RunningOrders(parts.integration, parts.orders)
    board.refresh()  # its first look costs what `status` does; what counts is each later one, every three seconds

    def status() -> None:
        assert len(answers_of(parts, parts.orders.open_orders()).orders) >= running

    def fetch() -> None:
        assert worker.external.fetch_and_lock("growth", topics, 16) == []

    def publish() -> None:
        deploy(client, folder_files(ROOT / "bpmn"), name="order-route", ttl_days=1095)

    return {
        "fetch": fetch,
        "sweep": parts.cards().sweep,
        "bootstrap": lambda: run_bootstrap(parts),
        "deploy": publish,
        "step": lambda: _step(chain),
        "tasklist": lambda: accountant.tasks("accounting"),
        "cockpit": auditor.orders,
        "board": board.refresh,
        "status": status,
    }


def _step(chain: Chain) -> None:
    """Complete a director's step; the running worker takes the order to the next department."""
    order = _ready.pop() if _ready else chain.shop.start_order()
    chain.answer(order, "UserTask_ApproveOrder", **good_answer("UserTask_ApproveOrder"))
    chain.step(order, "UserTask_PrepareDesign")


_ready: list[Any] = []


def prepare_steps(chain: Chain, count: int) -> None:
    """Bring real orders before the director, so that one measured step is one step."""
    _ready[:] = [chain.shop.start_order() for _ in range(count)]
    for order in _ready:
        chain.step(order, "UserTask_ApproveOrder")


def table(levels: list[Level]) -> str:
    """Return the growth curve as Markdown: seconds, processor seconds, requests to engine and portal."""
    names = list(levels[0].costs)
    lines = [
        "| running / finished | " + " | ".join(names) + " | load |",
        "|" + "---|" * (len(names) + 2),
    ]
    for level in levels:
        cells = []
        for name in names:
            cost = level.costs[name]
            cells.append(f"{cost.seconds:.2f} s, cpu {cost.cpu:.2f}, {cost.engine}+{cost.portal}")
        lines.append(f"| {level.running} / {level.finished} | " + " | ".join(cells) + f" | {level.load:.1f} |")
    return "\n".join(lines)
