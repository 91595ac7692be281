"""The portal itself: state, people, webhooks, clock; runs one call or a batch of calls."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from bitrix_sync.sandbox import batch
from bitrix_sync.sandbox.calllog import CallLog, shorten
from bitrix_sync.sandbox.envelope import Refusal, RefusalV3, Reply, php, time_block
from bitrix_sync.sandbox.events import EventSender
from bitrix_sync.sandbox.faults import Faults
from bitrix_sync.sandbox.limits import LeakyBucket, Operating
from bitrix_sync.sandbox.rest.disk import ensure_storages
from bitrix_sync.sandbox.rest.table import METHODS, METHODS_V3, Call, Method
from bitrix_sync.sandbox.store import Doc, Store

SCOPES = ["crm", "task", "tasks", "im", "user", "user_brief", "disk", "userfieldconfig"]
OWNER: Doc = {"id": 1, "name": "Портал", "lastName": "Интеграция", "email": "", "active": True, "admin": True}


@dataclass(slots=True)
class Settings:
    """What the portal is told at its start. `rate` is the bucket's size X, `drain` the Y per second."""

    state: Path | None = None
    log: Path | None = None
    rate: float = 50
    drain: float = 2
    offset: str = "+03:00"
    operating_limit: float = 480  # seconds of run time per method in ten minutes
    token: str | None = None
    users: list[Mapping[str, Any]] = field(default_factory=list)
    authors: bool = True  # a comment's AUTHOR_ID counts: the documents only call the field writable
    costs: dict[str, float] = field(default_factory=dict)  # pretended run time per method, seconds


