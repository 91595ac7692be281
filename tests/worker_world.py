"""A small route, a small staff and a world of plain objects for handlers: what they ask for, and what they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from orders.adjustment import StepLog
from orders.errors import PortalUnavailable
from orders.persons import Person, Staff
from orders.ports import Hold, held
from orders.snapshot import OpenVisit, OrderSnapshot, Promise, Scalar, VisitDone
from orders.stage import Field, FieldKind, Route, Stage
from orders.worktime import WorkingCalendar
from workers.task import Task

AT = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
MOSCOW = ZoneInfo("Europe/Moscow")
DESIGN = Stage(
    "UserTask_PrepareDesign", "design", "Подготовить чертёж", "Чертёж", "2d", ("designers",),
    fields=(Field("designFile", FieldKind.FILES, "Чертёж"), Field("designComment", FieldKind.TEXT, "Комментарий")),
)  # fmt: skip
MAKE = Stage("UserTask_Manufacture", "manufacture", "Изготовить", "Производство", "until:readyBy", ("workshop",))
ROUTE = Route(
    process_id="custom-furniture-order",
    stages=(DESIGN, MAKE),
    start_id="Start",
    start_fields=(
        Field("orderFile", FieldKind.FILE, "Заявка"),
        Field("estimateSum", FieldKind.SUM, "Сумма"),
        Field("decision", FieldKind.CHOICE, "Решение", (("approve", "Согласовать"),)),
        Field("paidOn", FieldKind.DATE, "Оплачен"),
        Field("readyBy", FieldKind.MOMENT, "Готов"),
    ),
    ends=("End_Delivered", "End_Cancelled"),
    sync_targets={"Sync_Design": "UserTask_PrepareDesign", "Sync_End": "End_Delivered"},
    judged={"Judge_Design": "UserTask_PrepareDesign", "Judge_Start": "Start"},
)
STAFF = Staff(
    (
        Person("anna", "Анна", ("orderCreators", "commercial"), heads=("commercial",)),
        Person("boris", "Борис", ("designers",), heads=("designers",)),
        Person("vera", "Вера", ("designers",)),
        Person("gleb", "Глеб", ("workshop",)),
        Person("dina", "Дина", ("productionDirectors", "directors")),
    )
)


def order(**more: object) -> OrderSnapshot:
    """Return an order at the designers."""
    values: dict[str, object] = {
        "key": "ORD-2026-00042",
        "instance_id": "i1",
        "definition_id": "d1",
        "started": AT,
        "initiator": "anna",
        "open": (OpenVisit("v1", "UserTask_PrepareDesign", AT, groups=("designers",)),),
        **more,
    }
    return OrderSnapshot(**values)  # type: ignore[arg-type]


DONE = VisitDone("v0", "UserTask_PrepareDesign", "vera", "Вера", AT)


def task(topic: str, activity: str = "ServiceTask_X", **more: object) -> Task:
    """Return a task of the sample order, made at AT."""
    values: dict[str, object] = {
        "id": "t1",
        "topic": topic,
        "business_key": "ORD-2026-00042",
        "instance_id": "i1",
        "definition_id": "d1",
        "process_id": "custom-furniture-order",
        "activity_id": activity,
        "activity_instance_id": f"{activity}:7",
        "create_time": AT,
        **more,
    }
    return Task(**values)  # type: ignore[arg-type]


@dataclass
class World:
    """Fulfils the ports of handlers in memory. `portal_down` makes every call to the portal fail."""

    order: OrderSnapshot = field(default_factory=order)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    instances: list[str] = field(default_factory=lambda: ["i1"])
    running: list[str] = field(default_factory=lambda: ["i1"])
    late: list[Promise] = field(default_factory=list)
    waits: bool = True  # does an instance wait for messages
    portal_down: bool = False
    claims: dict[str, str] = field(default_factory=dict)
    sent: list[tuple[str, Mapping[str, Scalar]]] = field(default_factory=list)
    told: dict[str, tuple[str, str]] = field(default_factory=dict)  # key -> (person, text)
    mailed: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    reconciled: list[str] = field(default_factory=list)
    swept: int = 0
    fitted: list[date] = field(default_factory=list)  # days for which substitutes were let in
    log: StepLog = field(default_factory=StepLog)
    register: dict[str, list[Mapping[str, Scalar]]] = field(default_factory=dict)  # key -> what entries began with

    # orders.ports.Engine
    def variables(self, instance_id: str) -> Mapping[str, Scalar]:
        """Return the variables of the order."""
        return self.snapshot(instance_id).variables

    def snapshot(self, instance_id: str) -> OrderSnapshot:
        """Return the order."""
        return self.order

    def route(self, definition_id: str) -> Route:
        """Return the sample route."""
        return ROUTE

    def file_bytes(self, instance_id: str, variable: str) -> tuple[str, bytes]:
        """Return a file."""
        return self.files[variable]

    def file_names(self, instance_id: str) -> Mapping[str, str]:
        """Return the files' names."""
        return {variable: name for variable, (name, _) in self.files.items()}

    def correlate(self, message: str, instance_id: str, variables: Mapping[str, Scalar]) -> bool:
        """Send a message; False when nothing waits."""
        if self.waits:
            self.sent.append((message, dict(variables)))
        return self.waits

    def instances_of(self, business_key: str) -> list[str]:
        """Return the instances of the key."""
        return self.instances

    def snapshots(self, instance_ids: Sequence[str]) -> list[OrderSnapshot]:
        """Return the order as often as it is asked for."""
        return [self.order for _ in instance_ids]

    def moved_instances(self, process_id: str, since: datetime) -> list[str]:
        """Return nothing: no order moves by itself here."""
        return []

    def running_instances(self, process_id: str) -> list[str]:
        """Return what runs."""
        return self.running

    def set_variables(self, instance_id: str, variables: Mapping[str, Scalar]) -> None:
        """Keep what was written about a promise."""
        flags, reminder = variables["lateFlags"], variables["lateReminder"]
        self.late = [
            Promise(p.instance_id, p.ready_by, str(flags) if flags else None, str(reminder) if reminder else None)
            for p in self.late
        ]
        self.sent.append((instance_id, dict(variables)))

    def fit_stand_ins(self, staff: Staff, day: date) -> int:
        """Note that substitutes were looked after."""
        self.fitted.append(day)
        return 0

    def promises(self) -> list[Promise]:
        """Return the promises in production."""
        return self.late

    def step_log(self, instance_id: str) -> StepLog:
        """Return what was noted about the open step."""
        return self.log

    def entries(self, key: str) -> list[str]:
        """Return the entries under a key."""
        return [f"{key}#{n}" for n, _ in enumerate(self.register.get(key, ()))]

    def propose(self, key: str, values: Mapping[str, Scalar]) -> None:
        """Begin an entry."""
        self.register.setdefault(key, []).append(dict(values))

    # orders.ports.Mirror
    def reconcile(self, instance_id: str, hold: Hold = held) -> None:
        """Note the order."""
        self._portal(hold)
        self.reconciled.append(instance_id)

    def tell(self, person: str, text: str, key: str, hold: Hold = held) -> None:
        """Note a notice, once per key."""
        self._portal(hold)
        self.told.setdefault(key, (person, text))

    def sweep(self, hold: Hold = held) -> int:
        """Note a sweep."""
        self._portal(hold)
        self.swept += 1
        return 0

    def _portal(self, hold: Hold) -> None:
        hold()
        if self.portal_down:
            raise PortalUnavailable("портал не отвечает")

    # orders.ports.Claims, Mail, Judge, Deadlines
    def claim(self, business_key: str, instance_id: str) -> str:
        """Give the key to the first."""
        return self.claims.setdefault(business_key, instance_id)

    def send(self, to: str, subject: str, text: str, key: str) -> None:
        """Note a mail, once per key."""
        self.mailed.setdefault(key, (to, subject, text))

    def judge(self, name: str, data: bytes) -> tuple[bool, str]:
        """Refuse what is empty."""
        return (True, name) if data else (False, f"Файл «{name}» пуст")

    def due(self, start: datetime, norm: str, variables: Mapping[str, Scalar]) -> datetime | None:
        """Return a day later for any norm."""
        return start + timedelta(days=1) if norm else None


CALENDAR = WorkingCalendar()
