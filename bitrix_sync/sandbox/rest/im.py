"""Notices to people: im.notify.*"""

from __future__ import annotations

from typing import Any

from bitrix_sync.sandbox.envelope import Refusal, Reply
from bitrix_sync.sandbox.params import integer
from bitrix_sync.sandbox.rest.registry import Call, method
from bitrix_sync.sandbox.rest.task_fields import visible
from bitrix_sync.sandbox.store import Doc


def _upper(call: Call) -> dict[str, Any]:
    return {str(key).upper(): value for key, value in call.params.items()}


def _client(params: dict[str, Any]) -> str:
    client = str(params.get("CLIENT_ID") or "")
    if not client:
        raise Refusal("ACCESS_DENIED", "Access denied! Client ID not specified", 403)
    return client


def _add(call: Call, *, system: bool) -> Reply:
    params = _upper(call)
    person = integer(params.get("USER_ID"))
    if not person or person < 1:
        raise Refusal("USER_ID_EMPTY", "User ID can't be empty")
    text = str(params.get("MESSAGE") or "").strip()
    if not text:
        raise Refusal("MESSAGE_EMPTY", "Message can't be empty")
    if len(str(params.get("ATTACH") or "")) > 60_000:
        raise Refusal("ATTACH_OVERSIZE", "You have exceeded the maximum allowable size of attach")
    tag, sub = str(params.get("TAG") or ""), str(params.get("SUB_TAG") or "")
    client = _client(params) if tag or sub else ""
    user = call.store.get("user", person)
    if user is None or not user["active"]:
        return Reply(False)
    if tag:
        for doc in call.store.of("notice", client=client, tag=tag):
            call.store.drop("notice", doc["id"])  # of whoever it was: a tag is unique per application
    return Reply(call.portal.notice(person, text, author=call.user_id, system=system, tag=tag, sub=sub, client=client))


@method("im.notify.personal.add", "im")
def personal(call: Call) -> Reply:
    """Send a notice from the webhook owner; answers its id, or false where nobody gets it."""
    return _add(call, system=False)


@method("im.notify.system.add", "im")
def system(call: Call) -> Reply:
    """Send a notice from the system; answers its id, or false where nobody gets it."""
    return _add(call, system=True)


@method("im.notify", "im")
def notify(call: Call) -> Reply:
    """Send a notice; TYPE is USER or SYSTEM."""
    params = {("USER_ID" if key.upper() == "TO" else key): value for key, value in call.params.items()}
    return _add(Call(call.portal, call.user, params, call.base), system=_upper(call).get("TYPE") == "SYSTEM")


@method("im.notify.delete", "im")
def delete(call: Call) -> Reply:
    """Take back a notice by ID, TAG or SUB_TAG."""
    params = _upper(call)
    number, tag, sub = integer(params.get("ID")), params.get("TAG"), params.get("SUB_TAG")
    if not (number or tag or sub):
        raise Refusal("PARAMS_ERROR", "Incorrect params")
    client = _client(params)
    hit = False
    for doc in call.store.all("notice"):
        tagged = (tag and doc["tag"] == tag) or (sub and doc["sub"] == sub)
        if doc["id"] == number or (tagged and doc["client"] == client):
            call.store.drop("notice", doc["id"])
            hit = True
    return Reply(hit)


@method("im.dialog.messages.get", "im")
def messages(call: Call) -> Reply:
    """Return the newest messages of a task's chat, newest first; only who takes part in it may read."""
    params = _upper(call)
    number = str(params.get("DIALOG_ID") or "").removeprefix("chat")
    if not number.isdigit():
        raise Refusal("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
    task = call.store.one("task", chatId=number)
    if task is None or not visible(call, task):
        raise Refusal("ACCESS_ERROR", "You do not have access to the specified dialog", 403)
    limit = min(50, integer(params.get("LIMIT")) or 20)
    first, last = integer(params.get("FIRST_ID")), integer(params.get("LAST_ID"))
    rows = call.store.of("message", task=task["id"])
    rows = [row for row in rows if (first is None or row["id"] > first) and (last is None or row["id"] < last)]
    shown = [
        {
            "id": row["id"],
            "chat_id": int(number),
            "author_id": row["author"],
            "date": call.show(row["created"]),
            "text": row["text"],
            "unread": False,
            "uuid": None,
            "replaces": [],
            "params": {"FILE_ID": row["files"]} if row.get("files") else [],
            "disappearing_date": None,
        }
        for row in sorted(rows, key=lambda row: -row["id"])[:limit]
    ]
    held = [call.store.get("disk", each) for row in rows for each in row.get("files", [])]
    files = [_file(call, int(number), doc) for doc in held if doc is not None]
    return Reply({"chat_id": int(number), "messages": shown, "users": [], "files": files})


def _file(call: Call, chat: int, doc: Doc) -> dict[str, Any]:
    return {
        "id": doc["id"],
        "chatId": chat,
        "date": call.show(doc["created"]),
        "type": "file",
        "name": doc["name"],
        "size": doc["size"],
        "status": "done",
        "progress": 100,
        "authorId": doc["author"],
        "urlDownload": f"{call.base}/bitrix/components/bitrix/im.messenger/download.file.php?fileId={doc['id']}",
    }
