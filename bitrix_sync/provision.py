"""Set a portal up for a route: smart process, funnel, columns, fields, Drive folder. Repeatable; matched by code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bitrix_sync.client import PortalClient, rows_of
from bitrix_sync.envelope import Answer
from bitrix_sync.errors import PortalRefused
from bitrix_sync.php import as_list, as_map
from bitrix_sync.read_schema import (
    FIRST_COLUMNS,
    FOLDER,
    TITLE,
    column_directory,
    field_rows,
    find_type,
    folder_of,
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

UNUSED = "Не используется"


@dataclass(slots=True)
class Hand:
    """Writes to the portal and notes each write in words; with `dry` it only notes."""

    client: PortalClient
    dry: bool = False
    notes: list[str] = field(default_factory=list)

    def write(self, what: str, method: str, params: Mapping[str, Any]) -> Answer | None:
        """Call the method, or in a dry run nothing."""
        self.notes.append(what)
        return None if self.dry else self.client.call(method, params)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a set-up did, or in a dry run would do, in words; `kept`: columns that the route no longer has."""

    changes: tuple[str, ...]
    kept: tuple[str, ...]
    entity_type_id: int | None  # None: a dry run on a portal without our smart process


def provision(
    client: PortalClient, route: Route, *, title: str = TITLE, entity_type_id: int | None = None
) -> PortalSchema:
    """Make what is missing and return the names. Raises Permanent that lists all missing rights before any write."""
    fitted = fit(client, route, title=title, entity_type_id=entity_type_id)
    return read_schema(client, route, entity_type_id=fitted.entity_type_id)


def fit(
    client: PortalClient,
    route: Route,
    *,
    title: str = TITLE,
    entity_type_id: int | None = None,
    dry_run: bool = False,
) -> Fitted:
    """Make the smart process, its columns, fields and the Drive folder fit the route; nothing else is touched.

    `entity_type_id` uses a smart process that exists; else ours is found by its field, or made. Columns are added,
    named and put in order, never taken away. Raises Permanent that lists all missing rights before any write.
    """
    check_rights(client)
    hand = Hand(client, dry_run)
    found = find_type(client, entity_type_id, title)
    if found is None:
        answer = _add_type(hand, title, entity_type_id)
        found = answer.map("type") if answer is not None else None
    if found is None:
        return Fitted((*hand.notes, *_all_new(route)), (), None)
    entity = int(found["entityTypeId"])
    if not (_switched(found) and has_link(client, entity)):
        fields = _FLAGS | {"title": found["title"], "linkedUserFields": _links()}
        what = "смарт-процесс: стадии, наблюдатели и привязка задач включены"
        hand.write(what, "crm.type.update", {"id": found["id"], "fields": fields})
    _make_fields(hand, int(found["id"]), fields_of(route))
    kept = _make_columns(hand, entity, columns_of(route))
    _make_folder(hand, folder_of(found))
    return Fitted(tuple(hand.notes), kept, entity)


def _switched(kind: Mapping[str, Any]) -> bool:
    return kind.get("isStagesEnabled") == "Y" and kind.get("isObserversEnabled") == "Y"


def _all_new(route: Route) -> list[str]:
    fields = [_new_field(each) for each in fields_of(route)]
    columns = [
        f"колонка портала для успеха теперь «{each.label}»" if each.semantics == "S" else _new_column(each)
        for each in columns_of(route)
    ]
    return [*fields, *columns, _new_folder(FOLDER)]


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


def _add_type(hand: Hand, title: str, entity_type_id: int | None) -> Answer | None:
    fields: dict[str, Any] = _FLAGS | {"title": title, "linkedUserFields": _links()}
    if entity_type_id is not None:
        fields["entityTypeId"] = entity_type_id
    return hand.write(f"новый смарт-процесс «{title}»", "crm.type.add", {"fields": fields})


def _make_fields(hand: Hand, type_id: int, wanted: tuple[Field, ...]) -> None:
    entity = f"CRM_{type_id}"
    known = {str(row.get("xmlId") or row["fieldName"]): row for row in field_rows(hand.client, type_id)}
    # the marker comes first: from then on the type is known to be ours
    for place, each in enumerate(sorted(wanted, key=lambda one: one.name != MARKER)):
        row = known.get(each.name)
        if row is None:
            _add_field(hand, entity, type_id, each, 100 + 10 * place)
        elif each.kind is FieldKind.CHOICE:
            _add_choices(hand, row, each)


