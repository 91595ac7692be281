"""The task in front of people: made once per visit, kept right while it is open, closed when its visit is over."""

from __future__ import annotations

import hashlib
from typing import Any

import structlog

from bitrix_sync.card import Notice
from bitrix_sync.client import Command
from bitrix_sync.errors import PortalRefused, UnknownOutcome
from bitrix_sync.files import mirror_drive
from bitrix_sync.notes import send
from bitrix_sync.observe import PortalTask, missing_tasks, read_tasks, task_commands
from bitrix_sync.people import address
from bitrix_sync.retry import Kind
from bitrix_sync.texts import CANCEL_PREFIX
from bitrix_sync.work import Work
from orders.errors import Transient
from orders.persons import Person

DEADLINE_SLACK = 2.0  # seconds: the engine and we may count a step's begin a moment apart
NOT_ALLOWED = ("0", "1048582")  # "Action on the task is not allowed": already there, or gone

log = structlog.get_logger(__name__)


def own_tasks(work: Work) -> list[PortalTask]:
    """Return the tasks that we made for this order."""
    prefix = f"{work.wish.key}:task:"
    return [task for task in work.seen.tasks.values() if task.key and task.key.startswith(prefix)]


def open_task(work: Work) -> PortalTask | None:
    """Return the task of the open visit: the lowest id, should there be two."""
    key = work.wish.task.key if work.wish.task else None
    return min((t for t in own_tasks(work) if t.key == key), key=lambda t: t.id, default=None)


def complete_sight(work: Work) -> None:
    """Read the tasks that we know by id and the list left out; note the ids of those that the ledger had lost."""
    listed = {task.key for task in own_tasks(work)}
    for task in sorted(own_tasks(work), key=lambda t: -t.id):
        if task.key in work.visit_keys() and work.done(task.key) is None:
            work.note_done(task.key, str(task.id))
    asked = [k for k in work.visit_keys() if k not in listed and work.done(f"{k}:closed") is None]
    ids = {key: known for key in asked if (known := work.done(key))}
    if not ids:
        return
    found = missing_tasks(work.guard, ids.values())
    work.seen.tasks |= found
    opened = work.wish.task.key if work.wish.task else None
    for key, known in ids.items():
        if key != opened and int(known) not in found:
            work.note_done(f"{key}:closed")  # deleted in the portal, and its step is over: not asked for again


def choose_people(work: Work, load: dict[str, int]) -> None:
    """Decide whom the open step is addressed to; whoever has the task keeps it while entitled."""
    wish = work.wish.task
    if wish is None:
        return
    existing = open_task(work)
    holder = work.staff.of_bitrix(existing.responsible) if existing else None
    current = holder.id if holder else None
    work.addressed = address(work.staff, wish.visit, work.today, lambda p: work.bitrix(p.id) is not None, load, current)


def mirror_task(work: Work) -> None:
    """Make the open visit's task, or collect what has to change on it."""
    wish = work.wish.task
    if wish is None:
        return
    responsible = work.addressed.responsible
    if responsible is None:
        _nobody(work)
        return
    drive = mirror_drive(work)
    existing = open_task(work)
    again = existing is None and work.done(wish.key) is not None
    if again:
        work.forget(wish.key)  # asked for by its id and not there: deleted in the portal
    if existing is None:
        number = int(_create(work, responsible, again=again))
        helpers = {name: numbers for name, numbers in _helpers(work).items() if numbers}
        files = {"UF_TASK_WEBDAV_FILES": [f"n{each}" for each in drive]} if drive else {}
        _write(work, number, "links", {"ALLOW_CHANGE_DEADLINE": "N"} | helpers | files)
        return
    changes = task_changes(work, existing)
    if existing.files < len(drive) and work.done(f"{wish.key}:links") is None:
        changes["UF_TASK_WEBDAV_FILES"] = [f"n{each}" for each in drive]
    _write(work, existing.id, "links", changes)
    if existing.handed_in and not work.answer_waits:
        work.writes[f"renew{existing.id}"] = ("tasks.task.renew", {"taskId": existing.id})
    elif existing.handed_in and work.paced:
        work.later.append(Transient("ответ дан раньше, чем шаг открылся: будет принят, когда он откроется", 1.0))


def task_changes(work: Work, task: PortalTask) -> dict[str, Any]:
    """Return the fields of the open visit's task that differ; descriptions follow only with another deadline."""
    wish = work.wish.task
    responsible = work.addressed.responsible
    if wish is None or responsible is None:
        return {}
    changes: dict[str, Any] = {}
    if task.responsible != work.bitrix(responsible.id):
        changes["RESPONSIBLE_ID"] = work.bitrix(responsible.id)
    helpers = {number for p in work.addressed.accomplices if (number := work.bitrix(p.id))}
    if set(task.accomplices) - {task.responsible} != helpers - {task.responsible} or "RESPONSIBLE_ID" in changes:
        changes |= _helpers(work)
    if wish.due is not None and (
        task.deadline is None or abs((task.deadline - wish.due).total_seconds()) > DEADLINE_SLACK
    ):
        changes |= {"DEADLINE": _moment(work), "DESCRIPTION": wish.body(work.links)}
    if task.title != wish.title:
        changes["TITLE"] = wish.title
    return changes


def close_others(work: Work) -> None:
    """Collect the closing of every task of this order whose visit is not the open one, doubles included."""
    keep = open_task(work)
    for task in own_tasks(work):
        if keep is not None and task.id == keep.id:
            continue
        if work.wish.task is not None and task.key == work.wish.task.key and keep is None:
            continue
        if task.closed:
            if task.key and work.done(f"{task.key}:closed") is None:
                work.note_done(f"{task.key}:closed")
            continue
        if work.wish.cancelled is not None:
            _mark_cancelled(work, task)
        work.writes[f"close{task.id}"] = ("tasks.task.complete", {"taskId": task.id})
        work.after[f"close{task.id}"] = [(f"{task.key}:closed", None)]


