"""Read how a portal was set up, and name everything that is missing (reliability.md B11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitrix_sync.client import Command, PortalClient, rows_of
from bitrix_sync.errors import PortalRefused
from bitrix_sync.php import as_list, as_map
from bitrix_sync.schema import MARKER, USER_TYPES, WON, CardField, PortalSchema, columns_of, fields_of
from orders.errors import Permanent
from orders.stage import Field, FieldKind, Route

FOLDER = "Заказы"
TITLE = "Заказы на нестандартную мебель"
DEMO = " (демо)"  # ends the title of a demo's own smart process; its folder on the Drive is another, too
FIRST_COLUMNS = ("NEW", "PREPARATION", "CLIENT", "FAIL")  # what the portal gives each new funnel
_WON_CODE = "SUCCESS"  # the portal's own won column; it can be renamed, never doubled


def column_directory(entity: int, category: int) -> str:
    """Return the directory that holds the columns of a funnel."""
    return f"DYNAMIC_{entity}_STAGE_{category}"


def find_type(client: PortalClient, entity_type_id: int | None, title: str) -> dict[str, Any] | None:
    """Find our smart process: the one that is set, else the one with our marker field, else a begun one.

    The marker decides, whatever people call the process; the title only between several of ours. A begun one was
    made by us with this title and has no field yet: a set-up was interrupted. Raises Permanent for several of ours
    of which none has the title.
    """
    types = list(_types(client))
    if entity_type_id is not None:
        return next((each for each in types if int(each["entityTypeId"]) == entity_type_id), None)
    fields = {int(each["id"]): field_rows(client, int(each["id"])) for each in types}
    ours = [each for each in types if any(row.get("xmlId") == MARKER for row in fields[int(each["id"])])]
    named = [each for each in ours if each["title"] == title]
    if named or (len(ours) == 1 and title == TITLE):
        return (named or ours)[0]
    if ours and title == TITLE:
        numbers = ", ".join(str(each["entityTypeId"]) for each in ours)
        raise Permanent(f"в Битрикс24 несколько наших смарт-процессов: задайте номер одного из {numbers}")
    begun = (each for each in types if each["title"] == title and not fields[int(each["id"])])
    return next((each for each in begun if str(each.get("createdBy")) == str(client.user_id)), None)


def has_link(client: PortalClient, entity: int) -> bool:
    """Tell whether tasks can be bound to cards of this type; the list of types does not show it."""
    kind = client.call("crm.type.getByEntityTypeId", {"entityTypeId": entity}).map("type")
    return as_map(kind.get("linkedUserFields")).get("TASKS_TASK|UF_CRM_TASK") in ("Y", "true", True)


def stages(client: PortalClient, entity: int, codes: frozenset[str]) -> tuple[int, list[dict[str, Any]]]:
    """Return our funnel and its columns: the one with most of these column codes, else the default one."""
    funnels = rows_of(client.call("crm.category.list", {"entityTypeId": entity}), "categories")
    if not funnels:
        raise Permanent(f"у смарт-процесса {entity} нет воронки: запустите bitrix setup")
    found = [(int(funnel["id"]), funnel.get("isDefault") == "Y") for funnel in funnels]
    columns = {category: _column_rows(client, entity, category) for category, _ in found}

    def fitting(each: tuple[int, bool]) -> tuple[int, bool]:
        return len(codes & {stage_code(str(row["STATUS_ID"])) for row in columns[each[0]]}), each[1]

    category = max(found, key=fitting)[0]
    return category, columns[category]


def _column_rows(client: PortalClient, entity: int, category: int) -> list[dict[str, Any]]:
    directory = {"filter": {"ENTITY_ID": column_directory(entity, category)}, "order": {"SORT": "ASC"}}
    return rows_of(client.call("crm.status.list", directory))


def stage_code(stage_id: str) -> str:
    """Return our code of a portal stage id: DT1030_31:ESTIMATE -> estimate; foreign ones keep their capitals."""
    code = stage_id.rpartition(":")[2]
    if code == _WON_CODE:
        return WON
    return code if code in FIRST_COLUMNS else code.lower()


def folder_of(kind: Mapping[str, Any]) -> str:
    """Return the name of a smart process's folder on the Drive."""
    return f"{FOLDER}{DEMO}" if str(kind.get("title")).endswith(DEMO) else FOLDER


