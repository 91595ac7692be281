"""A thread that turns until it is told to stop, whatever a turn raises.

A thread which dies of something that is not an Exception leaves a process that is alive, silent and idle. So this is
one of two places where everything is caught (the other is the failure table's): the turn is logged and counted, and
the next one comes after a growing pause. `beat` shows from outside that it turns.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import structlog

from ledger.failpoints import failpoint
from workers.metrics import Metrics

FIRST_PAUSE = 0.2

log = structlog.get_logger()


class Loop:
    """Call `turn` for ever in a daemon thread. `slowest` is the longest pause after errors in a row, in seconds."""

    def __init__(self, name: str, turn: Callable[[], None], metrics: Metrics, *, slowest: float = 6.0) -> None:
        self.name = name
        self._turn = turn
        self._metrics = metrics
        self._slowest = slowest
        self._stop = threading.Event()
        self._failing: str | None = None
        self._pause = FIRST_PAUSE
        self._beat = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"worker-{name}", daemon=True)

    def start(self) -> None:
        """Begin to turn."""
        self._beat = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Ask the loop to end after the present turn."""
        self._stop.set()

    def join(self, seconds: float) -> bool:
        """Wait for the end; True if it has come."""
        self._thread.join(max(seconds, 0.0))
        return not self._thread.is_alive()

    def rest(self, seconds: float) -> None:
        """Pause inside a turn; ends early when the loop is stopped."""
        self._stop.wait(seconds)

    def beaten(self, within: float) -> bool:
        """Tell whether the thread lives and has ended a turn within so many seconds."""
        return self._thread.is_alive() and time.monotonic() - self._beat <= within

    def _run(self) -> None:
        while not self._stop.is_set():
            failpoint("loop", self.name)  # the one way to end this thread: a test sees what the process then says
            try:
                self._once()
            except BaseException:
                self._stop.wait(FIRST_PAUSE)

    def _once(self) -> None:
        try:
            self._turn()
        except BaseException as error:  # a turn may end in anything, see above
            self._report(error)
            self._beaten()
            self._stop.wait(random.uniform(0.5, 1.0) * self._pause)  # noqa: S311 - jitter, no secret
            self._pause = min(self._pause * 2, self._slowest)
            return
        if self._failing:
            log.info("loop_recovered", loop=self.name)
        self._failing, self._pause = None, FIRST_PAUSE
        self._beaten()

    def _report(self, error: BaseException) -> None:
        """Say it once per kind of trouble, not at every turn; the counter shows the rest."""
        self._metrics.loop_errors.labels(self.name).inc()
        kind = type(error).__name__
        if kind != self._failing:
            log.warning("loop_failing", loop=self.name, error=f"{kind}: {error}"[:300])
        self._failing = kind

    def _beaten(self) -> None:
        self._beat = time.monotonic()
        self._metrics.beat.labels(self.name).set_to_current_time()
