"""The Drive: storages, folders, files, attached objects."""

from __future__ import annotations

from typing import Any

from bitrix_sync.sandbox.envelope import Refusal, Reply
from bitrix_sync.sandbox.params import as_list, integer, optional_map, yes
from bitrix_sync.sandbox.rest import filters
from bitrix_sync.sandbox.rest.item_files import decode, token
from bitrix_sync.sandbox.rest.registry import Call, method, page
from bitrix_sync.sandbox.store import Doc, Store

_TAKEN = Refusal("DISK_OBJ_22000", "A file or folder with this name already exists")


def ensure_storages(store: Store, users: list[Doc], now: str) -> None:
    """Make the common storage and one per user where they are missing."""
    known = {(doc["ENTITY_TYPE"], doc["ENTITY_ID"]) for doc in store.all("storage")}
    wanted = [("common", "shared_files_s1", "Общий диск", 1)]
    wanted += [("user", str(user["id"]), f"{user['name']} {user['lastName']}".strip(), user["id"]) for user in users]
    for kind, entity, name, author in wanted:
        if (kind, entity) not in known:
            number = store.next_id("storage")
            root = _put(store, {"type": "folder", "name": "/", "parent": 0, "storage": number, "author": author}, now)
            row = {"ID": number, "NAME": name, "CODE": None, "MODULE_ID": "disk", "ENTITY_TYPE": kind}
            store.put("storage", number, {**row, "ENTITY_ID": entity, "ROOT_OBJECT_ID": root["id"]})


def _put(store: Store, doc: Doc, now: str) -> Doc:
    number = store.next_id("disk")
    return store.put("disk", number, {**doc, "id": number, "created": now})


def _number(call: Call) -> int:
    number = integer(call.params.get("id", call.params.get("ID")))
    if number is None:
        raise Refusal("ERROR_ARGUMENT", "Invalid value of parameter {Parameter #0}")
    return number


def _absent(number: int) -> Refusal:
    return Refusal("ERROR_NOT_FOUND", f"Could not find entity with id `{number}`")


def _need(call: Call, kind: str, number: int | None = None) -> Doc:
    number = _number(call) if number is None else number
    doc = call.store.get("disk", number)
    if doc is None or doc["type"] != kind:
        raise _absent(number)
    return doc


def _root(call: Call) -> Doc:
    number = _number(call)
    storage = call.store.get("storage", number)
    if storage is None:
        raise _absent(number)
    return _need(call, "folder", int(storage["ROOT_OBJECT_ID"]))


def _name(call: Call) -> str:
    name = str(optional_map(call.params, "data").get("NAME") or "").strip()
    if not name:
        raise Refusal("ERROR_ARGUMENT", "Invalid value of parameter {Parameter #1}")
    return name


def _shown(call: Call, doc: Doc, *, text: bool = True) -> Doc:
    """Show a file or folder; fresh ones have numbers, read ones have texts."""
    of = str if text else int
    row: Doc = {
        "ID": of(doc["id"]),
        "NAME": doc["name"],
        "CODE": None,
        "STORAGE_ID": str(doc["storage"]),
        "TYPE": doc["type"],
        "PARENT_ID": str(doc["parent"]),
        "DELETED_TYPE": of(0),
        "CREATE_TIME": call.show(doc["created"]),
        "UPDATE_TIME": call.show(doc["created"]),
        "DELETE_TIME": None,
        "CREATED_BY": str(doc["author"]),
        "UPDATED_BY": str(doc["author"]),
        "DELETED_BY": "0" if text else None,
        "DETAIL_URL": f"{call.base}/disk/{doc['type']}/{doc['id']}/",
    }
    if doc["type"] == "folder":
        return {**row, "REAL_OBJECT_ID": of(doc["id"])}
    signed = token(call.portal.secret, "disk", doc["id"])
    row |= {"GLOBAL_CONTENT_VERSION": of(1), "FILE_ID": of(doc["id"] + 23_000), "SIZE": str(doc["size"])}
    row["DOWNLOAD_URL"] = f"{call.base}/rest/download.json?auth={signed[:20]}&token=disk%7C{doc['id']}%7C{signed}"
    return row


