"""Every door has the same gate: complete, submit-form and resolve by REST, and the Tasklist's own interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from gate_models import TIMEOUT, Door, door, process, refusal, stage, state, task_of, text
from pagetoken import page_headers
from shop import Shop

pytestmark = pytest.mark.engine

PROCESS = "gate-doors"
FIELDS = {"field.decision": "choice; Решение; approve=Да, reject=Нет", "required": "decision"}
Send = Callable[[Shop, str, dict[str, Any]], requests.Response]


@pytest.fixture(scope="module")
def admin(shop: Shop) -> Door:
    """The admin's door, with the diagram deployed."""
    opened = door(shop, "admin")
    assert opened.deploy(process(PROCESS, [stage("Step", FIELDS)])).status_code == 200
    return opened


@pytest.fixture
def instance(admin: Door) -> str:
    """A fresh instance at its one step."""
    return str(admin.start(PROCESS).json()["id"])


def by_complete(shop: Shop, task: str, values: dict[str, Any]) -> requests.Response:
    return door(shop, "volkov").complete(task, values)


def by_form(shop: Shop, task: str, values: dict[str, Any]) -> requests.Response:
    return door(shop, "volkov").call("POST", f"/task/{task}/submit-form", {"variables": values})


def with_answer(shop: Shop, task: str, values: dict[str, Any]) -> requests.Response:
    body = {"variables": values, "withVariablesInReturn": True}
    return door(shop, "volkov").call("POST", f"/task/{task}/complete", body)


def on_behalf(shop: Shop, task: str, values: dict[str, Any]) -> requests.Response:
    return door(shop, "integration", "volkov").complete(task, values)


def by_tasklist(shop: Shop, task: str, values: dict[str, Any]) -> requests.Response:
    with Tasklist(shop, "volkov") as tasklist:
        return tasklist.call("POST", f"/task/{task}/submit-form", {"variables": values})


class Tasklist:
    """A person in the web application: its login, its session, its token."""

    def __init__(self, shop: Shop, person: str, app: str = "tasklist") -> None:
        self.app = app
        self.root = shop.url.removesuffix("/engine-rest") + "/operaton"
        self.person, self.password = person, shop.passwords[person].get_secret_value()
        self.session = requests.Session()

    def __enter__(self) -> Tasklist:
        self.session.get(f"{self.root}/app/{self.app}/default/", timeout=TIMEOUT)
        login = self._post(
            f"/api/admin/auth/user/default/login/{self.app}",
            data={"username": self.person, "password": self.password},
        )
        assert login.status_code == 200, login.text
        self.call("GET", "/task?maxResults=1")  # the login begins a new session: its token comes with the first answer
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def call(self, method: str, path: str, body: object = None) -> requests.Response:
        """Call the engine as the web application does."""
        url = f"{self.root}/api/engine/engine/default{path}"
        return self.session.request(method, url, json=body, headers=self._token(), timeout=TIMEOUT)

    def _post(self, path: str, **more: Any) -> requests.Response:
        return self.session.post(self.root + path, headers=self._token(), timeout=TIMEOUT, **more)

    def _token(self) -> dict[str, str]:
        return page_headers(self.session)


DOORS: list[Send] = [by_complete, by_form, with_answer, on_behalf, by_tasklist]


@pytest.mark.parametrize("send", DOORS)
@pytest.mark.parametrize(
    "values", [{}, {"decision": text("\u0430pprove")}, {"decision": text("approve"), "sum": text("1")}]
)
def test_every_door_refuses_in_the_same_words(
    shop: Shop, admin: Door, instance: str, send: Send, values: dict[str, Any]
) -> None:
    before = state(admin, instance)
    sentence = refusal(send(shop, task_of(admin, instance), values))
    assert sentence == refusal(by_complete(shop, task_of(admin, instance), values))
    assert not sentence.startswith("Cannot")
    assert state(admin, instance) == before


@pytest.mark.parametrize("send", DOORS)
def test_every_door_opens_to_the_right_answer(shop: Shop, admin: Door, instance: str, send: Send) -> None:
    answer = send(shop, task_of(admin, instance), {"decision": text("approve")})
    assert answer.status_code in (200, 204), answer.text
    assert admin.call("GET", f"/process-instance/{instance}").status_code == 404


@pytest.mark.parametrize("send", [by_complete, by_form])
def test_a_delegated_task_is_no_way_around(shop: Shop, admin: Door, instance: str, send: Send) -> None:
    task = task_of(admin, instance)
    assert admin.call("POST", f"/task/{task}/delegate", {"userId": "volkov"}).status_code == 204
    before = state(admin, instance)
    person = door(shop, "volkov")
    resolve = person.call("POST", f"/task/{task}/resolve", {"variables": {"decision": text("approve")}})
    assert "меняет только завершение шага" in refusal(resolve)
    refusal(send(shop, task, {"sum": text("1")}))
    assert state(admin, instance) == before


@pytest.mark.parametrize("person", ["egorov", "vasilieva", "sokolova"])
def test_a_wrong_person_gets_the_engines_own_answer(shop: Shop, admin: Door, instance: str, person: str) -> None:
    before = state(admin, instance)
    task = task_of(admin, instance)
    for values in ({}, {"decision": text("approve")}):
        assert door(shop, person).complete(task, values).status_code in (403, 404)
        assert door(shop, "integration", person).complete(task, values).status_code in (403, 404)
    assert door(shop, person).call("POST", f"/task/{task}/claim", {"userId": person}).status_code in (403, 404)
    assert state(admin, instance) == before


def test_the_admin_has_no_way_around(shop: Shop, admin: Door, instance: str) -> None:
    """Even the admin completes nothing without an answer."""
    before = state(admin, instance)
    refusal(admin.complete(task_of(admin, instance)))
    assert state(admin, instance) == before
