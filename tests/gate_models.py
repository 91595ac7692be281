"""Small diagrams for the tests of the server's gates, and the doors by which people reach it without our client."""

from __future__ import annotations

import base64
import itertools
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import quoteattr

import requests
from shop import Shop

REFUSED = 22401
TIMEOUT = 60.0
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'id="Definitions" targetNamespace="http://order-route/test">'
)


def properties(values: Mapping[str, str]) -> str:
    """Return the extension element with these camunda properties."""
    rows = "".join(f"<camunda:property name={quoteattr(k)} value={quoteattr(v)}/>" for k, v in values.items())
    return f"<bpmn:extensionElements><camunda:properties>{rows}</camunda:properties></bpmn:extensionElements>"


def stage(task_id: str, values: Mapping[str, str], attributes: str = 'camunda:candidateGroups="designers"') -> str:
    """Return a user task with a stage property of its own code."""
    inner = properties({"stage": task_id.lower(), **values})
    return f'<bpmn:userTask id="{task_id}" {attributes}>{inner}</bpmn:userTask>'


def process(process_id: str, nodes: Iterable[str], start: Mapping[str, str] | None = None) -> str:
    """Return a whole diagram: start, the nodes one after the other, end. Node ids are read from the nodes."""
    parts = list(nodes)
    ids = ["Start", *(part.split('id="', 1)[1].split('"', 1)[0] for part in parts), "End"]
    flows = "".join(
        f'<bpmn:sequenceFlow id="Flow_{i}" sourceRef="{a}" targetRef="{b}"/>'
        for i, (a, b) in enumerate(itertools.pairwise(ids))
    )
    begin = f'<bpmn:startEvent id="Start" camunda:initiator="initiator">{properties(start or {})}</bpmn:startEvent>'
    return (
        f'{HEAD}<bpmn:process id="{process_id}" isExecutable="true" camunda:historyTimeToLive="P1D">{begin}'
        f'{"".join(parts)}<bpmn:endEvent id="End"/>{flows}</bpmn:process></bpmn:definitions>'
    )


def text(value: object) -> dict[str, Any]:
    """Return a String variable as REST wants it."""
    return {"value": value, "type": "String"}


def file(name: str, data: bytes, **info: object) -> dict[str, Any]:
    """Return a File variable as a browser sends it."""
    details = {"filename": name, "mimeType": "application/octet-stream", **info}
    return {"value": base64.b64encode(data).decode(), "type": "File", "valueInfo": details}


def in_days(days: float) -> str:
    """Return a moment so many days from now, ISO with offset."""
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")


@dataclass
class Door:
    """The engine's REST as one account, raw: what a person with curl would see."""

    url: str
    user: str
    password: str
    on_behalf_of: str | None = None

    def call(self, method: str, path: str, body: object = None, **more: Any) -> requests.Response:
        """Send one call; nothing is raised for a status."""
        headers = {"X-On-Behalf-Of": self.on_behalf_of} if self.on_behalf_of else {}
        sent: dict[str, Any] = {"json": body} if body is not None else {}
        return requests.request(
            method, self.url + path, auth=(self.user, self.password), headers=headers, timeout=TIMEOUT, **sent, **more
        )

    def rows(self, path: str) -> list[dict[str, Any]]:
        """Read a list; the engine answers no list without a limit."""
        answer = self.call("GET", f"{path}&maxResults=500")
        assert answer.status_code == 200, (path, answer.text)
        return list(answer.json())

    def deploy(self, *diagrams: str, name: str = "") -> requests.Response:
        """Deploy diagrams under a name of their own."""
        files = {f"f{i}": (f"{i}.bpmn", xml.encode(), "text/xml") for i, xml in enumerate(diagrams)}
        data = {"deployment-name": name or uuid.uuid4().hex}
        return self.call("POST", "/deployment/create", files=files, data=data)

    def start(self, process_id: str, variables: Mapping[str, Any] | None = None, **more: Any) -> requests.Response:
        """Start the newest version of a process."""
        return self.call("POST", f"/process-definition/key/{process_id}/start", {"variables": variables or {}, **more})

    def complete(self, task_id: str, variables: Mapping[str, Any] | None = None) -> requests.Response:
        """Complete a task."""
        return self.call("POST", f"/task/{task_id}/complete", {"variables": variables or {}})


def door(shop: Shop, user: str, on_behalf_of: str | None = None) -> Door:
    """Return the door of an account of the staff file, a technical one, or the admin."""
    if user == "admin":
        return Door(shop.url, user, shop.engine.admin_password.get_secret_value(), on_behalf_of)
    return Door(shop.url, user, shop.passwords[user].get_secret_value(), on_behalf_of)


def refusal(answer: requests.Response) -> str:
    """Return the sentence of a refusal; fails where the answer is none."""
    assert answer.status_code == 400, (answer.status_code, answer.text)
    body = answer.json()
    assert body["code"] == REFUSED, body
    return str(body["message"])


def task_of(admin: Door, instance: str) -> str:
    """Return the id of the one open task of an instance."""
    (row,) = admin.rows(f"/task?processInstanceId={instance}")
    return str(row["id"])


def state(admin: Door, instance: str) -> str:
    """Return everything that a refusal must leave as it was: variables with their history, tasks, log."""
    variables = admin.call("GET", f"/process-instance/{instance}/variables?deserializeValues=false")
    assert variables.status_code == 200, variables.text
    of, oldest = f"processInstanceId={instance}", "sortOrder=asc"
    found = {
        "variables": variables.json(),
        "tasks": admin.rows(f"/task?{of}&sortBy=id&{oldest}"),
        "details": admin.rows(f"/history/detail?{of}&deserializeValues=false&sortBy=time&{oldest}"),
        "log": admin.rows(f"/history/user-operation?{of}&sortBy=timestamp&{oldest}"),
    }
    return json.dumps(found, sort_keys=True)
