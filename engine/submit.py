"""The one way in which a person's answer reaches the engine, whatever door it came through.

Check that the step is still the open one, claim it if nobody has, complete it as that person, and turn a refusal into
the sentence for the person. When the gate refuses, a claim made here is taken back: nothing has changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from engine.client import EngineClient
from engine.errors import (
    BadRequest,
    EngineDown,
    EngineError,
    Forbidden,
    GateRefused,
    NotFound,
    NotYours,
    ServerError,
    StaleVisit,
)
from engine.tasks import Task
from orders.snapshot import OpenVisit

_CLOSED = "Этот шаг уже закрыт: ответ не принят, обновите страницу"
_FOREIGN = "Этот шаг выполняет другой отдел: ответ не принят"
_OPENING = "Этот шаг ещё открывается: ответ будет принят через минуту"


@dataclass(frozen=True, slots=True)
class Submitted:
    """An accepted answer. `claimed` tells that this answer also took the step from the department."""

    task_id: str
    element: str
    instance_id: str
    person: str
    claimed: bool


def submit(
    person: EngineClient, step: OpenVisit | str, values: Mapping[str, object], *, visit: str | None = None
) -> Submitted:
    """Complete a step as the person of the client (`integration.as_person(id)`, or the person's own account).

    `step` is the open visit that the door showed, or an engine task id (then `visit`, if given, must be its key).
    Raises StaleVisit when it is closed, GateRefused with the gate's sentence, NotYours for the wrong person, and
    EngineDown when the engine did not answer and the step is not known to be done.
    """
    task_id, visit = (step.engine_task, step.visit) if isinstance(step, OpenVisit) else (step, visit)
    if task_id is None:
        raise StaleVisit(_OPENING)
    task = _open_task(person, task_id)
    if visit is not None:
        _check_visit(person, task, visit)
    claimed = task.assignee is None and _claim(person, task)
    try:
        _complete(person, task, values)
    except GateRefused:
        if claimed:
            with contextlib.suppress(EngineError):  # the refusal is what the person must read
                person.tasks.unclaim(task.id)
        raise
    return Submitted(task.id, task.element, task.instance_id, person.user, claimed)


def _open_task(person: EngineClient, task_id: str) -> Task:
    try:
        return person.tasks.get(task_id)
    except NotFound:
        if _still_open(person, task_id):
            raise NotYours(_FOREIGN, status=404) from None
        raise StaleVisit(_CLOSED) from None
    except Forbidden as error:
        raise NotYours(_FOREIGN, status=403) from error


def _still_open(person: EngineClient, task_id: str) -> bool:
    """Tell whether a task is only hidden from this person; a person's own account cannot see that."""
    if person.caller.on_behalf_of is None:
        return False
    try:
        person.direct().tasks.get(task_id)
    except (NotFound, Forbidden):
        return False
    return True


def _check_visit(person: EngineClient, task: Task, visit: str) -> None:
    """Refuse an answer to an earlier visit of the same step, e.g. a form left open before a rework."""
    try:
        present = person.tasks.variable(task.id, f"visit_{task.element}")
    except NotFound:
        return
    if present is not None and present != visit:
        raise StaleVisit(_CLOSED)


def _claim(person: EngineClient, task: Task) -> bool:
    """Claim an unclaimed task; a colleague who was faster does not matter, entitled people complete without."""
    try:
        person.tasks.claim(task.id, person.user)
    except Forbidden as error:
        raise NotYours(_FOREIGN, status=403) from error
    except NotFound:
        raise StaleVisit(_CLOSED) from None
    except GateRefused:
        raise
    except (BadRequest, ServerError):
        return False
    return True


def _complete(person: EngineClient, task: Task, values: Mapping[str, object]) -> None:
    try:
        person.tasks.complete(task.id, values)
    except NotFound:
        raise StaleVisit(_CLOSED) from None
    except Forbidden as error:
        raise NotYours(_FOREIGN, status=403) from error
    except EngineDown as error:
        if not (error.maybe_done and _done_by(person, task)):
            raise


def _done_by(person: EngineClient, task: Task) -> bool:
    """Tell whether an answer whose receipt was lost has arrived all the same."""
    try:
        past = list(person.direct().history.tasks(taskId=task.id))
    except EngineError:
        return False
    return any(t.reason == "completed" and t.assignee == person.user for t in past)
