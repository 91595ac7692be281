"""Comments and log lines in an item's timeline."""

from __future__ import annotations

import re
from typing import Any

from bitrix_sync.sandbox.envelope import Refusal, Reply, argument, missing
from bitrix_sync.sandbox.params import as_list, integer, need_integer, optional_map
from bitrix_sync.sandbox.rest import filters
from bitrix_sync.sandbox.rest.disk import keep_file
from bitrix_sync.sandbox.rest.item_files import decode
from bitrix_sync.sandbox.rest.items import kind_of
from bitrix_sync.sandbox.rest.registry import Call, method, page
from bitrix_sync.sandbox.rest.types import find_type
from bitrix_sync.sandbox.store import Doc


def _owner(call: Call, entity_type: Any, number: Any, *, quiet: bool = False) -> tuple[int, int] | None:
    found = re.fullmatch(r"dynamic_(\d+)", str(entity_type or "").lower())
    type_id, item_id = (int(found[1]) if found else 0), integer(number) or 0
    if found and find_type(call.store, type_id) and call.store.get(kind_of(type_id), item_id):
        return type_id, item_id
    if quiet:
        return None
    raise Refusal("OWNER_NOT_FOUND", "Owner was not found")


def _fields(call: Call) -> dict[str, Any]:
    value = call.params.get("fields")  # other spellings of the key are not accepted since crm 23.100
    if not isinstance(value, dict) or not value:
        raise missing("fields")
    return value


@method("crm.timeline.comment.add", "crm")
def add(call: Call) -> Reply:
    """Add a comment; AUTHOR_ID of an existing user is honoured, unless the portal is told otherwise."""
    fields = _fields(call)
    owner = _owner(call, fields.get("ENTITY_TYPE"), fields.get("ENTITY_ID"))
    text = str(fields.get("COMMENT") or "")
    if not text.strip():
        raise argument("Empty comment message")
    author = integer(fields.get("AUTHOR_ID")) or call.user_id
    if call.store.get("user", author) is None or not call.portal.settings.authors:
        author = call.user_id
    number = call.store.next_id("comment")
    doc: Doc = {
        "id": number,
        "owner": list(owner or ()),
        "created": call.now(),
        "text": text,
        "author": author,
        "files": _files(call, fields.get("FILES"), author),
    }
    call.store.put("comment", number, doc)
    call.portal.raise_comment_on_card(number)
    return Reply(number)


def _files(call: Call, given: Any, author: int) -> list[int]:
    kept: list[int] = []
    for item in as_list(given):
        if not isinstance(item, list) or len(item) != 2:
            raise argument("Invalid files")
        try:
            data = decode(item[1])
        except ValueError as error:
            raise argument("Invalid files") from error
        kept.append(keep_file(call, None, str(item[0]), data, unique=True, author=author)["id"])
    return kept


def _need(call: Call) -> Doc:
    number = integer(call.params.get("id", call.params.get("ID")))
    if not number or number < 1:
        raise Refusal("", "ID is not defined or invalid.")
    doc = call.store.get("comment", number)
    if doc is None:
        raise Refusal("NOT_FOUND", "Not found.")
    return doc


@method("crm.timeline.comment.get", "crm")
def get(call: Call) -> Reply:
    """Return one comment."""
    try:
        return Reply(_shown(call, _need(call)))
    except Refusal as refusal:
        raise Refusal("", refusal.description) from refusal


@method("crm.timeline.comment.list", "crm", empty=list)
def comments(call: Call) -> Reply:
    """List the comments of one item; both filter fields are mandatory."""
    wanted = optional_map(call.params, "filter", "FILTER")
    owner = _owner(call, wanted.get("ENTITY_TYPE", wanted.get("=ENTITY_TYPE")), _id_of(wanted), quiet=True)
    if owner is None:
        raise Refusal("", "Access denied.")
    names: dict[str, filters.Cast] = {"ID": integer, "AUTHOR_ID": integer, "CREATED": str}
    rest = {key: value for key, value in wanted.items() if filters.split(key)[1] in names}
    rows = [
        {"doc": doc, "ID": doc["id"], "AUTHOR_ID": doc["author"], "CREATED": doc["created"]}
        for doc in call.store.of("comment", owner=list(owner))
    ]
    test = filters.build(rest, filters.plain(names), strict=False)
    order = {key: way for key, way in optional_map(call.params, "order", "ORDER").items() if key in names}
    rows = filters.sort([row for row in rows if test(row)], order, filters.plain(names))
    cut, total, following = page(rows, call.params)
    chosen = as_list(call.params.get("select"))
    listed = [_shown(call, row["doc"]) for row in cut]
    if chosen and "*" not in chosen:
        listed = [{key: value for key, value in row.items() if key in chosen} for row in listed]
    return Reply(listed, total, following)


