"""The proof that a card equals its order: the same comparison as the repair, read only, the whole timeline included."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from bitrix_sync import notes, tasks
from bitrix_sync.compare import Difference, entries, file_names
from bitrix_sync.errors import PortalRefused
from bitrix_sync.files import matched
from bitrix_sync.repair import CardVanished, changes_of, observe
from bitrix_sync.work import Work, drive_key
from orders.snapshot import FileRef


def differences(work: Work, *, ask_users: bool, deep: bool) -> list[Difference]:
    """Name every difference; `deep` compares the bytes of each file by SHA-256, in the card and on the Drive."""
    try:
        observe(work, ask_users=ask_users, full=True)
    except CardVanished:
        work.seen.item = None
    if work.seen.item is None:
        return [_differs(work, "Карточка", "есть", "нет")]
    found = [_differs(work, change.what, change.engine, change.portal) for change in changes_of(work)]
    found += [_differs(work, "Карточка", "одна", f"ещё одна, {twin['id']}") for twin in work.seen.twins]
    found += _tasks(work)
    found += _files(work, deep)
    found += [_differs(work, "Запись в ленте", note.text, "—") for note in notes.missing_notes(work)]
    return found + (list(_drive(work)) if deep else [])


def _tasks(work: Work) -> Iterator[Difference]:
    opened = tasks.open_task(work)
    wish = work.wish.task
    if wish is not None and work.addressed.responsible is not None:
        if opened is None:
            yield _differs(work, "Задача", wish.title, "нет")
        else:
            if opened.closed:
                yield _differs(work, f"Задача {opened.id}", "открыта", "завершена")
            for name, value in tasks.task_changes(work, opened).items():
                yield _differs(work, f"Задача {opened.id}, {name}", str(value), "другое")
    for task in tasks.own_tasks(work):
        if not task.closed and (opened is None or task.id != opened.id):
            yield _differs(work, f"Задача {task.id}", "завершена", "открыта")


def _files(work: Work, deep: bool) -> Iterator[Difference]:
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
            yield _differs(work, field.label, file_names(wanted), portal + (f", лишних: {extra}" if extra else ""))


def _drive(work: Work) -> Iterator[Difference]:
    """Check the files that the tasks link to, as far as they have been put on the Drive."""
    for file in work.order.files:
        known = work.done(drive_key(work.wish.key, file))
        if known and not _same_on_drive(work, known, file):
            yield _differs(work, f"Файл «{file.name}» на диске", file.sha256[:12], "другой или нет")


def _same_on_drive(work: Work, number: str, file: FileRef) -> bool:
    try:
        url = str(work.guard.call("disk.file.get", {"id": number}).map()["DOWNLOAD_URL"])
        return hashlib.sha256(work.guard.download(url)).hexdigest() == file.sha256
    except PortalRefused:
        return False


def _differs(work: Work, what: str, engine: str, portal: str) -> Difference:
    return Difference(work.wish.key, what, engine, portal)
