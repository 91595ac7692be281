"""Repairing one card: read what is, make what is missing, write what differs in one batch."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bitrix_sync import back, claims, notes, tasks
from bitrix_sync.card import DesiredCard, Note
from bitrix_sync.client import Command, rows_of
from bitrix_sync.compare import Change, card_changes, new_card, people_changes
from bitrix_sync.envelope import BatchAnswer
from bitrix_sync.errors import NoColumn, PortalRefused
from bitrix_sync.files import mirror_files, rescue_drafts
from bitrix_sync.observe import (
    all_marks,
    card_commands,
    chat_commands,
    comment_commands,
    marks_of,
    note_commands,
    read_card,
    read_chats,
    read_tasks,
    task_commands,
)
from bitrix_sync.people import candidates
from bitrix_sync.retry import Kind
from bitrix_sync.work import Work, card_key, closed_key
from ledger.failpoints import failpoint
from orders.holder import holder_text
from orders.snapshot import Scalar

log = structlog.get_logger(__name__)


class CardVanished(Exception):
    """A card that was there is not found by its id nor by its key; whether it is one or many decides what to do."""


def observe(work: Work, *, ask_users: bool, full: bool = False, may_be_gone: bool = False) -> None:
    """Read what the portal shows of the order: one request where the card's id is known.

    `ask_users`: also who works there; `full`: the whole timeline. Raises CardVanished unless the card `may_be_gone`.
    """
    work.load_effects()
    known = work.done(card_key(work.wish.key)) or None
    commands = card_commands(work.schema, work.wish.xml_id, known)
    if known:
        commands |= task_commands(work.schema, known)
        news = any(work.done(note.mark) is None for note in work.wish.notes)
        commands |= (note_commands if news else comment_commands)(work.schema, known)
    if ask_users:
        commands |= notes.user_commands([p.bitrix_id for p in work.staff.persons if p.bitrix_id is not None])
    chats = _chats(work) if known else {}
    commands |= chat_commands(chats.values()) | _loads(work)
    answers = work.guard.batch(commands)
    if ask_users:
        work.usable = usable_users(answers)
    seen = read_card(answers, work.wish.xml_id, known, work.guard.client.user_id)
    work.seen = seen
    if seen.item is None and not may_be_gone and (seen.known_id_gone or _had_card(work)):
        raise CardVanished(work.wish.key)
    if known and seen.item is not None and not seen.known_id_gone:
        seen.tasks = read_tasks(answers["tasks"])
        seen.comments = rows_of(answers["comments"])
        if "lines" in commands:
            seen.marks = marks_of(answers)
    elif seen.item is not None:
        _read_anew(work)
    elif known:
        work.forget(card_key(work.wish.key))
    if full and seen.item is not None:
        seen.marks = all_marks(work.guard, work.schema, work.card_id)
    tasks.complete_sight(work)
    _read_chats(work, answers, chats)
    tasks.choose_people(work, _read_loads(answers))


def _chats(work: Work) -> dict[str, str]:
    """Return the chats of the tasks that we have not closed: what was written last is read before that."""
    open_ones = [key for key in work.visit_keys() if work.done(f"{key}:closed") is None]
    return {key: chat for key in open_ones if (chat := work.done(f"{key}:chat"))}


def _read_chats(work: Work, answers: BatchAnswer, known: dict[str, str]) -> None:
    """Read the chats of the open tasks; the first time the open step's is learnt from its task."""
    task = tasks.open_task(work)
    work.seen.chats = read_chats(answers)
    if task is not None and task.chat and task.key not in known:
        work.seen.chats += read_chats(work.guard.batch(chat_commands([task.chat])))
        work.note_done(f"{task.key}:chat", task.chat)


def _read_anew(work: Work) -> None:
    """The ledger does not know a card that is there: note everything of ours that can be recognised by its key."""
    work.rebuilding = True
    work.seen.tasks = read_tasks(work.guard.batch(task_commands(work.schema, work.card_id))["tasks"])
    work.seen.marks = all_marks(work.guard, work.schema, work.card_id)
    work.note_done(card_key(work.wish.key), str(work.card_id))
    opened = tasks.open_task(work)
    in_column = work.wish.stage is not None and work.seen.item is not None
    if opened and in_column and (work.seen.item or {}).get("stageId") == work.schema.columns.get(work.wish.stage or ""):
        work.note_done(f"{opened.key}:reset")  # what stands in the open stage's fields is the person's draft
        work.note_done(f"{opened.key}:links")


def repair(work: Work) -> None:
    """Make the portal equal to the order. Raises Transient (some of it later), PortalUnavailable or Permanent."""
    if work.wish.stage is not None and work.wish.stage not in work.schema.columns:
        raise NoColumn(f"в Битрикс24 нет колонки «{work.wish.stage}»: запустите bitrix setup")
    if work.seen.item is None:
        _make_card(work)
    _drop_twins(work)
    mirror_files(work)
    rescue_drafts(work)
    tasks.mirror_task(work)
    tasks.close_others(work)
    notes.judge_authors(work)
    moved = back.judge(work)
    changes = changes_of(work)
    if moved is not None and work.paced and moved.wait > 0:
        changes = [change for change in changes if change.name != "stageId"]
        back.hold(work, moved)
        moved = None
    if changes:
        fields = {change.name: change.value for change in changes}
        params = {"entityTypeId": work.schema.entity_type_id, "id": work.card_id, "fields": fields}
        work.writes["card"] = ("crm.item.update", params)
    _write(work)
    if work.wish.task and work.addressed.responsible and work.done(f"{work.wish.task.key}:reset") is None:
        work.note_done(f"{work.wish.task.key}:reset")
    claims.note_addressed(work)
    if moved is not None:
        back.tell(work, moved)
        work.wish = _with_note(work, moved.note)
    notes.mirror_notes(work)
    notes.send_notices(work)
    if work.later:
        raise work.later[0]
    if work.wish.finished and work.done(closed_key(work.order.instance_id)) is None:
        work.note_done(closed_key(work.order.instance_id))


