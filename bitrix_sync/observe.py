"""The card that is: what the portal shows of one order, read in one batch, or in full where the ledger is new."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from bitrix_sync.client import Command, rows_of
from bitrix_sync.envelope import Answer, BatchAnswer
from bitrix_sync.errors import PortalRefused
from bitrix_sync.guard import Guarded
from bitrix_sync.php import as_list, as_map
from bitrix_sync.schema import PortalSchema
from bitrix_sync.values import instant

log = structlog.get_logger(__name__)

CLOSED, CONTROL = 5, 4  # a task's status "completed", and "awaiting its creator's word" where a portal demands that
STARTED = 3  # a task's status "in progress"
OPEN_STATUSES = [2, 3, 4, 6]  # all but completed, as filters want them
TASK_SELECT = [
    "ID", "TITLE", "DESCRIPTION", "STATUS", "REAL_STATUS", "RESPONSIBLE_ID", "ACCOMPLICES", "DEADLINE",
    "UF_CRM_TASK", "UF_TASK_WEBDAV_FILES", "CLOSED_BY", "CLOSED_DATE", "STATUS_CHANGED_BY", "STATUS_CHANGED_DATE",
    "CHANGED_BY", "CHANGED_DATE", "CHAT_ID",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PortalTask:
    """A task bound to a card. `key` is the mark at the end of its description, None for people's own tasks."""

    id: int
    title: str
    key: str | None
    status: int
    responsible: int
    accomplices: frozenset[int]
    deadline: datetime | None  # UTC
    files: int  # attachments
    finished_by: int = 0  # portal user who completed it, or handed it in for control
    finished_at: str = ""  # when, as the portal writes it
    started_by: int = 0  # portal user who changed the status last
    changed_by: int = 0  # portal user who changed anything last
    changed_at: str = ""
    chat: str = ""  # number of its chat, where the portal has the new task card

    @property
    def handed_in(self) -> bool:
        """Tell whether somebody says that it is done."""
        return self.status in (CLOSED, CONTROL)

    @property
    def closed(self) -> bool:
        """Tell whether it is completed."""
        return self.status == CLOSED


@dataclass(slots=True)
class Observed:
    """One order's things in the portal. `marks` (mark -> id) is None where the timeline was not read."""

    item: dict[str, Any] | None = None
    known_id_gone: bool = False
    twins: list[dict[str, Any]] = field(default_factory=list)  # further cards with the same key
    tasks: dict[int, PortalTask] = field(default_factory=dict)
    marks: dict[str, str] | None = None
    comments: list[dict[str, Any]] = field(default_factory=list)  # the newest on the card, whoever wrote them
    chats: list[dict[str, Any]] = field(default_factory=list)  # of each open task: newest messages, and their files

    @property
    def item_id(self) -> int | None:
        """Return the card's id."""
        return int(self.item["id"]) if self.item else None


def card_commands(schema: PortalSchema, xml_id: str, known: str | None) -> dict[str, Command]:
    """Return the reads that find a card: by the id we know, and by its key."""
    base = {"entityTypeId": schema.entity_type_id}
    query = base | {"filter": {"=xmlId": xml_id}, "order": {"id": "ASC"}, "start": 0}
    commands: dict[str, Command] = {"found": ("crm.item.list", query)}
    if known:
        commands["item"] = ("crm.item.get", base | {"id": known})
    return commands


def task_commands(schema: PortalSchema, item_id: int | str) -> dict[str, Command]:
    """Return the read of the tasks bound to a card, newest first."""
    query = {"filter": {"UF_CRM_TASK": f"{schema.binding}_{item_id}"}, "order": {"ID": "DESC"}, "select": TASK_SELECT}
    return {"tasks": ("tasks.task.list", query)}


def comment_commands(schema: PortalSchema, item_id: int | str) -> dict[str, Command]:
    """Return the read of the newest comments of a card."""
    comments = {
        "filter": {"ENTITY_ID": item_id, "ENTITY_TYPE": schema.owner_type},
        "order": {"ID": "DESC"},
        "select": ["ID", "COMMENT", "AUTHOR_ID", "CREATED", "FILES"],
    }
    return {"comments": ("crm.timeline.comment.list", comments)}


def note_commands(schema: PortalSchema, item_id: int | str) -> dict[str, Command]:
    """Return the reads of the newest comments and log lines of a card."""
    lines = {"entityTypeId": schema.entity_type_id, "entityId": item_id, "order": {"id": "desc"}}
    return comment_commands(schema, item_id) | {"lines": ("crm.timeline.logmessage.list", lines)}


def chat_commands(chats: Iterable[str]) -> dict[str, Command]:
    """Return the reads of the newest messages in the chats of tasks."""
    return {f"chat{n}": ("im.dialog.messages.get", {"DIALOG_ID": f"chat{n}", "LIMIT": 50}) for n in chats}


