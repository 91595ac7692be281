"""Items of a smart process: crm.item.* and crm.stagehistory.list."""

from __future__ import annotations

from typing import Any

from bitrix_sync.sandbox.envelope import Refusal, Reply, missing
from bitrix_sync.sandbox.index import Getter
from bitrix_sync.sandbox.params import as_list, integer, need_integer, optional_map, yes
from bitrix_sync.sandbox.rest import filters
from bitrix_sync.sandbox.rest.item_fields import Field, comparable, fields_for, read, show
from bitrix_sync.sandbox.rest.registry import Call, method, page, parse_moment
from bitrix_sync.sandbox.rest.stages import directory, semantic_of, stages_of
from bitrix_sync.sandbox.rest.types import categories_of, find_type, need_type
from bitrix_sync.sandbox.store import Doc


def kind_of(entity_type_id: int) -> str:
    """Return the name under which items of a type are kept."""
    return f"item{entity_type_id}"


def _original(call: Call) -> bool:
    return yes(call.params.get("useOriginalUfNames", "N"))


def _need_item(call: Call, owner: Doc) -> Doc:
    number = need_integer(call.params, "id")
    doc = call.store.get(kind_of(owner["entityTypeId"]), number)
    if doc is None:
        raise Refusal("NOT_FOUND", "Element not found")
    return doc


def shown(call: Call, owner: Doc, doc: Doc, *, original: bool) -> Doc:
    """Show an item with all its fields."""
    known = fields_for(call, owner)
    return {"entityTypeId": owner["entityTypeId"]} | {
        field.name(original): show(call, field, doc["f"].get(field.upper)) for field in known
    }


@method("crm.item.fields", "crm")
def fields(call: Call) -> Reply:
    """Describe the fields of a type."""
    owner = need_type(call)
    return Reply({"fields": {field.name(_original(call)): _described(field) for field in fields_for(call, owner)}})


def _described(field: Field) -> Doc:
    described: Doc = {
        "type": field.type,
        "isRequired": field.required,
        "isReadOnly": field.read_only,
        "isImmutable": False,
        "isMultiple": field.multiple,
        "isDynamic": field.custom is not None,
        "title": field.title,
        "upperName": field.upper,
    }
    if field.custom and field.type == "enumeration":
        described["items"] = [{"ID": str(item["id"]), "VALUE": item["value"]} for item in field.custom["enum"]]
    if field.custom:
        described["settings"] = field.custom["settings"]
    return described


def _sent(call: Call) -> dict[str, Any]:
    value = call.params.get("fields")
    if not isinstance(value, dict):
        if value == []:
            return {}
        raise missing("fields")
    return value


def _values(call: Call, owner: Doc, before: Doc, number: int) -> Doc:
    """Read what was sent; unknown and read-only keys are ignored without a word."""
    sent = _sent(call)
    values: Doc = {}
    for field in fields_for(call, owner):
        name = field.name(_original(call))
        if name in sent and not field.read_only:
            values[field.upper] = read(
                call, field, sent[name], before.get(field.upper), (owner["entityTypeId"], number)
            )
    return values


def _check_stage(call: Call, owner: Doc, values: Doc) -> None:
    """Refuse funnels and stages that the type does not have."""
    known = {doc["id"] for doc in categories_of(call.store, owner["entityTypeId"])}
    if values["CATEGORY_ID"] not in known:
        raise Refusal("CRM_FIELD_ERROR_VALUE_NOT_VALID", 'Invalid value for field "CATEGORY_ID"')
    stages = stages_of(call.store, directory(owner["entityTypeId"], values["CATEGORY_ID"]))
    if stages and values.get("STAGE_ID") not in {doc["STATUS_ID"] for doc in stages}:
        raise Refusal("CRM_FIELD_ERROR_VALUE_NOT_VALID", 'Invalid value for field "STAGE_ID"')


def _check_required(call: Call, owner: Doc, values: Doc) -> None:
    for field in fields_for(call, owner):
        if field.required and values.get(field.upper) in (None, "", []):
            raise Refusal("CRM_FIELD_ERROR_REQUIRED", f'The "{field.title}" field is required')


