"""Handler slots: what runs, what waits for a slot, and how much more may be fetched."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass

from workers.holding import Held
from workers.portal import PortalWatch
from workers.registry import Registry


@dataclass(frozen=True, slots=True)
class Plan:
    """The next poll: which topics, how many tasks at most; `partial` when capacity kept a topic out."""

    topics: tuple[str, ...]
    max_tasks: int
    partial: bool


class Slots:
    """A bounded set of handler slots with per-topic limits and a small queue fetched ahead.

    Portal topics are never fetched ahead: their work would only age in the queue while another worker is free.
    """

    def __init__(self, registry: Registry, size: int) -> None:
        self._registry = registry
        self._size = size
        self._ahead = size // 2
        self._queue: deque[Held] = deque()
        self._running: Counter[str] = Counter()
        self._changed = threading.Condition()

    def plan(self, portal: PortalWatch) -> Plan | None:
        """Return what to poll for, or None while there is room for nothing."""
        with self._changed:
            free = self._size - self._running.total() - len(self._queue)
            room = free if free > 0 else free + self._ahead
            queued = Counter(held.task.topic for held in self._queue)
            optional = portal.may_fetch()
            wanted = [h for h in self._registry if optional or not h.optional]
            within = [h for h in wanted if h.limit is None or self._running[h.name] + queued[h.name] < h.limit]
            topics = [h.name for h in within if free > 0 or not h.portal]
        if room <= 0 or not topics:
            return None
        if free > 0 and not any(h.portal for h in within):
            room = free + self._ahead
        return Plan(tuple(topics), room, partial=len(topics) < len(wanted))

    def put(self, held: Held) -> None:
        """Queue a task for the next free slot."""
        with self._changed:
            self._queue.append(held)
            self._changed.notify_all()

    def take(self, seconds: float) -> Held | None:
        """Return the oldest queued task whose topic is below its limit, waiting up to `seconds` for one."""
        end = time.monotonic() + seconds
        with self._changed:
            while (held := self._next()) is None:
                left = end - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return None
            self._running[held.task.topic] += 1
            return held

    def done(self, held: Held) -> None:
        """Free the slot of a task."""
        with self._changed:
            self._running[held.task.topic] -= 1
            self._changed.notify_all()

    def drain(self) -> list[Held]:
        """Take everything out of the queue."""
        with self._changed:
            drained = list(self._queue)
            self._queue.clear()
            self._changed.notify_all()
            return drained

    def wait_for_change(self, seconds: float) -> None:
        """Wait until a slot or the queue changes."""
        with self._changed:
            self._changed.wait(seconds)

    def wait_idle(self, seconds: float) -> bool:
        """Wait until nothing runs; True if it has come to that."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running.total(), max(seconds, 0.0))

    def _next(self) -> Held | None:
        for held in self._queue:
            limit = self._registry[held.task.topic].limit
            if limit is None or self._running[held.task.topic] < limit:
                self._queue.remove(held)
                return held
        return None
