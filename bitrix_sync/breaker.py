"""The breaker: after trouble that every order would meet, stop calling, say so once, and look again each 15 s."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from bitrix_sync.errors import HeldBack
from ledger import Ledger

FAILURES = 5
PROBE_SECONDS = 15.0

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
        """Open at once; the alarm is raised once until the portal is back."""
        with self._lock:
            first, self.alarm = self.alarm is None, why
        if not first:
            return
        self._ledger.lease(self._lease, self._probe_seconds)
        log.error("portal_alarm", portal=self._portal, reason=why)
        if self._on_alarm:
            self._on_alarm(why)

    @property
    def _lease(self) -> str:
        return f"probe:{self._portal}"
