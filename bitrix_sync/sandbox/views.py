"""What the pages show, computed from the state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bitrix_sync.sandbox import words
from bitrix_sync.sandbox.portal import Portal
from bitrix_sync.sandbox.rest.stages import directory, stages_of
from bitrix_sync.sandbox.rest.task_fields import DONE
from bitrix_sync.sandbox.rest.task_results import open_tasks
from bitrix_sync.sandbox.rest.types import categories_of
from bitrix_sync.sandbox.rest.userfields import fields_of
from bitrix_sync.sandbox.store import Doc

SHOWN = 3  # cards of one column before «ещё N»


@dataclass(frozen=True, slots=True)
class Badge:
    """A sign with a word: late, today, done; empty for in time."""

    kind: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One card on the kanban."""

    type_id: int
    id: int
    number: str
    customer: str
    item: str
    holder: str
    holder_id: int | None
    deadline: str
    badge: Badge
    urgency: tuple[int, str]


@dataclass(slots=True)
class Column:
    """One column with its cards, the most urgent first."""

    id: str
    name: str
    semantics: str
    color: str
    tiles: list[Tile] = field(default_factory=list)


def now_of(portal: Portal) -> datetime:
    """Return the present in the portal's zone."""
    return datetime.fromisoformat(portal.now()).astimezone(portal.zone)


def custom(portal: Portal, owner: Doc, doc: Doc) -> dict[str, Any]:
    """Return an item's custom values by the code after UF_CRM_13_."""
    prefix = f"UF_CRM_{owner['id']}_"
    names = [uf["fieldName"] for uf in fields_of(portal.store, owner["id"])]
    return {name.removeprefix(prefix): doc["f"].get(name) for name in names}


def number_of(doc: Doc, values: dict[str, Any]) -> str:
    """Return the order's number: the field, the external code, or the item's id."""
    external = str(doc["f"].get("XML_ID") or "")
    return str(values.get("ORDER_KEY") or external.removeprefix("order:") or f"№ {doc['id']}")


def name_of(portal: Portal, person: Any) -> str:
    """Return a person's name, or nothing."""
    user = portal.store.get("user", int(person)) if str(person or "").isdigit() else None
    return f"{user['name']} {user['lastName']}".strip() if user else ""


def tasks_by_card(portal: Portal) -> dict[str, list[Doc]]:
    """Return tasks by the card they are bound to («T9c_29»), oldest first."""
    found: dict[str, list[Doc]] = {}
    for doc in portal.store.all("task"):
        for code in doc["ufCrmTask"]:
            found.setdefault(code, []).append(doc)
    return found


def binding(type_id: int, number: int) -> str:
    """Return the code by which tasks are bound to a card."""
    return f"T{type_id:x}_{number}"


def badge_of(deadline: datetime | None, now: datetime, semantics: str) -> Badge:
    """Judge a deadline; ended cards are only done or not."""
    if semantics == "S":
        return Badge("done", "✓ готово")
    if semantics or deadline is None:
        return Badge()
    if deadline < now:
        return Badge("late", f"▲ опоздание {words.span(now - deadline)}")
    if deadline.date() == now.date():
        return Badge("soon", "● срок сегодня")
    return Badge()


def columns(portal: Portal, owner: Doc) -> list[Column]:
    """Return the columns of the type's first funnel with all their cards."""
    rows = categories_of(portal.store, owner["entityTypeId"])
    category = next((doc for doc in rows if doc["isDefault"]), rows[0] if rows else None)
    if category is None:
        return []
    stages = stages_of(portal.store, directory(owner["entityTypeId"], category["id"]))
    found = {doc["STATUS_ID"]: Column(doc["STATUS_ID"], doc["NAME"], doc["SEMANTICS"], doc["COLOR"]) for doc in stages}
    tasks, now = tasks_by_card(portal), now_of(portal)
    for doc in portal.store.all(f"item{owner['entityTypeId']}"):
        column = found.get(doc["f"].get("STAGE_ID"))
        if column:
            mine = tasks.get(binding(owner["entityTypeId"], doc["id"]), [])
            column.tiles.append(_tile(portal, owner, doc, mine, now, column.semantics))
    for column in found.values():
        column.tiles.sort(key=lambda tile: tile.urgency)
    return list(found.values())


def _tile(portal: Portal, owner: Doc, doc: Doc, tasks: list[Doc], now: datetime, semantics: str) -> Tile:
    values = custom(portal, owner, doc)
    running = next((task for task in reversed(tasks) if task["status"] != DONE), None)
    person = running["responsibleId"] if running else doc["f"].get("ASSIGNED_BY_ID")
    kept = running["deadline"] if running and running["deadline"] else values.get("STAGE_DUE")
    deadline = None if semantics else words.local(kept, portal.zone)
    item = str(values.get("ITEM_DESCRIPTION") or doc["f"].get("TITLE") or "")
    return Tile(
        owner["entityTypeId"],
        doc["id"],
        number_of(doc, values),
        str(values.get("CUSTOMER_NAME") or ""),
        item,
        "" if semantics else str(values.get("HOLDER") or name_of(portal, person)),
        int(person) if person else None,
        words.short_moment(deadline, now) if deadline else "",
        badge_of(deadline, now, semantics),
        (0 if deadline else 1, deadline.isoformat() if deadline else f"{-doc['id']:012}"),
    )


@dataclass(slots=True)
class Fact:
    """One field with its label; files come as a list of (id, name, size)."""

    label: str
    text: str = ""
    files: list[tuple[int, str, str]] = field(default_factory=list)


