"""Carry orders: one thread an order, one watcher for all; every decision comes from the plan."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from app.demo.answers import Values, answer, cancel_values, move_values, start_values
from app.demo.people import People
from app.demo.plan import PlannedOrder, Story
from app.demo.portal import DRAGGED, UNTASKED, Door, PortalPeople, Stuck, door_of
from engine.client import EngineClient
from engine.errors import EngineError
from engine.rights import ROUTE
from engine.tasks import Task
from orders.stage import Route, Stage

STEP_SECONDS = 60.0  # no step of a demo with the sandbox may take longer


class DemoFault(Exception):
    """The order did not go as planned; the message says where and how."""


@dataclass
class Carried:
    """One order on its way; written by its own thread only."""

    plan: PlannedOrder
    key: str = ""
    instance_id: str = ""
    twin_id: str | None = None  # the second start of the same order
    stage: str = ""  # code of the stage it is at
    visits: Counter[str] = field(default_factory=Counter)
    doors: Counter[Door] = field(default_factory=Counter)  # where its steps were answered
    ended: bool = False
    fault: str | None = None


class Watcher:
    """Reads all open tasks and running instances a few times a second; threads wait here for their order to move."""

    def __init__(self, engine: EngineClient, pause: float = 0.2, patience: float = STEP_SECONDS) -> None:
        self._engine, self._pause, self._patience = engine, pause, patience
        self._tasks: dict[str, Task] = {}
        self._running: frozenset[str] = frozenset()
        self._changed = threading.Condition()
        self._looking = threading.Lock()
        self._stop = threading.Event()
        self.fault: str | None = None
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._stop.set()
        self._thread.join(10)

    def wait(self, instance_id: str, not_task: str | None, what: str) -> Task | None:
        """Return the instance's next open task (another than `not_task`), or None when it has ended."""
        deadline = time.monotonic() + self._patience
        with self._changed:
            while True:
                task = self._tasks.get(instance_id)
                if task is not None and task.id != not_task:
                    return task
                if task is None and instance_id not in self._running:
                    return None
                if not self._changed.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    raise DemoFault(f"за {self._patience:.0f} с ничего не произошло: {what}")

    def refresh(self) -> None:
        """Look now."""
        # One at a time, so that an older picture never replaces a newer one. Tasks first: what ends between the two
        # reads is seen as ended, what moves on is still seen as running.
        with self._looking:
            tasks = {t.instance_id: t for t in self._engine.tasks.find(process_definition_key=ROUTE)}
            running = frozenset(i.id for i in self._engine.processes.instances(process_definition_key=ROUTE))
            with self._changed:
                self._running, self._tasks = running, tasks
                self._changed.notify_all()

    def _watch(self) -> None:
        while not self._stop.wait(self._pause):
            try:
                self.refresh()
                self.fault = None
            except EngineError as error:
                self.fault = str(error)


