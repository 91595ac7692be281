"""Open a step in front of people: the card first, then the step; and tell those who are not asked to act."""

from __future__ import annotations

from orders.keys import note_key
from orders.notices import fill, recipients
from orders.persons import Staff
from orders.ports import Deadlines, Engine, Mirror
from orders.steps import norm_of, opening, sync_target
from orders.worktime import WorkingCalendar
from workers.registry import Values, topic
from workers.task import Task


def open_pending(task: Task, *, engine: Engine, deadlines: Deadlines) -> Values:
    """Open the step without the portal; the sweep catches up."""
    return _open(task, engine, deadlines, pending=True)


@topic("sync-stage", portal=True, patience=open_pending)
def sync_stage(task: Task, *, engine: Engine, mirror: Mirror, deadlines: Deadlines) -> Values:
    """Make the card show the step that comes next, then let it open. Running twice writes the same."""
    values = _open(task, engine, deadlines, pending=False)
    task.hold()
    mirror.reconcile(task.instance_id, task.hold)
    return values


def _open(task: Task, engine: Engine, deadlines: Deadlines, *, pending: bool) -> Values:
    """Return what the step that opens needs; its norm begins when this sync-stage began."""
    route = engine.route(task.definition_id)
    target = sync_target(route, task.activity_id)
    variables = engine.variables(task.instance_id)
    due = deadlines.due(task.create_time, norm_of(route, target), variables)
    return opening(route, target, task.activity_instance_id, due, pending=pending)


def give_up_quietly(task: Task) -> None:
    """Go on without the notice: the worker's log says so, the card shows the same fact later."""


@topic("notify", portal=True, patience=give_up_quietly)
def notify(task: Task, *, engine: Engine, mirror: Mirror, staff: Staff, calendar: WorkingCalendar) -> None:
    """Tell the persons that the step's property `to` names. Each is told once per visit, however often it runs."""
    order = engine.snapshot(task.instance_id)
    route = engine.route(task.definition_id)
    text = fill(task.properties.get("text", ""), order, route, calendar.zone)
    for person in recipients(task.properties.get("to", ""), order, route, staff):
        task.hold()
        mirror.tell(person, text, note_key(task.business_key, task.activity_instance_id, person), task.hold)