def _id_of(wanted: dict[str, Any]) -> Any:
    return wanted.get("ENTITY_ID", wanted.get("=ENTITY_ID"))


def _shown(call: Call, doc: Doc) -> Doc:
    author = call.store.get("user", doc["author"]) or {"name": "", "lastName": ""}
    held = {number: call.store.get("disk", number) for number in doc["files"]}
    return {
        "ID": str(doc["id"]),
        "ENTITY_ID": str(doc["owner"][1]),
        "ENTITY_TYPE": f"dynamic_{doc['owner'][0]}",
        "CREATED": call.show(doc["created"]),
        "COMMENT": doc["text"],
        "AUTHOR_ID": str(doc["author"]),
        "FILES": {
            str(number): {
                "id": number,
                "date": call.show(doc["created"]),
                "type": "file",
                "name": item["name"],
                "size": item["size"],
                "authorId": doc["author"],
                "authorName": f"{author['name']} {author['lastName']}".strip(),
                "urlDownload": f"{call.base}/disk/downloadFile/{number}/?&ncc=1",
            }
            for number, item in held.items()
            if item
        },
    }


@method("crm.timeline.comment.update", "crm")
def update(call: Call) -> Reply:
    """Change text or files; FILES replaces all files."""
    doc = _need(call)
    fields = _fields(call)
    changed = {**doc}
    if "COMMENT" in fields:
        if not str(fields["COMMENT"] or "").strip():
            raise argument("Empty comment message")
        changed["text"] = str(fields["COMMENT"])
    if "FILES" in fields:
        changed["files"] = _files(call, fields["FILES"], doc["author"])
    call.store.put("comment", doc["id"], changed)
    return Reply(doc["id"])


@method("crm.timeline.comment.delete", "crm")
def delete(call: Call) -> Reply:
    """Delete a comment."""
    call.store.drop("comment", _need(call)["id"])
    return Reply(None)


@method("crm.timeline.logmessage.add", "crm")
def log_add(call: Call) -> Reply:
    """Add a log line."""
    fields = _fields(call)
    for name in ("entityTypeId", "entityId", "title", "text", "iconCode"):
        if fields.get(name) in (None, ""):
            raise missing(name)
    owner = _owner(call, f"dynamic_{fields['entityTypeId']}", fields["entityId"])
    number = call.store.next_id("log")
    doc: Doc = {
        "id": number,
        "owner": list(owner or ()),
        "created": call.now(),
        "author": call.user_id,
        "title": str(fields["title"]),
        "text": str(fields["text"]),
        "iconCode": str(fields["iconCode"]),
    }
    return Reply({"logMessage": _shown_log(call, call.store.put("log", number, doc))})


def _shown_log(call: Call, doc: Doc) -> Doc:
    return {
        "id": doc["id"],
        "created": call.show(doc["created"]),
        "authorId": doc["author"],
        "title": doc["title"],
        "text": doc["text"],
        "iconCode": doc["iconCode"],
    }


@method("crm.timeline.logmessage.delete", "crm")
def log_delete(call: Call) -> Reply:
    """Delete a log line."""
    number = need_integer(call.params, "id")
    if call.store.get("log", number) is None:
        raise Refusal("NOT_FOUND", "Not found")
    call.store.drop("log", number)
    return Reply(None)


@method("crm.timeline.logmessage.list", "crm", empty=list)
def log_list(call: Call) -> Reply:
    """List log lines of one item, newest first, ten a page."""
    owner = [need_integer(call.params, "entityTypeId"), need_integer(call.params, "entityId")]
    rows = call.store.of("log", owner=owner)
    order = optional_map(call.params, "order")
    if str(order.get("id", order.get("created", "desc"))).lower() != "asc":
        rows.reverse()
    cut, total, following = page(rows, call.params, 10)
    return Reply([_shown_log(call, doc) for doc in cut], total, following)