class Portal:
    """One portal. Every public method takes the lock where it touches state."""

    utc = UTC

    def __init__(self, settings: Settings) -> None:
        """Open the state and make what every portal has."""
        self.settings = settings
        self.lock = threading.RLock()
        self.store = Store(settings.state)
        self.log = CallLog(settings.log)
        self.faults = Faults()
        self.events = EventSender()
        self.bucket = LeakyBucket(settings.rate, settings.drain)
        self.operating = Operating(settings.operating_limit)
        self.zone: timezone = read_offset(settings.offset)
        self.shift = timedelta()
        self.base = ""  # our own address, for events
        self.in_network = False  # served under another name than this machine's own: callers may come from a network
        self._waiting: list[tuple[str, dict[str, str]]] = []
        self.fault: str | None = None  # the fault that the present request meets
        self._serial = 0
        self._begin()

    def _begin(self) -> None:
        kept = self.store.get("settings", 1) or {}
        hooks = kept.get("webhooks") or {"1": {"token": secrets.token_hex(8), "scopes": SCOPES}}
        if self.settings.token:
            hooks["1"] = {**hooks["1"], "token": self.settings.token}
        self.store.put("settings", 1, {"secret": kept.get("secret") or secrets.token_hex(16), "webhooks": hooks})
        if self.store.get("user", 1) is None:
            self.store.put("user", 1, {**OWNER, "since": self.now()})
        self.set_users(self.settings.users)

    # --- people, webhooks, clock -------------------------------------------------------------------------------

    @property
    def secret(self) -> str:
        """Return the key that signs download links."""
        return str((self.store.get("settings", 1) or {})["secret"])

    def set_users(self, users: list[Mapping[str, Any]]) -> None:
        """Make or change people by id; those who are not named stay as they are."""
        with self.lock:
            for given in users:
                number = int(given["id"])
                before = self.store.get("user", number) or {
                    "id": number,
                    "name": "",
                    "lastName": "",
                    "email": "",
                    "active": True,
                    "admin": False,
                    "since": self.now(),
                }
                known = {key: value for key, value in given.items() if key != "id"}
                self.store.put("user", number, {**before, **known})
            ensure_storages(self.store, self.store.all("user"), self.now())
            self.store.flush()

    def webhook(self, user: int, scopes: list[str] | None = None) -> str:
        """Return the token of a person's webhook; made where there is none. `scopes` replaces its scopes."""
        with self.lock:
            kept = dict(self.store.get("settings", 1) or {})
            hooks = dict(kept["webhooks"])
            hook = hooks.get(str(user)) or {"token": secrets.token_hex(8), "scopes": SCOPES}
            hooks[str(user)] = {**hook, "scopes": scopes or hook["scopes"]}
            self.store.put("settings", 1, {**kept, "webhooks": hooks})
            self.store.flush()
            return str(hook["token"])

    def revoke(self, user: int) -> None:
        """Take a person's webhook away."""
        with self.lock:
            kept = dict(self.store.get("settings", 1) or {})
            hooks = {key: value for key, value in kept["webhooks"].items() if key != str(user)}
            self.store.put("settings", 1, {**kept, "webhooks": hooks})
            self.store.flush()

    def scopes_of(self, user: int) -> list[str]:
        """Return the scopes of a person's webhook."""
        hooks = (self.store.get("settings", 1) or {})["webhooks"]
        return list(hooks.get(str(user), {}).get("scopes", []))

    def owner_of(self, user: str, token: str) -> Doc:
        """Return the webhook's owner; refuses with 401 for a wrong secret or a dismissed owner."""
        hook = (self.store.get("settings", 1) or {})["webhooks"].get(user)
        owner = self.store.get("user", int(user)) if user.isdigit() else None
        known = hook is not None and secrets.compare_digest(hook["token"].encode(), token.encode())
        if not known or owner is None or not owner["active"]:
            raise Refusal("NO_AUTH_FOUND", "Wrong authorization data", 401)
        return owner

    def now(self) -> str:
        """Return the portal's present: ISO, UTC, seconds."""
        return (datetime.now(UTC) + self.shift).isoformat(timespec="seconds")

    def show(self, moment: str | None) -> str | None:
        """Write a kept moment with the portal's offset."""
        return datetime.fromisoformat(moment).astimezone(self.zone).isoformat(timespec="seconds") if moment else None

    def notice(
        self, person: int, text: str, *, author: int, system: bool, tag: str = "", sub: str = "", client: str = ""
    ) -> int:
        """Keep a notice for a person and return its id."""
        number = self.store.next_id("notice")
        row: Doc = {"id": number, "user": person, "text": text, "author": author, "system": system}
        row["created"] = self.now()
        self.store.put("notice", number, {**row, "tag": tag, "sub": sub, "client": client})
        return number

    # --- events ------------------------------------------------------------------------------------------------

    def raise_event(self, name: str, fields: Mapping[str, Any]) -> None:
        """Remember an event with FIELDS; it goes out when the call's changes are written."""
        self._waiting.append((name, {f"[FIELDS][{key}]": str(value) for key, value in fields.items()}))

    def raise_comment_on_card(self, comment: int) -> None:
        """Remember the event of a new comment on a card: its id stands in data itself, without FIELDS."""
        self._waiting.append(("ONCRMTIMELINECOMMENTADD", {"[ID]": str(comment)}))

    def raise_task_event(self, name: str, task: int) -> None:
        """Remember a task event; FIELDS_BEFORE is the text `undefined` for a new task."""
        before = {"[FIELDS_BEFORE]": "undefined"} if name == "ONTASKADD" else {"[FIELDS_BEFORE][ID]": str(task)}
        after = {"[FIELDS_AFTER]": "undefined"} if name == "ONTASKDELETE" else {"[FIELDS_AFTER][ID]": str(task)}
        self._waiting.append((name, before | after))

    def raise_comment_event(self, task: int, message: int) -> None:
        """Remember the event of a new message in a task's chat."""
        data = {"[FIELDS_BEFORE]": "undefined", "[FIELDS_AFTER][ID]": "0", "[FIELDS_AFTER][TASK_ID]": str(task)}
        self._waiting.append(("ONTASKCOMMENTADD", data | {"[FIELDS_AFTER][MESSAGE_ID]": str(message)}))

    def commit(self) -> None:
        """Write state to the file and let the events go."""
        self.store.flush()
        waiting, self._waiting = self._waiting, []
        for name, data in waiting:
            self.events.send(name, data, self.base)

    # --- calls -------------------------------------------------------------------------------------------------

    def find(self, name: str, *, v3: bool = False) -> Method:
        """Return the method of that name; refuses with 404."""
        table = METHODS_V3 if v3 else METHODS
        known = table.get(name.lower())
        if known is None and v3:
            raise RefusalV3("METHODNOTFOUNDEXCEPTION", "Method not found", 404)
        if known is None:
            raise Refusal("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)
        return known

    def run(
        self, name: str, params: Mapping[str, Any], owner: Doc, base: str, *, v3: bool = False, key: str | None = None
    ) -> dict[str, Any]:
        """Run one call under the lock and return its whole answer; raises Refusal. `key` is its name in a batch."""
        begun, clock = time.time(), time.monotonic()
        line: Doc = {"method": name, "params": params, "user": owner["id"], "batch": key}
        try:
            known = self.find(name, v3=v3)
            line["method"] = known.name
            self._check(known, owner, clock)
            with self.store.change() as change:
                waiting = len(self._waiting)
                try:
                    reply = self._answer(known, Call(self, owner, params, base))
                except BaseException:
                    del self._waiting[waiting:]
                    raise
            line["applied"] = change.applied
        except Refusal as refusal:
            self.write_log({**line, "status": refusal.status, "error": refusal.code, "applied": False})
            raise
        self.write_log({**line, "status": 200, "error": None})
        return self._whole(known, reply, begun, clock)

    def _check(self, known: Method, owner: Doc, clock: float) -> None:
        scopes = {*self.scopes_of(owner["id"]), "basic"}
        wanted = {"user", "user_brief", "user_basic"} if known.scope == "user" else {known.scope}
        if not scopes & wanted:
            if known.version == 3:
                raise RefusalV3("INSUFFICIENTSCOPEEXCEPTION", "Insufficient scope", 403)
            text = "The request requires higher privileges than provided by the webhook token"
            raise Refusal("insufficient_scope", text, 403)
        if self.operating.blocked(known.name, clock):
            raise Refusal("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.", 429)

    def _answer(self, known: Method, call: Call) -> Reply:
        if known.listing and (rule := self.faults.hit(known.name.lower(), {"empty_list"})):
            if rule.pages == "all" or batch.later_page(call.params):
                return Reply(known.listing(), 0)
            if rule.count is not None:
                rule.count += 1
        return known.run(call)

    def _whole(self, known: Method, reply: Reply, begun: float, clock: float) -> dict[str, Any]:
        seconds = self.settings.costs.get(known.name, time.time() - begun)
        self.operating.add(known.name, clock, seconds)
        reset = int(time.time() + self.operating.reset_at(known.name, clock) - clock)
        answer: dict[str, Any] = {"result": reply.result if known.version == 3 else php(reply.result)}
        if reply.next is not None:
            answer["next"] = reply.next
        if reply.total is not None:
            answer["total"] = reply.total
        used = self.operating.used(known.name, clock)
        answer["time"] = time_block(begun, time.time(), self.zone, reset, used)
        return answer

    def write_log(self, line: Mapping[str, Any]) -> None:
        """Append a line to the call log with number and time."""
        self._serial += 1
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        head = {"n": self._serial, "time": stamp, "fault": self.fault}
        self.log.write({**head, **line, "params": shorten(line.get("params"))})

    def close(self) -> None:
        """Write everything and let go of files and threads."""
        self.events.close()
        with self.lock:
            self.store.close()
            self.log.close()


def read_offset(text: str) -> timezone:
    """Read "+10:00" or "-05:30"; raises ValueError."""
    sign = -1 if text.startswith("-") else 1
    hours, _, minutes = text.lstrip("+-").partition(":")
    return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes or 0)))
