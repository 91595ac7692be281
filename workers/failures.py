"""The failure table: what the engine is told when a handler did not return. One pure function, no clock.

==============================================  ==========================================================
programming error, unknown exception            3 attempts, 5 s and 15 s apart, then an incident
Transient, PortalUnavailable, LedgerError       11 retries over a day (`LADDER`), then an incident
… of a topic with patience                      never waits past the patience, then its other answer
… while the portal is known to be down          waits without using up a retry
Permanent, bad input, 4xx of the engine         incident at once
BusinessError                                   BPMN error, if the diagram catches the code there, else incident
process crash                                   5 attempts counted before the handler runs, then an incident
==============================================  ==========================================================

The engine never counts retries down, the worker does. `retries` is the only memory between attempts, so both
ladders share it: 1 and 2 belong to unknown exceptions, 3 and more to waiting. An operator who sets one retry thus
gets exactly one attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.errors import EngineError, ServerError
from ledger.errors import ForeignLedger, LedgerError
from orders.errors import BusinessError, Permanent, Transient
from workers.details import sentence, traceback_text, unmasked

LADDER = (30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0, *[14400.0] * 4, 14400.0)
"""Seconds between attempts while something is away (`reliability` mechanism R): 11 retries in about a day."""

SOON = (5.0, 15.0)
"""Seconds between attempts after an exception that nobody foresaw."""

CRASH_ATTEMPTS = 5
"""How often a task may take its process down before a person has to look."""

_FULL = len(SOON) + len(LADDER) + 1


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known about the failed attempt. Seconds; `age` by the engine's clock since the task was created."""

    topic: str
    retries: int | None = None  # as the engine holds it; None before the first failure
    age: float = 0.0
    patience: float | None = None  # None: this topic may wait for as long as the ladder lasts
    caught: frozenset[str] = field(default_factory=frozenset)  # error codes that the diagram catches here
    portal_down: bool = False


@dataclass(frozen=True, slots=True)
class BpmnError:
    """Tell the diagram about an obstacle that it knows."""

    code: str
    message: str
    outputs: dict[str, object]


@dataclass(frozen=True, slots=True)
class Failure:
    """Report a failure; `retries` 0 is an incident. `wait` in seconds, `message` for people, `details` for us."""

    retries: int
    wait: float
    message: str
    details: str

    @property
    def incident(self) -> bool:
        """Tell whether a person has to look."""
        return self.retries == 0


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The patience is over: complete with the topic's other answer."""

    message: str


Decision = BpmnError | Failure | GiveUp


def decide(error: BaseException, at: Situation, mask: Callable[[str], str] = unmasked) -> Decision:
    """Return what the engine is told about this exception."""
    match error:
        case BusinessError() if error.code in at.caught:
            return BpmnError(error.code, sentence(str(error), mask), error.outputs)
        case BusinessError():
            return _incident(error, f"{at.topic}: ошибку {error.code} на этом шаге схема не ждёт. {error}", mask)
        case Permanent():
            return _incident(error, str(error), mask)
        case Transient():  # the portal, the engine away, two answers at once
            return _wait(error, error.retry_after, at, mask)
        case LedgerError() if not isinstance(error, ForeignLedger):  # its disk is full, its database away
            return _wait(error, None, at, mask)
        case EngineError() if not isinstance(error, ServerError):
            return _incident(error, f"{at.topic}: система процессов отказала: {error}", mask)
        case _:
            return _soon(error, at, mask)


def crashed(topic: str, attempt: int) -> Failure | None:
    """Return the incident of a task that took its process down too often, or None while it may be tried."""
    if attempt <= CRASH_ATTEMPTS:
        return None
    text = f"{topic}: процесс обработчика {CRASH_ATTEMPTS} раз завершился аварийно на этом шаге. Посмотрите журнал"
    return Failure(0, 0.0, text, f"{CRASH_ATTEMPTS} attempts ended without an answer: the worker process died")


def _wait(error: Exception, asked: float | None, at: Situation, mask: Callable[[str], str]) -> Decision:
    text, details = sentence(str(error), mask), traceback_text(error, mask)
    if at.patience is not None:
        left = at.patience - at.age
        return (
            Failure(_full(at.retries), min(asked or _rung(at.retries), left), text, details)
            if left > 0
            else GiveUp(text)
        )
    retries = _full(at.retries) - (0 if at.portal_down else 1)
    if retries in (0, len(SOON)):
        return Failure(0, 0.0, text, details)
    return Failure(retries, max(asked or 0.0, _rung(at.retries)), text, details)


def _soon(error: BaseException, at: Situation, mask: Callable[[str], str]) -> Failure:
    left = min(len(SOON) + 1 if at.retries is None else at.retries, len(SOON) + 1) - 1
    text = f"{at.topic}: внутренняя ошибка {type(error).__name__}: {error}"
    wait = SOON[len(SOON) - left] if left > 0 else 0.0
    return Failure(max(left, 0), wait, sentence(text, mask), traceback_text(error, mask))


def _incident(error: BaseException, text: str, mask: Callable[[str], str]) -> Failure:
    return Failure(0, 0.0, sentence(text, mask), traceback_text(error, mask))


def _full(retries: int | None) -> int:
    """Return the retries to count from: a fresh task has the whole ladder and its first attempt."""
    return _FULL if retries is None else max(retries, 1)


def _rung(retries: int | None) -> float:
    """Return the next wait in seconds; a count left by another kind of failure starts at the first rung."""
    done = _FULL - _full(retries)
    return LADDER[done] if 0 <= done < len(LADDER) else LADDER[0]
