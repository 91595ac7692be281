"""Files of an order: in the card's fields (replaced as a whole, so kept by id) and once on the Drive for the tasks."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from typing import Any

import structlog

from bitrix_sync.client import PAGE, rows_of
from bitrix_sync.compare import Entry, entries
from bitrix_sync.errors import PortalRefused
from bitrix_sync.papers import rescue
from bitrix_sync.retry import Kind
from bitrix_sync.schema import CardField
from bitrix_sync.work import Work, drive_key, file_key, folder_key
from ledger.failpoints import failpoint
from orders.errors import Permanent, Transient
from orders.snapshot import FileRef

TAKEN = "DISK_OBJ_22000"  # the portal's code for a folder's name that is there already; for a file's none is promised
_FORBIDDEN = re.compile(r'[\\/:*?"<>|\x00-\x1f]')

log = structlog.get_logger(__name__)


def mirror_files(work: Work) -> None:
    """Make each file field of the card hold exactly the judged files, one upload a request.

    Between two steps what was sent last is still being judged: the fields are left alone.
    """
    if work.wish.stage is None:
        return
    for variable, wanted in work.wish.files.items():
        field = work.schema.fields.get(variable)
        if field is not None:
            _mirror_field(work, field, wanted)


def rescue_drafts(work: Work) -> None:
    """Keep what lies in the fields of a visit that opens now: they begin empty."""
    task = work.wish.task
    if task is None or work.done(f"{task.key}:reset") is not None or work.seen.item is None:
        return
    for variable in work.wish.reset:
        field = work.schema.fields.get(variable)
        if field is not None and field.kind.holds_files:
            rescue(work, field, entries(field, work.seen.item))


def matched(work: Work, field: CardField, wanted: Iterable[FileRef], *, deep: bool = False) -> dict[str, Entry]:
    """Return which file of the card is which of ours (by variable), by ledger, else by its bytes.

    The portal tells neither name nor hash of a file in a field, so unknown ones are downloaded; with `deep` all are.
    """
    assert work.seen.item is not None
    have = {entry.id: entry for entry in entries(field, work.seen.item)}
    found: dict[str, Entry] = {}
    for file in wanted:
        known = work.done(file_key(work.wish.key, file))
        if known and int(known) in have and not deep:
            found[file.variable] = have.pop(int(known))
    missing = [file for file in wanted if file.variable not in found]
    hashes = {e.id: hashlib.sha256(work.guard.download(e.url)).hexdigest() for e in have.values()} if missing else {}
    for file in missing:
        number = next((each for each, sha in hashes.items() if sha == file.sha256 and each in have), None)
        if number is not None:
            found[file.variable] = have.pop(number)
    return found


def _mirror_field(work: Work, field: CardField, wanted: tuple[FileRef, ...]) -> None:
    assert work.seen.item is not None
    present = matched(work, field, wanted)
    for file in wanted:
        if file.variable in present and work.done(file_key(work.wish.key, file)) != str(present[file.variable].id):
            work.note_done(file_key(work.wish.key, file), str(present[file.variable].id))
    missing = [file for file in wanted if file.variable not in present]
    rightly = {entry.id for entry in present.values()}
    rescue(work, field, [entry for entry in entries(field, work.seen.item) if entry.id not in rightly])
    for file in missing:
        present[file.variable] = _upload(work, field, [e.id for e in present.values()], file)
    if not missing and len(entries(field, work.seen.item)) > len(present):
        kept = [{"id": entry.id} for entry in present.values()]
        _update(work, {field.name: kept if field.multiple else ""})


def _upload(work: Work, field: CardField, kept: list[int], file: FileRef) -> Entry:
    """Put one file into a field. Repeating it after a lost answer replaces the first try: nothing doubles."""
    assert work.seen.item is not None
    content = [file.name, base64.b64encode(read(work, file)).decode()]
    before = {entry.id for entry in entries(field, work.seen.item)}
    failpoint("before_call", "crm.item.update")
    _update(work, {field.name: [*({"id": each} for each in kept), content] if field.multiple else content})
    failpoint("after_call", "crm.item.update")
    fresh = [entry for entry in entries(field, work.seen.item) if entry.id not in before]
    if len(fresh) != 1:
        raise Transient(f"файл «{file.name}» не виден в карточке {work.wish.key} сразу после записи", 5.0)
    work.note_done(file_key(work.wish.key, file), str(fresh[0].id))
    return fresh[0]


def _update(work: Work, fields: dict[str, Any]) -> None:
    params = {"entityTypeId": work.schema.entity_type_id, "id": work.card_id, "fields": fields}
    work.seen.item = work.guard.call("crm.item.update", params, kind=Kind.WRITE).map("item") or work.seen.item


def read(work: Work, file: FileRef) -> bytes:
    """Return a file's bytes from the engine. Raises Transient where they are no longer those that were judged."""
    _, data = work.engine.file_bytes(work.order.instance_id, file.variable)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise Transient(f"файл {file.variable} заказа {work.wish.key} сменился, пока его читали", 1.0)
    return data


