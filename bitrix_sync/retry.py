"""Which call may be repeated after which trouble, and how long to wait (reliability.md R, bitrix24.md 1)."""

from __future__ import annotations

import time
from enum import StrEnum

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_before_delay, wait_random_exponential

from bitrix_sync.errors import AccessLost, HeldBack, Limited, Moved, NotExecuted, UnknownOutcome

LADDER_SECONDS = 10.0  # in one process; a longer wait belongs to the engine's retry, not to a sleeping handler


class Kind(StrEnum):
    """What repeating a call would do."""

    READ = "read"
    WRITE = "write"  # idempotent: a second time changes nothing more
    CREATE = "create"  # a second time makes a second thing


_READS = frozenset({
    "get", "list", "fields", "getlist", "getchildren", "getbyentitytypeid", "profile", "current", "count", "limit",
    "time", "scope", "gettypes", "getfields",
})  # fmt: skip
_WRITES = frozenset({
    "update", "complete", "renew", "start", "pause", "defer", "approve", "disapprove", "delete", "set",
})  # fmt: skip
_NOTICES = frozenset({"im.notify.personal.add", "im.notify.system.add"})  # a repeated TAG replaces the first


def kind_of(method: str) -> Kind:
    """Judge a method by its last word; an unknown one is taken for a create, the most careful kind."""
    word = method.lower().rsplit(".", 1)[-1]
    if method.lower() in _NOTICES or word in _WRITES:
        return Kind.WRITE
    return Kind.READ if word in _READS else Kind.CREATE


def retrying(kind: Kind, deadline: float | None, sleep: object = time.sleep) -> Retrying:
    """Return the loop for one call: 1, 2, 4, 8 s with full jitter, never past the ladder or the deadline.

    `deadline` is a `time.monotonic()` instant.
    """
    room = LADDER_SECONDS if deadline is None else min(LADDER_SECONDS, max(0.0, deadline - time.monotonic()))
    return Retrying(
        retry=retry_if_exception(lambda error: _again(error, kind)),
        wait=_wait,
        stop=stop_before_delay(room),
        sleep=sleep,  # type: ignore[arg-type]  # tenacity types it as a function of int or float
        reraise=True,
    )


def _again(error: BaseException, kind: Kind) -> bool:
    if isinstance(error, AccessLost | HeldBack | Moved):
        return False
    if isinstance(error, NotExecuted):
        return True
    return isinstance(error, UnknownOutcome) and kind is not Kind.CREATE


_jitter = wait_random_exponential(multiplier=1, max=8)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Limited) and error.retry_after is not None:
        return error.retry_after
    return float(_jitter(state))
