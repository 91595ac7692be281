"""The whole chain as separate processes: engine, sandbox portal and the installed worker, with persons who answer.

A worker may be killed, by hand or by its own failpoint; `Chain.wait` then starts the next one, as a service manager
would. The oracle is `verdict`: the portal's call log and the comparison of card and engine, not what the worker says.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
from mirrored import MirroredPortal
from ports import free_port
from shop import ROOT, Shop, good_answer

from app.settings import load
from app.wiring import Parts
from engine.processes import Instance
from engine.tasks import Task

T = TypeVar("T")
LOCK_SECONDS = 3
PATIENCE_SECONDS = 240  # longer than any stall of a busy machine: only the outage tests want it short
LONG = 240.0  # a deadline, not a measure: the machine may do many things at once
PAUSE = 0.05  # seconds between two looks
OURSELVES = 1  # the portal's user whose webhook we have
CREATES = {  # what makes a new thing in the portal each time it is called, by the kind of thing
    "card": "crm.item.add",
    "task": "tasks.task.add",
    "comment": "crm.timeline.comment.add",
    "log line": "crm.timeline.logmessage.add",
    "Drive folder": "disk.folder.addsubfolder",
    "Drive file": "disk.folder.uploadfile",
}
KINDS = {**CREATES, "notice": "im.notify.personal.add", "card's file": "crm.item.update"}


class Chain:
    """One engine, one portal of its own, any number of workers, and what a test asks of them."""

    def __init__(self, shop: Shop, folder: Path, **settings: object) -> None:
        self.shop, self.folder = shop, folder
        self.book = MirroredPortal(folder, process=True)
        self.portal = self.book.portal
        self.env = self._environment() | {f"ORDER_ROUTE_{k.upper()}": str(v) for k, v in settings.items()}
        self.parts = Parts(load(self.env, dotenv=None))
        self.workers: list[subprocess.Popen[bytes]] = []
        self.deaths = 0
        self._successors: tuple[str, ...] = ()
        self._extra: dict[str, str] = {}
        self._kills: list[float] = []
        self._kill_next = 0.0
        self._chance = random.Random()
        self._watching = threading.Lock()
        self._log = (folder / "worker.log").open("ab")

    def _environment(self) -> dict[str, str]:
        passwords = {name: self.shop.passwords[name].get_secret_value() for name in ("worker", "integration")}
        values = {
            "ENGINE_URL": self.shop.url,
            "ENGINE_PASSWORD": passwords["worker"],
            "INTEGRATION_PASSWORD": passwords["integration"],
            "ADMIN_PASSWORD": self.shop.engine.admin_password.get_secret_value(),
            "BITRIX_WEBHOOK_URL": self.portal.webhook_url,
            "DATA_DIR": str(self.folder),
            "LOCK_SECONDS": str(LOCK_SECONDS),
            "PORTAL_PATIENCE_SECONDS": str(PATIENCE_SECONDS),
            "BITRIX_RATE": "100",
            "BITRIX_BURST": "1000",
            "BOARD_LISTEN": f"127.0.0.1:{free_port()}",
            "LOG_FORMAT": "json",
        }
        return {f"ORDER_ROUTE_{name}": value for name, value in values.items()}

    # workers

    def work(self, *failpoints: str, **extra: str) -> subprocess.Popen[bytes]:
        """Start one more worker. `failpoints` as in `ledger.failpoints`: its own, and those of its successors.

        `extra` is its environment beside the chain's own; the last worker's is also that of successors.
        """
        self._extra = extra or self._extra
        env = {name: value for name, value in os.environ.items() if not name.startswith("ORDER_ROUTE_")} | self.env
        env |= self._extra
        if failpoints:
            env |= {"ORDER_ROUTE_TEST_BUILD": "1", "FAILPOINT": failpoints[0]}
        argv = [sys.executable, "-m", "app", "worker"]
        worker = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=self._log, stderr=self._log)
        self.workers.append(worker)
        self._successors = failpoints[1:]
        return worker

    def successors(self, **extra: str) -> None:
        """Give those who follow the dead another environment than the last worker's."""
        self._extra = extra

    def kill_at_random(self, chance: random.Random, times: int, apart: tuple[float, float] = (1, 6)) -> None:
        """Kill one of the workers so many times, once they are at work, each some seconds after the one before."""
        self.wait(self.healthy, "a worker at work")
        self._chance, self._kills = chance, [chance.uniform(*apart) for _ in range(times)]
        self._kill_next = time.monotonic() + chance.uniform(*apart)

    def wait(self, predicate: Callable[[], T | None], what: str, seconds: float = LONG, pause: float = PAUSE) -> T:
        """Poll until the predicate gives something true; a worker that was killed gets a successor."""
        deadline = time.monotonic() + seconds
        while True:
            self.look_after()
            if found := predicate():
                return found
            if time.monotonic() > deadline:
                pytest.fail(f"waited {seconds:g} s for: {what}\n{self.tail()}")
            time.sleep(pause)

    def look_after(self) -> None:
        """Kill whose time has come and start successors of the dead; `wait` does it at each look."""
        with self._watching:
            self._kill_if_due()
            self._replace_the_dead()

    def _kill_if_due(self) -> None:
        if self._kills and time.monotonic() > self._kill_next and self.workers:
            self._kill_next = time.monotonic() + self._kills.pop()
            self._chance.choice(self.workers).kill()

    def _replace_the_dead(self) -> None:
        for worker in [w for w in self.workers if w.poll() is not None]:
            assert worker.returncode == -signal.SIGKILL, f"a worker ended by itself: {worker.returncode}\n{self.tail()}"
            self.workers.remove(worker)
            self.deaths += 1
            self.work(*self._successors)

    def tail(self) -> str:
        """Return the newest lines of the workers' log, for a failed test."""
        return (self.folder / "worker.log").read_text(encoding="utf-8", errors="replace")[-3000:]

    def metrics(self) -> dict[str, float]:
        """Return the worker's counters, by name and labels as they are printed."""
        lines = (line.rpartition(" ") for line in self._board("metrics").text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    def healthy(self) -> bool:
        """Tell whether the worker says that it is well."""
        try:
            return self._board("readyz").status_code == 200
        except requests.ConnectionError:
            return False

    def _board(self, page: str) -> requests.Response:
        return requests.get(f"http://{self.env['ORDER_ROUTE_BOARD_LISTEN']}/{page}", timeout=10)

    def retire(self) -> list[int]:
        """Ask every worker to end, as a deploy does, and wait; return how they ended. One that was stopped wakes up."""
        for worker in self.workers:
            worker.terminate()
            worker.send_signal(signal.SIGCONT)
        ended = []
        for worker in self.workers:
            try:
                ended.append(worker.wait(15))
            except subprocess.TimeoutExpired:
                worker.kill()
                ended.append(worker.wait(5))
        self.workers.clear()
        return ended

    # persons

    def step(self, order: Instance, element: str) -> Task:
        """Return the open task of a step, as soon as it is open."""

        def look() -> Task | None:
            return next((t for t in self.shop.integration.tasks.of_instance(order.id) if t.element == element), None)

        return self.wait(look, f"{element} of {order.business_key} open")

    def answer(self, order: Instance, element: str, **values: object) -> None:
        """Let somebody entitled answer a step when it opens; without values, with the good answer."""
        self.complete(self.step(order, element), values or good_answer(element))

    def complete(self, task: Task, values: dict[str, object]) -> None:
        """Complete a task as its assignee, or as the first of the department."""
        stage = self.shop.reader.route(task.definition_id).stage(task.element)
        assert stage is not None
        self.shop.person(task.assignee or self.shop.member(stage.groups[0])).tasks.complete(task.id, values)

    def carry(self, order: Instance, *elements: str) -> None:
        """Answer these steps well, one after the other."""
        for element in elements:
            self.answer(order, f"UserTask_{element}")

    def cancel(self, order: Instance) -> None:
        """Let the commercial department cancel an order by its own process."""
        request = {"orderKey": order.business_key, "cancelReason": "Заказчик передумал"}
        self.shop.person(self.shop.member("commercial")).processes.start("cancel-order", request)

    def cancelled_order(self) -> Instance:
        """Let an order open, be approved and be cancelled: the shortest one in which every kind of thing is created."""
        order = self.shop.start_order()
        self.answer(order, "UserTask_ApproveOrder", directorDecision="approve")
        self.step(order, "UserTask_PrepareDesign")
        self.cancel(order)
        assert self.ended(order) == "End_Cancelled"
        return order

    def ended(self, order: Instance) -> str | None:
        """Wait for an order's end and return the end event."""
        self.wait(lambda: self.shop.integration.history.instance(order.id).ended, f"{order.business_key} ended")
        return self.shop.reader.snapshot(order.id).end_id

    # the oracle

    def verdict(self, *orders: Instance) -> None:
        """Assert that nothing is lost and nothing doubled: incidents, differences, and the portal's own call log."""
        twice = doubled(self.created())
        assert twice == {}, twice
        for order in orders:
            assert self.incidents(order) == []
            assert [str(d) for d in self.parts.cards().differences(order.id, deep=True)] == []
            steps = list(self.shop.integration.history.tasks(processInstanceId=order.id))
            made = [name for name in self.created() if name.startswith(f"tasks.task.add {order.business_key}:")]
            assert len(made) == len(steps), f"one task per visit: {made}"

    def reconcile(self, *orders: Instance) -> None:
        """Make the cards of these orders right, as the next sweep would.

        A sweep itself meets whatever other tests have left on an engine that is shared, and their cards are elsewhere.
        """
        for order in orders:
            self.parts.cards().reconcile(order.id)

    def created(self) -> list[str]:
        """Return what we created in the portal, each as its method and what must be unique about it."""
        lines = [line for line in self.portal.log(applied=True) if line["user"] == OURSELVES]
        return [f"{m} {_identity(line['params'])}" for line in lines if (m := line["method"]) in CREATES.values()]

    def notices(self, order: Instance) -> Counter[str]:
        """Return how often the portal was asked for each notice about an order, by its key."""
        sent = (line["params"]["TAG"] for line in self.portal.log(KINDS["notice"], applied=True))
        return Counter(tag for tag in sent if tag.startswith(f"{order.business_key}:"))

    def incidents(self, order: Instance) -> list[str]:
        """Return the reasons of an order's incidents."""
        return [str(i.message) for i in self.shop.admin.processes.incidents(processInstanceId=order.id)]

    # life

    def close(self) -> None:
        """Stop everything that was started here."""
        self.retire()
        self.parts.close()
        self.book.close()
        self._log.close()


def _identity(params: dict[str, Any]) -> str:
    """Return the part of a create's parameters that only one thing may have."""
    fields = params.get("fields") or params.get("data") or {}
    if "NAME" in fields:
        return f"{params['id']}/{fields['NAME']}"
    key = fields.get("xmlId") or fields.get("XML_ID")
    return str(key or (fields.get("COMMENT") or fields["text"]).rpartition("\n")[2])


def doubled(names: list[str]) -> dict[str, int]:
    """Return what is there more than once."""
    return {name: times for name, times in Counter(names).items() if times > 1}


@contextlib.contextmanager
def open_chain(shop: Shop, folder: Path, **settings: object) -> Iterator[Chain]:
    """Open a portal beside the shop; `settings` by name as in README. No worker runs yet."""
    chain = Chain(shop, folder, **settings)
    try:
        yield chain
    finally:
        chain.close()