def mirror_drive(work: Work) -> list[str]:
    """Put all files of the order on the Drive, each once, and return their ids in the order of the route."""
    return [_on_drive(work, file) for file in work.order.files]


def _on_drive(work: Work, file: FileRef) -> str:
    key = drive_key(work.wish.key, file)
    known = work.done(key)
    if known:
        return known
    folder = _folder(work)
    return work.once.create(
        key,
        "disk.folder.uploadfile",
        work.guard,
        find=lambda: _same_bytes(work, folder, file),
        make=lambda: _store(work, folder, file),
        look=work.rebuilding,
    )


def _folder(work: Work) -> str:
    """Return the order's folder; its name is the number, or the number with a counter where that one is taken.

    The Drive compares names without regard to case, order numbers do not: kp-7 and KP-7 are two orders.
    """
    root = work.schema.folder_id
    if root is None:
        raise Permanent("в Битрикс24 нет папки «Заказы» на общем диске: запустите bitrix setup")
    names = [numbered(work.wish.key, number) for number in range(1, 10)]

    def find() -> str | None:
        rows = rows_of(work.guard.call("disk.folder.getchildren", {"id": root, "filter": {"@NAME": names}}))
        mine = [row for row in rows if row.get("NAME") in names and row.get("TYPE") == "folder"]
        return str(mine[0]["ID"]) if mine else None

    def make() -> str:
        for name in names:
            try:
                answer = work.guard.call("disk.folder.addsubfolder", {"id": root, "data": {"NAME": name}})
            except PortalRefused as error:
                if not _taken(error):
                    raise
                if (found := find()) is not None:
                    return found
            else:
                return str(answer.map()["ID"])
        raise Permanent(f"на диске Битрикс24 заняты все имена папки заказа {work.wish.key}")

    known = work.done(folder_key(work.wish.key))
    return known or work.once.create(
        folder_key(work.wish.key), "disk.folder.addsubfolder", work.guard, find, make, look=work.rebuilding
    )


def _taken(error: PortalRefused) -> bool:
    words = error.description.lower()
    return error.code == TAKEN or "exist" in words or "существует" in words or "unique" in words


def _store(work: Work, folder: str, file: FileRef) -> str:
    content = base64.b64encode(read(work, file)).decode()
    for number in range(1, 100):
        name = numbered(file.name, number)
        params = {"id": folder, "data": {"NAME": name}, "fileContent": [name, content], "generateUniqueName": False}
        try:
            return str(work.guard.call("disk.folder.uploadfile", params).map()["ID"])
        except PortalRefused as error:
            if not _taken(error):
                raise
        if (found := _same_bytes(work, folder, file)) is not None:
            return found
    raise Permanent(f"на диске Битрикс24 уже 100 файлов с именем «{file.name}» у заказа {work.wish.key}")


def _same_bytes(work: Work, folder: str, file: FileRef) -> str | None:
    """Find the file on the Drive: candidates by name and size, proof by bytes."""
    names = {numbered(file.name, number).casefold() for number in range(1, 100)}
    for row in _children(work, folder):
        named = str(row.get("NAME", "")).casefold() in names and str(row.get("SIZE")) == str(file.size)
        if not named:
            continue
        data = work.guard.download(str(row["DOWNLOAD_URL"]))
        if hashlib.sha256(data).hexdigest() == file.sha256:
            return str(row["ID"])
    return None


def _children(work: Work, folder: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    start: int | None = 0
    while start is not None and len(found) < 20 * PAGE:
        answer = work.guard.call("disk.folder.getchildren", {"id": folder, "start": start, "order": {"ID": "ASC"}})
        found += rows_of(answer)
        start = answer.next
    return found


def numbered(name: str, number: int) -> str:
    """Return the Drive's name of a file: the second of one name becomes «Эскиз (2).pdf»; forbidden signs become -."""
    clean = _FORBIDDEN.sub("-", name)
    if number == 1:
        return clean
    stem, dot, ending = clean.rpartition(".")
    return f"{stem} ({number}).{ending}" if dot and len(ending) <= 5 else f"{clean} ({number})"
