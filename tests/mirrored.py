"""Orders as values for the card mirror's tests: a source of snapshots and file bytes, and a portal that is set up.

Nothing here behaves like an engine: a test says what the order looks like, and that is what is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from portal import LocalPortal
from pydantic import SecretStr

from bitrix_sync.client import PortalClient
from bitrix_sync.provision import provision
from bitrix_sync.reconcile import Reconciler
from bitrix_sync.schema import PortalSchema
from diagram.stages import read_route
from engine.facts import read_info
from ledger import Ledger
from orders.errors import Transient
from orders.persons import Staff
from orders.snapshot import FileRef, OpenVisit, OrderSnapshot, Promise, Scalar, VisitDone
from orders.staff import read_staff
from orders.stage import Route, Stage

ROOT = Path(__file__).parent.parent
ZONE = ZoneInfo("Europe/Moscow")
BEGIN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)  # a Monday, 9 o'clock in Moscow
AHEAD = datetime(2126, 3, 4, 6, 0, tzinfo=UTC)  # deadlines that no test lets pass unless it says so
FACTS: dict[str, Scalar] = {
    "customerName": "ООО «Ромашка»",
    "customerContact": "+7 900 123-45-67",
    "itemDescription": "Комод дубовый, шесть ящиков",
    "wishedBy": "2026-12-31",
    "budget": "150000.00",
}


def the_route() -> Route:
    """Read the shop's own diagram."""
    return read_route((ROOT / "bpmn" / "custom-furniture-order.bpmn").read_bytes())


def the_staff() -> Staff:
    """Read the shop's own staff file."""
    return read_staff((ROOT / "config" / "staff.toml").read_text(encoding="utf-8"))


