"""Deadlines of open steps after the working calendar was changed: each is that of its norm by the present calendar."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from engine.client import EngineClient
from engine.errors import NotFound
from engine.rights import ROUTE
from engine.tasks import Task
from orders.norms import due, parse_norm
from orders.stage import Route, Stage
from orders.worktime import WorkingCalendar

_DUE, _VISIT = "due_", "visit_"
_NEAR = timedelta(minutes=15)  # of working time: what a step waited for its card; no change of a calendar is smaller
_SAME = timedelta(seconds=1)


def fit_due_dates(client: EngineClient, routes: Callable[[str], Route], calendar: WorkingCalendar) -> int:
    """Move the deadlines that a changed calendar makes wrong; return how many. Safe to repeat.

    Promised dates stay as they were promised, and so does a deadline that somebody moved by hand.
    """
    changed = 0
    for task in client.tasks.find(process_definition_key=ROUTE):
        stage = routes(task.definition_id).stage(task.element)
        if stage is not None and _looks_wrong(task, stage, calendar):
            with suppress(NotFound):  # the step was finished meanwhile
                changed += _fit(client, task, stage, calendar)
    return changed


def _looks_wrong(task: Task, stage: Stage, calendar: WorkingCalendar) -> bool:
    """Judge by the list of tasks alone, so that an unchanged calendar costs no more requests."""
    if task.due is None or task.created is None or not stage.norm or not parse_norm(stage.norm).hours:
        return False
    wanted = due(calendar, task.created, stage.norm)
    return wanted is not None and abs(calendar.worked(task.due, wanted)) > _NEAR


def _fit(client: EngineClient, task: Task, stage: Stage, calendar: WorkingCalendar) -> bool:
    opened = client.history.activity(str(client.tasks.variable(task.id, _VISIT + task.element))).started
    wanted = due(calendar, opened, stage.norm)
    written = client.tasks.variable(task.id, _DUE + task.element)
    if wanted is None or task.due is None or not isinstance(written, datetime):
        return False
    if abs(written - task.due) > _SAME or abs(wanted - task.due) <= _SAME:
        return False  # moved by hand, or right as it is
    client.tasks.set_due(task.id, wanted)
    client.processes.set_variable(task.instance_id, _DUE + task.element, wanted)
    return True
