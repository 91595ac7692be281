"""A stage is held by nobody or one of its candidates: taken for oneself, given back, or handed out by a head."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from gate_models import Door, door, process, refusal, stage, state, task_of
from shop import Shop
from test_gate_doors import Tasklist

pytestmark = pytest.mark.engine

PROCESS = "assignment"


@pytest.fixture(scope="module")
def admin(shop: Shop) -> Door:
    """The admin's door, with the diagrams deployed."""
    opened = door(shop, "admin")
    fields = {"field.note": "text; Заметка"}
    group = process(PROCESS, [stage("Design", fields)])
    personal = process("assignment-own", [stage("Fix", fields, 'camunda:assignee="${initiator}"')])
    assert opened.deploy(group, personal).status_code == 200
    return opened


@pytest.fixture
def instance(admin: Door) -> str:
    """A fresh instance whose step is open to the designers."""
    return str(admin.start(PROCESS).json()["id"])


def holder(admin: Door, instance: str) -> str | None:
    (row,) = admin.rows(f"/task?processInstanceId={instance}")
    return row["assignee"] or None


def claim(opened: Door, task: str, user: str | None) -> requests.Response:
    return opened.call("POST", f"/task/{task}/claim", {"userId": user})


def assign(opened: Door, task: str, user: str | None) -> requests.Response:
    return opened.call("POST", f"/task/{task}/assignee", {"userId": user})


def give_back(opened: Door, task: str) -> requests.Response:
    return opened.call("POST", f"/task/{task}/unclaim")


def test_a_member_takes_a_step_and_gives_it_back(shop: Shop, admin: Door, instance: str) -> None:
    task = task_of(admin, instance)
    assert claim(door(shop, "lebedeva"), task, "lebedeva").status_code == 204
    assert holder(admin, instance) == "lebedeva"
    assert give_back(door(shop, "lebedeva"), task).status_code == 204
    assert holder(admin, instance) is None
    assert claim(door(shop, "novikov"), task, "novikov").status_code == 204
    assert holder(admin, instance) == "novikov"


def test_the_tasklists_own_buttons_do_the_same(shop: Shop, admin: Door, instance: str) -> None:
    task = task_of(admin, instance)
    with Tasklist(shop, "lebedeva") as tasklist:
        assert tasklist.call("POST", f"/task/{task}/claim", {"userId": "lebedeva"}).status_code == 204
        assert tasklist.call("POST", f"/task/{task}/unclaim").status_code == 204
        assert holder(admin, instance) is None
        assert "только себе" in refusal(tasklist.call("POST", f"/task/{task}/claim", {"userId": "novikov"}))
    with Tasklist(shop, "volkov") as tasklist:
        assert tasklist.call("POST", f"/task/{task}/assignee", {"userId": "novikov"}).status_code == 204
    assert holder(admin, instance) == "novikov"


@pytest.mark.parametrize("whom", ["novikov", "egorov", "admin", "nobody"])
def test_a_member_takes_nothing_for_another(shop: Shop, admin: Door, instance: str, whom: str) -> None:
    before = state(admin, instance)
    task = task_of(admin, instance)
    for opened in (door(shop, "lebedeva"), door(shop, "integration", "lebedeva")):
        assert "только себе" in refusal(claim(opened, task, whom))
        assert assign(opened, task, whom).status_code in (403, 404)
    assert state(admin, instance) == before


def test_a_colleague_cannot_take_away_what_is_held(shop: Shop, admin: Door, instance: str) -> None:
    task = task_of(admin, instance)
    assert claim(door(shop, "lebedeva"), task, "lebedeva").status_code == 204
    before = state(admin, instance)
    assert refusal(claim(door(shop, "novikov"), task, "novikov")) == "Шаг уже в работе у другого: Мария Лебедева"
    assert give_back(door(shop, "novikov"), task).status_code in (400, 403)
    assert "Вернуть шаг" in refusal(claim(door(shop, "novikov"), task, None))
    assert give_back(door(shop, "egorov"), task).status_code in (403, 404)
    assert state(admin, instance) == before


def test_a_head_hands_out_within_the_group(shop: Shop, admin: Door, instance: str) -> None:
    task = task_of(admin, instance)
    head = door(shop, "volkov")
    assert assign(head, task, "lebedeva").status_code == 204
    assert assign(head, task, "novikov").status_code == 204
    assert holder(admin, instance) == "novikov"
    assert give_back(head, task).status_code == 204
    assert holder(admin, instance) is None
    assert claim(head, task, "lebedeva").status_code == 204
    assert holder(admin, instance) == "lebedeva"


