"""One account a department and an order in every state that the rights' table speaks of; and calls by every door."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import requests
from gate_models import REFUSED, TIMEOUT, Door, door, file, process, stage, text
from pagetoken import page_headers
from pydantic import SecretStr
from rights_table import Row
from shop import Shop, pdf
from test_gate_doors import Tasklist

from engine.accounts import User
from engine.processes import Instance
from orders.persons import GROUPS

CUSTOMER = "ООО «Секретный заказчик»"
REMARK = "Кромка бежевая, только между нами"
INITIATOR = "mxInitiator"
OTHER, OTHER_GROUP = "volkov", "designers"
DIAGRAM = process("rights-matrix", [stage("Step", {"field.note": "text; Заметка"})])
PERSON_OF = {"s": "shipping", "c": "orderCreators", "h": "workshop", "a": "auditors", "n": "analysts", "o": "operators"}
PROGRAM_OF = {"w": "worker", "i": "integration", "d": "deployer"}


def account(group: str) -> str:
    """Return the id of the account that is in this department only."""
    return f"mx{group[0].upper()}{group[1:]}"


@contextmanager
def peopled(shop: Shop) -> Iterator[Shop]:
    """Add one account a department, and one creator more; give the shop that knows their passwords."""
    api = shop.admin.identity
    ids = {account(group): group for group in GROUPS} | {INITIATOR: "orderCreators"}
    passwords = {who: SecretStr(f"{who}-for-the-matrix") for who in ids}
    for who, group in ids.items():
        api.create_user(User(who, who, "Матрица", f"{who}@mebel.example"), passwords[who])
        api.add_member(group, who)
    try:
        yield replace(shop, passwords={**shop.passwords, **passwords})
    finally:
        shop.end_everything()
        for who in ids:
            api.delete_user(who)


@dataclass
class Caller:
    """One account at one door: REST with a password, or the pages after a login."""

    user: str
    password: str
    root: str
    session: requests.Session = field(default_factory=requests.Session)
    pages: Tasklist | None = None

    def call(self, row: Row, values: Mapping[str, Any]) -> requests.Response:
        """Make one call with its placeholders filled in."""
        body = row.body(values) if callable(row.body) else row.body
        known = {**values, "me": self.user, "pass": self.password}
        path, sent = _filled(row.path, known), json.loads(_filled(json.dumps(body), known))
        more: dict[str, Any] = {"json": sent} if body is not None else {}
        if row.files is not None:
            more = {"files": {"f": ("matrix.bpmn", DIAGRAM.encode(), "text/xml")}, "data": dict(row.files)}
        if self.pages is not None:
            more["headers"] = page_headers(self.session)
        return self.session.request(row.method, self.root + path, timeout=TIMEOUT, **more)


def by_rest(shop: Shop, user: str | None) -> Caller:
    """Return an account at the REST interface; None for nobody."""
    if user is None:
        return Caller("nobody", "", shop.url)
    caller = Caller(user, shop.passwords[user].get_secret_value(), shop.url)
    caller.session.auth = (user, caller.password)
    return caller


def by_pages(shop: Shop, user: str | None, app: str) -> Caller:
    """Return an account that has signed in at the page `tasklist` or `cockpit`; None for nobody."""
    root = shop.url.removesuffix("/engine-rest") + "/operaton"
    if user is None:
        return Caller("nobody", "", root, pages=Tasklist(shop, "orlov"))
    pages = Tasklist(shop, user, app).__enter__()
    return Caller(user, pages.password, root, pages.session, pages)


def users_of(kinds: str) -> dict[str, str | None]:
    """Return kind of account -> its user, None for nobody."""
    return {k: account(PERSON_OF[k]) if k in PERSON_OF else PROGRAM_OF.get(k) for k in kinds}


def succeeded(answer: requests.Response, row: Row, values: Mapping[str, Any]) -> bool | None:
    """Tell whether the call did or showed what it asks for; None where the answer is neither yes nor a clear no."""
    if 200 <= answer.status_code < 300:
        return not row.shows or _filled(row.shows, values) in answer.text
    if answer.status_code in (401, 403, 404):
        return False
    hidden = "No task found for task id" in answer.text  # a comment's or an attachment's way to say 404
    gate = answer.status_code == 400 and answer.headers.get("Content-Type", "").startswith("application/json")
    return False if gate and (hidden or answer.json().get("code") == REFUSED) else None


class World:
    """The orders that the table's placeholders name."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.admin = shop, door(shop, "admin")
        order = self._order()
        shop.carry_to(order, "UserTask_Manufacture")
        shop.drain()  # what other orders wait for
        self.order = order
        self.values: dict[str, Any] = {
            "other": OTHER,
            "otherGroup": OTHER_GROUP,
            "email": (shop.staff.find(OTHER) or shop.staff.persons[0]).email,
            "customer": CUSTOMER,
            "remark": REMARK,
            "definition": order.definition_id,
            "deployment": shop.deployed.id,
            "request": request(),
            "ended": self._ended().id,
            **self._failed(),
            **self._of(order),
        }
        self.values["waiting"] = self._waiting()
        both = {"sourceProcessDefinitionId": order.definition_id, "targetProcessDefinitionId": order.definition_id}
        self.values["plan"] = self.admin.call("POST", "/migration/generate", both).json()

    def spare(self, element: str) -> dict[str, Any]:
        """Return the placeholders with an order of its own at a step, for a call that changes it."""
        order = self._order()
        self.shop.carry_to(order, element)
        return {**self.values, **self._of(order)}

    def _order(self) -> Instance:
        return self.shop.start_order(customerName=CUSTOMER)

    def _of(self, order: Instance) -> dict[str, Any]:
        (task,) = self.admin.rows(f"/task?processInstanceId={order.id}")
        self.shop.admin.tasks.comment(task["id"], REMARK)
        (comment,) = self.admin.call("GET", f"/task/{task['id']}/comment").json()
        found = {"order": order.id, "key": order.business_key, "task": task["id"], "comment": comment["id"]}
        of = f"processInstanceId={order.id}"
        found["job"] = next((row["id"] for row in self.admin.rows(f"/job?{of}")), "none")
        (kept,) = self.admin.rows(f"/history/variable-instance?{of}&variableName=orderFile&deserializeValues=false")
        updates = self.admin.rows(f"/history/detail?{of}&variableUpdates=true&deserializeValues=false")
        return found | {
            "file": kept["id"],
            "update": next(u["id"] for u in updates if u["variableName"] == "orderFile"),
        }

    def _ended(self) -> Instance:
        order = self._order()
        self.shop.answer(order, directorDecision="reject", directorComment="Не наш профиль")
        self.shop.drain(order)
        return order

    def _waiting(self) -> str:
        order = self._order()
        (row,) = self.admin.rows(f"/external-task?processInstanceId={order.id}")
        return str(row["id"])

    def _failed(self) -> dict[str, Any]:
        order = self._order()
        topic = {"topicName": "register-order", "lockDuration": 60000, "businessKey": order.business_key}
        asked = {"workerId": "matrix", "maxTasks": 1, "topics": [topic]}
        (task,) = self.admin.call("POST", "/external-task/fetchAndLock", asked).json()
        failure = {"workerId": "matrix", "errorMessage": "нет связи", "retries": 0, "retryTimeout": 0}
        assert self.admin.call("POST", f"/external-task/{task['id']}/failure", failure).status_code == 204
        (incident,) = self.admin.rows(f"/incident?processInstanceId={order.id}")
        return {"failed": order.id, "failedTask": task["id"], "incident": incident["id"]}


def request() -> dict[str, Any]:
    """Return the variables of a good request as REST takes them."""
    said = {"customerName": CUSTOMER, "customerContact": "+7 900 000-00-00", "itemDescription": "Стол"}
    return {name: text(value) for name, value in said.items()} | {"orderFile": file("эскиз.pdf", pdf())}


def _filled(template: str, values: Mapping[str, Any]) -> str:
    for name, value in values.items():
        if isinstance(value, str):
            template = template.replace("{" + name + "}", value)
    return template


__all__ = ["Caller", "Door", "World", "account", "by_pages", "by_rest", "peopled", "succeeded", "users_of"]
