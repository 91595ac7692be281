"""Stages of a funnel: entries of the directory DYNAMIC_{entityTypeId}_STAGE_{categoryId}."""

from __future__ import annotations

import re
from typing import Any

from bitrix_sync.sandbox.envelope import Refusal, Reply
from bitrix_sync.sandbox.params import integer, optional_map, yes
from bitrix_sync.sandbox.rest import filters
from bitrix_sync.sandbox.rest.registry import Call, method
from bitrix_sync.sandbox.store import Doc, Store

_ENTITY = re.compile(r"DYNAMIC_(\d+)_STAGE_(\d+)")
_FINAL = (
    "Cannot create more stages after the final stage because the final successful stage already exists. "
    "Try using sort order values less than that of the final stage."
)
DEFAULT = (
    ("NEW", "Начало", 10, "", "#22B9FF", True),
    ("PREPARATION", "Подготовка", 20, "", "#88B9FF", False),
    ("CLIENT", "Согласование", 30, "", "#10E5FC", False),
    ("SUCCESS", "Успех", 40, "S", "#00FF00", True),
    ("FAIL", "Провал", 50, "F", "#FF0000", True),
)


def directory(entity_type_id: int, category_id: int) -> str:
    """Return the directory's name."""
    return f"DYNAMIC_{entity_type_id}_STAGE_{category_id}"


def stages_of(store: Store, entity_id: str) -> list[Doc]:
    """Return the stages of a directory by sort index."""
    return sorted(store.of("status", ENTITY_ID=entity_id), key=lambda doc: (doc["SORT"], doc["ID"]))


def semantic_of(store: Store, stage_id: str) -> str:
    """Return P, S or F for a stage."""
    found = store.one("status", STATUS_ID=stage_id)
    return (found["SEMANTICS"] or "P") if found else "P"


def add_default_stages(call: Call, entity_type_id: int, category_id: int) -> None:
    """Give a new funnel the portal's usual five stages."""
    for code, name, sort, semantics, colour, system in DEFAULT:
        _put(call.store, entity_type_id, category_id, code, name, sort, semantics, colour, system)


def _put(
    store: Store,
    type_id: int,
    category_id: int,
    code: str,
    name: str,
    sort: int,
    semantics: str,
    colour: str,
    system: bool,
) -> Doc:
    number = store.next_id("status")
    return store.put(
        "status",
        number,
        {
            "ID": number,
            "ENTITY_ID": directory(type_id, category_id),
            "STATUS_ID": f"DT{type_id}_{category_id}:{code}",
            "NAME": name,
            "NAME_INIT": name if system else "",
            "SORT": sort,
            "SYSTEM": system,
            "CATEGORY_ID": category_id,
            "COLOR": colour,
            "SEMANTICS": semantics,
        },
    )


def _shown(doc: Doc) -> Doc:
    extra = {"": "process", "S": "success", "F": "failure"}[doc["SEMANTICS"]]
    return {
        "ID": str(doc["ID"]),
        "ENTITY_ID": doc["ENTITY_ID"],
        "STATUS_ID": doc["STATUS_ID"],
        "NAME": doc["NAME"],
        "NAME_INIT": doc["NAME_INIT"],
        "SORT": str(doc["SORT"]),
        "SYSTEM": "Y" if doc["SYSTEM"] else "N",
        "CATEGORY_ID": str(doc["CATEGORY_ID"]),
        "COLOR": doc["COLOR"],
        "SEMANTICS": doc["SEMANTICS"] or None,
        "EXTRA": {"SEMANTICS": extra, "COLOR": doc["COLOR"]},
    }


def _fields(call: Call) -> dict[str, Any]:
    fields = call.params.get("fields", call.params.get("FIELDS"))
    if not isinstance(fields, dict):
        raise Refusal("", "Parameter 'fields' must be array.")
    return fields


def _allowed(call: Call) -> None:
    if not call.admin:
        raise Refusal("", "Access denied.")