@pytest.mark.parametrize("whom", ["egorov", "orlov", "admin", "nobody"])
def test_a_head_hands_nothing_to_outsiders(shop: Shop, admin: Door, instance: str, whom: str) -> None:
    before = state(admin, instance)
    task = task_of(admin, instance)
    assert "не из того отдела" in refusal(assign(door(shop, "volkov"), task, whom))
    assert "не из того отдела" in refusal(assign(admin, task, whom))
    assert state(admin, instance) == before


def test_a_head_of_another_group_hands_out_nothing(shop: Shop, admin: Door, instance: str) -> None:
    before = state(admin, instance)
    for person in ("orlov", "gromov"):
        assert assign(door(shop, person), task_of(admin, instance), "lebedeva").status_code in (403, 404)
    assert state(admin, instance) == before


def test_a_substitute_may_take_the_step(shop: Shop, admin: Door, instance: str) -> None:
    task = task_of(admin, instance)
    link = {"userId": "egorov", "type": "candidate"}
    assert claim(door(shop, "egorov"), task, "egorov").status_code in (403, 404)
    assert door(shop, "integration").call("POST", f"/task/{task}/identity-links", link).status_code == 204
    assert claim(door(shop, "egorov"), task, "egorov").status_code == 204
    assert give_back(door(shop, "egorov"), task).status_code == 204
    assert door(shop, "integration").call("POST", f"/task/{task}/identity-links/delete", link).status_code == 204


def test_who_gave_back_keeps_no_right_of_their_own(shop: Shop, admin: Door, instance: str) -> None:
    """The engine grants the holder a row of their own; it must go when the step does."""
    task = task_of(admin, instance)
    assert claim(door(shop, "lebedeva"), task, "lebedeva").status_code == 204
    assert own_rights(admin, "lebedeva", task) == 1
    assert give_back(door(shop, "lebedeva"), task).status_code == 204
    assert own_rights(admin, "lebedeva", task) == 0
    assert claim(door(shop, "lebedeva"), task, "lebedeva").status_code == 204
    assert assign(door(shop, "volkov"), task, "novikov").status_code == 204
    assert (own_rights(admin, "lebedeva", task), own_rights(admin, "novikov", task)) == (0, 1)


def own_rights(admin: Door, user: str, task: str) -> int:
    answer = admin.call("GET", f"/authorization/count?userIdIn={user}&resourceType=7&resourceId={task}")
    return int(answer.json()["count"])


def test_an_entitled_colleague_completes_without_a_claim(shop: Shop, admin: Door, instance: str) -> None:
    task = task_of(admin, instance)
    assert claim(door(shop, "lebedeva"), task, "lebedeva").status_code == 204
    assert door(shop, "novikov").complete(task).status_code == 204


def test_a_personal_step_has_no_department_to_go_back_to(shop: Shop, admin: Door) -> None:
    instance = str(admin.start("assignment-own").json()["id"])
    task = task_of(admin, instance)
    assert holder(admin, instance) == "admin"
    before = state(admin, instance)
    assert "лично" in refusal(give_back(admin, task))
    assert claim(door(shop, "volkov"), task, "volkov").status_code in (403, 404)
    assert state(admin, instance) == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", {"name": "x", "assignee": "egorov", "priority": 1}),
        ("POST", "/delegate", {"userId": "egorov"}),
        ("POST", "/identity-links", {"userId": "egorov", "type": "assignee"}),
        ("POST", "/identity-links", {"userId": "egorov", "type": "candidate"}),
        ("DELETE", "", None),
    ],
)
def test_other_ways_to_hand_out_are_shut(
    shop: Shop, admin: Door, instance: str, method: str, path: str, body: dict[str, Any] | None
) -> None:
    task = task_of(admin, instance)
    assert claim(door(shop, "lebedeva"), task, "lebedeva").status_code == 204
    before = state(admin, instance)
    # the engine answers 500 to the deletion of a task that belongs to a running process
    assert door(shop, "lebedeva").call(method, f"/task/{task}{path}", body).status_code in (400, 403, 500)
    assert state(admin, instance) == before