class Carrier:
    """Carries planned orders through the route. `tell` is called after each step, for the progress view."""

    def __init__(
        self,
        engine: EngineClient,
        people: People,
        route: Route,
        zone: ZoneInfo,
        tell: Callable[[], None] = lambda: None,
        portal: PortalPeople | None = None,
        patience: float = STEP_SECONDS,
    ) -> None:
        self._engine, self._people, self._route, self._zone, self._tell = engine, people, route, zone, tell
        self._portal = portal
        self._patience = patience
        self._watcher = Watcher(engine, patience=patience)
        self._stopping = threading.Event()

    def carry_all(self, orders: list[Carried], at_once: int = 8) -> None:
        """Carry all orders, `at_once` at a time; faults are left in the orders."""
        self._watcher.start()
        pool = ThreadPoolExecutor(at_once, thread_name_prefix="order")
        try:
            for future in [pool.submit(self._carry, order) for order in orders]:
                future.result()
        finally:
            self._stopping.set()
            if self._portal is not None:
                self._portal.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            self._watcher.stop()

    def _carry(self, order: Carried) -> None:
        try:
            self._start(order)
            task: Task | None = None
            while not self._stopping.is_set():
                what = f"{order.key} после шага «{order.stage or 'начало'}»"
                task = self._watcher.wait(order.instance_id, task.id if task else None, what)
                if task is None:
                    break
                self._step(order, task)
                self._tell()
            order.ended = True
        except (DemoFault, EngineError, Stuck) as error:
            order.fault = str(error)
        self._tell()

    def _start(self, order: Carried) -> None:
        plan = order.plan
        person = self._people.pick("orderCreators", plan.rng("initiator")).id
        values = start_values(plan)
        if plan.story is not Story.TWIN_START:
            order.instance_id = self._people.start(person, ROUTE, values).id
        else:
            with ThreadPoolExecutor(2) as pool:
                both = [pool.submit(self._people.start, person, ROUTE, values, plan.key) for _ in range(2)]
                order.instance_id, order.twin_id = self._which_goes_on([start.result().id for start in both])
        order.key = self._key_of(order.instance_id)
        self._watcher.refresh()
        self._tell()

    def _which_goes_on(self, twins: list[str]) -> tuple[str, str]:
        """Wait until one of two starts of the same order has ended as a duplicate; return (goes on, ended)."""
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline and not self._stopping.wait(0.2):
            running = {i.id for i in self._engine.processes.instances(process_definition_key=ROUTE)}
            left = [t for t in twins if t in running]
            if len(left) == 1:
                return left[0], next(t for t in twins if t != left[0])
            if not left:
                raise DemoFault("из двух одинаковых заявок не осталось ни одной")
        raise DemoFault("две одинаковые заявки идут обе: дубль не закрыт")

    def _key_of(self, instance_id: str) -> str:
        return self._engine.processes.instance(instance_id).business_key or ""

    def _step(self, order: Carried, task: Task) -> None:
        stage = self._route.stage(task.element)
        if stage is None:
            raise DemoFault(f"{order.key}: шаг {task.element} не описан в диаграмме")
        order.stage = stage.code
        order.visits[stage.code] += 1
        self._tell()
        if stage.code == "manufacture" and self._during_manufacture(order):
            return
        values = answer(order.plan, stage.code, order.visits[stage.code], datetime.now(self._zone))
        person, door = self._person(order, stage, task), self._door(order, stage)
        order.doors[door] += 1
        if door is Door.TASKLIST or self._portal is None:
            self._people.finish(person, task.id, values)
        else:
            self._portal.answer(door, self._people.known(person), order.key, stage, values)

    def _door(self, order: Carried, stage: Stage) -> Door:
        """Choose where this step is answered; some orders meet people's mischief on the way."""
        if self._portal is None:
            return Door.TASKLIST
        if stage.code == "approve" and order.visits["approve"] == 1:
            somebody = self._people.pick(stage.groups[0], order.plan.rng("mischief"))
            if order.plan.number in DRAGGED:
                self._portal.drag(somebody, order.key, "ship")
            if order.plan.number == UNTASKED:
                self._portal.delete_task(somebody, order.key, stage)
        return door_of(order.plan, stage.code, order.visits[stage.code])

    def _person(self, order: Carried, stage: Stage, task: Task) -> str:
        if task.assignee:
            return task.assignee
        return self._people.pick(stage.groups[0], order.plan.rng(f"{stage.code}-{order.visits[stage.code]}")).id

    def _during_manufacture(self, order: Carried) -> bool:
        """Do what the story wants while the order is being made; tell whether the order ended by it."""
        story, rng = order.plan.story, order.plan.rng("manufacture")
        if story is Story.LATE:
            self._until(order, "lateFlags", lambda flags: bool(json.loads(str(flags or "[]"))), "отметка об опоздании")
        elif story is Story.MOVED:
            before = self._variable(order, "readyBy")
            person = self._people.pick("productionDirectors", rng).id
            self._people.start(person, "move-ready-date", move_values(order.key, datetime.now(self._zone)))
            self._until(order, "readyBy", lambda now: now != before, "новый срок готовности")
        elif story is Story.CANCELLED:
            self._people.start(self._people.pick("commercial", rng).id, "cancel-order", cancel_values(order.key))
            return True
        return False

    def _variable(self, order: Carried, name: str) -> object:
        return self._engine.processes.variables(order.instance_id).get(name)

    def _until(self, order: Carried, name: str, good: Callable[[object], bool], what: str) -> None:
        deadline = time.monotonic() + self._patience
        while not good(self._variable(order, name)):
            if time.monotonic() > deadline or self._stopping.wait(0.3):
                raise DemoFault(f"{order.key}: за {self._patience:.0f} с не появилось: {what}")


__all__ = ["Carried", "Carrier", "DemoFault", "Values", "Watcher"]
