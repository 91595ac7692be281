"""The persons of the demo inside the portal: they answer on the step page or in card and task, and do what people do.

Each acts with a webhook of their own. A call whose answer is cut off is repeated, as a person presses the button again.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import requests

from app.demo.answers import Values
from app.demo.files import MadeFile
from app.demo.plan import PlannedOrder, Story
from app.door.page import DAY, TIME
from bitrix_sync.schema import PortalSchema
from bitrix_sync.values import to_portal
from orders.persons import Person
from orders.stage import FieldKind, Stage

WAIT_SECONDS = 45.0
DRAGGED, UNTASKED = (2, 5), 4  # numbers of the orders whose card is dragged, whose task is deleted
_LINK = re.compile(r"#in=([^\]\s]+)\]")
_MARK = re.compile(r'name="mark" value="(\w+)"')
_SAID = re.compile(r'id="said"[^>]*>([^<]*)<')

T = TypeVar("T")


class Door(Enum):
    """Where a step is answered."""

    TASKLIST = "в Tasklist"
    CARD = "в карточке и задаче"
    PAGE = "на странице шага"


class Stuck(Exception):
    """A person could not do it in the portal; the message says why."""


def door_of(order: PlannedOrder, code: str, visit: int) -> Door:
    """Choose where a person answers: half of the steps in the portal, both doors alike.

    What the stories need elsewhere stays in Tasklist: a forged file that the route's own judge has to find, and a
    promise of a few seconds.
    """
    forged = order.story in (Story.FORGED_DESIGN, Story.FORGED_REQUEST) and code in ("design", "fix")
    if forged or (order.story is Story.LATE and code == "readydate"):
        return Door.TASKLIST
    chance = order.rng(f"door-{code}-{visit}").random()
    return Door.CARD if chance < 0.31 else Door.PAGE if chance < 0.62 else Door.TASKLIST


class PortalPeople:
    """What persons do in one sandbox portal; safe to use from several threads."""

    def __init__(self, portal_url: str, public_url: str, log: Path, schema: PortalSchema, zone: ZoneInfo) -> None:
        self._portal, self._public, self._log, self._schema, self._zone = portal_url, public_url, log, schema, zone
        self._hooks: dict[int, str] = {}
        self._sessions: dict[str, requests.Session] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Let nobody wait any longer: what they do ends with Stuck."""
        self._stopping.set()

    def answer(self, door: Door, person: Person, key: str, stage: Stage, values: Values) -> None:
        """Answer an order's open step at one of the portal's doors. Raises Stuck."""
        task, visit = self._task(person, key, stage)
        if door is Door.CARD:
            self._fill(person, key, values)
            self._finish(person, task)
        else:
            self._post(person, visit, stage, values)

    def drag(self, person: Person, key: str, column: str) -> None:
        """Move a card by hand into another column."""
        self._control("users", [{"id": person.bitrix_id, "mayMove": True}])
        fields = {"stageId": self._schema.columns[column]}
        self._call(person, "crm.item.update", {**self._card(person, key), "fields": fields})

    def delete_task(self, person: Person, key: str, stage: Stage) -> None:
        """Delete the open step's task, as an administrator of the portal may."""
        task, _ = self._task(person, key, stage)
        self._control("users", [{"id": person.bitrix_id, "admin": True}])
        self._call(person, "tasks.task.delete", {"taskId": task}, gone=True)
        self._control("users", [{"id": person.bitrix_id, "admin": False}])

    # card and task

    def _card(self, person: Person, key: str) -> dict[str, Any]:
        query = {"entityTypeId": self._schema.entity_type_id, "filter": {"=xmlId": f"order:{key}"}}
        rows = self._until(lambda: self._call(person, "crm.item.list", query)["items"], f"карточка заказа {key}")
        return {"entityTypeId": self._schema.entity_type_id, "id": rows[0]["id"]}

    def _task(self, person: Person, key: str, stage: Stage) -> tuple[str, str]:
        """Return the open step's task and visit, as its description's last line has them."""
        bound = f"{self._schema.binding}_{self._card(person, key)['id']}"
        query = {"filter": {"UF_CRM_TASK": bound, "REAL_STATUS": [2, 3]}, "select": ["ID", "DESCRIPTION"]}
        mark = f"· {key}:task:{stage.task_id}:"

        def look() -> tuple[str, str] | None:
            for row in self._call(person, "tasks.task.list", query)["tasks"]:
                if mark in row["description"]:
                    return str(row["id"]), str(row["description"]).rpartition(mark)[2].strip()
            return None

        return self._until(look, f"задача «{stage.name}» заказа {key}")

    def _fill(self, person: Person, key: str, values: Values) -> None:
        fields: dict[str, Any] = {}
        for name, value in values.items():
            base = re.sub(r"_\d+$", "", name)
            field = self._schema.fields[base]
            if not isinstance(value, MadeFile):
                fields[field.name] = to_portal(field, value, self._zone)
                continue
            sent = [value.name, base64.b64encode(value.data).decode()]
            fields[field.name] = [*fields.get(field.name, []), sent] if field.multiple else sent
        if fields:
            self._call(person, "crm.item.update", {**self._card(person, key), "fields": fields})

    def _finish(self, person: Person, task: str) -> None:
        self._call(person, "tasks.task.complete", {"taskId": task}, gone=True)

    # the step page

    def _post(self, person: Person, visit: str, stage: Stage, values: Values) -> None:
        session, place = self._session(person, visit), f"{self._public}/do/{visit}"
        kinds = {f.name: f.kind for f in stage.fields}
        form: dict[str, str] = {}
        files: list[tuple[str, tuple[str, bytes]]] = []
        for name, value in values.items():
            if isinstance(value, MadeFile):
                files.append((re.sub(r"_\d+$", "", name), (value.name, value.data)))
            elif kinds[name] is FieldKind.MOMENT:
                at = datetime.fromisoformat(value).astimezone(self._zone)
                form |= {name + DAY: at.date().isoformat(), name + TIME: f"{at:%H:%M}"}
            else:
                form[name] = value
        page = session.get(place, timeout=30).text
        mark = _MARK.search(page)
        if mark is None:
            raise Stuck(f"{person.name}: страница шага без формы")
        form["mark"] = mark[1]
        answer = session.post(place, data=form, files=files or None, timeout=60, allow_redirects=False)
        if answer.status_code != 303:
            said = _SAID.search(answer.text)
            raise Stuck(f"{person.name}, страница шага ответила {answer.status_code}: {said[1] if said else ''}")

    def _session(self, person: Person, visit: str) -> requests.Session:
        """Return a person's signed-in browser; the first time by the link that comes to them in the portal."""
        with self._lock:
            if person.id in self._sessions:
                return self._sessions[person.id]
            place = f"{self._public}/do/{visit}/sign-in"
            session = requests.Session()
            session.post(place, data={"name": person.name}, timeout=30)
            token = self._until(lambda: self._letter(person), f"ссылка для входа: {person.name}")
            session.post(place, data={"token": token}, timeout=30, allow_redirects=False)
            self._sessions[person.id] = session
            return session

    def _letter(self, person: Person) -> str | None:
        """Return the secret of the newest link that a person got, out of the portal's own log."""
        for line in reversed(self._log.read_text(encoding="utf-8").splitlines()):
            if '"im.notify.personal.add"' in line and "#in=" in line:
                sent = json.loads(line)["params"]
                if int(sent["USER_ID"]) == person.bitrix_id and (found := _LINK.search(sent["MESSAGE"])):
                    return found[1]
        return None

    # calls

    def _call(self, person: Person, method: str, params: Mapping[str, Any], *, gone: bool = False) -> Any:
        """Call a method as a person; `gone`: a refusal after a lost answer means that it was done."""
        lost = False
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline and not self._stopping.is_set():
            try:
                answer = requests.post(f"{self._hook(person)}{method}", json=dict(params), timeout=15)
            except requests.RequestException:
                lost = True
                continue
            if answer.status_code == 200:
                return answer.json()["result"]
            if gone and lost:
                return None
            raise Stuck(f"{person.name}: {method} {answer.status_code} {answer.text[:200]}")
        raise Stuck(f"{person.name}: портал не отвечает на {method}")

    def _hook(self, person: Person) -> str:
        number = person.bitrix_id or 0
        if number not in self._hooks:
            self._hooks[number] = str(self._control("webhooks", {"user": number})["url"])
        return self._hooks[number]

    def _control(self, name: str, body: Any) -> Any:
        return requests.post(f"{self._portal}/sandbox/{name}", json=body, timeout=15).json()

    def _until(self, look: Callable[[], T | None], what: str) -> T:
        deadline = time.monotonic() + WAIT_SECONDS
        while not (found := look()):
            if time.monotonic() > deadline or self._stopping.wait(0.2):
                raise Stuck(f"за {WAIT_SECONDS:.0f} с не появилось: {what}")
        return found
