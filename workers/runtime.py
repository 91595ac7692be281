"""The worker process: one poll for all topics, handler slots, a lock keeper, a clean stop.

One poll at a time and per process, never cut: a poll that its client leaves stays alive in the engine and locks the
next task for nobody. The worker id is new at each start, so two processes can never answer for each other.
"""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from engine.errors import EngineError
from engine.external import ExternalTask, Topic
from workers.answers import Answers
from workers.counting import Counting
from workers.details import unmasked
from workers.execution import Execution
from workers.holding import Held, Holdings
from workers.loops import Loop
from workers.metrics import Metrics
from workers.portal import PortalWatch
from workers.ports import Attempts, ExternalTasks, Routes
from workers.registry import Handler, Registry
from workers.slots import Plan, Slots
from workers.task import Task, never

log = structlog.get_logger()


def usual_slots() -> int:
    """Return how many handlers run at once where nobody says: they mostly wait, but each also takes turns on a core."""
    return min(16, 4 * (os.cpu_count() or 4))


@dataclass(frozen=True, slots=True)
class Options:
    """Times in seconds. `poll` is also how late a retry may be noticed: the end of a wait does not wake a poll."""

    lock: float = 30.0
    patience: float = 60.0
    poll: float = 5.0
    short_poll: float = 0.5  # while capacity keeps some topics out of the poll
    stop: float = 8.0  # the watch over the portal has the rest of ten
    slots: int = field(default_factory=usual_slots)


