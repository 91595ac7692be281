"""Technical accounts call what their list allows and nothing else; a person is acted for with that person's rights."""

from __future__ import annotations

from typing import Any

import pytest
from gate_models import Door, door, process, stage, state, task_of, text
from shop import Shop
from test_gate_doors import Tasklist

pytestmark = pytest.mark.engine

PROCESS = "rights-accounts"
ID = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def admin(shop: Shop) -> Door:
    """The admin's door, with the diagram deployed."""
    opened = door(shop, "admin")
    assert opened.deploy(process(PROCESS, [stage("Step", {"field.note": "text; Заметка"})])).status_code == 200
    return opened


@pytest.fixture
def instance(admin: Door) -> str:
    """A fresh instance at its one step."""
    return str(admin.start(PROCESS).json()["id"])


SHUT_TO_ALL = [
    ("POST", f"/process-definition/key/{PROCESS}/start", {}),
    ("POST", "/process-instance/{instance}/modification", {"instructions": []}),
    ("POST", "/process-instance/{instance}/variables", {"modifications": {"cardStage": text("x")}}),
    ("PUT", "/process-instance/{instance}/variables/estimateSum", text("1")),
    ("PUT", "/process-instance/{instance}/variables/due_x%2F..%2FestimateSum", text("1")),
    ("PUT", "/process-instance/{instance}/suspended", {"suspended": True}),
    ("DELETE", "/process-instance/{instance}", None),
    ("POST", "/process-instance/delete", {"processInstanceIds": ["{instance}"]}),
    ("POST", "/task/{task}/complete", {}),
    ("POST", "/task/{task}/claim", {"userId": "volkov"}),
    ("POST", "/task/{task}/assignee", {"userId": "volkov"}),
    ("PUT", "/task/{task}", {"name": "x"}),
    ("PUT", "/task/{task}/variables/note", text("x")),
    ("POST", "/task/create", {"name": "x"}),
    ("POST", "/history/cleanup", None),
    ("POST", "/history/process-instance/delete", {"historicProcessInstanceIds": ["{instance}"]}),
    ("POST", "/user/create", {}),
    ("POST", "/authorization/create", {}),
    ("DELETE", "/deployment/" + ID, None),
    ("POST", "/signal", {"name": "x"}),
    ("POST", "/condition", {"variables": {}}),
    ("POST", "/engine/default/process-instance/{instance}/modification", {"instructions": []}),
    ("POST", "/external-task/../process-instance/delete", {}),
    ("POST", "/external-task;x/../message", {}),
]


@pytest.mark.parametrize("account", ["worker", "integration", "deployer"])
@pytest.mark.parametrize(("method", "path", "body"), SHUT_TO_ALL)
def test_what_no_technical_account_may_call(
    shop: Shop, admin: Door, instance: str, account: str, method: str, path: str, body: Any
) -> None:
    before = state(admin, instance)
    filled = path.replace("{instance}", instance).replace("{task}", task_of(admin, instance))
    answer = door(shop, account).call(method, filled, body)
    assert answer.status_code in (400, 403, 404), answer.text
    assert state(admin, instance) == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/process-instance/count", None),
        ("GET", "/version", None),
        ("POST", "/process-instance", {}),
        ("PUT", "/process-instance/{instance}/variables/cardStage", text("x")),
        ("POST", "/message", {"messageName": "OrderCancelled", "processInstanceId": "{instance}"}),
        ("POST", "/deployment/create", None),
    ],
)
def test_a_worker_reaches_external_tasks_only(
    shop: Shop, admin: Door, instance: str, method: str, path: str, body: Any
) -> None:
    before = state(admin, instance)
    answer = door(shop, "worker").call(method, path.replace("{instance}", instance), body)
    assert answer.status_code == 403
    assert state(admin, instance) == before
    assert door(shop, "worker").call("GET", "/external-task/count").status_code == 200


MESSAGES: list[dict[str, Any]] = [
    {"messageName": "OrderCancelled", "processVariables": {}},
    {"messageName": "OrderCancelled", "businessKey": "x", "all": True},
    {"messageName": "OrderCancelled", "processInstanceId": "{instance}", "processVariables": {"readyBy": text("x")}},
    {
        "messageName": "ReadyDateMoved",
        "processInstanceId": "{instance}",
        "processVariables": {"estimateSum": text("1")},
    },
    {"messageName": "OrderCorrected", "processInstanceId": "{instance}", "processVariables": {"orderFile": text("1")}},
    {"messageName": "Another", "processInstanceId": "{instance}"},
    {"messageName": "OrderCancelled", "processInstanceId": "{instance}", "correlationKeys": {"a": text("1")}},
    {"messageName": "OrderCancelled", "processInstanceId": "{instance}", "processVariablesLocal": {"a": text("1")}},
]


@pytest.mark.parametrize("body", MESSAGES)
def test_a_message_goes_to_one_order_with_its_own_variables(
    shop: Shop, admin: Door, instance: str, body: dict[str, Any]
) -> None:
    before = state(admin, instance)
    filled = {key: instance if value == "{instance}" else value for key, value in body.items()}
    assert door(shop, "integration").call("POST", "/message", filled).status_code == 403
    assert state(admin, instance) == before


