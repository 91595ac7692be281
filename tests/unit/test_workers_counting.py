"""Rule: an attempt is in the ledger before its handler runs, also when many begin at once, and no waiting task is
counted; what completed is forgotten some day, anything else at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from ledger import Ledger, LedgerError
from workers.counting import MANY, Counting


class Gate:
    """A ledger whose first write waits until it is let through; notes how many tasks each write counted."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.sizes: list[int] = []
        self.open = threading.Event()
        self.inside = threading.Event()

    def attempts(self, task_ids: Iterable[str], over: Iterable[str] = ()) -> dict[str, int]:
        """Count, the first time only when let through."""
        ids = list(task_ids)
        self.sizes.append(len(ids))
        self.inside.set()
        assert self.open.wait(30)
        return self.ledger.attempts(ids, over)

    def forget(self, *task_ids: str) -> None:
        """Forget."""
        self.ledger.forget(*task_ids)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Open a ledger."""
    return Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")


def begin(counting: Counting, names: list[str]) -> tuple[list[threading.Thread], dict[str, object]]:
    """Begin these tasks, each in a thread of its own; return the threads and what each was told."""
    told: dict[str, object] = {}

    def one(name: str) -> None:
        try:
            told[name] = counting.begin(name)
        except LedgerError as error:
            told[name] = error

    threads = [threading.Thread(target=one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    return threads, told


def test_all_that_begin_during_a_write_are_the_next_write(ledger: Ledger) -> None:
    gate = Gate(ledger)
    counting = Counting(gate)
    first, told_first = begin(counting, ["a"])
    assert gate.inside.wait(10)
    more, told = begin(counting, [f"t{n}" for n in range(12)])
    while len(counting._begun) < 12:
        assert not threading.Event().wait(0.01)
    gate.open.set()
    for thread in (*first, *more):
        thread.join(30)
    assert gate.sizes == [1, 12]
    assert told_first == {"a": 1}
    assert told == {f"t{n}": 1 for n in range(12)}
    assert ledger.attempts(["a", "t0", "waits"]) == {"a": 2, "t0": 2, "waits": 1}


def test_a_count_stands_in_the_ledger_before_begin_returns(ledger: Ledger) -> None:
    counting = Counting(ledger)
    assert [counting.begin("t") for _ in range(3)] == [1, 2, 3]
    assert ledger.attempt("t") == 4


def test_an_answer_other_than_completion_is_forgotten_at_once(ledger: Ledger) -> None:
    counting = Counting(ledger)
    counting.begin("t")
    counting.forget("t")
    assert ledger.attempt("t") == 1


def test_completed_tasks_are_forgotten_many_at_once_and_at_the_end(ledger: Ledger) -> None:
    counting = Counting(ledger)
    for n in range(MANY):
        counting.begin(f"t{n}")
        counting.complete(f"t{n}")
    assert ledger.attempts(["t0"]) == {"t0": 2}, "not yet: one write for many"
    counting.begin("next")
    assert ledger.attempts(["t0", "t1", "next"]) == {"t0": 1, "t1": 1, "next": 2}
    counting.begin("last")
    counting.complete("last")
    counting.flush()
    assert ledger.attempt("last") == 1


def test_a_ledger_in_trouble_is_told_to_each_that_waits_and_the_next_are_counted(ledger: Ledger) -> None:
    class Broken(Gate):
        def attempts(self, task_ids: Iterable[str], over: Iterable[str] = ()) -> dict[str, int]:
            """Fail while closed."""
            if not self.open.is_set():
                raise LedgerError("no room")
            return super().attempts(task_ids, over)

    gate = Broken(ledger)
    counting = Counting(gate)
    threads, told = begin(counting, ["a", "b", "c"])
    for thread in threads:
        thread.join(30)
    assert [type(found) for found in told.values()] == [LedgerError] * 3
    gate.open.set()
    assert counting.begin("a") == 1


def test_an_answer_given_while_the_ledger_is_in_trouble_counts_as_given(ledger: Ledger) -> None:
    class Full(Gate):
        def forget(self, *task_ids: str) -> None:
            """Fail."""
            raise LedgerError("no room")

    gate = Full(ledger)
    gate.open.set()
    counting = Counting(gate)
    assert [counting.begin(name) for name in ("t", "u")] == [1, 1]
    counting.forget("t")
    assert counting.begin("t") == 1, "its last attempt was answered"
    assert counting.begin("u") == 2
