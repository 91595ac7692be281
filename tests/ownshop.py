"""A shop on an engine of one's own, which a test may kill or cut from its database; and a record of what it said."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ports import free_port
from pydantic import SecretStr
from shop import SHORT_RUN, START_SECONDS, SWEEP_SECONDS, Shop, furnish, good_answer, server_jar, wait_until

from engine.embedded import EmbeddedEngine
from engine.errors import EngineError
from engine.processes import Instance

ADMIN = SecretStr("fault-test-admin")


@contextmanager
def open_own(
    folder: Path,
    kind: type[EmbeddedEngine] = EmbeddedEngine,
    *,
    reconcile_seconds: int = SWEEP_SECONDS,
    profile: str | None = None,
) -> Iterator[Shop]:
    """Start an engine at an address that it keeps over restarts; `kind` as `postgres.engine_on` gives it."""
    engine = kind(
        server_jar(),
        folder,
        port=free_port(),
        admin_user="admin",
        admin_password=ADMIN,
        profile=profile,
        reconcile_seconds=reconcile_seconds,
        java_options=SHORT_RUN,
        start_seconds=START_SECONDS,
    )
    with engine:
        shop = furnish(engine, ADMIN)
        yield shop
        shop.close()


@dataclass
class Acknowledged:
    """What the engine said yes to, noted outside of it by persons who go on until it fails."""

    shop: Shop
    started: list[Instance] = field(default_factory=list)
    answered: list[Instance] = field(default_factory=list)
    unsure: int = 0  # calls that ended without an answer: done or not, both are right
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, open_orders: list[Instance]) -> None:
        """Start orders and answer the first step of these, each in a thread, until the engine is gone."""
        self._threads = [
            threading.Thread(target=self._start_orders),
            threading.Thread(target=self._answer, args=(list(open_orders),)),
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Wait until both have met the engine's end."""
        for thread in self._threads:
            thread.join(120)

    def count(self) -> int:
        """Return how much was acknowledged."""
        return len(self.started) + len(self.answered)

    def lost(self) -> list[str]:
        """Return what was acknowledged and is not there; whatever is there is whole."""
        running = {i.id for i in self.shop.integration.history.instances(processDefinitionKey="custom-furniture-order")}
        gone = [f"order {order.business_key}" for order in self.started if order.id not in running]
        for order in self.answered:
            done = [visit.task_id for visit in self.shop.reader.snapshot(order.id).done]
            if done[:1] != ["UserTask_ApproveOrder"]:
                gone.append(f"answer of {order.business_key}")
        return gone

    def half(self) -> list[str]:
        """Return the running orders that wait for nothing: neither a worker's step nor a person's, nor a job."""
        admin = self.shop.admin
        waiting = {task.instance_id for task in admin.external.find()} | {t.instance_id for t in admin.tasks.find()}
        return [i.id for i in admin.processes.instances(process_definition_key="custom-furniture-order")
                if i.id not in waiting]  # fmt: skip

    def _start_orders(self) -> None:
        while True:
            try:
                self.started.append(self.shop.start_order())
            except EngineError:
                self.unsure += 1
                return

    def _answer(self, orders: list[Instance]) -> None:
        person = self.shop.person(self.shop.member("directors"))
        for order in orders:
            try:
                (task,) = self.shop.integration.tasks.of_instance(order.id)
                person.tasks.complete(task.id, good_answer("UserTask_ApproveOrder"))
                self.answered.append(order)
            except EngineError:
                self.unsure += 1
                return


def kill_and_look(own: Shop, seed: int, kills: int) -> tuple[int, int]:
    """Kill the engine at seeded moments under load; return how much it had acknowledged, and how much was unsure."""
    chance, acknowledged, unsure = random.Random(seed), 0, 0
    for _ in range(kills):
        for order in (first := [own.start_order() for _ in range(6)]):
            own.drain(order)
        seen = Acknowledged(own)
        seen.begin(first)
        wait_until(lambda seen=seen: seen.started and seen.answered, 120, "the first acknowledgements")
        moment = time.monotonic() + chance.uniform(0, 0.5)
        wait_until(lambda moment=moment: time.monotonic() >= moment, 5, "the seeded moment")
        own.engine.kill()
        seen.end()
        own.engine.start()
        assert seen.lost() == []
        assert seen.half() == []
        acknowledged, unsure = acknowledged + seen.count(), unsure + seen.unsure
        own.end_everything()
    return acknowledged, unsure
