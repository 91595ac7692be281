"""The breaker: after trouble that every order would meet, stop calling, say so once, and look again each 15 s."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from bitrix_sync.errors import HeldBack
from ledger import Ledger

FAILURES = 5
PROBE_SECONDS = 15.0
QUIET_SECONDS = 600.0  # the same alarm is not repeated for so long

log = structlog.get_logger(__name__)


class Breaker:
    """Shared by all threads of a process; the right to probe is shared by all processes through the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        portal: str,
        *,
        probe_seconds: float = PROBE_SECONDS,
        on_alarm: Callable[[str], None] | None = None,
    ) -> None:
        self._ledger, self._portal, self._probe_seconds = ledger, portal, probe_seconds
        self._on_alarm = on_alarm
        self._lock = threading.Lock()
        self._failures = 0
        self._told = ("", 0.0)  # the last alarm and when
        self.alarm: str | None = None  # the sentence that is on, None while calls go through

    @property
    def open(self) -> bool:
        """Tell whether calls are held back."""
        return self.alarm is not None

    def admit(self, probe: Callable[[], object]) -> None:
        """Let a call through, or raise HeldBack while the portal is held to be away; may run one probe first."""
        if not self.open:
            return
        if self._ledger.lease(self._lease, self._probe_seconds) is None:
            raise HeldBack(f"Битрикс24 не опрашивается: {self.alarm}", self._probe_seconds)
        probe()  # raises where it fails; success closes the breaker

    def good(self) -> None:
        """Note a call that went through."""
        with self._lock:
            was, self.alarm, self._failures = self.alarm, None, 0
        if was:
            log.info("portal_back", portal=self._portal)

    def failed(self, why: str) -> None:
        """Note a transport failure; the fifth in a row opens."""
        with self._lock:
            self._failures += 1
            enough = self._failures >= FAILURES
        if enough:
            self.trip(f"портал не отвечает, {FAILURES} обращений подряд ({why})")

    def trip(self, why: str) -> None:
        """Open at once; the alarm is raised once until the portal is back, and not again soon for the same reason.

        A portal that refuses only some methods answers a probe well: the breaker closes and opens again and again.
        """
        now = time.monotonic()
        with self._lock:
            first, self.alarm = self.alarm is None, why
            again = self._told[0] == why and now - self._told[1] < QUIET_SECONDS
            if first and not again:
                self._told = (why, now)
        if not first:
            return
        self._ledger.lease(self._lease, self._probe_seconds)
        if again:
            return
        log.error("portal_alarm", portal=self._portal, reason=why)
        if self._on_alarm:
            self._on_alarm(why)

    @property
    def _lease(self) -> str:
        return f"probe:{self._portal}"