@method("disk.storage.getlist", "disk", empty=list)
def storages(call: Call) -> Reply:
    """List the storages that the caller sees: the common one, his own, all for an administrator."""
    names: dict[str, filters.Cast] = {
        "ID": integer,
        "NAME": str,
        "ENTITY_TYPE": str,
        "ENTITY_ID": str,
        "MODULE_ID": str,
        "CODE": str,
    }
    wanted = optional_map(call.params, "filter", "FILTER")
    own = {("common", "shared_files_s1"), ("user", str(call.user_id))}
    rows = [
        doc
        for doc in filters.matching(call.store, "storage", wanted, filters.plain(names), strict=False)
        if call.admin or (doc["ENTITY_TYPE"], doc["ENTITY_ID"]) in own
    ]
    cut, total, following = page(rows, call.params)
    return Reply([_shown_storage(doc) for doc in cut], total, following)


def _shown_storage(doc: Doc) -> Doc:
    return {**doc, "ID": str(doc["ID"]), "ROOT_OBJECT_ID": str(doc["ROOT_OBJECT_ID"])}


@method("disk.storage.get", "disk")
def storage(call: Call) -> Reply:
    """Return one storage."""
    doc = call.store.get("storage", _number(call))
    if doc is None:
        raise _absent(_number(call))
    return Reply(_shown_storage(doc))


def _children(call: Call, folder: Doc) -> Reply:
    rows = [
        doc | {"ID": doc["id"], "NAME": doc["name"], "TYPE": doc["type"]}
        for doc in call.store.of("disk", parent=folder["id"])
    ]
    names: dict[str, filters.Cast] = {"ID": integer, "NAME": str, "TYPE": str}
    resolve = filters.plain(names)
    test = filters.build(optional_map(call.params, "filter", "FILTER"), resolve, strict=False)
    order = {key: way for key, way in optional_map(call.params, "order", "ORDER").items() if key in names}
    rows = filters.sort([row for row in rows if test(row)], order, resolve)
    cut, total, following = page(rows, call.params)
    return Reply([_shown(call, doc) for doc in cut], total, following)


@method("disk.storage.getchildren", "disk", empty=list)
def storage_children(call: Call) -> Reply:
    """List what lies in the root of a storage."""
    return _children(call, _root(call))


@method("disk.folder.getchildren", "disk", empty=list)
def folder_children(call: Call) -> Reply:
    """List what lies in a folder."""
    return _children(call, _need(call, "folder"))


def _add_folder(call: Call, parent: Doc) -> Reply:
    name = _name(call)
    if _taken(call.store, parent["id"], name):
        raise Refusal("DISK_OBJ_22000", "A folder with this name already exists")
    row = {"type": "folder", "name": name, "parent": parent["id"], "storage": parent["storage"]}
    return Reply(_shown(call, _put(call.store, {**row, "author": call.user_id}, call.now()), text=False))


def _taken(store: Store, parent: int, name: str) -> bool:
    return any(doc["name"].casefold() == name.casefold() for doc in store.of("disk", parent=parent))


@method("disk.storage.addfolder", "disk")
def storage_add_folder(call: Call) -> Reply:
    """Make a folder in the root of a storage; a taken name is refused."""
    return _add_folder(call, _root(call))


@method("disk.folder.addsubfolder", "disk")
def add_subfolder(call: Call) -> Reply:
    """Make a folder in a folder; a taken name is refused."""
    return _add_folder(call, _need(call, "folder"))


@method("disk.folder.get", "disk")
def folder(call: Call) -> Reply:
    """Return one folder."""
    return Reply(_shown(call, _need(call, "folder")))


