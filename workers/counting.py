"""Counting attempts for many slots at once: whoever begins while the ledger writes is counted by the next write.

An attempt is counted before its handler runs, and only then: a task that merely waits in the queue is not to blame
when the process dies. A completed task never comes back, so its count may go along with some later write; after
any other answer the task comes back, and its count is dropped at once.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from ledger.errors import LedgerError
from workers.ports import Attempts

MANY = 100  # so many completed tasks are dropped at once


@dataclass(slots=True)
class _Begun:
    task_id: str
    count: int = 0
    error: BaseException | None = None


class Counting:
    """Counts attempts in the ledger, many in one write."""

    def __init__(self, ledger: Attempts) -> None:
        self._ledger = ledger
        self._mutex = threading.Lock()
        self._writing = threading.Lock()
        self._begun: list[_Begun] = []
        self._over: list[str] = []
        self._overdue = False  # a drop has failed: the next write must not be without it

    def begin(self, task_id: str) -> int:
        """Count one more attempt and return how many there were without an answer. Raises what the ledger raises."""
        mine = _Begun(task_id)
        with self._mutex:
            self._begun.append(mine)
        with self._writing:
            if not mine.count and mine.error is None:  # the write before this one began before this task did
                self._write()
        if mine.error is not None:
            raise mine.error
        return mine.count

    def complete(self, task_id: str) -> None:
        """Let the count of a completed task go with the next write."""
        with self._mutex:
            self._over.append(task_id)

    def forget(self, *task_ids: str) -> None:
        """Begin to count anew, now: the attempt was answered and the task will come back.

        While the ledger is in trouble this waits for the next write, which counts nothing before.
        """
        with self._mutex:
            self._over += task_ids
        self.flush()

    def flush(self) -> None:
        """Drop all that is over."""
        with self._mutex:
            over, self._over = self._over, []
        if over:
            try:
                self._ledger.forget(*over)
            except LedgerError:
                self._again(over)

    def _write(self) -> None:
        with self._mutex:
            begun, self._begun = self._begun, []
            over: list[str] = []
            if self._overdue or len(self._over) >= MANY:
                over, self._over, self._overdue = self._over, [], False
        try:
            counts = self._ledger.attempts([one.task_id for one in begun], over)
        except BaseException as error:  # whatever it is, each of them has to hear it; the failure table decides
            self._again(over)
            for one in begun:
                one.error = error
            return
        for one in begun:
            one.count = counts[one.task_id]

    def _again(self, over: list[str]) -> None:
        if over:
            with self._mutex:
                self._over[:0] = over
                self._overdue = True
