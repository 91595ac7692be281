"""Rule: before each outside call at least half of the lock is left, and a refused extension stops the work."""

from __future__ import annotations

import time

import pytest
from worker_world import task

from engine.errors import BadRequest, EngineDown, EngineError, NotFound
from workers.holding import Held, Holdings
from workers.metrics import Metrics
from workers.ports import ExternalTasks
from workers.runtime import worker_id
from workers.task import Dropped

LOCK = 30.0


class Line(ExternalTasks):
    """The one call to the engine that holding makes: notes who asked, and answers as it was told."""

    def __init__(self, *refusals: EngineError | None) -> None:
        self.refusals = list(refusals)
        self.asked: list[tuple[str, str, float]] = []

    def extend_lock(self, task_id: str, worker_id: str, seconds: float) -> None:
        """Take the next answer."""
        self.asked.append((task_id, worker_id, seconds))
        if self.refusals and (refusal := self.refusals.pop(0)):
            raise refusal


def holdings(line: Line) -> Holdings:
    return Holdings(line, "w1", LOCK, Metrics())


def held(line: Line, passed: float, *, book: Holdings | None = None, name: str = "t1") -> Held:
    """Return work of whose lock so many seconds have passed."""
    return (book or holdings(line)).take(task("sync-stage", id=name), {}, time.monotonic() - passed)


def test_no_two_starts_of_a_process_have_one_name() -> None:
    """The engine compares names only: with one name a stopped process could answer for its successor."""
    assert len({worker_id() for _ in range(50)}) == 50


def test_a_fresh_lock_is_not_renewed_and_an_old_one_is() -> None:
    """A call that begins has half a lock before it."""
    line = Line()
    fresh, old = held(line, LOCK * 0.4), held(line, LOCK * 0.6)
    fresh.hold()
    assert line.asked == []
    old.task.hold()
    assert line.asked == [("t1", "w1", LOCK)]
    assert old.left() > LOCK * 0.9
    old.hold()
    assert len(line.asked) == 1


@pytest.mark.parametrize(("refusal", "why"), [(BadRequest("locked by w2"), "lock lost"), (NotFound("x"), "cancelled")])
def test_a_refused_extension_stops_the_work_for_good(refusal: EngineError, why: str) -> None:
    """No further call is made, and no answer is sent."""
    line = Line(refusal)
    work = held(line, LOCK * 0.6)
    for _ in range(2):
        with pytest.raises(Dropped, match=why):
            work.task.hold()
    assert len(line.asked) == 1
    assert work.task.cancelled()
    with pytest.raises(Dropped):
        work.begin_answer()


def test_an_engine_that_is_away_stops_the_call_that_would_begin() -> None:
    """Nobody knows whose the lock is: no outside call, and no claim that it is lost either."""
    work = held(Line(EngineDown("away"), None), LOCK * 0.6)
    with pytest.raises(EngineDown):
        work.hold()
    work.hold()
    assert work.gone is None


def test_the_keeper_renews_every_lock_though_one_is_in_trouble() -> None:
    """One task's trouble costs no other its lock; young locks are left alone."""
    line = Line(EngineDown("away"))
    book = holdings(line)
    for name, passed in (("old", LOCK * 0.3), ("older", LOCK * 0.7), ("young", LOCK * 0.2)):
        held(line, passed, book=book, name=name)
    with pytest.raises(EngineDown):
        book.keep()
    assert [name for name, *_ in line.asked] == ["old", "older"]
