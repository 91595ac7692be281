"""The work in hand: each fetched task with its lock, kept until it is answered.

A late answer would be taken by the engine as long as nobody refetched the task, and a second worker may be at it
already; so nothing is sent for work whose lock is not known to be ours.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from engine.errors import BadRequest, EngineError, NotFound
from workers.metrics import Metrics
from workers.ports import ExternalTasks
from workers.task import Dropped, Task

log = structlog.get_logger()


class Held:
    """One task in hand. `until` is the monotonic second at which our lock ends."""

    def __init__(
        self, task: Task, variables: Mapping[str, Any], fetched: float, lock_seconds: float, keeper: Holdings
    ) -> None:
        self.task = replace(task, hold=self.hold, cancelled=lambda: self.gone is not None)
        self.variables = variables
        self.fetched = fetched
        self.until = fetched + lock_seconds
        self.gone: str | None = None  # why the work is not ours any more
        self._lock_seconds = lock_seconds
        self._keeper = keeper
        self._answering = False
        self._mutex = threading.Lock()  # guards whose the work is; never held through a call: a stop must not wait
        self._renewing = threading.Lock()  # one renewal at a time

    @property
    def age(self) -> float:
        """Return the seconds since the task was created: the engine's clock up to the fetch, our own after it."""
        return self.task.age + time.monotonic() - self.fetched

    def left(self) -> float:
        """Return the seconds left of the lock."""
        return self.until - time.monotonic()

    def hold(self) -> None:
        """Return with at least half of the lock left, renewing it if need be. Raises Dropped when it is not ours."""
        if self.gone is None and self.left() < self._lock_seconds / 2:
            self.extend(self._lock_seconds / 2)
        self.check()

    def extend(self, when_less_than: float) -> None:
        """Renew the lock if less than so many seconds are left; a refusal marks the work as gone."""
        with self._renewing:
            if self.gone is not None or self.left() >= when_less_than:
                return
            asked = time.monotonic()
            try:
                self._keeper.engine.extend_lock(self.task.id, self._keeper.worker_id, self._lock_seconds)
            except NotFound:
                self._lost("cancelled")
            except BadRequest:
                self._lost("lock lost")
            else:
                self.until = asked + self._lock_seconds

    def check(self) -> None:
        """Raise Dropped when the work is known not to be ours any more; asks nobody."""
        if self.gone is not None:
            raise Dropped(self.gone)

    def begin_answer(self) -> None:
        """From now on a missing task may simply be answered. Raises Dropped when the work is not ours any more."""
        with self._mutex:
            self.check()
            self._answering = True

    def abandon(self, why: str) -> bool:
        """Take the work away from its handler; False if an answer is under way or nothing is left to take."""
        with self._mutex:
            if self.gone is not None or self._answering:
                return False
            self.gone = why
            return True

    def _lost(self, why: str) -> None:
        with self._mutex:
            if self._answering or self.gone is not None:  # the answer has arrived first, or will be refused by itself
                return
            self.gone = why
        if why == "lock lost":
            self._keeper.metrics.lock_lost.labels(self.task.topic).inc()
        log.warning("external_task_gone", topic=self.task.topic, task=self.task.id, why=why)


class Holdings:
    """All work in hand of one worker."""

    def __init__(self, engine: ExternalTasks, worker_id: str, lock_seconds: float, metrics: Metrics) -> None:
        self.engine = engine
        self.worker_id = worker_id
        self.lock_seconds = lock_seconds
        self.metrics = metrics
        self._mutex = threading.Lock()
        self._held: dict[str, Held] = {}

    def take(self, task: Task, variables: Mapping[str, Any], fetched: float) -> Held:
        """Put a freshly fetched task under care; `fetched` in monotonic seconds."""
        held = Held(task, variables, fetched, self.lock_seconds, self)
        with self._mutex:
            self._held[task.id] = held
        return held

    def drop(self, held: Held) -> None:
        """End the care for a task."""
        with self._mutex:
            if self._held.get(held.task.id) is held:
                del self._held[held.task.id]

    def all(self) -> list[Held]:
        """Return what is in hand now."""
        with self._mutex:
            return list(self._held.values())

    def keep(self) -> None:
        """Renew every lock of which a quarter has passed: one round of the lock keeper.

        Raises the last EngineError after the round, so that one task's trouble costs no other its lock.
        """
        trouble: EngineError | None = None
        for held in self.all():
            try:
                held.extend(self.lock_seconds * 0.75)
            except EngineError as error:
                trouble = error
        if trouble is not None:
            raise trouble
