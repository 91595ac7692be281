"""Who holds the open step, as people arrange it in its task: started is claimed, delegated is handed over.

A department's task that one of its people starts becomes theirs in the engine. Given to somebody who may do the step,
it is theirs as well; given to anybody else it comes back, and whoever gave it away is told so in one sentence. Whom we
addressed a task to stands in the ledger; without it (lost) nobody is taken for having given it away.
"""

from __future__ import annotations

import structlog

from bitrix_sync.card import Notice
from bitrix_sync.desk import Desk
from bitrix_sync.notes import send
from bitrix_sync.observe import STARTED, PortalTask
from bitrix_sync.tasks import open_task
from bitrix_sync.work import Work
from orders.access import may_do
from orders.errors import Refused
from orders.persons import Person

log = structlog.get_logger(__name__)


def follow(work: Work, desk: Desk) -> bool:
    """Let the engine follow what people did with the open step's task; True: the order has to be read anew."""
    task, wish = open_task(work), work.wish.task
    if task is None or wish is None or task.handed_in or wish.visit.engine_task is None:
        return False
    if (given := _given_to(work, task)) is not None:
        person = work.staff.of_bitrix(given)
        if person is not None and may_do(wish.visit, work.staff, person.id):
            if moved := _take_over(work, desk, person):
                work.note_done(f"{wish.key}:to", person.id)
            return moved
        _send_back(work, task, person)
        return False
    starter = work.staff.of_bitrix(task.started_by) if task.status == STARTED else None
    if wish.visit.assignee is not None or starter is None or not may_do(wish.visit, work.staff, starter.id):
        return False
    return _take_over(work, desk, starter)


def note_addressed(work: Work) -> None:
    """Remember whom the open step's task is addressed to now."""
    wish, person = work.wish.task, work.addressed.responsible
    if wish is not None and person is not None and work.done(f"{wish.key}:to") != person.id:
        work.note_done(f"{wish.key}:to", person.id)


def _given_to(work: Work, task: PortalTask) -> int | None:
    """Return the portal user whom somebody gave the task to, None where it is with whom we addressed."""
    assert work.wish.task is not None
    ours = work.bitrix(work.done(f"{work.wish.task.key}:to"))
    by_people = task.changed_by not in (0, work.guard.client.user_id)
    return task.responsible if ours is not None and by_people and task.responsible != ours else None


def _take_over(work: Work, desk: Desk, person: Person) -> bool:
    assert work.wish.task is not None
    visit = work.wish.task.visit
    try:
        moved = desk.hand_over(visit, person.id)
    except Refused as refused:
        log.warning("claim_refused", order=work.wish.key, person=person.id, reason=str(refused))
        return False
    if moved:
        log.info("step_claimed_in_portal", order=work.wish.key, person=person.id, before=visit.assignee)
    return moved


def _send_back(work: Work, task: PortalTask, person: Person | None) -> None:
    wish, back = work.wish.task, work.addressed.responsible
    assert wish is not None
    to = (
        f"Задачу нельзя передать: {person.name} этот шаг не выполняет"
        if person
        else "Задачу нельзя передать этому человеку"
    )
    text = f"Заказ {work.wish.key}, «{wish.stage.name}»: {to[:1].lower()}{to[1:]}."
    text += f" Она возвращена: {back.name}." if back else ""
    giver = work.staff.of_bitrix(task.changed_by)
    log.warning("delegation_refused", order=work.wish.key, by=task.changed_by, to=task.responsible)
    notice = Notice(f"{wish.key}:given:{task.responsible}:{task.changed_at}", giver.id if giver else "", text)
    send(work.guard, work.ledger, notice, giver, task.changed_by)
