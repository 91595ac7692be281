"""All running orders, kept fresh in few requests: only what moved since the last look is read again.

A look costs five requests whatever the number of orders (one more per 1,000), and seven per fifty orders that moved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from engine.client import EngineClient
from engine.rights import ROUTE
from engine.snapshot import TOGETHER, SnapshotReader
from engine.steps import ManySteps
from engine.tasks import Candidates, Task
from orders.parts import in_parts
from orders.snapshot import OpenVisit, OrderSnapshot

_AT_ONCE = 2000  # instances that our server's route answers in one request
_SEAM = timedelta(seconds=20)  # looked at twice: clocks differ, and a transaction's times lie before its commit
_Open = frozenset[tuple[object, ...]]


class RunningOrders:
    """Snapshots of all running orders. For one thread at a time; `progress` is told (read, to read)."""

    def __init__(
        self, client: EngineClient, reader: SnapshotReader, progress: Callable[[int, int], None] = lambda *_: None
    ) -> None:
        self._client, self._reader, self._progress = client, reader, progress
        self._known: dict[str, OrderSnapshot] = {}
        self._looked: datetime | None = None

    def refresh(self) -> list[OrderSnapshot]:
        """Return all running orders as they are now, oldest first. Raises EngineError; what was known stays."""
        begun = datetime.now(UTC)
        ids = self._reader.running_instances(ROUTE)
        moved = set(self._moved(ids))
        parts = list(in_parts(ids, _AT_ONCE))
        steps = [self._client.steps.of_many(part) for part in parts]
        tasks = self._client.tasks.find(process_definition_key=ROUTE)
        for instance_id, told in _told(tasks, steps).items():
            known = self._known.get(instance_id)
            if known is not None and _open_of(known) != told:
                moved.add(instance_id)
        for snapshot in self._known.values():
            told_of = next((s for s in steps if snapshot.instance_id in s.pauses), None)
            paused = told_of.pauses[snapshot.instance_id] if told_of else ()
            incidents = sum(s.incidents.get(snapshot.instance_id, 0) for s in steps)
            if (snapshot.incidents, snapshot.paused) != (incidents, paused):
                moved.add(snapshot.instance_id)
        wanted = [i for i in ids if i in moved or i not in self._known]
        self._read(wanted)
        present = set(ids)
        self._known = {i: s for i, s in self._known.items() if i in present and s.running}
        self._looked = begun
        return [self._known[i] for i in ids if i in self._known]

    def _moved(self, ids: Iterable[str]) -> Iterable[str]:
        if self._looked is None:
            return ids
        return self._reader.moved_instances(ROUTE, self._looked - _SEAM)

    def _read(self, wanted: list[str]) -> None:
        done, told = 0, time.monotonic()
        for part in in_parts(wanted, TOGETHER):
            for snapshot in self._reader.snapshots(part):
                self._known[snapshot.instance_id] = snapshot
            done += len(part)
            if done == len(wanted) or time.monotonic() - told > 0.2:
                told = time.monotonic()
                self._progress(done, len(wanted))


def _told(tasks: Iterable[Task], steps: Iterable[ManySteps]) -> dict[str, _Open]:
    """Return what the runtime says of the open steps, by instance."""
    candidates = {task_id: found for part in steps for task_id, found in part.candidates.items()}
    nobody = Candidates((), ())
    told: dict[str, set[tuple[object, ...]]] = {}
    for task in tasks:
        who = candidates.get(task.id, nobody)
        users = frozenset(user for user in who.users if user != task.assignee)
        mark = (task.id, task.assignee, task.due, frozenset(who.groups), users)
        told.setdefault(task.instance_id, set()).add(mark)
    return {instance_id: frozenset(marks) for instance_id, marks in told.items()}


def _open_of(snapshot: OrderSnapshot) -> _Open:
    return frozenset(_mark(visit) for visit in snapshot.open if visit.engine_task is not None)


def _mark(visit: OpenVisit) -> tuple[object, ...]:
    return (visit.engine_task, visit.assignee, visit.due, frozenset(visit.groups), frozenset(visit.users))
