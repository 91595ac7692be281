"""The sandbox portal's tasks in both REST versions, as documented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from peopled import open_portal, refused, task
from portal import LocalPortal


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPortal]:
    with open_portal(tmp_path_factory.mktemp("portal")) as running:
        yield running


def act(portal: LocalPortal, name: str, number: str, user: int | None = None, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = portal.call(f"tasks.task.{name}", {"taskId": number, **more}, user=user)["task"]
    return made


def v3(portal: LocalPortal, method: str, fields: Any, **headers: str) -> requests.Response:
    address = portal.webhook_url.replace("/rest/", "/rest/api/") + method
    return requests.post(address, json={"fields": fields}, headers=headers, timeout=10)


def test_task_ids_are_texts_and_deadline_keeps_the_instant(portal: LocalPortal) -> None:
    made = task(portal, DEADLINE="2026-12-31T18:00:00+10:00")
    assert (type(made["id"]), made["responsibleId"], made["status"]) == (str, "2", "2")
    assert made["deadline"] == "2026-12-31T11:00:00+03:00"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "100"),
        ({"TITLE": "x"}, "ERROR_CORE"),
        ({"RESPONSIBLE_ID": 2}, "ERROR_CORE"),
        ({"TITLE": "x", "RESPONSIBLE_ID": 99}, "ERROR_CORE"),
    ],
)
def test_task_add_refusals(portal: LocalPortal, fields: dict[str, Any], code: str) -> None:
    assert refused(portal, "tasks.task.add", {"fields": fields}) == (400, code)


def test_task_for_a_dismissed_person_is_taken(portal: LocalPortal) -> None:
    assert task(portal, RESPONSIBLE_ID=4)["responsibleId"] == "4"


def test_missing_task_gives_an_empty_result(portal: LocalPortal) -> None:
    assert portal.call("tasks.task.get", {"taskId": 99_999}) == []


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("tasks.task.get", {}, "100"),
        ("tasks.task.get", {"taskId": "x"}, "0"),
        ("tasks.task.get", {"taskId": 1, "select": []}, "100"),
        ("tasks.task.complete", {"taskId": 99_999}, "0"),
        ("tasks.task.renew", {"taskId": 99_999}, "1048582"),
        ("tasks.task.approve", {"taskId": 99_999}, "1048582"),
        ("tasks.task.delete", {"taskId": 99_999}, "1048582"),
        ("tasks.task.list", {"order": {"NONSENSE": "asc"}}, "0"),
        ("tasks.task.result.list", {"taskId": 99_999}, "0"),
        ("tasks.task.result.list", {"taskId": "x"}, "100"),
    ],
)
def test_task_refusals(portal: LocalPortal, method: str, params: dict[str, Any], code: str) -> None:
    assert refused(portal, method, params) == (400, code)


def test_binding_and_files_come_only_when_selected(portal: LocalPortal) -> None:
    made = task(portal, UF_CRM_TASK=["T9c_1"])
    whole = portal.call("tasks.task.get", {"taskId": made["id"]})["task"]
    chosen = portal.call("tasks.task.get", {"taskId": made["id"], "select": ["ID", "UF_CRM_TASK"]})["task"]
    assert "ufCrmTask" not in whole and chosen["ufCrmTask"] == ["T9c_1"]


def test_binding_needs_the_types_link(portal: LocalPortal) -> None:
    made = task(portal, UF_CRM_TASK=["T9e_1"])
    found = portal.call("tasks.task.get", {"taskId": made["id"], "select": ["UF_CRM_TASK"]})["task"]
    assert found["ufCrmTask"] is False


def test_filter_by_binding_and_status(portal: LocalPortal) -> None:
    made = task(portal, UF_CRM_TASK=["T9c_1"])
    act(portal, "complete", made["id"])
    wanted = {"UF_CRM_TASK": "T9c_1", "REAL_STATUS": 5}
    rows = portal.call("tasks.task.list", {"filter": wanted, "select": ["ID"]})["tasks"]
    assert made["id"] in [row["id"] for row in rows]


def test_undocumented_filter_key_does_nothing(portal: LocalPortal) -> None:
    task(portal, XML_ID="visit-1")
    assert len(portal.call("tasks.task.list", {"filter": {"XML_ID": "visit-1"}})["tasks"]) > 1


def test_task_cannot_be_finished_twice(portal: LocalPortal) -> None:
    made = task(portal)
    act(portal, "complete", made["id"], user=2)
    assert refused(portal, "tasks.task.complete", {"taskId": made["id"]}, user=2) == (400, "0")


def test_stranger_cannot_finish_a_task(portal: LocalPortal) -> None:
    assert refused(portal, "tasks.task.complete", {"taskId": task(portal)["id"]}, user=3) == (400, "0")


def test_helper_may_finish_and_is_named(portal: LocalPortal) -> None:
    made = task(portal, ACCOMPLICES=[3])
    assert act(portal, "complete", made["id"], user=3)["closedBy"] == "3"


def test_controlled_task_waits_for_its_creator(portal: LocalPortal) -> None:
    made = task(portal, TASK_CONTROL="Y")
    assert act(portal, "complete", made["id"], user=2)["status"] == "4"
    assert refused(portal, "tasks.task.approve", {"taskId": made["id"]}, user=2) == (400, "1048582")
    assert act(portal, "disapprove", made["id"])["status"] == "2"
    act(portal, "complete", made["id"], user=2)
    assert act(portal, "approve", made["id"])["status"] == "5"


def test_task_that_asks_for_a_result_needs_one(portal: LocalPortal) -> None:
    made = task(portal, SE_PARAMETER=[{"CODE": 3, "VALUE": "Y"}])
    assert refused(portal, "tasks.task.complete", {"taskId": made["id"]}) == (400, "0")
    assert v3(portal, "tasks.task.result.add", {"taskId": int(made["id"]), "text": "готово"}).status_code == 200
    assert act(portal, "complete", made["id"])["status"] == "5"


def test_start_pause_defer_renew(portal: LocalPortal) -> None:
    number = task(portal)["id"]
    steps = [("start", "3"), ("pause", "2"), ("defer", "6"), ("complete", "5"), ("renew", "2")]
    assert [act(portal, name, number, user=2)["status"] for name, _ in steps] == [status for _, status in steps]


@pytest.mark.parametrize(
    ("name", "moves"),
    [("start", False), ("defer", False), ("update", False), ("complete", True), ("delegate", True)],
)
def test_which_acts_move_the_activity_date(portal: LocalPortal, name: str, moves: bool) -> None:
    portal.clock("2026-11-25T10:00:00+00:00")
    made = task(portal)
    portal.clock("2026-11-25T12:00:00+00:00")
    more: dict[str, Any] = {"fields": {"TITLE": "другое"}} if name == "update" else {}
    changed = act(portal, name, made["id"], **(more | ({"userId": 3} if name == "delegate" else {})))
    portal.clock()
    assert (changed["activityDate"] != made["activityDate"]) is moves
    assert changed["changedDate"] != made["changedDate"]


def test_delegating_leaves_the_former_person_as_a_helper(portal: LocalPortal) -> None:
    changed = act(portal, "delegate", task(portal)["id"], user=2, userId=3)
    assert (changed["responsibleId"], changed["accomplices"]) == ("3", ["2"])


def test_deadline_is_closed_to_the_performer(portal: LocalPortal) -> None:
    params = {"taskId": task(portal, ALLOW_CHANGE_DEADLINE="N")["id"], "fields": {"DEADLINE": "2027-01-01"}}
    assert refused(portal, "tasks.task.update", params, user=2) == (400, "0")


def test_the_portal_itself_tells_of_a_new_task(portal: LocalPortal) -> None:
    made = task(portal, TITLE="Редкое имя задачи")
    assert made["title"] in requests.get(f"{portal.url}/person/2", timeout=10).text


# --- REST 3.0


def test_repeated_key_brings_the_stored_answer(portal: LocalPortal) -> None:
    fields = {"title": "Смета", "creatorId": 1, "responsibleId": 2, "crmItemIds": ["T9c_1"]}
    first, second = (v3(portal, "tasks.task.add", fields, **{"Idempotency-Key": "visit-9"}) for _ in range(2))
    assert first.json()["result"]["item"]["id"] == second.json()["result"]["item"]["id"]
    assert "Idempotent-Replayed" not in first.headers and second.headers["Idempotent-Replayed"] == "true"


def test_key_with_another_body_is_422(portal: LocalPortal) -> None:
    fields = {"title": "Смета", "creatorId": 1, "responsibleId": 2}
    v3(portal, "tasks.task.add", fields, **{"Idempotency-Key": "visit-10"})
    answer = v3(portal, "tasks.task.add", fields | {"title": "x"}, **{"Idempotency-Key": "visit-10"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        422,
        "BITRIX_REST_V3_EXCEPTION_IDEMPOTENCYKEYREUSEDEXCEPTION",
    )


def test_key_is_ignored_at_the_old_address(portal: LocalPortal) -> None:
    address, body = portal.webhook_url + "tasks.task.add", {"fields": {"TITLE": "x", "RESPONSIBLE_ID": 2}}
    made = [requests.post(address, json=body, headers={"Idempotency-Key": "k"}, timeout=10).json() for _ in range(2)]
    assert made[0]["result"]["task"]["id"] != made[1]["result"]["task"]["id"]


def test_v3_names_the_missing_field(portal: LocalPortal) -> None:
    answer = v3(portal, "tasks.task.add", {"title": "x", "creatorId": 1})
    assert (answer.status_code, answer.json()["error"]["validation"][0]["field"]) == (400, "responsibleId")


def test_v3_reads_json_only(portal: LocalPortal) -> None:
    address = portal.webhook_url.replace("/rest/", "/rest/api/") + "tasks.task.add"
    answer = requests.post(address, data={"fields[title]": "x"}, timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        400,
        "BITRIX_REST_V3_EXCEPTION_INVALIDJSONEXCEPTION",
    )


def test_message_and_result_reach_the_task(portal: LocalPortal) -> None:
    number = int(task(portal)["id"])
    sent = v3(portal, "tasks.task.chat.message.send", {"taskId": number, "text": "нет файла"})
    assert sent.json()["result"] == {"result": True}
    v3(portal, "tasks.task.result.add", {"taskId": number, "text": "сделано"})
    rows = portal.call("tasks.task.result.list", {"taskId": number})
    assert [(row["text"], row["commentId"], row["files"]) for row in rows] == [("сделано", 0, [])]
