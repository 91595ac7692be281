"""Set a portal up for a route: smart process, funnel, columns, fields, Drive folder. Repeatable; matched by code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bitrix_sync.client import PortalClient
from bitrix_sync.errors import PortalRefused
from bitrix_sync.php import as_list, as_map
from bitrix_sync.read_schema import (
    FOLDER,
    TITLE,
    column_directory,
    find_type,
    has_link,
    read_schema,
    root_folder,
    stage_code,
    stages,
)
from bitrix_sync.schema import MARKER, USER_TYPES, Column, PortalSchema, code_of, columns_of, fields_of
from orders.errors import Permanent
from orders.stage import Field, FieldKind, Route

SCOPES = ("crm", "task", "im", "disk", "userfieldconfig")
COLOURS = ("#7BD3EA", "#A1C9F4", "#9FD8CB", "#F6D186", "#F4B183", "#C9B6E4", "#A8D5A2", "#F7C6C7", "#B5CDE3", "#D9C7A0")
WON_COLOUR, LOST_COLOUR = "#4CAF50", "#E06666"
_FLAGS = {
    "isStagesEnabled": "Y",
    "isCategoriesEnabled": "Y",
    "isObserversEnabled": "Y",
    "isUseInUserfieldEnabled": "Y",
    "isAutomationEnabled": "Y",
    "isRecyclebinEnabled": "Y",
    "isSetOpenPermissions": "N",  # Y would open each new funnel to everybody
}

log = structlog.get_logger(__name__)


def provision(
    client: PortalClient, route: Route, *, title: str = TITLE, entity_type_id: int | None = None
) -> PortalSchema:
    """Make what is missing and return the names. Raises Permanent that lists all missing rights before any write.

    `entity_type_id` uses a smart process that exists; else ours is found by its field, or made.
    """
    check_rights(client)
    found = find_type(client, entity_type_id, title) or _add_type(client, title, entity_type_id)
    if not (found.get("isStagesEnabled") == "Y" and found.get("isObserversEnabled") == "Y" and has_link(found)):
        fields = _FLAGS | {"title": found["title"], "linkedUserFields": _links()}
        client.call("crm.type.update", {"id": found["id"], "fields": fields})
    type_id, entity = int(found["id"]), int(found["entityTypeId"])
    _make_fields(client, type_id, fields_of(route))
    _make_columns(client, entity, columns_of(route))
    _make_folder(client)
    return read_schema(client, route, entity_type_id=entity)


def check_rights(client: PortalClient) -> None:
    """Raise Permanent with every right that the webhook lacks; nothing is written before."""
    problems = []
    if as_map(client.call("profile").result).get("ADMIN") is not True:
        problems.append("владелец вебхука не администратор портала: ему нельзя менять настройки CRM")
    scopes = {str(each) for each in as_list(client.call("scope").result)}
    missing = [each for each in SCOPES if each not in scopes] + ([] if scopes & {"user", "user_brief"} else ["user"])
    if missing:
        problems.append(f"вебхуку не даны права: {', '.join(missing)}")
    if problems:
        raise Permanent("Битрикс24: " + "; ".join(problems) + ". Ничего не создано")


def _links() -> dict[str, str]:
    return {"TASKS_TASK|UF_CRM_TASK": "true"}  # Y does not work here


def _add_type(client: PortalClient, title: str, entity_type_id: int | None) -> dict[str, Any]:
    fields: dict[str, Any] = _FLAGS | {"title": title, "linkedUserFields": _links()}
    if entity_type_id is not None:
        fields["entityTypeId"] = entity_type_id
    log.info("portal_type_made", title=title)
    return client.call("crm.type.add", {"fields": fields}).map("type")


def _make_fields(client: PortalClient, type_id: int, wanted: tuple[Field, ...]) -> None:
    entity = f"CRM_{type_id}"
    listed = client.items(
        "userfieldconfig.list", {"moduleId": "crm", "filter": {"entityId": entity}}, path=("fields",), id_name="id"
    )
    known = {str(row.get("xmlId") or row["fieldName"]): row for row in listed}
    # the marker comes first: from then on the type is known to be ours
    for place, each in enumerate(sorted(wanted, key=lambda one: one.name != MARKER)):
        row = known.get(each.name)
        if row is None:
            _add_field(client, entity, type_id, each, 100 + 10 * place)
        elif each.kind is FieldKind.CHOICE:
            _add_choices(client, row, each)


def _add_field(client: PortalClient, entity: str, type_id: int, wanted: Field, sort: int) -> None:
    field: dict[str, Any] = {
        "entityId": entity,
        "fieldName": f"UF_CRM_{type_id}_{code_of(wanted.name)}",
        "userTypeId": USER_TYPES[wanted.kind],
        "multiple": "Y" if wanted.kind is FieldKind.FILES else "N",
        "mandatory": "N",  # our gate decides; a mandatory field would refuse our own moves
        "xmlId": wanted.name,
        "sort": sort,
        "showFilter": "Y",
        "editFormLabel": {"ru": wanted.label, "en": wanted.label},
        "settings": {"ROWS": 4} if wanted.kind is FieldKind.TEXT else {},
    }
    if wanted.kind is FieldKind.CHOICE:
        field["enum"] = [
            {"value": label, "xmlId": value, "sort": 100 * n} for n, (value, label) in enumerate(wanted.choices, 1)
        ]
    try:
        client.call("userfieldconfig.add", {"moduleId": "crm", "field": field})
    except PortalRefused as error:
        if "already exists" not in error.description:
            raise
    log.debug("portal_field_made", field=wanted.name)


def _add_choices(client: PortalClient, row: Mapping[str, Any], wanted: Field) -> None:
    whole = client.call("userfieldconfig.get", {"moduleId": "crm", "id": row["id"]}).map("field")
    have = {str(item.get("xmlId")): item for item in as_list(whole.get("enum"))}
    if all(value in have for value, _ in wanted.choices):
        return
    enum = [{"id": item["id"], "value": item["value"], "xmlId": value} for value, item in have.items()]
    enum += [{"value": label, "xmlId": value} for value, label in wanted.choices if value not in have]
    client.call("userfieldconfig.update", {"moduleId": "crm", "id": row["id"], "field": {"enum": enum}})


def _make_columns(client: PortalClient, entity: int, wanted: tuple[Column, ...]) -> None:
    category, rows = stages(client, entity)
    known = {stage_code(str(row["STATUS_ID"])): row for row in rows}
    finals = [each for each in wanted if each.semantics]
    work = [each for each in wanted if not each.semantics]
    # final columns first: work columns are refused where a final one does not stand behind them
    plan = [(each, 10_000 + 10 * n, _final_colour(each)) for n, each in enumerate(finals)]
    plan += [(each, 10 * n, COLOURS[(n - 1) % len(COLOURS)]) for n, each in enumerate(work, 1)]
    for column, sort, colour in plan:
        _make_column(client, column_directory(entity, category), known.get(column.code), column, sort, colour)
    for code, row in known.items():
        if code not in {each.code for each in wanted} and code in ("NEW", "PREPARATION", "CLIENT", "FAIL"):
            _drop_column(client, row)


def _make_column(
    client: PortalClient, entity: str, row: Mapping[str, Any] | None, column: Column, sort: int, colour: str
) -> None:
    if row is None:
        fields: dict[str, Any] = {"ENTITY_ID": entity, "STATUS_ID": column.code.upper(), "NAME": column.label}
        fields |= {"SORT": sort, "COLOR": colour, "SEMANTICS": column.semantics}
        client.call("crm.status.add", {"fields": fields})
    elif str(row.get("NAME")) != column.label or int(row.get("SORT") or 0) != sort:
        fields = {"NAME": column.label, "SORT": sort, "COLOR": colour}
        client.call("crm.status.update", {"id": row["ID"], "fields": fields})


def _drop_column(client: PortalClient, row: Mapping[str, Any]) -> None:
    """Take one of the portal's own first columns away; one that cannot go is kept and renamed."""
    try:
        client.call("crm.status.delete", {"id": row["ID"], "params": {"FORCED": "Y"}})
    except PortalRefused:
        sort = 20_000 if row.get("SEMANTICS") else 9_000
        client.call("crm.status.update", {"id": row["ID"], "fields": {"NAME": "Не используется", "SORT": sort}})


def _final_colour(column: Column) -> str:
    return WON_COLOUR if column.semantics == "S" else LOST_COLOUR


def _make_folder(client: PortalClient) -> None:
    storage, folder = root_folder(client)
    if storage is None:
        raise Permanent("Битрикс24: общий диск недоступен вебхуку, файлы некуда класть")
    if folder is None:
        client.call("disk.storage.addfolder", {"id": storage, "data": {"NAME": FOLDER}})