@method("crm.status.list", "crm", empty=list)
def statuses(call: Call) -> Reply:
    """List directory entries by filter and order."""
    names: dict[str, filters.Cast] = {
        "ID": integer,
        "ENTITY_ID": str,
        "STATUS_ID": str,
        "NAME": str,
        "SORT": integer,
        "SYSTEM": yes,
        "CATEGORY_ID": integer,
        "SEMANTICS": str,
    }
    wanted = optional_map(call.params, "filter", "FILTER")
    rows = filters.matching(call.store, "status", wanted, filters.plain(names), strict=False)
    order = optional_map(call.params, "order", "ORDER") or {"ENTITY_ID": "ASC", "SORT": "ASC"}
    known = {name: way for name, way in order.items() if name in names}
    rows = filters.sort(rows, known, filters.plain(names))
    return Reply([_shown(doc) for doc in rows], len(rows))


@method("crm.status.get", "crm")
def status_get(call: Call) -> Reply:
    """Return one directory entry."""
    return Reply(_shown(_need(call)))


@method("crm.status.add", "crm")
def status_add(call: Call) -> Reply:
    """Add a stage; the code gets the funnel's prefix and never changes afterwards."""
    fields = _fields(call)
    _allowed(call)
    absent = [name for name in ("ENTITY_ID", "STATUS_ID") if not str(fields.get(name) or "").strip()]
    if absent:
        raise Refusal("", " ".join(f"The field {name} is required." for name in absent))
    entity, type_id, category_id = _directory(call.store, str(fields["ENTITY_ID"]))
    name = str(fields.get("NAME") or "").strip()
    if not name:
        raise Refusal("", "The field Title is required.")
    code = str(fields["STATUS_ID"]).removeprefix(f"DT{type_id}_{category_id}:")
    existing = stages_of(call.store, entity)
    if any(doc["STATUS_ID"].casefold() == f"dt{type_id}_{category_id}:{code}".casefold() for doc in existing):
        raise Refusal("ERROR_CORE", "The specified status ID already exists.")
    sort = integer(fields.get("SORT", 10)) or 0
    semantics = str(fields.get("SEMANTICS") or "")
    if semantics not in {"", "S", "F"}:
        raise Refusal("", "Error on creating status.")
    final = next((doc for doc in existing if doc["SEMANTICS"] == "S"), None)
    if final and (semantics == "S" or (semantics == "" and sort >= final["SORT"])):
        raise Refusal("", _FINAL)
    if len(f"DT{type_id}_{category_id}:{code}") > 50:
        raise Refusal("", "Error on creating status.")
    doc = _put(call.store, type_id, category_id, code, name, sort, semantics, str(fields.get("COLOR") or ""), False)
    return Reply(doc["ID"])


def _directory(store: Store, entity: str) -> tuple[str, int, int]:
    found = _ENTITY.fullmatch(entity)
    category = store.get("category", int(found[2])) if found else None
    if not found or category is None or category["entityTypeId"] != int(found[1]):
        raise Refusal("", "Specified entity type is not supported.")
    return entity, int(found[1]), int(found[2])


def _need(call: Call) -> Doc:
    number = integer(call.params.get("id", call.params.get("ID")))
    if not number or number < 1:
        raise Refusal("Invalid identifier.", "An incorrect identifier was passed.")
    doc = call.store.get("status", number)
    if doc is None:
        raise Refusal("Status is not found.", "Element not found")
    return doc


@method("crm.status.update", "crm")
def status_update(call: Call) -> Reply:
    """Rename, sort or colour a stage."""
    _allowed(call)
    doc, fields = _need(call), _fields(call)
    changed = {**doc}
    if str(fields.get("NAME") or "").strip():
        changed["NAME"] = str(fields["NAME"])
    if "SORT" in fields:
        changed["SORT"] = integer(fields["SORT"]) or 0
    if "COLOR" in fields:
        changed["COLOR"] = str(fields["COLOR"] or "")
    call.store.put("status", doc["ID"], changed)
    return Reply(True)


@method("crm.status.delete", "crm")
def status_delete(call: Call) -> Reply:
    """Delete a stage; system ones only with FORCED, stages with items never."""
    _allowed(call)
    doc = _need(call)
    forced = yes(optional_map(call.params, "params", "PARAMS").get("FORCED", "N"))
    if doc["SYSTEM"] and not forced:
        raise Refusal("", "System statuses can be deleted only if parameter FORCED is specified and equal to 'Y'.")
    found = _ENTITY.fullmatch(doc["ENTITY_ID"])
    items = call.store.all(f"item{found[1]}") if found else []
    if any(item["f"].get("STAGE_ID") == doc["STATUS_ID"] for item in items):
        raise Refusal("", "Error on deleting status.")
    call.store.drop("status", doc["ID"])
    return Reply(True)