@pytest.mark.parametrize(
    "name",
    [
        "discussion",
        "portalPending",
        "cardStage",
        "lateFlags",
        "lateReminder",
        "trackToken",
        "due_Step",
        "paper_c1_1Info",
    ],
)
def test_the_integration_writes_its_own_variables(shop: Shop, admin: Door, instance: str, name: str) -> None:
    answer = door(shop, "integration").call("PUT", f"/process-instance/{instance}/variables/{name}", text("x"))
    assert answer.status_code == 204, answer.text


@pytest.mark.parametrize(
    "link",
    [
        {"userId": "egorov", "type": "assignee"},
        {"groupId": "shipping", "type": "candidate"},
        {"userId": "egorov", "type": "owner"},
        {"userId": "egorov", "groupId": "shipping", "type": "candidate"},
    ],
)
def test_the_integration_adds_candidate_users_only(
    shop: Shop, admin: Door, instance: str, link: dict[str, str]
) -> None:
    before = state(admin, instance)
    path = f"/task/{task_of(admin, instance)}/identity-links"
    assert door(shop, "integration").call("POST", path, link).status_code == 403
    assert state(admin, instance) == before


@pytest.mark.parametrize(
    "who", ["admin", "worker", "integration", "deployer", "nobody", "volkov admin", "volkov,admin"]
)
def test_nobody_acts_for_an_admin_or_a_program(shop: Shop, admin: Door, instance: str, who: str) -> None:
    before = state(admin, instance)
    acting = Door(shop.url, "integration", shop.passwords["integration"].get_secret_value(), who)
    assert acting.complete(task_of(admin, instance)).status_code == 403
    assert state(admin, instance) == before


@pytest.mark.parametrize("account", ["volkov", "admin", "worker", "deployer"])
def test_only_the_integration_acts_for_a_person(shop: Shop, admin: Door, instance: str, account: str) -> None:
    before = state(admin, instance)
    assert door(shop, account, "lebedeva").complete(task_of(admin, instance)).status_code == 403
    assert state(admin, instance) == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/message", {"messageName": "OrderCancelled", "processInstanceId": "{instance}"}),
        ("DELETE", "/task/{task}", None),
        ("PUT", "/task/{task}", {"name": "x"}),
        ("POST", "/task/{task}/bpmnError", {"errorCode": "X"}),
        ("POST", "/task/{task}/resolve", {}),
        ("PUT", "/process-instance/{instance}/variables/cardStage", text("x")),
    ],
)
def test_acting_for_a_person_is_for_that_persons_own_steps(
    shop: Shop, admin: Door, instance: str, method: str, path: str, body: Any
) -> None:
    before = state(admin, instance)
    filled = path.replace("{instance}", instance).replace("{task}", task_of(admin, instance))
    assert door(shop, "integration", "volkov").call(method, filled, body).status_code == 403
    assert state(admin, instance) == before


def test_what_was_done_for_a_person_bears_the_persons_name(shop: Shop, admin: Door, instance: str) -> None:
    task = task_of(admin, instance)
    person = door(shop, "integration", "lebedeva")
    assert person.call("POST", f"/task/{task}/claim", {"userId": "lebedeva"}).status_code == 204
    assert person.call("POST", f"/task/{task}/comment/create", {"message": "Размеры уточню"}).status_code == 200
    assert person.complete(task).status_code == 204
    log = admin.rows(f"/history/user-operation?processInstanceId={instance}&entityType=Task")
    assert {row["userId"] for row in log} == {"lebedeva"}
    (comment,) = admin.call("GET", f"/task/{task}/comment").json()
    assert comment["userId"] == "lebedeva"


@pytest.mark.parametrize("account", ["worker", "integration", "deployer"])
def test_programs_are_kept_out_of_the_web_applications(shop: Shop, admin: Door, instance: str, account: str) -> None:
    before = state(admin, instance)
    tasklist = Tasklist(shop, account)
    try:
        with tasklist:
            pass
    except AssertionError:
        pass
    body = {"instructions": [{"type": "cancel", "activityId": "Step"}]}
    answer = tasklist.call("POST", f"/process-instance/{instance}/modification", body)
    assert answer.status_code in (401, 403), answer.text
    assert tasklist.call("GET", "/task?maxResults=1").status_code in (401, 403)
    assert state(admin, instance) == before


def test_without_a_password_nothing_answers(shop: Shop, admin: Door, instance: str) -> None:
    for path in ("/version", "/task?maxResults=1", f"/process-instance/{instance}", "/order/task/x/due"):
        assert Door(shop.url, "stranger", "wrong").call("GET", path).status_code == 401
    # one wrong password only: the engine locks an account for a while after a few
    assert Door(shop.url, "frolov", "wrong").call("GET", "/version").status_code == 401


def test_one_may_change_but_not_delete_oneself(shop: Shop, admin: Door) -> None:
    person = door(shop, "pavlova")
    assert person.call("DELETE", "/user/pavlova").status_code == 403
    assert person.call("GET", "/user/pavlova/profile").status_code == 200
    assert person.call("GET", "/user/orlov/profile").status_code in (403, 404)
    same = {"password": person.password, "authenticatedUserPassword": person.password}
    assert person.call("PUT", "/user/pavlova/credentials", same).status_code == 204