def _mark_cancelled(work: Work, task: PortalTask) -> None:
    if not task.title.startswith(CANCEL_PREFIX):
        _write(work, task.id, "title", {"TITLE": f"{CANCEL_PREFIX}{task.title}"})
    key = f"{task.key}:cancelled"
    effect = work.ledger.effect(key)
    if effect.state != "new":
        return  # chat messages cannot be looked up: at most once
    work.ledger.intend(key)
    body = {"fields": {"taskId": task.id, "text": f"Заказ отменён: {work.wish.cancelled}"}}
    try:
        work.guard.call_v3("tasks.task.chat.message.send", body, _header(key))
    except UnknownOutcome:
        work.ledger.unknown(key)
    except PortalRefused as error:
        log.warning("task_comment_refused", order=work.wish.key, reason=str(error))
    else:
        work.ledger.done(key)


def _create(work: Work, responsible: Person, *, again: bool) -> str:
    """Make the task. `again`: it was deleted in the portal, whose memory of our key would answer with the old one."""
    wish = work.wish.task
    assert wish is not None
    before = work.known.get(wish.key)

    def find() -> str | None:
        answers = work.guard.batch(task_commands(work.schema, work.card_id))
        work.seen.tasks |= read_tasks(answers["tasks"])
        found = open_task(work)
        return str(found.id) if found else None

    def make() -> str:
        try:
            if not again:
                return _add_v3(work, responsible)
        except PortalRefused as error:
            if error.status == 422:  # the same key with other words: an earlier try is, or was, under way
                raise UnknownOutcome("задача этого шага уже создаётся") from None
            # not offered, not allowed, or not understood: the older call says again what is wrong, if anything is
            work.once.wait(before, "tasks.task.add")  # without REST 3 nothing but time proves that nothing runs
        return _add_v2(work, responsible)

    return work.once.create(wish.key, "tasks.task.add", work.guard, find, make, look=False, safe=True)


def _add_v3(work: Work, responsible: Person) -> str:
    wish = work.wish.task
    assert wish is not None
    fields: dict[str, Any] = {
        "title": wish.title,
        "description": wish.body(work.links),
        "creatorId": work.guard.client.user_id,
        "responsibleId": work.bitrix(responsible.id),
        "crmItemIds": [f"{work.schema.binding}_{work.card_id}"],
        "xmlId": wish.key,
    }
    if wish.due is not None:
        fields["deadline"] = _moment(work)
    made = work.guard.call_v3("tasks.task.add", {"fields": fields}, _header(wish.key)).map("item")
    if made.get("chatId"):
        work.note_done(f"{wish.key}:chat", str(made["chatId"]))
    return str(made["id"])


def _add_v2(work: Work, responsible: Person) -> str:
    wish = work.wish.task
    assert wish is not None
    fields: dict[str, Any] = {
        "TITLE": wish.title,
        "DESCRIPTION": wish.body(work.links),
        "RESPONSIBLE_ID": work.bitrix(responsible.id),
        "UF_CRM_TASK": [f"{work.schema.binding}_{work.card_id}"],
        "XML_ID": wish.key,
        "ALLOW_CHANGE_DEADLINE": "N",
    }
    if wish.due is not None:
        fields["DEADLINE"] = _moment(work)
    return str(work.guard.call("tasks.task.add", {"fields": fields}, kind=Kind.CREATE).map("task")["id"])


def _helpers(work: Work) -> dict[str, Any]:
    numbers = sorted(number for p in work.addressed.accomplices if (number := work.bitrix(p.id)))
    return {"ACCOMPLICES": numbers}


def _write(work: Work, task: int, purpose: str, fields: dict[str, Any]) -> None:
    if not fields:
        return
    name = f"{purpose}{task}"
    command: Command = ("tasks.task.update", {"taskId": task, "fields": fields})
    work.writes[name] = command
    if "UF_TASK_WEBDAV_FILES" in fields and work.wish.task:
        work.after[name] = [(f"{work.wish.task.key}:links", None)]


def _moment(work: Work) -> str:
    assert work.wish.task is not None and work.wish.task.due is not None
    return work.wish.task.due.astimezone(work.zone).isoformat(timespec="seconds")


def _nobody(work: Work) -> None:
    """Say once that the portal knows nobody for this step; the step goes on in Tasklist."""
    wish = work.wish.task
    if wish is None or work.done(f"{wish.key}:nobody") is not None:
        return
    groups = ", ".join(wish.visit.groups) or str(wish.visit.assignee)
    log.error("nobody_to_address", order=work.wish.key, stage=wish.stage.code, groups=groups)
    text = f"Заказ {work.wish.key}, «{wish.stage.name}»: в Битрикс24 некому поставить задачу, шаг ждёт в Tasklist."
    for operator in work.staff.members("operators"):
        if (user := work.bitrix(operator.id)) is not None:
            notice = Notice(f"{wish.key}:nobody:{operator.id}", operator.id, text)
            send(work.guard, work.ledger, notice, operator, user)
    work.note_done(f"{wish.key}:nobody")


def _header(key: str) -> str:
    """Return a key that an HTTP header can carry: business keys may hold Cyrillic."""
    plain = key.isascii() and key.isprintable() and len(key) <= 200
    return key if plain else hashlib.sha256(key.encode()).hexdigest()
