"""Comments, log lines and notices: each once, found again by the key that ends its text."""

from __future__ import annotations

from typing import Any

import structlog

from bitrix_sync.card import Note, Notice
from bitrix_sync.client import Command
from bitrix_sync.guard import Guarded
from bitrix_sync.observe import mark_of, marks_of, note_commands
from bitrix_sync.php import as_map
from bitrix_sync.schema import PortalSchema
from bitrix_sync.work import Work, tell_key
from ledger import Ledger
from ledger.failpoints import failpoint
from orders.errors import PortalUnavailable, Transient
from orders.parts import in_parts
from orders.persons import Person

_AUTHORS = "portal:authors"  # the ledger's cursor: whether a comment shows the author that we name
CLIENT_ID = "order-route"  # a webhook has no application of its own; tags are unique within this name

log = structlog.get_logger(__name__)


def mirror_notes(work: Work) -> None:
    """Write every comment and log line that is not there; one that may be under way does not hold up the others."""
    for note in work.wish.notes:
        if work.done(note.mark) is not None:
            continue
        if work.seen.marks and note.mark in work.seen.marks:
            work.note_done(note.mark, work.seen.marks[note.mark])
            continue
        try:
            _write(work, note)
        except PortalUnavailable:
            raise
        except Transient as error:
            work.later.append(error)


def missing_notes(work: Work) -> list[Note]:
    """Return the notes that the timeline, read in full, does not show."""
    shown = work.seen.marks or {}
    return [note for note in work.wish.notes if note.mark not in shown]


def _write(work: Work, note: Note) -> None:
    def find() -> str | None:
        return marks_of(work.guard.batch(note_commands(work.schema, work.card_id))).get(note.mark)

    def make() -> str:
        if note.is_log:
            return _add_line(work, note)
        return _add_comment(work, note)

    method = "crm.timeline.logmessage.add" if note.is_log else "crm.timeline.comment.add"
    work.once.create(note.mark, method, work.guard, find, make, look=False)


def _add_comment(work: Work, note: Note) -> str:
    author = work.bitrix(note.author)
    text = note.body if author is not None and work.ledger.cursor(_AUTHORS) != "no" else _signed(work, note)
    return str(
        work.guard.call("crm.timeline.comment.add", comment_params(work.schema, work.card_id, text, author)).result
    )


def _signed(work: Work, note: Note) -> str:
    return f"{work.staff.name(note.author)}:\n{note.body}" if note.author else note.body


def judge_authors(work: Work) -> None:
    """See from a comment that was written whether the portal lets us write in a person's name.

    Where it does not, the text names the person: of later comments at once, of this one by a change of its text.
    """
    if work.ledger.cursor(_AUTHORS) == "yes":
        return
    authored = {note.mark: note for note in work.wish.notes if work.bitrix(note.author) is not None and not note.is_log}
    for row in work.seen.comments:
        note = authored.get(mark_of(str(row.get("COMMENT") or "")) or "")
        if note is None:
            continue
        ours = str(row.get("AUTHOR_ID")) == str(work.guard.client.user_id)
        work.ledger.set_cursor(_AUTHORS, "no" if ours else "yes")
        if ours and not str(row["COMMENT"]).startswith(f"{work.staff.name(note.author)}:"):
            change = {"id": row["ID"], "fields": {"COMMENT": _signed(work, note)}}
            work.writes[f"sign{row['ID']}"] = ("crm.timeline.comment.update", change)


def comment_params(schema: PortalSchema, card: int, text: str, author: int | None = None) -> dict[str, Any]:
    """Return a comment on a card, by a portal user or in our own name."""
    fields: dict[str, Any] = {"ENTITY_ID": card, "ENTITY_TYPE": schema.owner_type, "COMMENT": text}
    return {"fields": fields | ({"AUTHOR_ID": author} if author is not None else {})}


def _add_line(work: Work, note: Note) -> str:
    fields = {
        "entityTypeId": work.schema.entity_type_id,
        "entityId": work.card_id,
        "title": note.title,
        "text": note.body,
        "iconCode": note.icon,
    }
    answer = work.guard.call("crm.timeline.logmessage.add", {"fields": fields})
    return str(as_map(answer.map("logMessage")).get("id", ""))


def send_notices(work: Work) -> None:
    """Send the notices that follow from the order's state (late flags, reminders), each once."""
    for notice in work.wish.notices:
        if work.done(tell_key(notice.key)) is None:
            send(work.guard, work.ledger, notice, work.staff.find(notice.person), work.bitrix(notice.person))


def send(guard: Guarded, ledger: Ledger, notice: Notice, person: Person | None, user: int | None) -> None:
    """Send one notice once per key. The portal replaces a repeated tag, so a lost answer is simply repeated.

    A person whom the portal does not know is named in the log and not tried again.
    """
    key = tell_key(notice.key)
    if ledger.effect(key).state == "done":
        return
    if user is None:
        log.error("nobody_to_tell", person=person.name if person else notice.person, key=notice.key)
        ledger.done(key)
        return
    ledger.intend(key)
    params = {"USER_ID": user, "MESSAGE": notice.text, "TAG": notice.key, "CLIENT_ID": CLIENT_ID}
    answer = guard.call("im.notify.personal.add", params)
    failpoint("after_call", "im.notify.personal.add")
    if answer.result is False:
        log.error("nobody_to_tell", person=person.name if person else notice.person, key=notice.key)
    ledger.done(key, str(answer.result or ""))


def user_commands(numbers: list[int]) -> dict[str, Command]:
    """Return the reads that tell of these users, dismissed ones included, whether they work: 50 a page."""
    return {f"users{n}": ("user.get", {"FILTER": {"ID": part}}) for n, part in enumerate(in_parts(numbers, 50))}


def load_commands(users: dict[str, int]) -> dict[str, Command]:
    """Return the reads that count the open tasks of persons (id -> portal user)."""
    return {
        f"load:{person}": (
            "tasks.task.list",
            {"filter": {"RESPONSIBLE_ID": number, "REAL_STATUS": [2, 3]}, "select": ["ID"], "start": 0},
        )
        for person, number in users.items()
    }
