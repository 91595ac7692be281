"""The way back: a task that somebody finished in the portal is an answer to the step it stands for.

The answer is what stands in the card's fields of that step and in the task's results. It goes the one way of all
answers (`bitrix_sync.desk`); a refusal renews the task and tells whoever finished it in one sentence what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from enum import Enum
from typing import Any

import puremagic
import structlog

from bitrix_sync.card import Notice
from bitrix_sync.client import Command, rows_of
from bitrix_sync.compare import entries
from bitrix_sync.desk import Desk, StillOpening
from bitrix_sync.envelope import Answer
from bitrix_sync.guard import Guarded
from bitrix_sync.notes import send
from bitrix_sync.observe import PortalTask
from bitrix_sync.php import as_list
from bitrix_sync.schema import CardField, PortalSchema
from bitrix_sync.tasks import open_task
from bitrix_sync.values import from_portal
from bitrix_sync.work import Work
from orders.errors import Refused
from orders.reply import Reply, SentFile, said_decision
from orders.stage import Field, Stage

STRANGER = "Вас нет в списке сотрудников этой программы: скажите оператору системы"

log = structlog.get_logger(__name__)


class Taken(Enum):
    """What became of the open step's task."""

    NOTHING = "nothing"  # nobody finished it
    MOVED_ON = "moved on"  # the step is done: its card follows with the next step
    WAITS = "waits"  # finished before the step was open in the engine: kept
    REFUSED = "refused"  # told why; the task is to be renewed


def take(work: Work, desk: Desk) -> Taken:
    """Submit the answer of whoever finished the open step's task. Raises Transient: the answer is kept for later."""
    task, wish = open_task(work), work.wish.task
    if task is None or wish is None or not task.handed_in or task.finished_by in (0, work.guard.client.user_id):
        return Taken.NOTHING  # a closing in our own name is never a person's answer
    if wish.visit.engine_task is None:
        return Taken.WAITS
    person = work.staff.of_bitrix(task.finished_by)
    try:
        if person is None:
            raise Refused(STRANGER)
        reply = read_reply(work, task, wish.stage)
        work.guard.check()
        accepted = desk.submit_held(work.order, wish.visit.visit, person.id, reply)
    except StillOpening:
        return Taken.WAITS
    except Refused as refused:
        return _refused(work, task, str(refused))
    log.info("portal_answer_taken", order=work.wish.key, step=wish.stage.code, repeated=accepted.repeated)
    return Taken.MOVED_ON


def read_reply(work: Work, task: PortalTask, stage: Stage) -> Reply:
    """Return what stands in the card's fields of a stage, completed by the task's results."""
    assert work.seen.item is not None
    card = read_fields(work.guard, work.schema, work.seen.item, stage.fields, work.zone)
    texts, files = dict(card.texts), dict(card.files)
    said, sent = _results(work, task)
    choice, comment = stage.buttons_field(), stage.comment_field()
    if choice is not None and not texts.get(choice.name) and (found := said_decision(choice, said)):
        texts[choice.name], said = found
    if comment is not None and not texts.get(comment.name, "").strip():
        texts[comment.name] = said
    first = next(iter(stage.file_fields()), None)
    if first is not None and not files.get(first.name):
        files[first.name] = sent
    return Reply(texts, files)


def read_fields(
    guard: Guarded, schema: PortalSchema, item: Mapping[str, Any], fields: Iterable[Field], zone: tzinfo
) -> Reply:
    """Return what stands in a card's fields; files are downloaded."""
    texts: dict[str, str] = {}
    files: dict[str, tuple[SentFile, ...]] = {}
    for each in fields:
        field = schema.fields.get(each.name)
        if field is None:
            continue
        if each.kind.holds_files:
            files[each.name] = tuple(_file(guard, field, entry.url) for entry in entries(field, item))
        else:
            texts[each.name] = from_portal(field, item.get(field.name), zone)
    return Reply(texts, files)


def _results(work: Work, task: PortalTask) -> tuple[str, tuple[SentFile, ...]]:
    """Return the newest result's words and the files of the newest result that has some."""
    rows = rows_of(work.guard.call("tasks.task.result.list", {"taskId": task.id}))
    rows.sort(key=lambda row: int(row.get("id") or 0), reverse=True)
    said = next((text for row in rows if (text := str(row.get("text") or "").strip())), "")
    bound = next((ids for row in rows if (ids := as_list(row.get("files")))), [])
    if not bound:
        return said, ()
    commands: dict[str, Command] = {str(each): ("disk.attachedObject.get", {"id": each}) for each in bound}
    answers = work.guard.batch(commands)
    return said, tuple(_attached(work, answers[name]) for name in commands)


def _attached(work: Work, answer: Answer) -> SentFile:
    row = answer.map()
    name, data = work.guard.fetch(str(row["DOWNLOAD_URL"]))
    return SentFile(str(row.get("NAME") or name), data)


def _file(guard: Guarded, field: CardField, url: str) -> SentFile:
    name, data = guard.fetch(url)
    return SentFile(name or f"{field.label}{_ending(data)}", data)


def _ending(data: bytes) -> str:
    """Guess a file's ending where the portal does not tell its name; the judge looks at the bytes anyway."""
    try:
        return str(puremagic.from_string(data))
    except (puremagic.PureError, ValueError):
        return ""


def _refused(work: Work, task: PortalTask, sentence: str) -> Taken:
    wish = work.wish.task
    assert wish is not None
    log.info("portal_answer_refused", order=work.wish.key, step=wish.stage.code, reason=sentence)
    person = work.staff.of_bitrix(task.finished_by)
    text = (
        f"Заказ {work.wish.key}, «{wish.stage.name}»: ответ не принят. {sentence.rstrip('.')}. "
        "Задача снова открыта: исправьте и завершите её ещё раз."
    )
    key = f"{wish.key}:refused:{task.finished_at}:{task.finished_by}"
    send(work.guard, work.ledger, Notice(key, person.id if person else "", text), person, task.finished_by)
    return Taken.REFUSED
