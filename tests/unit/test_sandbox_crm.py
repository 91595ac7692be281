"""The sandbox portal's smart processes: types, funnels, stages, fields, items, stage history, as documented."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from portal import LocalPortal

TYPE = {"title": "Заказ", "entityTypeId": 156, "isStagesEnabled": "Y", "isUseInUserfieldEnabled": "Y"}
INVALID = "CRM_FIELD_ERROR_VALUE_NOT_VALID"
STAGES = "DYNAMIC_156_STAGE_31"
FIELDS: tuple[tuple[str, str, bool], ...] = (
    ("CUSTOMER", "string", False),
    ("AMOUNT", "money", False),
    ("READY", "datetime", False),
    ("PAID", "date", False),
    ("URGENT", "boolean", False),
    ("PLAN", "file", False),
    ("DRAWINGS", "file", True),
    ("DECISION", "enumeration", False),
    ("KINDS", "enumeration", True),
    ("TAGS", "string", True),
)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPortal]:
    with LocalPortal(tmp_path_factory.mktemp("portal")) as running:
        running.set_users([{"id": 5, "name": "Ирина", "lastName": "Соколова"}])
        running.call("crm.type.add", {"fields": TYPE})
        for code, kind, multiple in FIELDS:
            field: dict[str, Any] = {"entityId": "CRM_13", "fieldName": f"UF_CRM_13_{code}", "userTypeId": kind}
            field |= {"multiple": "Y" if multiple else "N", "editFormLabel": {"ru": code.title()}}
            if kind == "enumeration":
                field["enum"] = [{"value": "Да", "xmlId": "approve"}, {"value": "Нет", "xmlId": "reject"}]
            running.call("userfieldconfig.add", {"moduleId": "crm", "field": field})
        yield running


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def refused(portal: LocalPortal, method: str, params: Any, user: int | None = None) -> tuple[int, str]:
    hook = portal.webhook_of(user) if user else portal.webhook_url
    answer = requests.post(hook + method, json=params, timeout=10)
    return answer.status_code, answer.json()["error"]


def add(portal: LocalPortal, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = portal.call("crm.item.add", {"entityTypeId": 156, "fields": fields})["item"]
    return found


def update(portal: LocalPortal, number: int, **fields: Any) -> dict[str, Any]:
    params = {"entityTypeId": 156, "id": number, "fields": fields}
    found: dict[str, Any] = portal.call("crm.item.update", params)["item"]
    return found


def listed(portal: LocalPortal, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = portal.call("crm.item.list", {"entityTypeId": 156, **more})["items"]
    return found


# --- types, funnels, stages, fields


@pytest.mark.parametrize("number", [127, 193, 1031])
def test_type_number_out_of_range_is_refused(portal: LocalPortal, number: int) -> None:
    fields = {"title": "x", "entityTypeId": number}
    assert refused(portal, "crm.type.add", {"fields": fields}) == (400, "INVALID_ARG_VALUE")


def test_type_number_is_unique(portal: LocalPortal) -> None:
    assert refused(portal, "crm.type.add", {"fields": TYPE}) == (400, "INVALID_ARG_VALUE")


def test_type_add_needs_an_administrator(portal: LocalPortal) -> None:
    assert refused(portal, "crm.type.add", {"fields": {"title": "x"}}, user=5) == (400, "ACCESS_DENIED")


def test_type_flags_default_to_no_and_links_take_true_only(portal: LocalPortal) -> None:
    link = "TASKS_TASK|UF_CRM_TASK"
    fields = {"title": "x", "isUseInUserfieldEnabled": "Y", "linkedUserFields": {link: "Y"}}
    made = portal.call("crm.type.add", {"fields": fields})["type"]
    assert (made["isStagesEnabled"], made["linkedUserFields"][link]) == ("N", "N")
    assert portal.call("crm.status.list", {"filter": {"ENTITY_ID": f"DYNAMIC_{made['entityTypeId']}_STAGE_32"}}) == []


def test_type_by_unknown_number_has_code_0(portal: LocalPortal) -> None:
    assert refused(portal, "crm.type.getByEntityTypeId", {"entityTypeId": 190}) == (400, "0")


def test_new_default_funnel_takes_the_mark(portal: LocalPortal) -> None:
    made = portal.call("crm.type.add", {"fields": {"title": "y", "entityTypeId": 158}})["type"]
    params = {"entityTypeId": 158, "fields": {"name": "Вторая", "isDefault": "Y"}}
    second = portal.call("crm.category.add", params)["category"]
    rows = portal.call("crm.category.list", {"entityTypeId": made["entityTypeId"]})["categories"]
    assert [row["id"] for row in rows if row["isDefault"] == "Y"] == [second["id"]]


def test_stage_gets_the_funnels_prefix(portal: LocalPortal) -> None:
    fields = {"ENTITY_ID": STAGES, "STATUS_ID": "SHIP", "NAME": "Отгрузка", "SORT": 35}
    number = portal.call("crm.status.add", {"fields": fields})
    assert portal.call("crm.status.get", {"id": number})["STATUS_ID"] == "DT156_31:SHIP"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"STATUS_ID": "NEW"}, "ERROR_CORE"),
        ({"STATUS_ID": ""}, ""),
        ({"NAME": ""}, ""),
        ({"ENTITY_ID": "DYNAMIC_999_STAGE_1"}, ""),
        ({"SORT": 900}, ""),
        ({"SEMANTICS": "S"}, ""),
    ],
)
def test_stage_add_refusals(portal: LocalPortal, change: dict[str, Any], code: str) -> None:
    fields = {"ENTITY_ID": STAGES, "STATUS_ID": "OTHER", "NAME": "Имя", "SORT": 20} | change
    assert refused(portal, "crm.status.add", {"fields": fields}) == (400, code)


def test_system_stage_is_deleted_only_by_force(portal: LocalPortal) -> None:
    rows = portal.call("crm.status.list", {"filter": {"ENTITY_ID": STAGES, "STATUS_ID": "DT156_31:FAIL"}})
    assert refused(portal, "crm.status.delete", {"id": rows[0]["ID"]}) == (400, "")


def test_stage_with_items_is_never_deleted(portal: LocalPortal) -> None:
    add(portal, stageId="DT156_31:CLIENT")
    rows = portal.call("crm.status.list", {"filter": {"ENTITY_ID": STAGES, "STATUS_ID": "DT156_31:CLIENT"}})
    assert refused(portal, "crm.status.delete", {"id": rows[0]["ID"], "params": {"FORCED": "Y"}}) == (400, "")


@pytest.mark.parametrize(
    "change",
    [
        {"fieldName": "UF_CRM_13_CUSTOMER"},
        {"fieldName": "UF_CRM_14_X"},
        {"fieldName": ""},
        {"userTypeId": ""},
        {"fieldName": "UF_CRM_13_" + "X" * 41},
        {"fieldName": "UF_CRM_13_имя"},
    ],
)
def test_field_add_refusals_have_an_empty_code(portal: LocalPortal, change: dict[str, str]) -> None:
    field = {"entityId": "CRM_13", "fieldName": "UF_CRM_13_NEW", "userTypeId": "string"} | change
    assert refused(portal, "userfieldconfig.add", {"moduleId": "crm", "field": field}) == (400, "")


def test_field_list_pages_by_fifty(portal: LocalPortal) -> None:
    own = portal.call("crm.type.add", {"fields": {"title": "Много полей", "entityTypeId": 162}})["type"]["id"]
    for number in range(45):
        field = {"entityId": f"CRM_{own}", "fieldName": f"UF_CRM_{own}_F{number}", "userTypeId": "string"}
        portal.call("userfieldconfig.add", {"moduleId": "crm", "field": field})
    answer = requests.post(portal.webhook_url + "userfieldconfig.list", json={"moduleId": "crm"}, timeout=10).json()
    assert (len(answer["result"]["fields"]), answer["next"]) == (50, 50)


@pytest.mark.parametrize(
    ("upper", "camel"),
    [
        ("UF_CRM_3_DIGIT", "ufCrm3Digit"),
        ("UF_CRM_3_1747309727", "ufCrm3_1747309727"),
        ("UF_CRM_3_DIGIT10", "ufCrm_3_DIGIT10"),
        ("UF_CRM_3_DIGIT_10", "ufCrm_3_DIGIT_10"),
        ("UF_CRM_1747309879", "ufCrm_1747309879"),
    ],
)
def test_names_follow_the_documented_table(upper: str, camel: str) -> None:
    from bitrix_sync.sandbox.rest.item_fields import camel as convert

    assert convert(upper) == camel


# --- items


def test_item_defaults(portal: LocalPortal) -> None:
    item = add(portal)
    assert (item["title"], item["stageId"], item["assignedById"]) == (f"Заказ #{item['id']}", "DT156_31:NEW", 1)


def test_two_items_may_have_one_external_code(portal: LocalPortal) -> None:
    assert add(portal, xmlId="order:twice")["id"] != add(portal, xmlId="order:twice")["id"]


def test_unknown_key_in_fields_is_ignored(portal: LocalPortal) -> None:
    assert "nonsense" not in add(portal, nonsense=1)


def test_original_names_are_ignored_without_the_switch(portal: LocalPortal) -> None:
    assert add(portal, UF_CRM_13_CUSTOMER="Петров")["ufCrm13Customer"] is None


def test_original_names_with_the_switch(portal: LocalPortal) -> None:
    params = {"entityTypeId": 156, "useOriginalUfNames": "Y", "fields": {"UF_CRM_13_CUSTOMER": "Петров"}}
    item = portal.call("crm.item.add", params)["item"]
    assert item["UF_CRM_13_CUSTOMER"] == "Петров" and "createdTime" in item


def test_original_names_with_a_select_lose_system_fields(portal: LocalPortal) -> None:
    add(portal)
    rows = listed(portal, useOriginalUfNames="Y", select=["id", "UF_CRM_13_CUSTOMER"])
    assert set(rows[0]) == {"UF_CRM_13_CUSTOMER"}


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("crm.item.get", {"entityTypeId": 156, "id": 99_999}, "NOT_FOUND"),
        ("crm.item.get", {"entityTypeId": 190, "id": 1}, "NOT_FOUND"),
        ("crm.item.get", {"entityTypeId": 156}, "100"),
        ("crm.item.add", {"entityTypeId": 156}, "100"),
        ("crm.item.add", {"entityTypeId": 156, "fields": {"stageId": "DT156_31:NOPE"}}, INVALID),
        ("crm.item.add", {"entityTypeId": 156, "fields": {"ufCrm13Decision": 1}}, INVALID),
        ("crm.item.add", {"entityTypeId": 156, "fields": {"ufCrm13Ready": "скоро"}}, INVALID),
        ("crm.item.add", {"entityTypeId": 156, "fields": {"ufCrm13Amount": "много"}}, INVALID),
        ("crm.item.add", {"entityTypeId": 156, "fields": {"ufCrm13Tags": "a"}}, "100"),
        ("crm.item.add", {"entityTypeId": 156, "fields": {"ufCrm13Plan": ["a", "не base64"]}}, INVALID),
        ("crm.item.add", {"entityTypeId": 156, "fields": {"ufCrm13Plan": {"fileData": ["a", "YQ=="]}}}, INVALID),
        ("crm.item.list", {"entityTypeId": 156, "filter": {"nonsense": 1}}, "INVALID_ARG_VALUE"),
        ("crm.item.list", {"entityTypeId": 156, "filter": {">createdTime": "вчера"}}, "INVALID_ARG_VALUE"),
        ("crm.item.list", {"entityTypeId": 156, "order": {"nonsense": "ASC"}}, "INVALID_ARG_VALUE"),
        ("crm.item.list", {"entityTypeId": 156, "order": {"id": "UP"}}, "INVALID_ARG_VALUE"),
        ("crm.stagehistory.list", {"entityTypeId": 190}, "ENTITY_TYPE_NOT_SUPPORTED"),
    ],
)
def test_item_refusals(portal: LocalPortal, method: str, params: dict[str, Any], code: str) -> None:
    assert refused(portal, method, params) == (400, code)


def test_stage_cannot_be_moved_without_the_right(portal: LocalPortal) -> None:
    params = {"entityTypeId": 156, "id": add(portal)["id"], "fields": {"stageId": "DT156_31:CLIENT"}}
    assert refused(portal, "crm.item.update", params, user=5) == (400, "-")


def test_required_field_counts_on_add_and_on_a_move(portal: LocalPortal) -> None:
    old = portal.call("crm.type.add", {"fields": {"title": "z", "entityTypeId": 160, "isStagesEnabled": "Y"}})["type"]
    item = portal.call("crm.item.add", {"entityTypeId": 160, "fields": {"title": "до"}})["item"]
    entity = f"CRM_{old['id']}"
    field = {"entityId": entity, "fieldName": f"UF_{entity}_MUST", "userTypeId": "string", "mandatory": "Y"}
    portal.call("userfieldconfig.add", {"moduleId": "crm", "field": field})
    empty = {"entityTypeId": 160, "fields": {"title": "без поля"}}
    assert refused(portal, "crm.item.add", empty) == (400, "CRM_FIELD_ERROR_REQUIRED")
    portal.call("crm.item.update", {"entityTypeId": 160, "id": item["id"], "fields": {"title": "после"}})
    moved = {"entityTypeId": 160, "id": item["id"], "fields": {"stageId": item["stageId"].replace("NEW", "CLIENT")}}
    assert refused(portal, "crm.item.update", moved) == (400, "CRM_FIELD_ERROR_REQUIRED")


def test_update_without_a_difference_saves_nothing(portal: LocalPortal) -> None:
    item = add(portal, title="то же", ufCrm13Ready="2026-12-31T18:00:00+03:00")
    update(portal, item["id"], title="то же", ufCrm13Ready="2026-12-31T15:00:00+00:00")
    assert portal.log("crm.item.update")[-1]["applied"] is False


def test_dates_and_moments_keep_their_meaning(portal: LocalPortal) -> None:
    item = add(portal, ufCrm13Paid="2026-12-31", ufCrm13Ready="2027-01-01T00:30:00+03:00")
    assert (item["ufCrm13Paid"], item["ufCrm13Ready"]) == ("2026-12-31T03:00:00+03:00", "2027-01-01T00:30:00+03:00")


def test_the_portals_offset_shows_in_every_time(portal: LocalPortal) -> None:
    item = add(portal, ufCrm13Paid="2026-12-31", ufCrm13Ready="2026-12-31T18:00:00+03:00")
    portal.settings(offset="+10:00")
    shown = portal.call("crm.item.get", {"entityTypeId": 156, "id": item["id"]})["item"]
    portal.settings(offset="+03:00")
    assert (shown["ufCrm13Paid"], shown["ufCrm13Ready"]) == ("2026-12-31T10:00:00+10:00", "2027-01-01T01:00:00+10:00")


def test_multiple_list_is_not_cleared_by_an_empty_list(portal: LocalPortal) -> None:
    described = portal.call("crm.item.fields", {"entityTypeId": 156})["fields"]["ufCrm13Kinds"]
    chosen = [int(row["ID"]) for row in described["items"]]
    item = add(portal, ufCrm13Kinds=chosen)
    assert update(portal, item["id"], ufCrm13Kinds=[])["ufCrm13Kinds"] == chosen


def test_boolean_is_filtered_by_1_and_shown_as_y(portal: LocalPortal) -> None:
    item = add(portal, ufCrm13Urgent=1, xmlId="order:urgent")
    found = listed(portal, filter={"ufCrm13Urgent": 1, "xmlId": "order:urgent"})
    assert [row["ufCrm13Urgent"] for row in found] == ["Y"] and found[0]["id"] == item["id"]


def test_filter_prefixes_and_logic(portal: LocalPortal) -> None:
    numbers = [add(portal, xmlId=f"order:f{n}", title=f"Комод {n}")["id"] for n in range(3)]
    first, second, third = numbers

    def ids(**wanted: Any) -> list[int]:
        return [row["id"] for row in listed(portal, filter={"%xmlId": "order:f", **wanted}, select=["id"])]

    assert ids(**{">id": first}) == [second, third]
    assert ids(**{"@id": [first, third]}) == [first, third]
    assert ids(**{"!id": second}) == [first, third]
    assert ids(**{"=%title": "%мод 2"}) == [third]
    assert ids(**{"0": {"logic": "OR", "0": {"id": first}, "1": {"xmlId": "order:f2"}}}) == [first, third]


def test_lists_are_cut_at_fifty_and_name_the_next(portal: LocalPortal) -> None:
    for number in range(60):
        add(portal, xmlId=f"order:page{number}")
    wanted = {"entityTypeId": 156, "filter": {"%xmlId": "order:page"}, "select": ["id"]}
    first = requests.post(portal.webhook_url + "crm.item.list", json=wanted, timeout=10).json()
    last = requests.post(portal.webhook_url + "crm.item.list", json=wanted | {"start": 50}, timeout=10).json()
    fast = requests.post(portal.webhook_url + "crm.item.list", json=wanted | {"start": -1}, timeout=10).json()
    assert (len(first["result"]["items"]), first["next"], first["total"]) == (50, 50, 60)
    assert (len(last["result"]["items"]), "next" in last) == (10, False)
    assert (len(fast["result"]["items"]), "next" in fast, fast["total"]) == (50, False, 0)


def test_delete_answers_an_empty_list(portal: LocalPortal) -> None:
    assert portal.call("crm.item.delete", {"entityTypeId": 156, "id": add(portal)["id"]}) == []


def test_stage_history_tells_kinds_but_not_who(portal: LocalPortal) -> None:
    item = add(portal)
    update(portal, item["id"], stageId="DT156_31:CLIENT")
    moved = update(portal, item["id"], stageId="DT156_31:SUCCESS")
    rows = portal.call("crm.stagehistory.list", {"entityTypeId": 156, "filter": {"OWNER_ID": item["id"]}})["items"]
    assert [(row["TYPE_ID"], row["STAGE_SEMANTIC_ID"]) for row in rows] == [(1, "P"), (2, "P"), (3, "S")]
    assert moved["movedBy"] == 1 and not any("USER" in key for row in rows for key in row)


# --- files


def test_file_comes_back_byte_for_byte_under_its_name(portal: LocalPortal) -> None:
    name, data = "Шкаф-купе №3 — «эскиз»; финал (ё, й) %41+.pdf", bytes(range(256))
    held = add(portal, ufCrm13Plan=[name, b64(data)])["ufCrm13Plan"]
    answer = requests.get(held["urlMachine"], headers={"User-Agent": "order-route/1"}, timeout=10)
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(data).digest()
    assert requests.utils.unquote(answer.headers["Content-Disposition"].partition("''")[2]) == name


def test_file_link_needs_a_user_agent_and_its_token(portal: LocalPortal) -> None:
    link = add(portal, ufCrm13Plan=["a.pdf", b64(b"a")])["ufCrm13Plan"]["urlMachine"]
    assert requests.get(link, timeout=10).status_code == 403
    assert requests.get(link[:-4] + "0000", headers={"User-Agent": "order-route/1"}, timeout=10).status_code == 401


def test_session_link_gives_a_login_page_to_machines(portal: LocalPortal) -> None:
    link = add(portal, ufCrm13Plan=["a.pdf", b64(b"a")])["ufCrm13Plan"]["url"]
    assert requests.get(link, timeout=10).headers["Content-Type"].startswith("text/html")


def test_multiple_files_are_replaced_as_a_whole(portal: LocalPortal) -> None:
    item = add(portal, ufCrm13Drawings=[["a.pdf", b64(b"a")], ["b.pdf", b64(b"b")]])
    first, second = (row["id"] for row in item["ufCrm13Drawings"])
    kept = update(portal, item["id"], ufCrm13Drawings=[{"id": second}, ["c.pdf", b64(b"c")]])["ufCrm13Drawings"]
    assert kept[0]["id"] == second and len(kept) == 2 and first not in [row["id"] for row in kept]


def test_a_multiple_field_takes_nothing_but_a_list(portal: LocalPortal) -> None:
    files = [["a.pdf", b64(b"a")]]
    item = portal.call("crm.item.add", {"entityTypeId": 156, "fields": {"ufCrm13Drawings": files}})["item"]
    change = {"entityTypeId": 156, "id": item["id"], "fields": {"ufCrm13Drawings": ""}}
    assert refused(portal, "crm.item.update", change) == (400, "100")
    change["fields"] = {"ufCrm13Drawings": []}
    assert portal.call("crm.item.update", change)["item"]["ufCrm13Drawings"] == []


def test_single_file_is_kept_by_its_id_and_cleared_by_nothing(portal: LocalPortal) -> None:
    item = add(portal, ufCrm13Plan=["a.pdf", b64(b"a")])
    number = item["ufCrm13Plan"]["id"]
    assert update(portal, item["id"], ufCrm13Plan={"id": number})["ufCrm13Plan"]["id"] == number
    assert update(portal, item["id"], ufCrm13Plan="")["ufCrm13Plan"] is None


def test_pair_without_its_outer_list_is_refused_in_a_multiple_field(portal: LocalPortal) -> None:
    params = {"entityTypeId": 156, "fields": {"ufCrm13Drawings": ["a.pdf", b64(b"a")]}}
    assert refused(portal, "crm.item.add", params) == (400, INVALID)


def test_item_files_are_unknown_to_the_drive(portal: LocalPortal) -> None:
    held = add(portal, ufCrm13Plan=["a.pdf", b64(b"a")])["ufCrm13Plan"]
    assert refused(portal, "disk.file.get", {"id": held["id"]}) == (400, "ERROR_NOT_FOUND")
