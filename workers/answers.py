"""Send an answer to the engine until it has surely arrived.

Connection errors, 5xx and optimistic locking are repeated, five tries with jitter. 404 after a try that may have
arrived means done. An engine that answers 500 because the *next* step fails raises ServerError after the last try:
then the failure table speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from tenacity.wait import wait_base

from engine.errors import Conflict, EngineDown, LockLost, NotFound, ServerError
from workers.failures import BpmnError, Failure
from workers.holding import Held
from workers.ports import ExternalTasks
from workers.task import Dropped

TRIES = 5
_REPEATED = (EngineDown, Conflict, ServerError)
_JITTER = wait_random_exponential(multiplier=0.2, max=3)


class Answers:
    """The three answers of a worker. Each raises Dropped when the task is not ours any more."""

    def __init__(self, engine: ExternalTasks, worker_id: str, wait: wait_base = _JITTER) -> None:
        self._engine = engine
        self._worker_id = worker_id
        self._retrying = Retrying(
            stop=stop_after_attempt(TRIES), wait=wait, retry=retry_if_exception_type(_REPEATED), reraise=True
        )

    def complete(self, held: Held, values: Mapping[str, object]) -> None:
        """Complete with these variables. Raises an EngineError that no repeat can mend."""
        self._send(held, lambda: self._engine.complete(held.task.id, self._worker_id, values))

    def bpmn_error(self, held: Held, error: BpmnError) -> None:
        """Raise a BPMN error."""
        self._send(
            held,
            lambda: self._engine.bpmn_error(held.task.id, self._worker_id, error.code, error.message, error.outputs),
        )

    def failure(self, held: Held, failure: Failure) -> None:
        """Report a failure."""
        self._send(
            held,
            lambda: self._engine.failure(
                held.task.id,
                self._worker_id,
                failure.message,
                retries=failure.retries,
                retry_seconds=failure.wait,
                details=failure.details,
            ),
        )

    def _send(self, held: Held, call: Callable[[], None]) -> None:
        held.begin_answer()
        once = _Once(call)
        try:
            once.send()
        except _REPEATED as error:  # seldom: the frame of tries costs a good part of the answer itself
            once.failed = error
            self._retrying(once.send)


class _Once:
    """One answer over all its tries: remembers whether an earlier one may have arrived."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._maybe_arrived = False
        self.failed: Exception | None = None  # of the first try, for whoever counts the tries

    def send(self) -> None:
        """Try once, or tell how the first try ended."""
        if self.failed is not None:
            failed, self.failed = self.failed, None
            raise failed
        try:
            self._call()
        except NotFound:
            if not self._maybe_arrived:
                raise Dropped("cancelled") from None
        except LockLost:
            raise Dropped("lock lost") from None
        except EngineDown as error:
            self._maybe_arrived |= error.maybe_done
            raise
        except ServerError:
            self._maybe_arrived = True
            raise
