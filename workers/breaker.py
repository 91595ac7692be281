"""Is the portal known to be down? Counted from what portal topics met; no timer, no thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

THRESHOLD = 5
PROBE_SECONDS = 15.0

log = structlog.get_logger()


class Breaker:
    """Opens after five portal failures in a row, lets one probe through every 15 s, closes at the first success."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._mutex = threading.Lock()
        self._failures = 0
        self._last = 0.0

    @property
    def open(self) -> bool:
        """Tell whether the portal is known to be down."""
        return self._failures >= THRESHOLD

    def may_fetch(self) -> bool:
        """Tell whether work that can wait for the portal may be fetched: always while closed, else as a probe."""
        return not self.open or self._monotonic() - self._last >= PROBE_SECONDS

    def failed(self) -> None:
        """Note that the portal could not be used."""
        with self._mutex:
            self._failures += 1
            self._last = self._monotonic()
            opened = self._failures == THRESHOLD
        if opened:
            log.warning("portal_breaker_opened", failures=THRESHOLD, probe_seconds=PROBE_SECONDS)

    def worked(self) -> None:
        """Note that the portal answered."""
        with self._mutex:
            closed, self._failures = self.open, 0
        if closed:
            log.info("portal_breaker_closed")
