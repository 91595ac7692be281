"""A sandbox portal with people, a type and a card, for the tests of what people do there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from portal import LocalPortal

PEOPLE = [
    {"id": 2, "name": "Ирина", "lastName": "Соколова"},
    {"id": 3, "name": "Олег", "lastName": "Ли"},
    {"id": 4, "name": "Пётр", "lastName": "Ушедший", "active": False},
]
AGENT = {"User-Agent": "order-route/1"}


@contextmanager
def open_portal(folder: Path) -> Iterator[LocalPortal]:
    """Open a portal with three people, one of them dismissed, a type with tasks, one without, and a card."""
    with LocalPortal(folder) as running:
        running.set_users(PEOPLE)
        fields = {"title": "Заказ", "entityTypeId": 156, "isStagesEnabled": "Y", "isUseInUserfieldEnabled": "Y"}
        fields |= {"linkedUserFields": {"TASKS_TASK|UF_CRM_TASK": "true"}}
        running.call("crm.type.add", {"fields": fields})
        running.call("crm.type.add", {"fields": {"title": "Без задач", "entityTypeId": 158}})
        running.call("crm.item.add", {"entityTypeId": 156, "fields": {"title": "ORD-1"}})
        yield running


def refused(portal: LocalPortal, method: str, params: Any, user: int | None = None) -> tuple[int, str]:
    """Call a method that must fail; return the status and the error's code."""
    hook = portal.webhook_of(user) if user else portal.webhook_url
    answer = requests.post(hook + method, json=params, timeout=10)
    return answer.status_code, answer.json()["error"]


def task(portal: LocalPortal, **fields: Any) -> dict[str, Any]:
    """Make a task."""
    sent = {"TITLE": "Смета", "RESPONSIBLE_ID": 2, **fields}
    made: dict[str, Any] = portal.call("tasks.task.add", {"fields": sent})["task"]
    return made