def keep_file(call: Call, parent: Doc | None, name: str, data: bytes, *, unique: bool, author: int) -> Doc:
    """Keep a file; with `unique` a taken name gets a number, else it is refused."""
    place = parent["id"] if parent else 0
    if parent and _taken(call.store, place, name):
        if not unique:
            raise _TAKEN
        stem, dot, ending = name.rpartition(".")
        stem = stem if dot else ending
        tries = (f"{stem} ({n}){dot}{ending if dot else ''}" for n in range(1, 10_000))
        name = next(other for other in tries if not _taken(call.store, place, other))
    row: Doc = {"type": "file", "name": name, "parent": place, "storage": parent["storage"] if parent else 1}
    row |= {"size": len(data), "sha": call.store.save_blob(data), "author": author}
    return _put(call.store, row, call.now())


def _upload(call: Call, parent: Doc) -> Reply:
    content = as_list(call.params.get("fileContent"))
    name = str(optional_map(call.params, "data").get("NAME") or "").strip()
    if not content:
        signed = token(call.portal.secret, "upload", parent["id"])
        link = f"{call.base}/rest/upload.json?token=disk%7C{parent['id']}%7C{signed}"
        return Reply({"field": "file", "uploadUrl": link})
    if not name:
        raise Refusal("DISK_BASE_SERVICE_22001", "Error: required parameter NAME (DISK_BASE_SERVICE_22001)")
    try:
        data = decode(content[-1])
    except ValueError as error:
        raise Refusal("ERROR_COULD_NOT_SAVE_FILE", "Could not save file") from error
    unique = yes(call.params.get("generateUniqueName", "false"))
    doc = keep_file(call, parent, name, data, unique=unique, author=call.user_id)
    return Reply(_shown(call, doc, text=False))


@method("disk.storage.uploadfile", "disk", in_batch=False)
def storage_upload(call: Call) -> Reply:
    """Upload a file to the root of a storage."""
    return _upload(call, _root(call))


@method("disk.folder.uploadfile", "disk", in_batch=False)
def upload(call: Call) -> Reply:
    """Upload a file to a folder."""
    return _upload(call, _need(call, "folder"))


@method("disk.file.get", "disk")
def file_get(call: Call) -> Reply:
    """Return one Drive file; ids of files in item fields are not known here."""
    return Reply(_shown(call, _need(call, "file")))


def _delete(call: Call, kind: str) -> Reply:
    doc = _need(call, kind)
    waiting: list[Any] = [doc]
    while waiting:
        current = waiting.pop()
        waiting += call.store.of("disk", parent=current["id"])
        call.store.drop("disk", current["id"])
    return Reply(True)


@method("disk.file.delete", "disk")
def file_delete(call: Call) -> Reply:
    """Delete a file for good."""
    return _delete(call, "file")


@method("disk.file.markdeleted", "disk")
def file_mark_deleted(call: Call) -> Reply:
    """Move a file to the bin; here it is gone at once."""
    return _delete(call, "file")


@method("disk.folder.deletetree", "disk")
def folder_delete(call: Call) -> Reply:
    """Delete a folder with all that is in it."""
    return _delete(call, "folder")


def attach(store: Store, object_id: int, task_id: int, author: int, now: str) -> int:
    """Bind a Drive file to a task and return the attachment's id."""
    number = store.next_id("attached")
    row = {"id": number, "object": object_id, "task": task_id, "author": author, "created": now}
    return int(store.put("attached", number, row)["id"])


@method("disk.attachedObject.get", "disk")
def attached(call: Call) -> Reply:
    """Return an attachment with its own download link."""
    number = _number(call)
    doc = call.store.get("attached", number)
    held = call.store.get("disk", doc["object"]) if doc else None
    if doc is None or held is None:
        raise _absent(number)
    signed = token(call.portal.secret, "attached", number)
    return Reply(
        {
            "ID": str(number),
            "OBJECT_ID": str(doc["object"]),
            "MODULE_ID": "tasks",
            "ENTITY_TYPE": "tasks_task",
            "ENTITY_ID": str(doc["task"]),
            "CREATE_TIME": call.show(doc["created"]),
            "CREATED_BY": str(doc["author"]),
            "DOWNLOAD_URL": f"{call.base}/bitrix/tools/disk/uf.php?attachedId={number}&auth%5Bauth%5D={signed}"
            "&action=download&ncc=1",
            "NAME": held["name"],
            "SIZE": str(held["size"]),
        }
    )