@method("crm.item.add", "crm")
def add(call: Call) -> Reply:
    """Make an item. Nothing keeps two items from having one xmlId."""
    owner = need_type(call)
    _sent(call)
    type_id = owner["entityTypeId"]
    number = call.store.next_id(kind_of(type_id))
    values = _values(call, owner, {}, number)
    if not values.get("CATEGORY_ID"):
        values["CATEGORY_ID"] = _category_for(call, owner, values.get("STAGE_ID"))
    stages = stages_of(call.store, directory(type_id, values["CATEGORY_ID"]))
    if not values.get("STAGE_ID") and stages:
        values["STAGE_ID"] = stages[0]["STATUS_ID"]
    _check_stage(call, owner, values)
    _check_required(call, owner, values)
    now = call.now()
    values["ID"] = number
    values["TITLE"] = values.get("TITLE") or f"{owner['title']} #{number}"
    values["ASSIGNED_BY_ID"] = values.get("ASSIGNED_BY_ID") or call.user_id
    values.setdefault("OPENED", "Y")
    for moment in ("CREATED_TIME", "UPDATED_TIME", "MOVED_TIME", "LAST_ACTIVITY_TIME"):
        values[moment] = now
    for who in ("CREATED_BY", "UPDATED_BY", "MOVED_BY", "LAST_ACTIVITY_BY"):
        values[who] = call.user_id
    doc = call.store.put(kind_of(type_id), number, {"id": number, "f": values})
    _history(call, owner, doc, 1)
    call.event("ONCRMDYNAMICITEMADD", {"ID": number, "ENTITY_TYPE_ID": type_id})
    return Reply({"item": shown(call, owner, doc, original=_original(call))})


def _category_for(call: Call, owner: Doc, stage: str | None) -> int:
    rows = categories_of(call.store, owner["entityTypeId"])
    for doc in rows:
        if stage and stage.startswith(f"DT{owner['entityTypeId']}_{doc['id']}:"):
            return int(doc["id"])
    default = next((doc for doc in rows if doc["isDefault"]), rows[0])
    return int(default["id"])


@method("crm.item.update", "crm")
def update(call: Call) -> Reply:
    """Change an item; when nothing differs nothing is saved. Required fields count only when the stage moves."""
    owner = need_type(call)
    doc = _need_item(call, owner)
    before: Doc = doc["f"]
    values = _values(call, owner, before, doc["id"])
    after = {**before, **values}
    if values.get("CATEGORY_ID", before["CATEGORY_ID"]) is None:
        after["CATEGORY_ID"] = before["CATEGORY_ID"]
    if after["CATEGORY_ID"] != before["CATEGORY_ID"] and "STAGE_ID" not in values:
        rows = stages_of(call.store, directory(owner["entityTypeId"], after["CATEGORY_ID"]))
        after["STAGE_ID"] = rows[0]["STATUS_ID"] if rows else None
    moved = after.get("STAGE_ID") != before.get("STAGE_ID")
    if moved:
        _move(call, owner, before, after)
    if all(_equal(after.get(name), before.get(name)) for name in {*after, *before}):
        return Reply({"item": shown(call, owner, doc, original=_original(call))})
    after |= {"UPDATED_TIME": call.now(), "UPDATED_BY": call.user_id}
    changed = call.store.put(kind_of(owner["entityTypeId"]), doc["id"], {**doc, "f": after})
    if moved:
        final = semantic_of(call.store, after["STAGE_ID"]) in {"S", "F"}
        other = after["CATEGORY_ID"] != before["CATEGORY_ID"]
        _history(call, owner, changed, 5 if other else 3 if final else 2)
    call.event("ONCRMDYNAMICITEMUPDATE", {"ID": doc["id"], "ENTITY_TYPE_ID": owner["entityTypeId"]})
    return Reply({"item": shown(call, owner, changed, original=_original(call))})


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other) or (one in (None, "", []) and other in (None, "", []))


def _move(call: Call, owner: Doc, before: Doc, after: Doc) -> None:
    _check_stage(call, owner, after)
    if not (call.admin or call.user.get("mayMove")):
        raise Refusal("-", "Insufficient permissions to change the stage")
    _check_required(call, owner, after)
    after |= {"PREVIOUS_STAGE_ID": before.get("STAGE_ID"), "MOVED_BY": call.user_id, "MOVED_TIME": call.now()}


def _history(call: Call, owner: Doc, doc: Doc, kind: int) -> None:
    number = call.store.next_id("history")
    call.store.put(
        "history",
        number,
        {
            "ID": number,
            "TYPE_ID": kind,
            "OWNER_ID": doc["id"],
            "CREATED_TIME": call.now(),
            "CATEGORY_ID": doc["f"]["CATEGORY_ID"],
            "entityTypeId": owner["entityTypeId"],
            "STAGE_SEMANTIC_ID": semantic_of(call.store, doc["f"].get("STAGE_ID") or ""),
            "STAGE_ID": doc["f"].get("STAGE_ID"),
        },
    )


