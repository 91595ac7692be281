"""What the engine's answers mean, by HTTP status **and** engine code.

::

    EngineError(OrderRouteError)
    ├── EngineDown(Transient)     no answer, a proxy's 502/503/504, or a 500 because the database is away;
    │                             `maybe_done`: the request may have been executed
    ├── Conflict(Transient)       two at the same rows (engine codes 1, 10000, 10001): repeat
    ├── Unauthorized              401: the account or its password
    ├── Forbidden                 403: the account lacks the right
    ├── NotFound                  404, or the 500 that the engine gives for a task that is gone
    ├── BadRequest                400
    │   ├── LockLost              the external task belongs to another worker, or its lock has expired
    │   ├── NothingWaits          no execution waits for that message any more
    │   ├── ModelRefused          a diagram was refused; `problems` name element, line and reason
    │   └── TooLong               a value the database cannot take (engine code 10002)
    ├── GateRefused(Refused)      engine code 22401: the text is the Russian sentence for the person
    ├── StaleVisit(Refused)       the step was closed by somebody else
    ├── NotYours(Forbidden, Refused)  the person may not answer this step
    └── ServerError               any other answer: 500, a redirect, HTML instead of JSON

A 500 is not by itself worth a retry (the engine answers 500 for a finished task), so the code and the engine's
exception type decide first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pycamunda
import pycamunda.request

from orders.errors import OrderRouteError, Refused, Transient

GATE_CODE = 22401
_CONFLICTS = (1, 10000, 10001)  # optimistic locking, deadlock, a row that was deleted meanwhile
_COLUMN_TOO_SMALL = 10002
_DATABASE_AWAY = ("persistence layer", "JDBC", "CannotCreateTransaction", "TransactionSystemException")
_MISMATCH = "MismatchingMessageCorrelationException"
_GONE = ("task is null", "Cannot find task with id")
_LOCK_LOST = ("cannot be completed by worker", "cannot be failed by worker", "Cannot extend a lock", "It is locked by")


class EngineError(OrderRouteError):
    """The engine refused or failed a call. `status` is None where no HTTP answer came."""

    def __init__(self, message: str, *, status: int | None = None, code: int | None = None, kind: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.kind = kind  # the engine's exception type, e.g. "InvalidRequestException"


class EngineDown(EngineError, Transient):
    """The engine did not answer. `maybe_done` tells whether the request may have been executed all the same."""

    retry_after: float | None = None

    def __init__(self, message: str, *, status: int | None = None, maybe_done: bool = False) -> None:
        EngineError.__init__(self, message, status=status)
        self.maybe_done = maybe_done


class Conflict(EngineError, Transient):
    """Somebody else changed the same rows first; the same call may be repeated."""

    retry_after: float | None = None


class Unauthorized(EngineError):
    """The account is unknown or its password is wrong."""


class Forbidden(EngineError):
    """The account lacks the right."""


class NotFound(EngineError):
    """The thing is gone, or hidden from this account."""


class BadRequest(EngineError):
    """The call itself is wrong."""


class LockLost(BadRequest):
    """The external task is locked by another worker or its lock has expired: throw the result away."""


class NothingWaits(BadRequest):
    """No execution waits for the message: it came too late."""


class TooLong(BadRequest):
    """A value does not fit its column: text over 4,000 characters, a key over 255."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a diagram was refused. `line` counts from 1; None where the engine did not say."""

    file: str
    message: str
    line: int | None = None
    element: str | None = None

    def __str__(self) -> str:
        place = ", ".join(p for p in (self.element, f"строка {self.line}" if self.line else None) if p)
        return f"{self.file}: {place + ': ' if place else ''}{self.message}"


class ModelRefused(BadRequest):
    """A deployment was refused; the text lists every problem, one a line."""

    def __init__(
        self, problems: Sequence[Problem], *, status: int | None = 400, code: int | None = None, kind: str = ""
    ) -> None:
        super().__init__("\n".join(map(str, problems)), status=status, code=code, kind=kind)
        self.problems = tuple(problems)


