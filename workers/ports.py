"""What the worker needs of the engine and the ledger; `engine.external.External` and `ledger.Ledger` fulfil it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from engine.external import ExternalTask, Topic
from orders.stage import Route

Routes = Callable[[str], Route]
"""Definition id -> the deployed diagram of that version."""


class ExternalTasks(Protocol):
    """The engine's external-task interface through the worker's account. Raises `engine.errors`; times in seconds."""

    def fetch_and_lock(
        self, worker_id: str, topics: Sequence[Topic], max_tasks: int, *, poll_seconds: float = 0.0
    ) -> list[ExternalTask]:
        """Lock what is due, oldest first; waits up to `poll_seconds` for the first task."""
        ...

    def complete(self, task_id: str, worker_id: str, values: Mapping[str, object] | None = None) -> None:
        """Complete, writing variables."""
        ...

    def failure(
        self, task_id: str, worker_id: str, message: str, *, retries: int, retry_seconds: float = 0.0, details: str = ""
    ) -> None:
        """Report a failure; with 0 retries the engine makes an incident."""
        ...

    def bpmn_error(
        self, task_id: str, worker_id: str, code: str, message: str, values: Mapping[str, object] | None = None
    ) -> None:
        """Raise a BPMN error, writing variables."""
        ...

    def extend_lock(self, task_id: str, worker_id: str, seconds: float) -> None:
        """Let the lock last `seconds` from now."""
        ...

    def unlock(self, task_id: str) -> None:
        """Give the task back at once."""
        ...


class Attempts(Protocol):
    """Counts attempts before they run, so that a task which kills its process is noticed."""

    def attempts(self, task_ids: Iterable[str], over: Iterable[str] = ()) -> Mapping[str, int]:
        """Count one more attempt of each; return how many there were without an answer. Those `over` are forgotten."""
        ...

    def forget(self, *task_ids: str) -> None:
        """Begin to count anew: the attempts were answered."""
        ...
