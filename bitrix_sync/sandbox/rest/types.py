"""Smart-process types and their funnels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bitrix_sync.sandbox.envelope import Refusal, Reply, argument, missing
from bitrix_sync.sandbox.params import integer, need_integer, optional_map, yes
from bitrix_sync.sandbox.rest import filters
from bitrix_sync.sandbox.rest.registry import Call, method, need_admin, page
from bitrix_sync.sandbox.rest.stages import add_default_stages
from bitrix_sync.sandbox.store import Doc, Store

FLAGS = (
    "isCategoriesEnabled",
    "isStagesEnabled",
    "isBeginCloseDatesEnabled",
    "isClientEnabled",
    "isUseInUserfieldEnabled",
    "isLinkWithProductsEnabled",
    "isMycompanyEnabled",
    "isDocumentsEnabled",
    "isSourceEnabled",
    "isObserversEnabled",
    "isRecyclebinEnabled",
    "isAutomationEnabled",
    "isBizProcEnabled",
    "isSetOpenPermissions",
    "isPaymentsEnabled",
    "isCountersEnabled",
)
_ONLY_ALONE = ("relations", "linkedUserFields", "customSections")
LINKS = ("CALENDAR_EVENT|UF_CRM_CAL_EVENT", "TASKS_TASK|UF_CRM_TASK", "TASKS_TASK_TEMPLATE|UF_CRM_TASK")


def find_type(store: Store, entity_type_id: int | None) -> Doc | None:
    """Return the type with that entityTypeId or None."""
    return store.one("type", entityTypeId=entity_type_id)


def need_type(call: Call, text: str = "Smart process not found") -> Doc:
    """Return the type that the call names; refuses with NOT_FOUND."""
    if "entityTypeId" not in call.params:
        raise missing("entityTypeId")
    found = find_type(call.store, integer(call.params["entityTypeId"]))
    if found is None:
        raise Refusal("NOT_FOUND", text)
    return found


def _fields(call: Call) -> dict[str, Any]:
    if not isinstance(call.params.get("fields"), dict) or not call.params["fields"]:
        raise missing("fields")
    return dict(call.params["fields"])


@method("crm.type.add", "crm")
def add(call: Call) -> Reply:
    """Make a smart process, its first funnel, and stages if they are switched on."""
    fields = _fields(call)
    need_admin(call)
    entity_type_id = _entity_type_id(call.store, fields.get("entityTypeId"))
    if not str(fields.get("title") or "").strip():
        raise Refusal("0", "Field 'TITLE' is required")
    number = call.store.next_id("type")
    doc: Doc = {"id": number, "entityTypeId": entity_type_id, "title": str(fields["title"]), "createdBy": call.user_id}
    doc |= {"createdTime": call.now(), "updatedTime": call.now(), "updatedBy": call.user_id}
    doc |= _settings(fields, {})
    call.store.put("type", number, doc)
    add_category(call, doc, {"name": "Общее", "isDefault": "Y"})
    call.event("ONCRMTYPEADD", {"ID": number})
    return Reply({"type": _shown(call, doc)})


def _settings(fields: dict[str, Any], before: Doc) -> Doc:
    doc: Doc = {}
    for flag in FLAGS:
        default = before.get(flag, flag == "isSetOpenPermissions")
        doc[flag] = yes(fields[flag]) if flag in fields else default
    given = optional_map(fields, "linkedUserFields")
    linked = dict(before.get("linked", {}))
    if doc["isUseInUserfieldEnabled"]:
        # Y and N do not work here: only "true" switches a link on
        linked |= {link: str(given[link]).lower() == "true" for link in LINKS if link in given}
    doc["linked"] = linked
    return doc


def _entity_type_id(store: Store, given: Any) -> int:
    if given in (None, ""):
        used = {doc["entityTypeId"] for doc in store.all("type")}
        return next(number for number in range(1030, 100_000, 2) if number not in used)
    number = integer(given)
    if number is None or not (128 <= number <= 192 or (number >= 1030 and number % 2 == 0)):
        raise argument("entityTypeId is out of allowed range")
    if find_type(store, number):
        raise argument(f"entityTypeId {number} is already in use")
    return number


@method("crm.type.update", "crm")
def update(call: Call) -> Reply:
    """Change title and switches of a type."""
    number = need_integer(call.params, "id")
    fields = _fields(call)
    need_admin(call)
    before = call.store.get("type", number)
    if before is None:
        raise Refusal("NOT_FOUND", "Smart process not found")
    doc = {**before, **_settings(fields, before), "updatedTime": call.now(), "updatedBy": call.user_id}
    doc["title"] = str(fields.get("title") or before["title"])
    return Reply({"type": _shown(call, call.store.put("type", number, doc))})


@method("crm.type.list", "crm", empty=lambda: {"types": []})
def types(call: Call) -> Reply:
    """List types; what they are linked with stands only in the answers about one."""
    names: dict[str, filters.Cast] = {"id": integer, "entityTypeId": integer, "title": str}
    rows = filters.matching(call.store, "type", optional_map(call.params, "filter"), filters.plain(names))
    cut, total, following = page(rows, call.params)
    listed = [{k: v for k, v in _shown(call, doc).items() if k not in _ONLY_ALONE} for doc in cut]
    return Reply({"types": listed}, total, following)


@method("crm.type.get", "crm")
def get(call: Call) -> Reply:
    """Return one type by its own id."""
    doc = call.store.get("type", need_integer(call.params, "id"))
    if doc is None:
        raise Refusal("NOT_FOUND", "Smart process not found")
    return Reply({"type": _shown(call, doc)})


@method("crm.type.getByEntityTypeId", "crm")
def get_by_entity_type_id(call: Call) -> Reply:
    """Return one type by its entityTypeId."""
    doc = find_type(call.store, need_integer(call.params, "entityTypeId"))
    if doc is None:
        raise Refusal("0", "Smart process not found")
    return Reply({"type": _shown(call, doc)})


@method("crm.type.delete", "crm")
def delete(call: Call) -> Reply:
    """Delete a type; refused while it has items."""
    number = need_integer(call.params, "id")
    need_admin(call)
    doc = call.store.get("type", number)
    if doc is None:
        raise Refusal("NOT_FOUND", "Smart process not found")
    if call.store.all(f"item{doc['entityTypeId']}"):
        raise Refusal("0", "There are items of this type")
    call.store.drop("type", number)
    _drop_all(call.store, "category", lambda row: row["entityTypeId"] == doc["entityTypeId"])
    _drop_all(call.store, "userfield", lambda row: row["entityId"] == f"CRM_{number}")
    _drop_all(call.store, "status", lambda row: row["ENTITY_ID"].startswith(f"DYNAMIC_{doc['entityTypeId']}_STAGE_"))
    return Reply([])


def _drop_all(store: Store, kind: str, of_it: Callable[[Doc], bool]) -> None:
    for row in store.all(kind):
        if of_it(row):
            store.drop(kind, int(row.get("id") or row["ID"]))


def _shown(call: Call, doc: Doc) -> Doc:
    shown = {flag: "Y" if doc[flag] else "N" for flag in FLAGS}
    return {
        "id": doc["id"],
        "title": doc["title"],
        "code": "",
        "entityTypeId": doc["entityTypeId"],
        **shown,
        "createdBy": doc["createdBy"],
        "updatedBy": doc["updatedBy"],
        "createdTime": call.show(doc["createdTime"]),
        "updatedTime": call.show(doc["updatedTime"]),
        "relations": {"parent": [], "child": []},
        "linkedUserFields": {link: "Y" if doc["linked"].get(link) else "N" for link in LINKS},
        "customSections": [],
        "customSectionId": None,
    }


def categories_of(store: Store, entity_type_id: int) -> list[Doc]:
    """Return the funnels of a type by sort index."""
    return sorted(store.of("category", entityTypeId=entity_type_id), key=lambda doc: (doc["sort"], doc["id"]))


def add_category(call: Call, owner: Doc, fields: dict[str, Any]) -> Doc:
    """Make a funnel with its stages; a new default one takes the mark from the old one."""
    name = str(fields.get("name") or "").strip()
    if not name:
        raise Refusal("0", "Field 'NAME' is required")
    if len(name) > 255:
        raise argument("Field 'NAME' is too long")
    number = call.store.next_id("category")
    default = yes(fields.get("isDefault", "N"))
    if default:
        _take_default(call.store, owner["entityTypeId"])
    doc: Doc = {
        "id": number,
        "name": name,
        "sort": max(0, integer(fields.get("sort", 500)) or 0),
        "entityTypeId": owner["entityTypeId"],
        "isDefault": default,
    }
    call.store.put("category", number, doc)
    if owner["isStagesEnabled"]:
        add_default_stages(call, owner["entityTypeId"], number)
    return doc


def _take_default(store: Store, entity_type_id: int) -> None:
    for doc in categories_of(store, entity_type_id):
        if doc["isDefault"]:
            store.put("category", doc["id"], {**doc, "isDefault": False})


def _shown_category(doc: Doc) -> Doc:
    return {**doc, "isDefault": "Y" if doc["isDefault"] else "N", "isSystem": "N", "code": ""}


@method("crm.category.add", "crm")
def category_add(call: Call) -> Reply:
    """Make a funnel."""
    owner = need_type(call)
    need_admin(call)
    return Reply({"category": _shown_category(add_category(call, owner, _fields(call)))})


@method("crm.category.update", "crm")
def category_update(call: Call) -> Reply:
    """Rename, sort or make default; the default mark cannot be taken away directly."""
    owner = need_type(call)
    number = need_integer(call.params, "id")
    fields = _fields(call)
    need_admin(call)
    before = call.store.get("category", number)
    if before is None or before["entityTypeId"] != owner["entityTypeId"]:
        raise Refusal("NOT_FOUND", "Element not found")
    doc = {**before, "name": str(fields.get("name") or before["name"])}
    if "sort" in fields:
        doc["sort"] = max(0, integer(fields["sort"]) or 0)
    if yes(fields.get("isDefault", "N")):
        _take_default(call.store, owner["entityTypeId"])
        doc["isDefault"] = True
    return Reply({"category": _shown_category(call.store.put("category", number, doc))})


@method("crm.category.list", "crm", empty=lambda: {"categories": []})
def category_list(call: Call) -> Reply:
    """List the funnels of a type."""
    rows = categories_of(call.store, need_type(call)["entityTypeId"])
    return Reply({"categories": [_shown_category(doc) for doc in rows]}, len(rows))
