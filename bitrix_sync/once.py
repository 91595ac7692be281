"""Creating a thing in the portal exactly once: key, ledger, look before acting (reliability.md K, L, V)."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bitrix_sync.errors import NotExecuted, PortalRefused, UnknownOutcome
from bitrix_sync.guard import Guarded
from ledger import Effect, Ledger
from ledger.failpoints import failpoint
from orders.errors import Transient

SETTLE_SECONDS = 60.0  # the portal's own limit for a request: until then the first create may still be running

log = structlog.get_logger(__name__)

Find = Callable[[], str | None]
Make = Callable[[], str]


class Once:
    """Creates under a key. `settle_seconds`: how long after a lost answer "not found" proves nothing."""

    def __init__(self, ledger: Ledger, *, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._ledger, self._settle = ledger, settle_seconds

    def create(
        self, key: str, method: str, guard: Guarded, find: Find, make: Make, *, look: bool = True, safe: bool = False
    ) -> str:
        """Return the remote id of the thing with this key, making it where it is proven to be missing.

        `find` looks in the portal; `look`: also before the very first try, as a lost ledger demands; `safe`: the
        portal itself keeps a repeat from doubling (Idempotency-Key).
        Raises Transient while it is too early to know whether an earlier call was done.
        """
        effect = self._ledger.effect(key)
        if effect.remote_id is not None and effect.state == "done":
            return effect.remote_id
        if (look or effect.open) and (found := find()) is not None:
            return self._note(key, found)
        if effect.open and not safe:
            self.wait(effect, method)
        guard.check()
        self._ledger.intend(key)
        failpoint("after_intent", method)
        failpoint("before_call", method)
        try:
            made = make()
        except (NotExecuted, PortalRefused):
            self._ledger.undo(key)
            raise
        except UnknownOutcome:
            return self._after_lost_answer(key, method, find)
        failpoint("after_call", method)
        if not guard.still_ours():
            self._ledger.unknown(key)
            raise Transient(f"ответ на {method} пришёл после конца аренды", 1.0)
        return self._note(key, made)

    def _after_lost_answer(self, key: str, method: str, find: Find) -> str:
        self._ledger.unknown(key)
        log.warning("create_outcome_unknown", method=method, key=key)
        if (found := find()) is not None:
            return self._note(key, found)
        raise Transient(f"неизвестно, выполнен ли {method}: портал ещё может его выполнять", self._settle)

    def wait(self, effect: Effect | None, method: str) -> None:
        """Raise Transient while an earlier call under this effect may still be running in the portal."""
        if effect is None or not effect.open:
            return
        left = (effect.last or 0.0) + self._settle - self._ledger.now()
        left = min(left, self._settle)  # a clock that was set back makes no longer wait
        if left > 0:
            raise Transient(f"неизвестно, выполнен ли {method}: проверка через {left:.0f} с", left)

    def _note(self, key: str, remote_id: str) -> str:
        self._ledger.done(key, remote_id)
        return remote_id
