"""One task from fetch to answer: count the attempt, run the handler, answer, write one line.

Here, and nowhere else, everything that a handler may raise is caught, RecursionError, MemoryError and SystemExit too,
and goes to the failure table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from engine.errors import EngineError
from ledger.failpoints import failpoint
from orders.errors import BusinessError, PortalUnavailable
from workers.answers import Answers
from workers.counting import Counting
from workers.details import sentence
from workers.failures import BpmnError, Decision, Failure, GiveUp, Situation, crashed, decide
from workers.holding import Held
from workers.metrics import Metrics
from workers.portal import PortalWatch
from workers.ports import Routes
from workers.registry import Handler, Registry
from workers.task import Dropped

log = structlog.get_logger()


@dataclass(frozen=True)
class Execution:
    """Runs handlers. `patience` in seconds; `mask` takes secrets out of a text."""

    registry: Registry
    world: Mapping[str, object]
    answers: Answers
    attempts: Counting
    routes: Routes
    portal: PortalWatch
    metrics: Metrics
    patience: float
    mask: Callable[[str], str]

    def work(self, held: Held) -> None:
        """Run one task to its answer. Raises nothing that the task is to blame for."""
        task = held.task
        started = time.monotonic()
        with structlog.contextvars.bound_contextvars(
            topic=task.topic, business_key=task.business_key, instance=task.instance_id, task=task.id
        ):
            outcome, extra = self._outcome(held)
            seconds = time.monotonic() - started
            self.metrics.seconds.labels(task.topic).observe(seconds)
            log.info(f"external_task_{outcome}", seconds=round(seconds, 3), retries=task.retries, **extra)
            # This process lives, so whatever happened was no crash.
            if outcome == "completed":
                self.attempts.complete(task.id)
            else:
                self.attempts.forget(task.id)

    def _outcome(self, held: Held) -> tuple[str, dict[str, object]]:
        attempt = 0
        try:
            attempt = self.attempts.begin(held.task.id)
            outcome, extra = self._attempt(held, attempt)
        except Dropped as dropped:
            outcome, extra = "dropped", {"why": str(dropped)}
        except BaseException as error:  # no answer could be given: the lock ends and the engine hands it out anew
            outcome, extra = "dropped", {"why": sentence(f"{type(error).__name__}: {error}", self.mask)}
        if outcome == "dropped":
            self.metrics.dropped.labels(held.task.topic).inc()
        return outcome, {"attempt": attempt, **extra}

    def _attempt(self, held: Held, attempt: int) -> tuple[str, dict[str, object]]:
        handler = self.registry[held.task.topic]
        decision: Decision | None = crashed(held.task.topic, attempt)
        if decision is None:
            decision = self._run(held, handler)
        if isinstance(decision, GiveUp):
            self.metrics.patience_over.labels(held.task.topic).inc()
            log.warning("portal_patience_over", age=round(held.age, 1), reason=decision.message)
            decision = self._run(held, handler, give_up=True)
        try:
            return self._tell(held, decision)
        except EngineError as error:
            if not isinstance(decision, BpmnError):
                raise
            return self._tell(held, self._judge(held, handler, error, waited=True))

    def _run(self, held: Held, handler: Handler[..., object], *, give_up: bool = False) -> Decision | None:
        """Run the handler and complete; return None when done, else what the failure table says."""
        try:
            held.hold()  # it may have waited in the queue longer than its lock
            values = handler.run(held.task, held.variables, self.world, give_up=give_up)
            failpoint("before_complete", held.task.topic)
            self.answers.complete(held, values)
            failpoint("after_complete", held.task.topic)
        except Dropped:
            raise
        except BaseException as error:  # the failure table: whatever a handler raises is one task's trouble
            return self._judge(held, handler, error, waited=give_up)
        return None

    def _judge(self, held: Held, handler: Handler[..., object], error: BaseException, *, waited: bool) -> Decision:
        patient = handler.patience is not None and not waited
        at = Situation(
            topic=held.task.topic,
            retries=held.task.retries,
            age=held.age,
            patience=self.patience if patient else None,
            portal_down=self.portal.down and isinstance(error, PortalUnavailable),
        )
        if isinstance(error, BusinessError):
            try:
                route = self.routes(held.task.definition_id)
            except Exception as unread:  # the diagram could not be read: that failure is the one to report
                return decide(unread, at, self.mask)
            at = Situation(topic=at.topic, caught=route.caught.get(held.task.activity_id, frozenset()))
        return decide(error, at, self.mask)

    def _tell(self, held: Held, decision: Decision | None) -> tuple[str, dict[str, object]]:
        topic = held.task.topic
        match decision:
            case None:
                self.metrics.completed.labels(topic).inc()
                return "completed", {}
            case BpmnError():
                self.answers.bpmn_error(held, decision)
                self.metrics.bpmn_errors.labels(topic).inc()
                return "bpmn_error", {"code": decision.code}
            case Failure():
                self.answers.failure(held, decision)
                self.metrics.failed.labels(topic).inc()
                if decision.incident:
                    self.metrics.incidents.labels(topic).inc()
                return "failed", {"left": decision.retries, "wait": decision.wait, "reason": decision.message}
            case GiveUp():  # the other answer has no patience of its own, so this cannot be reached
                raise AssertionError("a give-up after a give-up")