class Source:
    """Orders as they were last told to be; fulfils `orders.ports.Engine` for reading."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self.orders: dict[str, OrderSnapshot] = {}
        self.data: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.talk: dict[str, str] = {}
        self.reads = 0

    def snapshot(self, instance_id: str) -> OrderSnapshot:
        self.reads += 1
        return self.orders[instance_id]

    def snapshots(self, instance_ids: Sequence[str]) -> list[OrderSnapshot]:
        return [self.snapshot(i) for i in instance_ids]

    def route(self, definition_id: str) -> Route:
        return self._route

    def file_bytes(self, instance_id: str, variable: str) -> tuple[str, bytes]:
        return self.data[instance_id, variable]

    def correlate(self, message: str, instance_id: str, variables: Mapping[str, Scalar]) -> bool:
        return False

    def instances_of(self, business_key: str) -> list[str]:
        return [o.instance_id for o in self.orders.values() if o.key == business_key]

    def file_names(self, instance_id: str) -> Mapping[str, str]:
        return {f.variable: f.name for f in self.orders[instance_id].files}

    def running_instances(self, process_id: str) -> list[str]:
        return [o.instance_id for o in self.orders.values() if o.running]

    def moved_instances(self, process_id: str, since: datetime) -> list[str]:
        return [o.instance_id for o in self.orders.values() if any(v.since >= since for v in o.open)]

    def order_keys(self, process_id: str, since: datetime) -> Mapping[str, str]:
        return {o.instance_id: o.key for o in self.orders.values() if o.running or (o.ended and o.ended >= since)}

    def ended_instances(self, process_id: str, since: datetime) -> list[str]:
        return [o.instance_id for o in self.orders.values() if o.ended and o.ended >= since]

    def orders_recorded(self, since: datetime) -> list[str]:
        return [o.instance_id for o in self.orders.values() if any(record.at >= since for record in o.records)]

    def set_variables(self, instance_id: str, variables: Mapping[str, Scalar]) -> None:
        assert dict(variables) == {"portalPending": False}, "the mirror writes nothing else into the engine"
        order = self.orders[instance_id]
        self.orders[instance_id] = replace(order, variables={**order.variables, **variables})

    def discussion(self, instance_id: str) -> str:
        return self.talk.get(instance_id, "")

    def write_discussion(self, instance_id: str, text: str) -> None:
        self.talk[instance_id] = text

    def write_paper(self, instance_id: str, variable: str, name: str, data: bytes, info: str) -> None:
        known = read_info(info)
        assert known is not None and known["sha256"] == hashlib.sha256(data).hexdigest()
        order = self.orders[instance_id]
        self.data[instance_id, variable] = (name, data)
        self.orders[instance_id] = replace(order, files=(*order.files, FileRef(variable, **known)))

    def promises(self) -> list[Promise]:
        return []


class Story:
    """One order that a test tells step by step."""

    def __init__(self, source: Source, key: str = "ORD-2026-00042", instance: str | None = None) -> None:
        self.source, self.route = source, source.route("")
        self.instance = instance or f"i-{key}"
        self._n = 0
        self.put(
            OrderSnapshot(key, self.instance, "d1", BEGIN, "sokolova", variables={**FACTS, "trackToken": "t" * 32})
        )
        self.file("orderFile", "Эскиз заказчика.pdf", b"%PDF-1.4 request of " + key.encode(), "sokolova")

    @property
    def order(self) -> OrderSnapshot:
        return self.source.orders[self.instance]

    def put(self, order: OrderSnapshot) -> OrderSnapshot:
        self.source.orders[self.instance] = order
        return order

    def change(self, **values: Any) -> OrderSnapshot:
        return self.put(replace(self.order, **values))

    def set(self, **variables: Scalar) -> OrderSnapshot:
        return self.change(variables={**self.order.variables, **variables})

    def file(self, variable: str, name: str, data: bytes, by: str) -> None:
        self.source.data[self.instance, variable] = (name, data)
        ref = FileRef(variable, name, len(data), hashlib.sha256(data).hexdigest(), by, BEGIN)
        self.change(files=(*(f for f in self.order.files if f.variable != variable), ref))

    def drop_file(self, variable: str) -> None:
        self.change(files=tuple(f for f in self.order.files if f.variable != variable))

    def stage(self, code: str) -> Stage:
        stage = self.route.stage_of_code(code)
        assert stage is not None, code
        return stage

    def open(self, code: str, *, assignee: str | None = None, due: datetime | None = None, **more: Any) -> OpenVisit:
        """Let a step open: its task is there."""
        self._n += 1
        stage = self.stage(code)
        visit = OpenVisit(
            visit=f"{stage.task_id}:{self._n}:9f1c",
            task_id=stage.task_id,
            since=BEGIN + timedelta(hours=self._n),
            engine_task=f"t{self._n}",
            assignee=assignee or (self.order.initiator if stage.assignee else None),
            groups=stage.groups,
            due=due or AHEAD + timedelta(days=self._n),
            **more,
        )
        self.change(open=(visit,))
        return visit

    def finish(self, person: str, comment: str | None = None, **values: Scalar) -> VisitDone:
        """Let the open step be completed by a person."""
        (visit,) = self.order.open
        stage = self.route.stage(visit.task_id)
        assert stage is not None
        choice = stage.decision_field()
        decision = str(values[choice.name]) if choice and choice.name in values else None
        name = the_staff().name(person)
        at = visit.since + timedelta(minutes=50)
        done = VisitDone(visit.visit, visit.task_id, person, name, at, decision, comment, dict(values), 3000.0)
        words = stage.comment_field()
        if words:
            values = {**values, words.name: comment}
        self.change(open=(), done=(*self.order.done, done), variables={**self.order.variables, **values})
        return done

    def end(self, end_id: str, at: datetime | None = None) -> None:
        self.change(open=(), closing=None, ended=at or datetime.now(UTC), end_id=end_id)


@cache
def _set_up() -> tuple[bytes, PortalSchema]:
    """Set a portal up for the route once a run; each test begins with a copy of its state."""
    with TemporaryDirectory() as name:
        folder, staff = Path(name), the_staff()
        portal = LocalPortal(folder / "portal")
        people = [p for p in staff.persons if p.bitrix_id]
        names = [p.name.split() for p in people]
        portal.set_users(
            [
                {"id": p.bitrix_id, "name": n[0], "lastName": n[-1], "active": True}
                for p, n in zip(people, names, strict=True)
            ]
        )
        ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}")
        schema = provision(PortalClient(SecretStr(portal.webhook_url), ledger, rate=10_000, burst=10_000), the_route())
        portal.stop()
        ledger.close()
        return (folder / "portal" / "portal.db").read_bytes(), schema


class MirroredPortal:
    """A portal of its own, set up for the route, with the staff as its users."""

    def __init__(self, folder: Path, *, rate: float = 10_000, burst: float = 10_000, **portal: Any) -> None:
        self.folder, self.route, self.staff = folder, the_route(), the_staff()
        state, self.schema = _set_up()
        (folder / "portal").mkdir(parents=True)
        (folder / "portal" / "portal.db").write_bytes(state)
        self.portal = LocalPortal(folder / "portal", **portal)
        self.rate, self.burst = rate, burst
        self.ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}")
        self.source = Source(self.route)
        self.mirror = self.new_mirror()

    def new_client(self, ledger: Ledger | None = None, **more: Any) -> PortalClient:
        book = ledger or self.ledger
        return PortalClient(SecretStr(self.portal.webhook_url), book, rate=self.rate, burst=self.burst, **more)

    def new_mirror(self, **more: Any) -> Reconciler:
        """Return a mirror as a new process would have one."""
        ledger = more.pop("ledger", self.ledger)
        client = more.pop("client", None) or self.new_client(ledger)
        settle = more.pop("settle_seconds", 0.0)
        staff = more.pop("staff", self.staff)
        return Reconciler(self.source, client, ledger, staff, self.schema, zone=ZONE, settle_seconds=settle, **more)

    def lose_ledger(self) -> Reconciler:
        """Begin with an empty ledger, as after a lost data folder."""
        self.ledger.close()
        for each in self.folder.glob("ledger.db*"):
            each.unlink()
        self.ledger = Ledger(f"sqlite:///{self.folder / 'ledger.db'}")
        self.mirror = self.new_mirror()
        return self.mirror

    def close(self) -> None:
        self.portal.stop()
        self.ledger.close()

    # what is there

    def whole(self, method: str, params: Mapping[str, Any], path: str = "") -> list[dict[str, Any]]:
        """Read a list page by page, as a bystander."""
        found: list[dict[str, Any]] = []
        while True:
            result = self.portal.call(method, {**params, "start": len(found)})
            rows = result[path] if path else result
            found += rows
            if len(rows) < 50:
                return found

    def cards(self) -> list[dict[str, Any]]:
        return self.whole("crm.item.list", {"entityTypeId": self.schema.entity_type_id}, "items")

    def card(self, key: str = "ORD-2026-00042") -> dict[str, Any]:
        found = [card for card in self.cards() if card["xmlId"] == f"order:{key}"]
        assert len(found) == 1, [card["xmlId"] for card in self.cards()]
        return found[0]

    def value(self, variable: str, key: str = "ORD-2026-00042") -> Any:
        return self.card(key)[self.schema.fields[variable].name]

    def column(self, key: str = "ORD-2026-00042") -> str | None:
        return self.schema.column_code(self.card(key)["stageId"])

    def edit(self, fields: Mapping[str, Any], *, key: str = "ORD-2026-00042", user: int | None = None) -> None:
        """Change a card as a person does, by variable or system name."""
        names = {n: self.schema.fields[n].name if n in self.schema.fields else n for n in fields}
        values = {names[n]: value for n, value in fields.items()}
        update = {"entityTypeId": self.schema.entity_type_id, "id": self.card(key)["id"], "fields": values}
        self.portal.call("crm.item.update", update, user=user)

    def tasks(self, key: str | None = None) -> list[dict[str, Any]]:
        rows = self.whole("tasks.task.list", {"select": ["*", "UF_CRM_TASK"], "order": {"ID": "ASC"}}, "tasks")
        return [row for row in rows if key is None or f"{key}:task:" in row["description"]]

    def open_tasks(self, key: str | None = None) -> list[dict[str, Any]]:
        return [row for row in self.tasks(key) if row["status"] != "5"]

    def comments(self, key: str = "ORD-2026-00042") -> list[str]:
        owner = {"ENTITY_ID": self.card(key)["id"], "ENTITY_TYPE": self.schema.owner_type}
        return [row["COMMENT"] for row in self.portal.call("crm.timeline.comment.list", {"filter": owner})]

    def lines(self, key: str = "ORD-2026-00042") -> list[dict[str, Any]]:
        owner = {"entityTypeId": self.schema.entity_type_id, "entityId": self.card(key)["id"]}
        return list(self.portal.call("crm.timeline.logmessage.list", owner))

    def drive(self) -> list[str]:
        names = []
        for folder in self.whole("disk.folder.getchildren", {"id": self.schema.folder_id}):
            names += [row["NAME"] for row in self.portal.call("disk.folder.getchildren", {"id": folder["ID"]})]
        return names

    # what was asked

    def mark(self) -> int:
        return len(self.portal.log())

    def since(self, mark: int) -> list[dict[str, Any]]:
        return self.portal.log()[mark:]

    def writes_since(self, mark: int) -> list[str]:
        return [line["method"] for line in self.since(mark) if line["applied"]]

    def requests_since(self, mark: int) -> list[str]:
        return [line["method"] for line in self.since(mark) if line["batch"] is None]


def full_story(source: Source, key: str = "ORD-2026-00042") -> Story:
    """Return an order whose card needs every kind of create."""
    story = Story(source, key)
    story.open("approve")
    story.finish("orlov", "Берём", directorDecision="approve")
    story.open("design")
    story.finish("volkov")
    story.open("estimate")
    return story


def insist(mirrored: MirroredPortal, story: Story, times: int = 12) -> None:
    """Run as a worker does: again after each Transient, with a new mirror, as a new process would."""
    for _ in range(times):
        try:
            mirrored.new_mirror().reconcile(story.instance)
        except Transient:
            continue
        return
    raise AssertionError(f"not done after {times} tries")


def everything_once(mirrored: MirroredPortal, story: Story) -> None:
    """Demand exactly one of each thing, equal to the order."""
    key = story.order.key
    assert [str(d) for d in mirrored.new_mirror().differences(story.instance, deep=True)] == []
    assert len([c for c in mirrored.cards() if c["xmlId"] == f"order:{key}"]) == 1
    assert len(mirrored.cards()) == len(story.source.orders)  # a double without its key counts, too
    assert len(mirrored.tasks(key)) == 1
    assert sorted(text.rsplit("· ", 1)[1] for text in mirrored.comments(key)) == [f"{key}/c1"]
    assert sorted(line["text"].rsplit("· ", 1)[1] for line in mirrored.lines(key)) == [f"{key}/c2"]
    assert mirrored.drive() == ["Эскиз заказчика.pdf"] * len(story.source.orders)  # a double would be named «… (2).pdf»