def worker_id() -> str:
    """Return a name that no other process start has or had."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4()}"


class Worker:
    """Fetches external tasks and runs their handlers until it is stopped.

    `engine` is `EngineClient.external` of the worker account, `world` holds the handlers' dependencies by name,
    `routes` reads the deployed diagram of a definition, `mask` takes secrets out of what goes to the engine,
    `portal_down` tells whether the portal's client holds the portal to be away.
    """

    def __init__(
        self,
        engine: ExternalTasks,
        registry: Registry,
        world: Mapping[str, object],
        *,
        attempts: Attempts,
        routes: Routes,
        options: Options | None = None,
        metrics: Metrics | None = None,
        mask: Callable[[str], str] = unmasked,
        portal_down: Callable[[], bool] = never,
    ) -> None:
        registry.check(world)
        self.id = worker_id()
        self.options = options or Options()
        self.metrics = metrics or Metrics()
        self._portal = PortalWatch(portal_down)
        self._engine = engine
        self._registry = registry
        self._attempts = Counting(attempts)
        self._slots = Slots(registry, self.options.slots)
        self._holdings = Holdings(engine, self.id, self.options.lock, self.metrics)
        self._execution = Execution(
            registry, world, Answers(engine, self.id), self._attempts, routes, self._portal, self.metrics,
            self.options.patience, mask,
        )  # fmt: skip
        self._stopping = threading.Event()
        self._poller = Loop("poller", self._poll, self.metrics)
        self._keeper = Loop("keeper", self._keep, self.metrics, slowest=max(self.options.lock / 6, 0.2))
        self._workers = [Loop(f"slot-{n}", self._work, self.metrics) for n in range(self.options.slots)]

    def start(self) -> None:
        """Begin to work; returns at once."""
        gc.freeze()  # what was loaded stays as long as the process: looking through it was a twentieth of all work
        log.info("worker_started", worker=self.id, topics=sorted(self._registry.topics), slots=self.options.slots)
        for loop in (self._keeper, *self._workers, self._poller):
            loop.start()

    def run(self, until: threading.Event) -> None:
        """Work until the event is set (by the process's signal handler), then stop cleanly."""
        self.start()
        try:
            until.wait()
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop within `Options.stop` seconds: no new poll, handlers end, what is left is unlocked."""
        end = time.monotonic() + self.options.stop - 0.5
        self._stopping.set()
        self._poller.stop()
        self._release(self._slots.drain(), end)
        if not self._poller.join(min(self.options.poll + 1.0, end - time.monotonic() - 2.0)):
            log.warning("worker_poll_left", worker=self.id)
        self._release(self._slots.drain(), end)
        idle = self._slots.wait_idle(end - time.monotonic() - 1.5)
        for loop in self._workers:
            loop.stop()
        self._release(self._holdings.all(), end)
        _within(end, self._attempts.flush)
        self._keeper.stop()
        log.info("worker_stopped", worker=self.id, idle=idle)

    def wait_idle(self, seconds: float) -> bool:
        """Wait until nothing is in hand, at most that long; tell whether it is so."""
        return self._slots.wait_idle(seconds)

    def healthy(self) -> bool:
        """Tell whether poller and keeper have turned lately and every slot's thread lives."""
        slow = self.options.poll + 30.0  # a poll may hang for its own limit, then pause once
        return (
            self._poller.beaten(slow)
            and self._keeper.beaten(self.options.lock / 3 + 35.0)
            and all(loop.beaten(float("inf")) for loop in self._workers)
        )

    # --- one turn of each loop

    def _poll(self) -> None:
        plan = self._slots.plan(self._portal)
        if plan is None:
            self._slots.wait_for_room(0.5)
            return
        wait = self.options.short_poll if plan.partial else self.options.poll
        asked = time.monotonic()
        found = self._engine.fetch_and_lock(self.id, self._topics(plan), plan.max_tasks, poll_seconds=wait)
        # A process that slept through the answer must not think that the lock began when it woke up.
        fetched = min(time.monotonic(), asked + wait + 1.0)
        held = [self._take(task, fetched) for task in found]
        if self._stopping.is_set():
            self._release(held, time.monotonic() + 2.0)

    def _take(self, found: ExternalTask, fetched: float) -> Held:
        handler = self._registry[found.topic]
        held = self._holdings.take(_task(found, self.options.lock), _declared(found, handler), fetched)
        self.metrics.fetched.labels(found.topic).inc()
        self.metrics.age.labels(found.topic).observe(held.task.age)
        if not self._stopping.is_set():
            self._slots.put(held)
        return held

    def _keep(self) -> None:
        self._holdings.keep()
        self._keeper.rest(self.options.lock / 3)

    def _work(self) -> None:
        held = self._slots.take(1.0)
        if held is None:
            return
        try:
            self._execution.work(held)
        finally:
            self._slots.done(held)
            self._holdings.drop(held)

    # ---

    def _topics(self, plan: Plan) -> list[Topic]:
        wanted = (self._registry[name] for name in plan.topics)
        return [Topic(h.name, self.options.lock, tuple(h.variables), extension_properties=True) for h in wanted]

    def _release(self, held: list[Held], end: float) -> None:
        """Give tasks back, as far as there is time."""
        mine = [h for h in held if h.abandon("worker stopping")]
        if not mine:
            return
        _within(end, lambda: self._unlock(mine))

    def _unlock(self, held: list[Held]) -> None:
        self._attempts.forget(*(one.task.id for one in held))  # the end of this process is no crash of their making
        for one in held:
            try:
                self._engine.unlock(one.task.id)
            except EngineError as error:
                log.warning("external_task_not_unlocked", task=one.task.id, error=str(error))
            self._holdings.drop(one)


def _within(end: float, call: Callable[[], None]) -> None:
    """Call in a thread of its own, so that an engine or a ledger which hangs cannot hold up the stop."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(max(end - time.monotonic(), 0.1))


def _declared(found: ExternalTask, handler: Handler[..., object]) -> Mapping[str, object]:
    names = set(handler.variables)
    return {name: value for name, value in found.variables.items() if name in names}


def _task(found: ExternalTask, lock_seconds: float) -> Task:
    """Build the handler's view; the age comes from the engine's clock alone: lock's end - lock - creation."""
    created = found.created
    if created is None or found.lock_until is None:
        raise EngineError(f"external task {found.id} came without createTime or lockExpirationTime")
    age = (found.lock_until - created).total_seconds() - lock_seconds
    return Task(
        id=found.id,
        topic=found.topic,
        business_key=found.business_key or "",
        instance_id=found.instance_id,
        definition_id=found.definition_id,
        process_id=found.definition_key,
        activity_id=found.activity_id,
        activity_instance_id=found.activity_instance_id,
        create_time=created,
        properties=found.properties,
        retries=found.retries,
        age=max(age, 0.0),
    )