def read_chats(answers: BatchAnswer) -> list[dict[str, Any]]:
    """Return messages and files of each chat; nothing of one that the portal does not have or keeps from us."""
    found = []
    for name in [each for each in answers.names() if each.startswith("chat")]:
        if isinstance(error := answers.error(name), PortalRefused):
            log.debug("task_chat_closed", reason=str(error))
        else:
            found.append(answers[name].map())
    return found


def read_card(answers: BatchAnswer, xml_id: str, known: str | None, us: int) -> Observed:
    """Judge what the portal says about a card: the known id wins, then the lowest id with exactly this key.

    `us` is our own user there.
    """
    rows = [row for row in rows_of(answers["found"], "items") if row.get("xmlId") == xml_id]
    rows.sort(key=lambda row: int(row["id"]))
    seen = Observed()
    if known:
        try:
            seen.item = _own(answers["item"].map("item"), xml_id, us)
        except PortalRefused as error:
            if not error.not_found:
                raise
        seen.known_id_gone = seen.item is None
    if seen.item is None and rows:
        seen.item = rows[0]
    seen.twins = [row for row in rows if seen.item and int(row["id"]) != int(seen.item["id"])]
    return seen


def _own(item: dict[str, Any], xml_id: str, us: int) -> dict[str, Any] | None:
    """Return a card known by its id, None for somebody else's: a restored portal gives its numbers out anew.

    One without a key is ours where we made it, or where the order began as this very card.
    """
    key = str(item.get("xmlId") or "")
    began = re.fullmatch(rf"order:\d+-{item.get('id')}", xml_id) is not None
    mine = key == xml_id or (not key.startswith("order:") and (began or str(item.get("createdBy")) == str(us)))
    return item if item and mine else None


def read_tasks(answer: Answer) -> dict[int, PortalTask]:
    """Return tasks by id."""
    return {task.id: task for task in map(task_of, rows_of(answer, "tasks"))}


def task_of(row: Mapping[str, Any]) -> PortalTask:
    """Read one task; ids come as texts."""
    return PortalTask(
        id=int(row["id"]),
        title=str(row.get("title") or ""),
        key=mark_of(str(row.get("description") or "")),
        status=int(row.get("status") or row.get("realStatus") or 0),
        responsible=int(row.get("responsibleId") or 0),
        accomplices=frozenset(int(each) for each in as_list(row.get("accomplices"))),
        deadline=instant(row.get("deadline")),
        files=len(as_list(row.get("ufTaskWebdavFiles"))),
        finished_by=int(row.get("closedBy") or row.get("statusChangedBy") or 0),
        finished_at=str(row.get("closedDate") or row.get("statusChangedDate") or ""),
        started_by=int(row.get("statusChangedBy") or 0),
        changed_by=int(row.get("changedBy") or 0),
        changed_at=str(row.get("changedDate") or ""),
        chat=str(row.get("chatId") or ""),
    )


def missing_tasks(guard: Guarded, ids: Iterable[str]) -> dict[int, PortalTask]:
    """Read tasks by the ids we know: a list that leaves them out proves nothing."""
    commands: dict[str, Command] = {
        each: ("tasks.task.get", {"taskId": each, "select": TASK_SELECT}) for each in dict.fromkeys(ids)
    }
    answers = guard.batch(commands)
    rows = [answers[name].map("task") for name in commands]
    return {task.id: task for task in (task_of(row) for row in rows if row)}


def mark_of(text: str) -> str | None:
    """Return the key that one of our texts ends with, None for other people's texts."""
    last = text.strip().rsplit("\n", 1)[-1].strip()
    return last[2:].strip() if last.startswith("· ") and len(last) > 2 else None


def marks_of(answers: BatchAnswer) -> dict[str, str]:
    """Return the marks among the newest comments and log lines, with their ids."""
    return _marks(rows_of(answers["comments"]), "ID", "COMMENT") | _marks(_lines(answers["lines"]), "id", "text")


def all_marks(guard: Guarded, schema: PortalSchema, item_id: int) -> dict[str, str]:
    """Read the whole timeline: for a ledger that knows nothing of this card, and for the final proof."""
    found: dict[str, str] = {}
    for name, (method, params) in note_commands(schema, item_id).items():
        start: int | None = 0
        while start is not None:
            answer = guard.call(method, dict(params) | {"start": start})
            rows = rows_of(answer) if name == "comments" else _lines(answer)
            found |= _marks(rows, *(("ID", "COMMENT") if name == "comments" else ("id", "text")))
            start = answer.next if rows else None
    return found


def _lines(answer: Answer) -> list[dict[str, Any]]:
    listed = as_map(answer.result).get("logMessages", answer.result)
    return [as_map(row) for row in as_list(listed)]


def _marks(rows: Iterable[Mapping[str, Any]], id_name: str, text_name: str) -> dict[str, str]:
    marks = ((mark_of(str(row.get(text_name) or "")), str(row.get(id_name))) for row in rows)
    return {mark: number for mark, number in marks if mark}
