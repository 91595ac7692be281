"""The proof that a card equals its order: the same comparison as the repair, read only, the whole timeline included.

Each difference is named with the moment since when it is there and whoever made it: a person in the portal, or the
route, which has gone on since the card was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bitrix_sync import notes, tasks
from bitrix_sync.compare import CARD_LOST, Difference, entries, file_names
from bitrix_sync.errors import PortalRefused
from bitrix_sync.files import matched, numbered
from bitrix_sync.repair import CardVanished, changes_of, observe
from bitrix_sync.values import instant
from bitrix_sync.work import Work, drive_key, folder_key
from orders.snapshot import FileRef


def differences(work: Work, *, ask_users: bool, deep: bool) -> list[Difference]:
    """Name every difference; `deep` compares the bytes of each file by SHA-256, in the card and on the Drive."""
    try:
        observe(work, ask_users=ask_users, full=True)
    except CardVanished:
        work.seen.item = None
    if work.seen.item is None:
        what, shown = CARD_LOST
        return [_differs(work, what, "есть", shown, _Mark(None, ""))]
    item = work.seen.item
    changed = _mark(work, item.get("updatedTime"), item.get("updatedBy"))
    moved = _mark(work, item.get("movedTime"), item.get("movedBy"))
    found = [
        _differs(work, change.what, change.engine, change.portal, moved if change.name == "stageId" else changed)
        for change in changes_of(work)
    ]
    found += [
        _differs(
            work,
            "Карточка",
            "одна",
            f"ещё одна, {twin['id']}",
            _mark(work, twin.get("createdTime"), twin.get("createdBy"), ours="программа"),
        )
        for twin in work.seen.twins
    ]
    found += _tasks(work)
    found += _files(work, deep, changed)
    found += [_differs(work, "Запись в ленте", n.text, "—", _Mark(None, "")) for n in notes.missing_notes(work)]
    return found + (list(_drive(work)) if deep else [])


@dataclass(frozen=True, slots=True)
class _Mark:
    """Since when a difference is there, and who made it."""

    since: datetime | None
    who: str


def _mark(work: Work, at: object, user: object, *, ours: str = "маршрут") -> _Mark:
    """Name who changed a thing of the portal last; where that were we, the order has moved since."""
    number, us = str(user or ""), str(work.guard.client.user_id)
    if number in ("", "0", us):
        moments = [visit.since for visit in work.order.open] + [visit.at for visit in work.order.done]
        return _Mark(work.order.ended or max(moments, default=None), ours)
    person = work.staff.of_bitrix(int(number)) if number.isdigit() else None
    return _Mark(instant(at, work.zone), person.name if person else f"пользователь {number}")


def forget_lost(work: Work) -> None:
    """Forget what the ledger holds to be in the portal and is not: a portal restored from its backup has lost it."""
    for note in notes.missing_notes(work):
        work.forget(note.mark)
    forget_lost_files(work)


def forget_lost_files(work: Work) -> None:
    """Forget the order's files on the Drive that are not there, and a folder that is another's by now."""
    for file in _lost(work):
        work.forget(drive_key(work.wish.key, file))
    folder = work.done(folder_key(work.wish.key))
    if folder and not _own_folder(work, folder):
        work.forget(folder_key(work.wish.key))


def _tasks(work: Work) -> Iterator[Difference]:
    opened = tasks.open_task(work)
    route = _mark(work, None, None)
    wish = work.wish.task
    if wish is not None and work.addressed.responsible is not None:
        if opened is None:
            yield _differs(work, "Задача", wish.title, "нет", route)
        else:
            if opened.closed:
                closed = _mark(work, opened.finished_at, opened.finished_by)
                yield _differs(work, f"Задача {opened.id}", "открыта", "завершена", closed)
            changed = _mark(work, opened.changed_at, opened.changed_by)
            for name, value in tasks.task_changes(work, opened).items():
                yield _differs(work, f"Задача {opened.id}, {name}", str(value), "другое", changed)
    for task in tasks.own_tasks(work):
        if not task.closed and (opened is None or task.id != opened.id):
            yield _differs(work, f"Задача {task.id}", "завершена", "открыта", route)


def _files(work: Work, deep: bool, changed: _Mark) -> Iterator[Difference]:
    assert work.seen.item is not None
    for variable, wanted in work.wish.files.items():
        field = work.schema.fields.get(variable)
        if field is None:
            continue
        have = matched(work, field, wanted, deep=deep)
        missing = [file for file in wanted if file.variable not in have]
        extra = len(entries(field, work.seen.item)) - len(have)
        if missing or extra:
            portal = file_names(file for file in wanted if file.variable in have)
            yield _differs(
                work, field.label, file_names(wanted), portal + (f", лишних: {extra}" if extra else ""), changed
            )


def _drive(work: Work) -> Iterator[Difference]:
    for file in _lost(work):
        yield _differs(work, f"Файл «{file.name}» на диске", file.sha256[:12], "другой или нет", _Mark(None, ""))


def _lost(work: Work) -> Iterator[FileRef]:
    """Yield the files that the tasks link to, as far as they were put on the Drive and are not there as they were."""
    for file in work.order.files:
        known = work.done(drive_key(work.wish.key, file))
        if known and not _same_on_drive(work, known, file):
            yield file


def _same_on_drive(work: Work, number: str, file: FileRef) -> bool:
    try:
        url = str(work.guard.call("disk.file.get", {"id": number}).map()["DOWNLOAD_URL"])
        return hashlib.sha256(work.guard.download(url)).hexdigest() == file.sha256
    except PortalRefused:
        return False


def _own_folder(work: Work, number: str) -> bool:
    try:
        name = str(work.guard.call("disk.folder.get", {"id": number}).map().get("NAME"))
    except PortalRefused:
        return False
    return name in {numbered(work.wish.key, n) for n in range(1, 10)}


def _differs(work: Work, what: str, engine: str, portal: str, mark: _Mark) -> Difference:
    return Difference(work.wish.key, what, engine, portal, mark.since, mark.who)
