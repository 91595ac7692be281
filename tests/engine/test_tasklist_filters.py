"""The Tasklist's lists show each person what is theirs, their department's and what is late, with counts and columns; a
head sees and hands out the department's open steps, also as no member of it.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests
from gate_models import TIMEOUT, door, refusal
from shop import Shop
from test_gate_doors import Tasklist

from app.commands.operate import WORKDAY
from engine.deploy import publish
from engine.processes import Instance

pytestmark = pytest.mark.engine

COMMON = ["Мои задачи", "Мой отдел", "Просрочено", "На сегодня"]


def filters(shop: Shop, person: str) -> dict[str, dict[str, Any]]:
    """Return the filters that a person sees, by name, in the order of the page."""
    rows = door(shop, person).rows("/filter?resourceType=Task")
    return {row["name"]: row for row in sorted(rows, key=lambda row: row["properties"]["priority"])}


def listed(shop: Shop, person: str, name: str) -> set[str]:
    """Return the instances of the tasks in a filter; its count says the same number."""
    opened, filter_id = door(shop, person), filters(shop, person)[name]["id"]
    tasks = opened.rows(f"/filter/{filter_id}/list?firstResult=0")
    assert opened.call("GET", f"/filter/{filter_id}/count").json()["count"] == len(tasks)
    return {task["processInstanceId"] for task in tasks}


@pytest.fixture
def order(shop: Shop) -> Instance:
    """An order in the workshop."""
    started = shop.start_order()
    shop.carry_to(started, "UserTask_Manufacture")
    return started


def test_everybody_has_the_four_lists_and_the_columns(shop: Shop) -> None:
    for person in ("makarov", "elena", "pavlova"):
        seen = filters(shop, person)
        assert [name for name in seen if name in COMMON] == COMMON
        for row in seen.values():
            assert [c["label"] for c in row["properties"]["variables"]] == ["Заказ", "Заказчик", "Изделие"]


def test_mine_and_my_departments(shop: Shop, order: Instance) -> None:
    assert order.id in listed(shop, "makarov", "Мой отдел")
    assert order.id not in listed(shop, "makarov", "Мои задачи")
    shop.signed_in("makarov").tasks.claim(shop.open_step(order).engine_task or "", "makarov")
    assert order.id in listed(shop, "makarov", "Мои задачи")
    assert order.id in listed(shop, "stepanov", "Мой отдел"), "a colleague sees who has it"
    assert order.id not in listed(shop, "stepanov", "Мои задачи")
    for name in COMMON:
        assert order.id not in listed(shop, "elena", name), "another department"


def test_a_head_outside_the_department_sees_and_hands_out_its_steps(shop: Shop, order: Instance) -> None:
    task = shop.open_step(order).engine_task or ""
    department = f"Отдел: {shop.staff.groups['workshop']}"
    assert department in filters(shop, "gromov") and department not in filters(shop, "makarov")
    assert order.id in listed(shop, "gromov", department)
    head = door(shop, "gromov")
    assert head.call("POST", f"/task/{task}/assignee", {"userId": "makarov"}).status_code == 204
    assert shop.open_step(order).assignee == "makarov"
    assert "не из того отдела" in refusal(head.call("POST", f"/task/{task}/assignee", {"userId": "elena"}))
    stepanov = door(shop, "stepanov").call("POST", f"/task/{task}/assignee", {"userId": "stepanov"})
    assert stepanov.status_code in (400, 403), "no head, and somebody has it"
    assert shop.open_step(order).assignee == "makarov"
    assert order.id in listed(shop, "gromov", department), "a held step stays in the list"
    assert door(shop, "makarov").call("POST", f"/task/{task}/unclaim").status_code == 204
    assert shop.open_step(order).assignee is None


def test_a_head_reads_and_does_not_work_outside_the_department(shop: Shop, order: Instance) -> None:
    task = shop.open_step(order).engine_task or ""
    head = door(shop, "gromov")
    assert head.call("GET", f"/task/{task}").status_code == 200
    assert head.complete(task).status_code in (403, 404)
    assert head.call("POST", f"/task/{task}/claim", {"userId": "gromov"}).status_code in (400, 403)
    assert shop.open_step(order).assignee is None


def columns(shop: Shop, person: str, *scopes: str) -> dict[str, str]:
    """Ask for the columns of tasks as the page does: by the ids of a task, its execution and its order."""
    path = "/variable-instance?variableName={}&variableScopeIdIn=" + ",".join(scopes)
    found: dict[str, str] = {}
    for name in ("orderKey", "customerName", "itemDescription"):
        found |= {row["name"]: row["value"] for row in door(shop, person).rows(path.format(name))}
    return found


def test_a_member_reads_the_columns_of_what_the_list_shows_and_of_nothing_else(shop: Shop, order: Instance) -> None:
    task = door(shop, "admin").call("GET", f"/task/{shop.open_step(order).engine_task}").json()
    mine = (task["id"], task["executionId"], order.id)
    assert columns(shop, "makarov", *mine) == {
        "orderKey": order.business_key,
        "customerName": "ООО «Ёлка и Ко»",
        "itemDescription": "Стол переговорный, дуб, 3,2 м",
    }
    other = shop.start_order(customerName="ИП Тайный")
    shop.open_step(other)
    assert columns(shop, "makarov", *mine, other.id) == {}, "one order too many"
    assert columns(shop, "makarov", order.id) == {}, "an order without its task"
    assert columns(shop, "elena", *mine) == {}, "another department"


def holder(shop: Shop, person: str, task: str) -> dict[str, Any] | None:
    """Ask the page's own place who has a step; None where the answer is that there is none."""
    with Tasklist(shop, person) as page:
        answer = page.session.get(f"{page.root}/app/tasklist/default/step/{task}", timeout=TIMEOUT)
    return answer.json() if answer.status_code == 200 else None


