"""Counting attempts for many slots at once: whoever begins while the ledger writes is counted by the next write.

An attempt is counted before its handler runs, and only then: a task that merely waits in the queue is not to blame
when the process dies. A completed task never comes back, so its count may go along with some later write; after
any other answer the task comes back, and its count is dropped at once.
"""

from __future__ import annotations

import contextlib
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
        self._completed: list[str] = []

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
            self._completed.append(task_id)

    def forget(self, *task_ids: str) -> None:
        """Begin to count anew, now: the attempt was answered and the task will come back."""
        self._ledger.forget(*task_ids)

    def flush(self) -> None:
        """Drop what has waited for a write that did not come; what cannot be written now is old some day."""
        with self._mutex:
            completed, self._completed = self._completed, []
        if completed:
            with contextlib.suppress(LedgerError):
                self._ledger.forget(*completed)

    def _write(self) -> None:
        with self._mutex:
            begun, self._begun = self._begun, []
            completed: list[str] = []
            if len(self._completed) >= MANY:
                completed, self._completed = self._completed, []
        try:
            counts = self._ledger.attempts([one.task_id for one in begun], completed)
        except BaseException as error:  # whatever it is, each of them has to hear it; the failure table decides
            for one in begun:
                one.error = error
            return
        for one in begun:
            one.count = counts[one.task_id]
