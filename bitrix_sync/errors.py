"""How a call to the portal can end badly (bitrix24.md 1, design.md 6).

::

    PortalUnavailable (orders.errors, Transient)
    ├── NotExecuted      certainly not done: no connection, no time left
    │   ├── Limited      503 or 429: the portal asked to wait
    │   ├── HeldBack     the breaker is open: not even tried
    │   ├── AccessLost   401, 403 or an unknown method: the webhook, not the order, is to blame
    │   └── Moved        302: the portal has another address
    └── UnknownOutcome   timeout, 5xx, HTML, half an answer: done or not, nobody knows
    Permanent
    ├── PortalRefused    4xx with a code: the request itself is wrong
    ├── NoColumn         the order is at a stage that has no column here
    └── Unreadable       an answer that no parser takes, each time anew
"""

from __future__ import annotations

from orders.errors import Permanent, PortalUnavailable


class NotExecuted(PortalUnavailable):
    """The portal certainly did not do it: the call may be repeated."""


class Limited(NotExecuted):
    """The portal throttles us; `retry_after` seconds where it said so."""


class HeldBack(NotExecuted):
    """The portal is held to be away; the next look is due in `retry_after` seconds."""


class NoColumn(Permanent):
    """The order is at a stage that the names read from the portal do not hold: perhaps of a newer diagram."""


class AccessLost(NotExecuted):
    """The webhook is revoked, its owner gone or without a scope: every order waits, none is to blame."""

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Moved(NotExecuted):
    """The portal answers with another address; it is not followed."""


class UnknownOutcome(PortalUnavailable):
    """Done or not: look before doing it again."""


class Unreadable(Permanent):
    """The answer about one object cannot be read; other objects are not affected."""


class PortalRefused(Permanent):
    """The portal refused the request. `code` as the portal gave it, which may be empty."""

    def __init__(self, method: str, status: int, code: str, description: str) -> None:
        why = description or "без объяснения"
        super().__init__(f"Битрикс24 отказал в {method}: {why} [{code or 'код пуст'}, {status}]")
        self.method, self.status, self.code, self.description = method, status, code, description

    @property
    def not_found(self) -> bool:
        """Tell whether the object asked for is not there."""
        return self.code in ("NOT_FOUND", "ERROR_NOT_FOUND") or "not found" in self.description.lower()
