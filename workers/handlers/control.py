"""What managers and staff are told each working morning."""

from __future__ import annotations

from orders.ports import Clock, Digests, Mirror
from orders.worktime import WorkingCalendar
from workers.handlers.route import give_up_quietly
from workers.registry import topic
from workers.task import Task


@topic("send-digest", portal=True, patience=give_up_quietly)
def send_digest(task: Task, *, digests: Digests, mirror: Mirror, calendar: WorkingCalendar, clock: Clock) -> None:
    """Tell each person what the morning holds, once a day however often it runs; nobody on a day off.

    A morning that has passed meanwhile is told to nobody: the next one says what is left of it.
    """
    day = calendar.today(task.create_time)
    if day != calendar.today(clock.now()) or not calendar.is_working(day):
        return
    for person, text in digests.messages(task.create_time):
        task.hold()
        mirror.tell(person, text, f"digest:{day.isoformat()}:{person}", task.hold)