def facts(portal: Portal, owner: Doc, doc: Doc) -> tuple[list[Fact], list[Fact]]:
    """Return (plain facts, file facts) that are filled in."""
    plain: list[Fact] = []
    files: list[Fact] = []
    for uf in fields_of(portal.store, owner["id"]):
        value = doc["f"].get(uf["fieldName"])
        if value in (None, "", []):
            continue
        label = uf["label"].get("ru") or uf["fieldName"]
        values = value if uf["multiple"] else [value]
        if uf["userTypeId"] == "file":
            files.append(Fact(label, files=[_file(portal, number) for number in values]))
        else:
            plain.append(Fact(label, ", ".join(_text(portal, uf, item) for item in values)))
    return plain, files


def _file(portal: Portal, number: int) -> tuple[int, str, str]:
    held = portal.store.get("crmfile", number) or {"name": "?", "size": 0}
    return number, held["name"], words.size(held["size"])


def _text(portal: Portal, uf: Doc, value: Any) -> str:
    kind = uf["userTypeId"]
    if kind == "enumeration":
        return str(next((item["value"] for item in uf["enum"] if item["id"] == value), value))
    if kind == "datetime":
        return words.long_moment(datetime.fromisoformat(value).astimezone(portal.zone))
    if kind == "date":
        return words.long_date(datetime.fromisoformat(value))
    if kind == "money":
        return words.money(value)
    if kind == "boolean":
        return "да" if value == "Y" else "нет"
    if kind == "employee":
        return name_of(portal, value) or str(value)
    return str(value).replace(".", ",") if kind == "double" else str(value)


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task."""

    id: int
    title: str
    state: str
    open: bool
    holder: str
    holder_id: int
    helpers: str
    deadline: str
    badge: Badge
    description: str
    closed: str
    card: tuple[int, int] | None
    files: list[tuple[int, str, str]]


def task_view(portal: Portal, doc: Doc) -> TaskView:
    """Describe a task for a page."""
    now, deadline = now_of(portal), words.local(doc["deadline"], portal.zone)
    running = doc["status"] != DONE
    closed = words.local(doc["closedDate"], portal.zone)
    card = next((_card_of(code) for code in doc["ufCrmTask"] if _card_of(code)), None)
    attached = [portal.store.get("attached", number) for number in doc["files"]]
    held = [portal.store.get("disk", row["object"]) for row in attached if row]
    return TaskView(
        doc["id"],
        doc["title"],
        words.TASK[doc["status"]],
        running,
        name_of(portal, doc["responsibleId"]),
        int(doc["responsibleId"]),
        ", ".join(name_of(portal, number) for number in doc["accomplices"]),
        words.long_moment(deadline) if deadline else "",
        badge_of(deadline, now, "") if running else Badge(),
        words.split_mark(doc["description"])[0],
        f"{words.long_moment(closed)}, {name_of(portal, doc['closedBy'])}" if closed else "",
        card,
        [(row["id"], row["name"], words.size(row["size"])) for row in held if row],
    )


def _card_of(code: str) -> tuple[int, int] | None:
    head, _, number = code.partition("_")
    try:
        return int(head[1:], 16), int(number)
    except ValueError:
        return None


def timeline(portal: Portal, type_id: int, number: int) -> list[Doc]:
    """Return comments, log lines and moves between columns of a card, newest first."""
    rows: list[tuple[str, int, int, Doc]] = []
    for doc in portal.store.of("comment", owner=[type_id, number]):
        text, mark = words.split_mark(doc["text"])
        held = [portal.store.get("disk", file) for file in doc["files"]]
        files = [(row["id"], row["name"], words.size(row["size"])) for row in held if row]
        row: Doc = {"kind": "comment", "text": text, "mark": mark, "author": doc["author"], "files": files}
        rows.append((doc["created"], 1, doc["id"], row))
    for doc in portal.store.of("log", owner=[type_id, number]):
        text, mark = words.split_mark(doc["text"])
        row = {"kind": "log", "title": doc["title"], "text": text, "mark": mark}
        rows.append((doc["created"], 2, doc["id"], row))
    names = {doc["STATUS_ID"]: doc["NAME"] for doc in portal.store.all("status")}
    for doc in portal.store.of("history", entityTypeId=type_id, OWNER_ID=number):
        name = names.get(doc["STAGE_ID"], doc["STAGE_ID"])
        text = f"Карточка {words.MOVE[doc['TYPE_ID']]}: {name}"
        rows.append((doc["CREATED_TIME"], 0, doc["ID"], {"kind": "move", "text": text}))
    rows.sort(key=lambda row: row[:3], reverse=True)
    for created, _, _, row in rows:
        row["at"] = words.long_moment(datetime.fromisoformat(created).astimezone(portal.zone))
        row["who"] = name_of(portal, row.get("author"))
    return [row for *_, row in rows]


def people(portal: Portal) -> list[Doc]:
    """Return people with their counters, the busiest first."""
    rows = [
        {
            "id": user["id"],
            "name": name_of(portal, user["id"]) or f"№ {user['id']}",
            "active": user["active"],
            "open": sum(doc["responsibleId"] == str(user["id"]) for doc in open_tasks(portal.store, user["id"])),
            "notices": len(portal.store.of("notice", user=user["id"])),
        }
        for user in portal.store.all("user")
    ]
    return sorted(rows, key=lambda row: (-row["open"], row["name"]))