class GateRefused(EngineError, Refused):
    """The gate refused a start or an answer; the text is one Russian sentence and nothing has changed."""


class StaleVisit(EngineError, Refused):
    """The step is closed already; the text is one Russian sentence."""


class NotYours(Forbidden, Refused):
    """This person may not answer this step; the text is one Russian sentence."""


class ServerError(EngineError):
    """The engine failed inside, or something that is not the engine answered."""


_BY_STATUS: Mapping[int, type[EngineError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
}
_PROXY_SAYS_DOWN = (502, 503, 504)


def from_answer(status: int, body: object, text: str = "") -> EngineError:
    """Turn an answer of status 300 and above into the error it means.

    `body` is the parsed JSON or None; `text` is what to show where there is no JSON (a proxy's page).
    """
    data: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    message, kind = str(data.get("message") or ""), str(data.get("type") or "")
    raw_code = data.get("code")
    code = raw_code if isinstance(raw_code, int) and not isinstance(raw_code, bool) else None
    if status in _PROXY_SAYS_DOWN:
        return EngineDown(f"the engine is not reachable: HTTP {status}", status=status, maybe_done=status != 503)
    if not data:
        shown = " ".join(text.split())[:200]
        plain = _BY_STATUS.get(status, ServerError)
        return plain(f"HTTP {status} without an engine's answer: {shown or 'empty'}", status=status)
    if status == 500 and not (message or kind):
        # The server around the engine, not its REST layer: it could not even look up who asks.
        return EngineDown("the engine's server cannot work now: HTTP 500", status=status, maybe_done=True)
    if kind == "ParseException":
        return ModelRefused(problems_of(data), status=status, code=code, kind=kind)
    found = _class_of(status, code, kind, message)
    if found is ServerError and any(sign in f"{kind} {message}" for sign in _DATABASE_AWAY):
        return EngineDown(f"the engine's database does not answer: {message}", status=status, maybe_done=True)
    return found(message or f"HTTP {status}", status=status, code=code, kind=kind)


def _class_of(status: int, code: int | None, kind: str, message: str) -> type[EngineError]:
    if code == GATE_CODE:
        return GateRefused
    if code in _CONFLICTS or kind == "OptimisticLockingException":
        return Conflict
    if code == _COLUMN_TOO_SMALL:
        return TooLong
    if _MISMATCH in f"{kind} {message}":  # REST wraps it in an exception of its own
        return NothingWaits
    if status == 400 and any(t in message for t in _LOCK_LOST):
        return LockLost
    if status in (400, 500) and any(t in message for t in _GONE):
        return NotFound
    return _BY_STATUS.get(status, ServerError)


def problems_of(data: Mapping[str, Any]) -> list[Problem]:
    """Read the details of a ParseException, errors before everything else; never an empty list."""
    found = []
    details = data.get("details")
    for file, report in details.items() if isinstance(details, Mapping) else ():
        found += [
            Problem(file, str(error.get("message", "")), error.get("line") or None, error.get("mainElementId"))
            for error in report.get("errors") or ()
        ]
    return found or [Problem("BPMN", str(data.get("message") or "модель не принята"))]


_OF_PYCAMUNDA: Mapping[type[Exception], type[EngineError]] = {
    pycamunda.BadRequest: BadRequest,
    pycamunda.Unauthorized: Unauthorized,
    pycamunda.Forbidden: Forbidden,
    pycamunda.NotFound: NotFound,
    pycamunda.NoSuccess: ServerError,
    pycamunda.InternalServerError: ServerError,
    pycamunda.PyCamundaException: BadRequest,  # raised by itself only for wrong arguments
    pycamunda.request.InvalidInput: BadRequest,
}


def from_pycamunda(error: Exception) -> EngineError:
    """Turn an exception of the request library into ours; the nearest class of its ancestry decides."""
    for kind in type(error).__mro__:
        if kind in _OF_PYCAMUNDA:
            ours = _OF_PYCAMUNDA[kind]
            return ours(str(error) or kind.__name__, status=getattr(error, "http_code", None), kind=kind.__name__)
    return ServerError(f"{type(error).__name__}: {error}")