def _add_field(hand: Hand, entity: str, type_id: int, wanted: Field, sort: int) -> None:
    given: dict[str, Any] = {
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
        given["enum"] = [
            {"value": label, "xmlId": value, "sort": 100 * n} for n, (value, label) in enumerate(wanted.choices, 1)
        ]
    try:
        hand.write(_new_field(wanted), "userfieldconfig.add", {"moduleId": "crm", "field": given})
    except PortalRefused as error:
        if "already exists" not in error.description:
            raise


def _add_choices(hand: Hand, row: Mapping[str, Any], wanted: Field) -> None:
    whole = hand.client.call("userfieldconfig.get", {"moduleId": "crm", "id": row["id"]}).map("field")
    have = {str(item.get("xmlId")): item for item in as_list(whole.get("enum"))}
    missing = [(value, label) for value, label in wanted.choices if value not in have]
    if not missing:
        return
    enum = [{"id": item["id"], "value": item["value"], "xmlId": value} for value, item in have.items()]
    enum += [{"value": label, "xmlId": value} for value, label in missing]
    what = f"поле «{wanted.label}»: новые варианты {', '.join(label for _, label in missing)}"
    params = {"moduleId": "crm", "id": row["id"], "field": {"userTypeId": "enumeration", "enum": enum}}
    hand.write(what, "userfieldconfig.update", params)


def _make_columns(hand: Hand, entity: int, wanted: tuple[Column, ...]) -> tuple[str, ...]:
    """Make the funnel's columns fit; return what of it the route does not know, in words."""
    category, rows = stages(hand.client, entity, frozenset(each.code for each in wanted))
    known = {stage_code(str(row["STATUS_ID"])): row for row in rows}
    finals = [each for each in wanted if each.semantics]
    work = [each for each in wanted if not each.semantics]
    # final columns first: work columns are refused where a final one does not stand behind them
    plan = [(each, 10_000 + 10 * n, _final_colour(each)) for n, each in enumerate(finals)]
    plan += [(each, 10 * n, COLOURS[(n - 1) % len(COLOURS)]) for n, each in enumerate(work, 1)]
    for column, sort, colour in plan:
        _make_column(hand, column_directory(entity, category), known.get(column.code), column, sort, colour)
    kept = []
    for code, row in known.items():
        if code in {each.code for each in wanted}:
            continue
        count = _cards_in(hand.client, entity, str(row["STATUS_ID"]))
        if code in FIRST_COLUMNS and count == 0:
            _drop_column(hand, row)
        else:
            _rename_unused(hand, code, row)
            kept.append(f"колонка «{row['NAME']}» не из диаграммы, карточек в ней {count}: оставлена")
    return tuple(kept)


def _make_column(
    hand: Hand, entity: str, row: Mapping[str, Any] | None, column: Column, sort: int, colour: str
) -> None:
    if row is None:
        fields: dict[str, Any] = {"ENTITY_ID": entity, "STATUS_ID": column.code.upper(), "NAME": column.label}
        fields |= {"SORT": sort, "COLOR": colour, "SEMANTICS": column.semantics}
        hand.write(_new_column(column), "crm.status.add", {"fields": fields})
        return
    name, place = str(row.get("NAME")), int(row.get("SORT") or 0)
    if name == column.label and place == sort:
        return
    what = f"колонка «{name}» теперь «{column.label}»" if name != column.label else f"колонка «{name}»: другое место"
    fields = {"NAME": column.label, "SORT": sort, "COLOR": colour}
    hand.write(what, "crm.status.update", {"id": row["ID"], "fields": fields})


def _cards_in(client: PortalClient, entity: int, stage_id: str) -> int:
    query = {"entityTypeId": entity, "filter": {"=stageId": stage_id}, "select": ["id"], "start": 0}
    answer = client.call("crm.item.list", query)
    return answer.total if answer.total is not None else len(rows_of(answer, "items"))


def _drop_column(hand: Hand, row: Mapping[str, Any]) -> None:
    """Take one of the portal's own first columns away; one that cannot go is kept and renamed."""
    params = {"id": row["ID"], "params": {"FORCED": "Y"}}
    try:
        hand.write(f"колонка портала «{row['NAME']}» убрана", "crm.status.delete", params)
    except PortalRefused:
        hand.notes.pop()
        _rename_unused(hand, stage_code(str(row["STATUS_ID"])), row)


def _rename_unused(hand: Hand, code: str, row: Mapping[str, Any]) -> None:
    """Mark a first column of the portal that has to stay; people's own columns are left as they are."""
    if code not in FIRST_COLUMNS or row.get("NAME") == UNUSED:
        return
    sort = 20_000 if row.get("SEMANTICS") else 9_000
    what = f"колонка портала «{row['NAME']}» теперь «{UNUSED}»"
    hand.write(what, "crm.status.update", {"id": row["ID"], "fields": {"NAME": UNUSED, "SORT": sort}})


def _final_colour(column: Column) -> str:
    return WON_COLOUR if column.semantics == "S" else LOST_COLOUR


def _make_folder(hand: Hand, name: str) -> None:
    storage, folder = root_folder(hand.client, name)
    if storage is None:
        raise Permanent("Битрикс24: общий диск недоступен вебхуку, файлы некуда класть")
    if folder is None:
        hand.write(_new_folder(name), "disk.storage.addfolder", {"id": storage, "data": {"NAME": name}})


def _new_folder(name: str) -> str:
    return f"новая папка «{name}» на общем диске"


def _new_field(wanted: Field) -> str:
    return f"новое поле «{wanted.label}» ({wanted.name})"


def _new_column(column: Column) -> str:
    return f"новая колонка «{column.label}» ({column.code})"
