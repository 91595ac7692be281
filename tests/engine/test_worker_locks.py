"""Rule: work is kept while it is ours, dropped when it is not, and an answer is repeated until it has arrived."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from shop import Shop, wait_until
from workbench import QUICK, Bench, counted, done, new_bench

from engine.client import EngineClient
from engine.errors import Conflict, EngineDown
from engine.external import External
from workers.registry import topic
from workers.runtime import Options
from workers.task import Task

pytestmark = pytest.mark.engine


@pytest.fixture
def bench(shop: Shop, tmp_path: Path) -> Bench:
    """Deploy a process of one step."""
    return new_bench(shop, tmp_path)


def test_cancelled_instance_tells_its_handler(bench: Bench) -> None:
    """The handler of an instance that is gone learns it within a third of the lock, and its result is dropped."""
    began, told = threading.Event(), threading.Event()

    @topic(bench.topic)
    def long_work(task: Task) -> None:
        """Work until told to stop."""
        began.set()
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if task.cancelled():
                told.set()
                task.hold()  # raises: nothing more may be sent

    instance = bench.start()
    with bench.worker(long_work) as worker:
        assert began.wait(10)
        bench.shop.admin.processes.delete(instance.id)
        assert told.wait(QUICK.lock)
        wait_until(lambda: counted(worker, "dropped", bench) == 1, 5, "the dropped result")
        assert counted(worker, "completed", bench) == 0
        assert counted(worker, "failed", bench) == 0


def test_slow_handler_keeps_its_lock(bench: Bench) -> None:
    """Work three times as long as the lock is done once, though another worker waits for it."""
    seen: list[str] = []

    @topic(bench.topic)
    def slow(task: Task) -> None:
        """Work for three locks."""
        seen.append(task.id)
        threading.Event().wait(3 * QUICK.lock)
        task.hold()

    instance = bench.start()
    with bench.worker(slow), bench.worker(slow):
        bench.ended(instance, seconds=30)
    assert len(seen) == 1


def test_lost_lock_stops_the_work_before_the_next_call(bench: Bench) -> None:
    """When another worker has got the task, `hold` raises and no answer is sent."""
    began, go, dropped = threading.Event(), threading.Event(), threading.Event()

    @topic(bench.topic)
    def zombie(task: Task) -> None:
        """Wait, then want to call the outside world."""
        began.set()
        go.wait(20)
        try:
            task.hold()
        finally:
            dropped.set()
        pytest.fail("the outside call was made")

    instance = bench.start()
    with bench.worker(zombie, options=Options(lock=3.0, poll=1.0, slots=1)) as worker:
        assert began.wait(10)
        [task] = bench.tasks()
        bench.shop.admin.external.unlock(task.id)  # what the end of a lock does for a process that was stopped
        bench.shop.admin.external.lock(task.id, "another-worker", 60.0)
        wait_until(lambda: counted(worker, "lock_lost", bench) == 1, 10, "the keeper's notice")
        go.set()
        assert dropped.wait(5)
        wait_until(lambda: counted(worker, "dropped", bench) == 1, 5, "the dropped result")
    assert instance.id in bench.running()
    assert bench.tasks()[0].worker_id == "another-worker"


def test_a_stopped_worker_cannot_answer_for_its_successor(bench: Bench) -> None:
    """Two processes on one host, set up alike: what one slept through, the other one does, and does alone."""
    began, wake, ended = threading.Event(), threading.Event(), threading.Event()
    took, go_on = threading.Event(), threading.Event()
    outside: list[str] = []

    @topic(bench.topic)
    def sleeper(task: Task) -> None:
        """Stand still between the fetch and the outside call."""
        began.set()
        wake.wait(30)
        try:
            task.hold()
            outside.append("sleeper")
        finally:
            ended.set()

    @topic(bench.topic)
    def successor(task: Task) -> None:
        """Be at the same work when the other one wakes up."""
        took.set()
        go_on.wait(30)
        outside.append("successor")

    # Long locks: the successor has the task before the sleeper's keeper turns to it again.
    instance, calm = bench.start(), Options(lock=12.0, poll=1.0, slots=1)
    with bench.worker(sleeper, options=calm) as asleep:
        assert began.wait(10)
        [task] = bench.tasks()
        with bench.worker(successor, options=calm):
            bench.shop.admin.external.unlock(task.id)  # what the end of a lock does for a process that was stopped
            assert took.wait(10)
            wait_until(lambda: counted(asleep, "lock_lost", bench) == 1, 20, "the refused extension")
            wake.set()
            assert ended.wait(5)
            go_on.set()
            bench.ended(instance)
        assert counted(asleep, "completed", bench) == 0
    assert outside == ["successor"]


class Faulty(External):
    """The real engine behind a bad line: the first answers go wrong as told."""

    def __init__(self, client: EngineClient, *errors: tuple[bool, Exception]) -> None:
        super().__init__(client.caller)
        self.errors = list(errors)
        self.calls = 0

    def complete(self, task_id: str, worker_id: str, values: Any = None) -> None:
        """Complete; the next planned error comes instead of the answer, after or before the call is carried out."""
        self.calls += 1
        if not self.errors:
            return super().complete(task_id, worker_id, values)
        carried_out, error = self.errors.pop(0)
        if carried_out:
            super().complete(task_id, worker_id, values)
        raise error


@pytest.mark.parametrize(
    ("errors", "calls"),
    [
        ([(True, EngineDown("answer lost", maybe_done=True))], 2),
        ([(False, EngineDown("no connection"))], 2),
        ([(False, Conflict("optimistic locking"))] * 4, 5),
        ([(False, EngineDown("no answer", maybe_done=True)), (True, EngineDown("lost", maybe_done=True))], 3),
    ],
)
def test_answer_is_repeated_until_it_has_arrived(bench: Bench, errors: Any, calls: int) -> None:
    """A lost answer, a refused connection and optimistic locking end in one completion and no incident."""
    seen: list[str] = []
    instance = bench.start()
    with EngineClient(*bench.shop.worker_credentials) as client:
        faulty = Faulty(client, *errors)
        with bench.worker(done(bench, seen), engine=faulty) as worker:
            bench.ended(instance)
            wait_until(lambda: counted(worker, "completed", bench) == 1, 10, "the completion")
            assert counted(worker, "failed", bench) == 0
    assert faulty.calls == calls
    assert len(seen) == 1
