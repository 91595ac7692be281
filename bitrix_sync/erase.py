"""Taking an order's content out of the portal: the card stays as a number in its column, everything else goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bitrix_sync.client import Command, PortalClient, rows_of
from bitrix_sync.envelope import Answer
from bitrix_sync.errors import PortalRefused
from bitrix_sync.notes import CLIENT_ID
from bitrix_sync.observe import note_commands, task_commands
from bitrix_sync.php import as_list, as_map
from bitrix_sync.retry import Kind
from bitrix_sync.schema import MARKER, PortalSchema
from bitrix_sync.values import cleared

EMPTIED = "данные удалены"


def erase_order(
    client: PortalClient, schema: PortalSchema, key: str, notices: Iterable[str], folder: str | None
) -> dict[str, int]:
    """Empty the cards of an order and delete what hangs on them; return what was removed, in Russian, with counts.

    `notices`: tags of the notices that were sent about it; `folder`: its folder on the Drive. Safe to repeat.
    Raises PortalUnavailable, or PortalRefused where the portal does not let us.
    """
    found: dict[str, int] = {"карточек очищено": 0}
    for card in _cards(client, schema, key):
        removed = {
            "комментариев": _delete(client, "crm.timeline.comment.delete", "id", _comments(client, schema, card)),
            "записей в ленте": _delete(client, "crm.timeline.logmessage.delete", "id", _lines(client, schema, card)),
            "задач с файлами и результатами": _delete(
                client, "tasks.task.delete", "taskId", _tasks(client, schema, card)
            ),
        }
        for what, count in removed.items():
            found[what] = found.get(what, 0) + count
        _empty(client, schema, card, key)
        found["карточек очищено"] += 1
    found["папок на диске"] = _drop_folder(client, folder)
    found["уведомлений"] = _take_back(client, notices)
    return found


def _cards(client: PortalClient, schema: PortalSchema, key: str) -> list[int]:
    query = {"entityTypeId": schema.entity_type_id, "filter": {"=xmlId": f"order:{key}"}}
    rows = client.items("crm.item.list", query, path=("items",))
    return [int(row["id"]) for row in rows if row.get("xmlId") == f"order:{key}"]


def _empty(client: PortalClient, schema: PortalSchema, card: int, key: str) -> None:
    fields = {field.name: cleared(field) for variable, field in schema.fields.items() if variable != MARKER}
    params = {"entityTypeId": schema.entity_type_id, "id": card, "fields": fields | {"title": f"{key} · {EMPTIED}"}}
    client.call("crm.item.update", params, kind=Kind.WRITE)


def _comments(client: PortalClient, schema: PortalSchema, card: int) -> list[str]:
    command = note_commands(schema, card)["comments"]
    return [str(row["ID"]) for answer in _pages(client, command) for row in rows_of(answer)]


def _lines(client: PortalClient, schema: PortalSchema, card: int) -> list[str]:
    command, found = note_commands(schema, card)["lines"], []
    for answer in _pages(client, command):
        listed = as_map(answer.result).get("logMessages", answer.result)
        found += [str(as_map(row)["id"]) for row in as_list(listed)]
    return found


def _tasks(client: PortalClient, schema: PortalSchema, card: int) -> list[str]:
    command = task_commands(schema, card)["tasks"]
    return [str(row["id"]) for answer in _pages(client, command) for row in rows_of(answer, "tasks")]


def _pages(client: PortalClient, command: Command) -> Iterator[Answer]:
    start: int | None = 0
    while start is not None:
        answer = client.call(command[0], dict(command[1]) | {"start": start})
        yield answer
        start = answer.next


def _delete(client: PortalClient, method: str, name: str, ids: list[str]) -> int:
    answers = client.batch({number: (method, {name: number}) for number in ids}, kind=Kind.WRITE)
    for error in answers.errors().values():
        if not (isinstance(error, PortalRefused) and error.not_found):
            raise error
    return len(ids)


def _drop_folder(client: PortalClient, folder: str | None) -> int:
    if folder is None:
        return 0
    try:
        client.call("disk.folder.deletetree", {"id": folder}, kind=Kind.WRITE)
    except PortalRefused as error:
        if error.not_found:
            return 0
        raise
    return 1


def _take_back(client: PortalClient, tags: Iterable[str]) -> int:
    commands: dict[str, Command] = {
        f"n{number}": ("im.notify.delete", {"TAG": tag, "CLIENT_ID": CLIENT_ID}) for number, tag in enumerate(tags)
    }
    answers = client.batch(commands, kind=Kind.WRITE)
    return sum(answers.error(name) is None and answers[name].result is True for name in commands)
