"""Handler slots: what runs, what waits for a slot, and how much more may be fetched."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass

from workers.holding import Held
from workers.portal import PortalWatch
from workers.registry import Registry

AHEAD = 100  # never fetch more ahead, however quick the work is


@dataclass(frozen=True, slots=True)
class Plan:
    """The next poll: which topics, how many tasks at most; `partial` when capacity kept a topic out."""

    topics: tuple[str, ...]
    max_tasks: int
    partial: bool


class Slots:
    """A bounded set of handler slots with per-topic limits and a queue fetched ahead: what is done within a second.

    The engine looks through its whole backlog at each fetch, so quick work is fetched in large parts, and only when
    half of the part before is taken. Slow work would age in the queue while another worker is free.
    Portal topics are never fetched ahead.
    """

    def __init__(self, registry: Registry, size: int) -> None:
        self._registry = registry
        self._size = size
        self._done: deque[float] = deque(maxlen=AHEAD)  # when the latest tasks were done, monotonic seconds
        self._queue: deque[Held] = deque()
        self._running: Counter[str] = Counter()
        self._low = 0  # with more than this in the queue nobody need look for more
        self._mutex = threading.Lock()
        self._work = threading.Condition(self._mutex)  # something may be taken
        self._room = threading.Condition(self._mutex)  # more may be fetched, or nothing runs any more

    def plan(self, portal: PortalWatch) -> Plan | None:
        """Return what to poll for, or None while there is room for nothing."""
        with self._mutex:
            free = self._size - self._running.total() - len(self._queue)
            ahead = max(self._size // 2, self._lately())
            self._low = ahead // 2
            room = free if free > 0 else free + ahead
            queued = Counter(held.task.topic for held in self._queue)
            optional = portal.may_fetch()
            wanted = [h for h in self._registry if optional or not h.optional]
            within = [h for h in wanted if h.limit is None or self._running[h.name] + queued[h.name] < h.limit]
            topics = [h.name for h in within if free > 0 or not h.portal]
        if not topics or (free <= 0 and room <= self._low):
            return None
        if free > 0 and not any(h.portal for h in within):
            room = free + ahead
        return Plan(tuple(topics), room, partial=len(topics) < len(wanted))

    def put(self, held: Held) -> None:
        """Queue a task for the next free slot."""
        with self._mutex:
            self._queue.append(held)
            self._work.notify()

    def take(self, seconds: float) -> Held | None:
        """Return the oldest queued task whose topic is below its limit, waiting up to `seconds` for one."""
        end = time.monotonic() + seconds
        with self._mutex:
            while (held := self._next()) is None:
                left = end - time.monotonic()
                if left <= 0 or not self._work.wait(left):
                    return None
            self._running[held.task.topic] += 1
            return held

    def done(self, held: Held) -> None:
        """Free the slot of a task."""
        with self._mutex:
            self._running[held.task.topic] -= 1
            self._done.append(time.monotonic())
            if self._queue:
                self._work.notify()  # a topic may have been at its limit
            if len(self._queue) <= self._low:
                self._room.notify_all()

    def drain(self) -> list[Held]:
        """Take everything out of the queue."""
        with self._mutex:
            drained = list(self._queue)
            self._queue.clear()
            return drained

    def wait_for_room(self, seconds: float) -> None:
        """Wait until there may be room for more."""
        with self._room:
            self._room.wait(seconds)

    def wait_idle(self, seconds: float) -> bool:
        """Wait until nothing runs; True if it has come to that."""
        with self._room:
            return self._room.wait_for(lambda: not self._running.total(), max(seconds, 0.0))

    def _lately(self) -> int:
        """Return how many tasks were done within the last second."""
        since = time.monotonic() - 1.0
        return sum(at > since for at in self._done)

    def _next(self) -> Held | None:
        for held in self._queue:
            limit = self._registry[held.task.topic].limit
            if limit is None or self._running[held.task.topic] < limit:
                self._queue.remove(held)
                return held
        return None
