"""A report from told or made history, and the same questions asked of the rows themselves in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from made_history import BPMN, MadeHistory
from shop import ROOT

from diagram.stages import read_route
from orders.calendar import read_calendar
from orders.staff import read_staff
from reports.book import Book
from reports.clock import ms
from reports.period import Month
from reports.report import Report, make_report
from reports.store import Store
from reports.targets import Targets

CALENDAR = read_calendar((ROOT / "config" / "calendar.toml").read_text(encoding="utf-8"))
STAFF = read_staff((ROOT / "config" / "staff.toml").read_text(encoding="utf-8"))
ROUTE = read_route(BPMN.read_bytes())
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OCTOBER = Month(2026, 10)
FIRST, LAST = datetime(2026, 9, 30, 21, tzinfo=UTC), datetime(2026, 10, 31, 21, tzinfo=UTC)  # Moscow's October
ENDS = {
    "End_Delivered": "delivered",
    "End_RefusedByDirector": "refused",
    "End_PriceRejected": "rejected",
    "End_Cancelled": "cancelled",
}


def book(history: MadeHistory, folder: Path, now: datetime = NOW) -> Book:
    with Store(folder / "history.db") as store:
        store.refresh(history, lambda _: ROUTE)
        return Book(store.facts(), CALENDAR, STAFF, ROUTE, ms(now), store.records(), store.papers())


def report(history: MadeHistory, folder: Path, month: Month = OCTOBER, **more: Any) -> Report:
    return make_report(book(history, folder), month, more.pop("targets", Targets()), **more)


def value(made: Report, id_: str, key: str = "") -> float | None:
    found = made.find(id_, key)
    assert found is not None, f"no figure {id_} {key}"
    return found.value


def when(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def hours(a: datetime, b: datetime) -> float:
    """Working hours by the calendar itself, day by day."""
    return CALENDAR.between(a, b)


def nearest_rank(values: list[float], q: float) -> float:
    return sorted(values)[math.ceil(q * len(values)) - 1]


class Plain:
    """The same questions, asked of the rows themselves."""

    def __init__(self, history: MadeHistory) -> None:
        self.rows = history.rows
        ends = {e["processInstanceId"]: e["activityId"] for e in self.rows["activity-instance"]
                if e["activityId"].startswith("End_")}  # fmt: skip
        self.end = ends
        self.orders = [i for i in self.rows["process-instance"] if ends.get(i["id"]) != "End_Duplicate"]
        self.ids = {i["id"] for i in self.orders}
        self.key = {i["id"]: i["businessKey"] for i in self.orders}
        self.tasks = [t for t in self.rows["task"] if t["processInstanceId"] in self.ids]
        self.writes: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for write in self.rows["detail"]:
            self.writes[write["processInstanceId"], write["variableName"]].append(write)

    def ended(self, end: str) -> list[dict[str, Any]]:
        found = [i for i in self.orders if self.end.get(i["id"]) == end and i["endTime"]]
        return [i for i in found if FIRST <= when(i["endTime"]) < LAST]  # type: ignore[operator]

    def instance(self, id_: str) -> dict[str, Any]:
        return next(i for i in self.orders if i["id"] == id_)

    def answers(self, element: str, *, ever: bool = False) -> list[dict[str, Any]]:
        return [
            t for t in self.tasks
            if t["taskDefinitionKey"] == element and t["deleteReason"] == "completed"
            and (ever or FIRST <= when(t["endTime"]) < LAST)  # type: ignore[operator]
        ]  # fmt: skip

    def ready(self, *, ever: bool = False) -> Iterator[tuple[str, datetime, list[datetime]]]:
        """Yield (instance, ready, promises in their order) of the orders that became ready in the month."""
        for task in self.answers("UserTask_Manufacture", ever=ever):
            done = when(task["endTime"])
            assert done is not None
            made: list[datetime] = []
            for write in self.writes[task["processInstanceId"], "readyBy"]:
                at = when(write["value"])
                if at and when(write["time"]) <= done and (not made or made[-1] != at):  # type: ignore[operator]
                    made.append(at)
            yield task["processInstanceId"], done, made

    def customer(self, task: dict[str, Any]) -> bool:
        return task["taskDefinitionKey"] in ("UserTask_AgreePrice", "UserTask_TakePayment")
