"""Custom fields of a smart process: userfieldconfig.*"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from bitrix_sync.sandbox.envelope import Refusal, Reply, missing
from bitrix_sync.sandbox.params import as_list, integer, need_integer, optional_map, yes
from bitrix_sync.sandbox.rest import filters
from bitrix_sync.sandbox.rest.registry import Call, method, page
from bitrix_sync.sandbox.store import Doc, Store

TYPES = {
    "string",
    "integer",
    "double",
    "boolean",
    "date",
    "datetime",
    "money",
    "url",
    "address",
    "file",
    "enumeration",
    "employee",
    "crm",
    "crm_status",
    "iblock_section",
    "iblock_element",
}


def fields_of(store: Store, type_id: int) -> list[Doc]:
    """Return the custom fields of the type with that id (not entityTypeId), by sort index."""
    return sorted(store.of("userfield", entityId=f"CRM_{type_id}"), key=lambda doc: (doc["sort"], doc["id"]))


def _module(call: Call) -> None:
    if call.params.get("moduleId") in (None, ""):
        raise missing("moduleId")
    if call.params["moduleId"] != "crm":
        raise Refusal("", "Access denied")
    if "crm" not in call.portal.scopes_of(call.user_id):
        raise Refusal("insufficient_scope", "The request requires higher privileges", 403)


@method("userfieldconfig.add", "userfieldconfig")
def add(call: Call) -> Reply:
    """Add a custom field; not idempotent: an existing code is refused."""
    _module(call)
    given = call.params.get("field")
    if not isinstance(given, dict) or not given:
        raise missing("field")
    if not call.admin:
        raise Refusal("", "Access denied")
    owner = _owner(call.store, given)
    code, kind = str(given.get("fieldName") or ""), str(given.get("userTypeId") or "")
    if not code:
        raise Refusal("", "The 'FIELD_NAME' field is not found.")
    if not kind:
        raise Refusal("", "The 'USER_TYPE_ID' field is not found")
    if not code.startswith(f"UF_{owner}_"):
        raise Refusal("", "You cannot create custom fields")
    if len(code) > 50 or not re.fullmatch(r"[A-Z0-9_]+", code) or kind not in TYPES:
        raise Refusal("", "Fail to create new user field")
    if call.store.of("userfield", entityId=owner, fieldName=code):
        raise Refusal("", f"Field {code} already exists")
    number = call.store.next_id("userfield")
    doc: Doc = {
        "id": number,
        "entityId": owner,
        "fieldName": code,
        "userTypeId": kind,
        "xmlId": given.get("xmlId"),
        "sort": integer(given.get("sort", 100)) or 100,
        "multiple": yes(given.get("multiple", "N")),
        "mandatory": yes(given.get("mandatory", "N")),
        "showFilter": yes(given.get("showFilter", "N")),
        "editInList": yes(given.get("editInList", "Y")),
        "isSearchable": yes(given.get("isSearchable", "N")),
        "settings": given.get("settings") or {},
        "label": _labels(given.get("editFormLabel")),
        "help": _labels(given.get("helpMessage")),
    }
    if kind == "enumeration":
        doc["enum"] = _enum(call.store, number, given.get("enum"), [])
    return Reply({"field": _shown(call.store.put("userfield", number, doc))})


def _owner(store: Store, given: dict[str, Any]) -> str:
    owner = str(given.get("entityId") or "")
    found = re.fullmatch(r"CRM_(\d+)", owner)
    if not found or store.get("type", int(found[1])) is None:
        raise Refusal("", "Access denied")
    return owner


def _labels(value: Any) -> dict[str, str | None]:
    if isinstance(value, dict):
        return {str(key): str(item) for key, item in value.items()}
    return {"ru": str(value), "en": str(value)} if value else {}


def _enum(store: Store, field: int, given: Any, before: list[Doc]) -> list[Doc]:
    rows: list[Doc] = []
    for place, item in enumerate(as_list(given)):
        value = str(item.get("value") or "").strip() if isinstance(item, dict) else ""
        if not value:
            raise Refusal("", "Fail to save enumeration field values")
        kept = next((row for row in before if str(row["id"]) == str(item.get("id"))), None)
        number = kept["id"] if kept else store.next_id("enum")
        own = hashlib.md5(f"{field}:{number}".encode(), usedforsecurity=False).hexdigest()
        rows.append(
            {
                "id": number,
                "value": value,
                "def": yes(item.get("def", "N")),
                "sort": integer(item.get("sort")) or (place + 1) * 100,
                "xmlId": str(item.get("xmlId") or (kept["xmlId"] if kept else own)),
            }
        )
    return rows


def _flag(value: Any) -> str:
    return "Y" if value else "N"


def _shown(doc: Doc, *, whole: bool = True) -> Doc:
    empty: dict[str, str | None] = {"ru": None, "en": None}
    shown: Doc = {
        "id": str(doc["id"]),
        "entityId": doc["entityId"],
        "fieldName": doc["fieldName"],
        "userTypeId": doc["userTypeId"],
        "xmlId": doc["xmlId"],
        "sort": str(doc["sort"]),
        "multiple": _flag(doc["multiple"]),
        "mandatory": _flag(doc["mandatory"]),
        "showFilter": _flag(doc["showFilter"]),
        "showInList": "Y",
        "editInList": _flag(doc["editInList"]),
        "isSearchable": _flag(doc["isSearchable"]),
        "settings": doc["settings"],
    }
    if whole:
        shown |= {"languageId": {"ru": "ru", "en": "en"}, "editFormLabel": doc["label"] or empty}
        shown |= {"listColumnLabel": empty, "listFilterLabel": empty, "errorMessage": empty}
        shown |= {"helpMessage": doc["help"] or empty}
        if doc["userTypeId"] == "enumeration":
            shown["enum"] = [
                {
                    "id": str(item["id"]),
                    "userFieldId": str(doc["id"]),
                    "value": item["value"],
                    "def": _flag(item["def"]),
                    "sort": str(item["sort"]),
                    "xmlId": item["xmlId"],
                }
                for item in doc["enum"]
            ]
    return shown


@method("userfieldconfig.list", "userfieldconfig", empty=lambda: {"fields": []})
def fields(call: Call) -> Reply:
    """List settings of custom fields. Labels come only with select[language], enumerations never."""
    _module(call)
    names: dict[str, filters.Cast] = {
        "id": integer,
        "fieldName": str,
        "userTypeId": str,
        "xmlId": str,
        "sort": integer,
        "multiple": yes,
        "mandatory": yes,
    }
    resolve = filters.plain(names)
    wanted = {
        k: v for k, v in optional_map(call.params, "filter").items() if k in names
    }  # others, and ranges, do nothing
    rows = filters.matching(call.store, "userfield", wanted, resolve)
    rows = filters.sort(rows, optional_map(call.params, "order") or {"sort": "ASC", "id": "ASC"}, resolve)
    cut, total, following = page(rows, call.params)
    return Reply({"fields": [_listed(call, doc) for doc in cut]}, total, following)


def _listed(call: Call, doc: Doc) -> Doc:
    chosen = call.params.get("select")
    shown = _shown(doc, whole=False)
    language = str(chosen["language"]) if isinstance(chosen, dict) and chosen.get("language") else ""
    if language:
        shown |= {"languageId": {language: language}, "editFormLabel": {language: doc["label"].get(language)}}
    wanted = {str(item) for item in as_list(chosen)} - {"*", language}
    return {key: item for key, item in shown.items() if not wanted or key in wanted or key == "editFormLabel"}


@method("userfieldconfig.get", "userfieldconfig")
def get(call: Call) -> Reply:
    """Return one custom field with labels and enumeration values."""
    _module(call)
    return Reply({"field": _shown(_need(call))})


@method("userfieldconfig.update", "userfieldconfig")
def update(call: Call) -> Reply:
    """Change labels, flags, settings and enumeration values; code and type stay."""
    _module(call)
    doc = _need(call)
    if not call.admin:
        raise Refusal("", "Access denied")
    given = call.params.get("field")
    if not isinstance(given, dict) or not given:
        raise missing("field")
    changed = {**doc}
    for flag in ("mandatory", "showFilter", "editInList", "isSearchable"):
        if flag in given:
            changed[flag] = yes(given[flag])
    if "editFormLabel" in given:
        changed["label"] = _labels(given["editFormLabel"])
    if "settings" in given:
        changed["settings"] = {**doc["settings"], **given["settings"]}
    if "sort" in given:
        changed["sort"] = integer(given["sort"]) or 100
    if "enum" in given and doc["userTypeId"] == given.get("userTypeId") == "enumeration":
        changed["enum"] = _enum(call.store, doc["id"], given["enum"], doc["enum"])
    return Reply({"field": _shown(call.store.put("userfield", doc["id"], changed))})


@method("userfieldconfig.delete", "userfieldconfig")
def delete(call: Call) -> Reply:
    """Delete a custom field; values kept in items are no longer shown."""
    _module(call)
    doc = _need(call)
    if not call.admin:
        raise Refusal("", "Access denied")
    call.store.drop("userfield", doc["id"])
    return Reply(None)


def _need(call: Call) -> Doc:
    doc = call.store.get("userfield", need_integer(call.params, "id"))
    if doc is None:
        raise Refusal("", "The field is not found")
    return doc
