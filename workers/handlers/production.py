"""Watch the promised date."""

from __future__ import annotations

from orders.lateness import late_update
from orders.persons import Staff
from orders.ports import Engine, Mirror
from orders.snapshot import Promise
from orders.worktime import WorkingCalendar
from workers.handlers.adjustment import propose
from workers.registry import Input, Values, topic
from workers.task import Task


class Promised(Input):
    """The promised date and what was raised about it so far."""

    ready_by: str
    late_flags: str | None = None
    late_reminder: str | None = None


@topic("flag-late-production")
def flag_late_production(
    promised: Promised, task: Task, *, engine: Engine, staff: Staff, calendar: WorkingCalendar
) -> Values:
    """Raise one flag per broken promise and propose an entry; on later working days note that people are reminded.

    Running twice on one day writes nothing new. The instant is the timer's own (the task's creation).
    """
    promise = Promise(task.instance_id, promised.ready_by, promised.late_flags, promised.late_reminder)
    update = late_update(promise, task.create_time, calendar)
    propose(promise, update, task.create_time, engine=engine, staff=staff, calendar=calendar)
    return {"lateFlags": update.late_flags, "lateReminder": update.late_reminder} if update.changed else {}


@topic("reconcile-portal", portal=True, optional=True)
def reconcile_portal(task: Task, *, engine: Engine, mirror: Mirror, staff: Staff, calendar: WorkingCalendar) -> None:
    """Repair all cards, let substitutes in, raise flags whose timer was armed too late.

    Ends at once while an older sweep is open.
    """
    if engine.running_instances(task.process_id)[:1] not in ([], [task.instance_id]):
        return
    engine.fit_stand_ins(staff, calendar.today(task.create_time))
    for promise in engine.promises():
        update = late_update(promise, task.create_time, calendar)
        propose(promise, update, task.create_time, engine=engine, staff=staff, calendar=calendar)
        if update.changed:
            values = {"lateFlags": update.late_flags, "lateReminder": update.late_reminder}
            engine.set_variables(promise.instance_id, values)
    task.hold()
    mirror.sweep(task.hold)