def test_only_who_may_read_a_step_learns_who_has_it(shop: Shop, order: Instance) -> None:
    task = shop.open_step(order).engine_task or ""
    shop.signed_in("makarov").tasks.claim(task, "makarov")
    named = {"holder": "makarov", "holderName": "Игорь Макаров"}
    assert holder(shop, "stepanov", task) == {**named, "members": []}
    head = holder(shop, "gromov", task)
    assert head is not None and {m["id"] for m in head["members"]} == {"stepanov", "makarov", "frolov"}
    assert {key for m in head["members"] for key in m} == {"id", "name"}, "no phone, no address"
    assert holder(shop, "elena", task) is None
    root = shop.url.removesuffix("/engine-rest")
    assert requests.get(f"{root}/operaton/app/tasklist/default/step/{task}", timeout=TIMEOUT).status_code == 401


def test_the_form_learns_when_the_plant_closes(shop: Shop) -> None:
    """What was published last; before that nothing, and to strangers nothing."""
    admin, file = shop.admin, f"{WORKDAY}.json"
    if before := admin.deployments.newest(WORKDAY):  # of a test that ran the command
        admin.deployments.delete(before)
    assert page_place(shop, "makarov", "tasklist/default/working-day").json() == {}
    try:
        assert publish(admin, WORKDAY, file, b'{"ends": "18:00"}')
        assert not publish(admin, WORKDAY, file, b'{"ends": "18:00"}')
        assert publish(admin, WORKDAY, file, b'{"ends": "17:00"}')
        assert page_place(shop, "makarov", "tasklist/default/working-day").json() == {"ends": "17:00"}
    finally:
        admin.deployments.delete(admin.deployments.newest(WORKDAY) or "")
    root = shop.url.removesuffix("/engine-rest")
    assert requests.get(f"{root}/operaton/app/tasklist/default/working-day", timeout=TIMEOUT).status_code == 401


def page_place(shop: Shop, person: str, place: str, app: str = "tasklist") -> requests.Response:
    """Ask a place of our own beside the engine's pages, signed in at one of them."""
    with Tasklist(shop, person, app) as page:
        return page.session.get(f"{page.root}/app/{place}", timeout=TIMEOUT)


def test_only_who_may_read_an_order_learns_the_names_in_its_history(shop: Shop, order: Instance) -> None:
    asked = f"cockpit/default/people?order={order.id}&id=makarov&id=nobody"
    auditor = shop.member("auditors")
    assert page_place(shop, auditor, asked, "cockpit").json() == {"makarov": "Игорь Макаров", "nobody": "nobody"}
    none = asked.replace(order.id, "none")
    assert page_place(shop, auditor, none, "cockpit").status_code == 404
    assert page_place(shop, "egorov", asked).status_code == 403, "a department has no business in Cockpit"
    root = shop.url.removesuffix("/engine-rest")
    assert requests.get(f"{root}/operaton/app/{asked}", timeout=TIMEOUT).status_code == 401
