"""Rule: a worker process may be ended in any way at any moment; its work is done by the next one, once."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from shop import Shop, wait_until
from workbench import Bench, ending, marks_of, new_bench

pytestmark = pytest.mark.engine


@pytest.fixture
def bench(shop: Shop, tmp_path: Path) -> Bench:
    """Deploy a process of one step."""
    return new_bench(shop, tmp_path)


def test_sigterm_releases_everything(bench: Bench, tmp_path: Path) -> None:
    """SIGTERM in the middle of work: the process ends within ten seconds with code 0, and nothing stays locked."""
    marks = tmp_path / "marks"
    instances = [bench.start() for _ in range(6)]
    worker = bench.process("hang", marks, LOCK="60")
    with ending(worker):
        wait_until(lambda: len(marks_of(marks)) == 4, 60, "four tasks in work")
        begun = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10.5) == 0
        assert time.monotonic() - begun <= 10.5
    assert [t.id for t in bench.tasks() if t.worker_id] == []
    after = tmp_path / "after"
    other = bench.process("note", after)
    with ending(other):
        bench.ended(*instances, seconds=50)  # sooner than the 60 s of the locks


def test_sigkill_loses_nothing(bench: Bench, tmp_path: Path) -> None:
    """SIGKILL in the middle of work: the next worker does it when the locks have ended."""
    marks, after = tmp_path / "marks", tmp_path / "after"
    instances = [bench.start() for _ in range(6)]
    worker = bench.process("hang", marks)
    with ending(worker):
        wait_until(lambda: len(marks_of(marks)) == 4, 60, "four tasks in work")
        worker.kill()
        worker.wait(5)
        other = bench.process("note", after)
        with ending(other):
            bench.ended(*instances, seconds=60)
    assert len(marks_of(after)) == 6
    assert all(not bench.incidents(i) for i in instances)


def test_poison_task_is_put_aside_after_five_deaths(bench: Bench, tmp_path: Path) -> None:
    """A task whose handler ends the process is tried five times, then it is an incident and the worker lives."""
    marks = tmp_path / "marks"
    instance = bench.start()
    deaths = 0
    while not bench.incidents(instance):
        worker = bench.process("crash", marks, LOCK="1")
        with ending(worker):
            wait_until(
                lambda w=worker: w.poll() is not None or bench.incidents(instance), 60, "a death or the incident"
            )
            deaths += worker.poll() == 1
        assert deaths <= 5
    assert deaths == 5
    assert len(marks_of(marks)) == 5