@method("crm.item.get", "crm")
def get(call: Call) -> Reply:
    """Return one item."""
    owner = need_type(call)
    return Reply({"item": shown(call, owner, _need_item(call, owner), original=_original(call))})


_INDEXED = ("id", "xmlId")


@method("crm.item.list", "crm", empty=lambda: {"items": []})
def items(call: Call) -> Reply:
    """List items by filter and order, fifty a page."""
    owner = need_type(call)
    known = fields_for(call, owner)
    original = _original(call)
    names = {field.name(original): field for field in known}

    def resolve(name: str) -> tuple[Getter, filters.Cast] | None:
        field = names.get(name)
        if field is None or field.type == "file":
            return None
        return (lambda doc: doc["f"].get(field.upper)), (lambda value: comparable(call, field, value))

    wanted, order = optional_map(call.params, "filter"), optional_map(call.params, "order")
    rows = filters.matching(call.store, kind_of(owner["entityTypeId"]), wanted, resolve, _INDEXED)
    rows = filters.sort(rows, order, resolve)
    cut, total, following = page(rows, call.params)
    chosen = [str(name) for name in as_list(call.params.get("select"))]
    return Reply({"items": [_selected(call, known, doc, chosen, original) for doc in cut]}, total, following)


def _selected(call: Call, known: list[Field], doc: Doc, chosen: list[str], original: bool) -> Doc:
    all_fields, all_custom = not chosen or "*" in chosen, not chosen or "uf_*" in chosen or "UF_*" in chosen
    row: Doc = {}
    for field in known:
        name = field.name(original)
        wanted = name in chosen or (all_custom if field.custom else all_fields)
        if original and chosen and not field.custom:
            wanted = False  # seen on live portals: useOriginalUfNames with a select loses the system fields
        if wanted:
            row[name] = show(call, field, doc["f"].get(field.upper))
    return row


@method("crm.item.delete", "crm")
def delete(call: Call) -> Reply:
    """Delete an item with its files."""
    owner = need_type(call)
    doc = _need_item(call, owner)
    if not call.admin:
        raise Refusal("ACCESS_DENIED", "Access denied")
    for held in call.store.of("crmfile", entityTypeId=owner["entityTypeId"], itemId=doc["id"]):
        call.store.drop("crmfile", held["id"])
    call.store.drop(kind_of(owner["entityTypeId"]), doc["id"])
    call.event("ONCRMDYNAMICITEMDELETE", {"ID": doc["id"], "ENTITY_TYPE_ID": owner["entityTypeId"]})
    return Reply([])


@method("crm.stagehistory.list", "crm", empty=lambda: {"items": []})
def history(call: Call) -> Reply:
    """List moves between stages; who moved is not told."""
    type_id = integer(call.params.get("entityTypeId"))
    if find_type(call.store, type_id) is None:
        raise Refusal("ENTITY_TYPE_NOT_SUPPORTED", f"Entity type {type_id} is not supported")

    def moment(value: Any) -> str:
        return parse_moment(value, call.portal.zone).astimezone(call.portal.utc).isoformat(timespec="seconds")

    names: dict[str, filters.Cast] = {
        "ID": integer,
        "TYPE_ID": integer,
        "OWNER_ID": integer,
        "CREATED_TIME": moment,
        "CATEGORY_ID": integer,
        "STAGE_SEMANTIC_ID": str,
        "STAGE_ID": str,
    }
    resolve = filters.plain(names)
    test = filters.build(optional_map(call.params, "filter"), resolve)
    rows = [doc for doc in call.store.of("history", entityTypeId=type_id) if test(doc)]
    rows = filters.sort(rows, optional_map(call.params, "order"), resolve)
    cut, total, following = page(rows, call.params)
    keep = as_list(call.params.get("select")) or list(names)
    return Reply({"items": [_entry(call, doc, keep) for doc in cut]}, total, following)


def _entry(call: Call, doc: Doc, keep: list[Any]) -> Doc:
    entry = {key: value for key, value in doc.items() if key != "entityTypeId" and (key in keep or "*" in keep)}
    if "CREATED_TIME" in entry:
        entry["CREATED_TIME"] = call.show(doc["CREATED_TIME"])
    return entry