def root_folder(client: PortalClient, name: str = FOLDER) -> tuple[int | None, int | None]:
    """Return the common Drive storage and our folder in it."""
    storages = rows_of(client.call("disk.storage.getlist", {"filter": {"ENTITY_TYPE": "common"}}))
    if not storages:
        return None, None
    storage = int(storages[0]["ID"])
    wanted = {"id": storage, "filter": {"NAME": name}}
    found = [r for r in rows_of(client.call("disk.storage.getchildren", wanted)) if r.get("TYPE") == "folder"]
    return storage, int(found[0]["ID"]) if found else None


def read_schema(
    client: PortalClient, route: Route, *, entity_type_id: int | None = None, title: str = TITLE
) -> PortalSchema:
    """Read the names without writing. Raises Permanent that lists every missing column and field."""
    kind = find_type(client, entity_type_id, title)
    if kind is None:
        raise Permanent("в Битрикс24 нет смарт-процесса для заказов: запустите bitrix setup")
    entity, type_id = int(kind["entityTypeId"]), int(kind["id"])
    wanted = columns_of(route)
    category, rows = stages(client, entity, frozenset(each.code for each in wanted))
    columns = {stage_code(str(row["STATUS_ID"])): str(row["STATUS_ID"]) for row in rows}
    fields, problems = _read_fields(client, entity, type_id, fields_of(route))
    problems += [f"колонка «{c.label}»" for c in wanted if c.code not in columns]
    if not has_link(client, entity):
        problems.append("привязка задач к карточкам (linkedUserFields)")
    if problems:
        raise Permanent(f"в Битрикс24 не хватает: {', '.join(problems)}. Запустите bitrix setup")
    return PortalSchema(entity, type_id, category, columns, fields, root_folder(client, folder_of(kind))[1])


def _read_fields(
    client: PortalClient, entity: int, type_id: int, wanted: tuple[Field, ...]
) -> tuple[dict[str, CardField], list[str]]:
    rows = field_rows(client, type_id)
    by_code = {str(row["fieldName"]): row for row in rows}
    known = {str(row.get("xmlId") or ""): row for row in rows}
    described = client.call("crm.item.fields", {"entityTypeId": entity}).map("fields")
    names = {str(as_map(about).get("upperName")): name for name, about in described.items()}
    choices = _choices(client, [known[f.name] for f in wanted if f.kind is FieldKind.CHOICE and f.name in known])
    found: dict[str, CardField] = {}
    problems: list[str] = []
    for each in wanted:
        row = known.get(each.name)
        upper = str(row["fieldName"]) if row else ""
        if row is None or upper not in names or upper not in by_code:
            problems.append(f"поле «{each.label}» ({each.name})")
            continue
        if row["userTypeId"] != USER_TYPES[each.kind] or (row["multiple"] == "Y") != (each.kind is FieldKind.FILES):
            problems.append(f"поле «{each.label}» ({each.name}) другого типа: {row['userTypeId']}")
            continue
        own = choices.get(str(row["id"]), {})
        problems += [f"вариант «{label}» поля «{each.label}»" for value, label in each.choices if value not in own]
        found[each.name] = CardField(each.name, each.kind, names[upper], upper, each.label, own)
    return found, problems


def _choices(client: PortalClient, rows: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    commands: dict[str, Command] = {
        str(row["id"]): ("userfieldconfig.get", {"moduleId": "crm", "id": row["id"]}) for row in rows
    }
    answers = client.batch(commands)
    enums = {name: as_list(answers[name].map("field").get("enum")) for name in commands}
    return {name: {str(item["xmlId"]): int(item["id"]) for item in items} for name, items in enums.items()}


def _types(client: PortalClient) -> list[dict[str, Any]]:
    return client.items("crm.type.list", {}, path=("types",))


def field_rows(client: PortalClient, type_id: int) -> list[dict[str, Any]]:
    """Return the settings of a type's own fields, without choices; none where they are not ours to see.

    The documents promise neither a filter by type nor one by a range of ids, so pages go by offset and rows are sorted
    out here.
    """
    entity = f"CRM_{type_id}"
    query = {"moduleId": "crm", "filter": {"entityId": entity}, "order": {"id": "ASC"}}
    try:
        rows = client.offsets("userfieldconfig.list", query, path=("fields",))
    except PortalRefused as error:
        if error.code in ("", "ACCESS_DENIED"):
            return []  # somebody else's type
        raise
    return list({str(row["id"]): row for row in rows if row.get("entityId") == entity}.values())