def values_of(work: Work) -> dict[str, Scalar]:
    """Return what the card's fields should show, those of a visit that has just opened included."""
    values = dict(work.wish.fields)
    task = work.wish.task
    values["holder"] = holder_text(work.staff, task.visit, work.addressed.responsible) if task else None
    if task and work.done(f"{task.key}:reset") is None:
        values |= work.wish.reset
    return values


def changes_of(work: Work) -> list[Change]:
    """Return the fields of the card that differ."""
    assert work.seen.item is not None
    responsible = work.bitrix(work.addressed.responsible.id) if work.addressed.responsible else None
    observers = [number for person in work.wish.observers if (number := work.bitrix(person))]
    changes = card_changes(work.schema, work.wish, values_of(work), work.seen.item, work.zone)
    return changes + people_changes(work.seen.item, responsible, observers)


def _make_card(work: Work) -> None:
    key = card_key(work.wish.key)

    def find() -> str | None:
        found = work.guard.batch(card_commands(work.schema, work.wish.xml_id, None))
        work.seen.item = read_card(found, work.wish.xml_id, None, work.guard.client.user_id).item
        return str(work.card_id) if work.seen.item else None

    def make() -> str:
        fields = new_card(work.schema, work.wish, values_of(work), work.zone)
        responsible = work.bitrix(work.addressed.responsible.id) if work.addressed.responsible else None
        fields |= {"assignedById": responsible} if responsible else {}
        observers = [number for person in work.wish.observers if (number := work.bitrix(person))]
        fields |= {"observers": observers} if observers else {}
        params = {"entityTypeId": work.schema.entity_type_id, "fields": fields}
        work.seen.item = work.guard.call("crm.item.add", params).map("item")
        return str(work.card_id)

    work.once.create(key, "crm.item.add", work.guard, find, make, look=False)


def _drop_twins(work: Work) -> None:
    """Delete further cards with our key that we made ourselves; others are named for the operator."""
    for twin in work.seen.twins:
        number = int(twin["id"])
        if str(twin.get("createdBy")) != str(work.guard.client.user_id):
            log.error("card_twin_by_hand", order=work.wish.key, card=work.card_id, twin=number)
            continue
        log.warning("card_twin_deleted", order=work.wish.key, card=work.card_id, twin=number)
        params = {"entityTypeId": work.schema.entity_type_id, "id": number}
        work.writes[f"twin{number}"] = ("crm.item.delete", params)


def _with_note(work: Work, note: Note) -> DesiredCard:
    return replace(work.wish, notes=(*work.wish.notes, note))


def _write(work: Work) -> None:
    """Send the collected writes as one batch, then judge each answer; idempotent, so a lost answer is repeated."""
    if not work.writes:
        return
    failpoint("before_call", "batch")
    answers = work.guard.batch(work.writes, kind=Kind.WRITE)
    failpoint("after_call", "batch")
    failed: list[PortalRefused] = []
    for name, error in answers.errors().items():
        if not isinstance(error, PortalRefused):
            raise error
        if error.code in tasks.NOT_ALLOWED and not name.startswith("card"):
            log.info("task_already_there", order=work.wish.key, command=name)
            continue
        failed.append(error)
    for name, effects in work.after.items():
        if answers.error(name) is None:
            for key, remote in effects:
                work.note_done(key, remote)
    if failed:
        raise failed[0]


def _had_card(work: Work) -> bool:
    """Tell whether the engine says that this order was in the portal before, whatever the ledger knows."""
    order = work.order.variables
    return bool(order.get("cardStage")) and order.get("portalPending") is False


def _loads(work: Work) -> dict[str, Command]:
    task = work.wish.task
    if task is None or task.visit.assignee or work.done(task.key) is not None:
        return {}
    ranked = candidates(work.staff, task.visit, work.today, lambda p: p.bitrix_id is not None)
    if len(ranked) < 2:
        return {}
    return notes.load_commands({p.id: p.bitrix_id for p in ranked[:30] if p.bitrix_id is not None})


def _read_loads(answers: BatchAnswer) -> dict[str, int]:
    names = [name for name in answers.names() if name.startswith("load:")]
    return {name[5:]: answers[name].total or 0 for name in names if answers.error(name) is None}


def usable_users(answers: BatchAnswer) -> frozenset[int] | None:
    """Return the portal users who work there, None where the webhook may not ask."""
    names = [name for name in answers.names() if name.startswith("users")]
    if any(answers.error(name) for name in names):
        log.warning("portal_users_unreadable", reason=str(answers.error(names[0])))
        return None
    rows = [row for name in names for row in answers.rows(name)]
    return frozenset(int(row["ID"]) for row in rows if row.get("ACTIVE") in (True, "Y", "true", 1))
