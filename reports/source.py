"""Read what is new in the engine's history, page by page, without a gap and without fear of reading twice.

A page begins where the last one ended *in time*, not in number: rows of one instant stand in no fixed order, and a
place in a list that grows means another row a moment later. Rows at the seam come twice; the store keeps one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.calls import PAGE
from engine.client import EngineClient
from engine.rights import ROUTE
from engine.variables import to_instant
from reports import clock, raw
from reports.facts import Ms

Wire = Mapping[str, Any]


class History(Protocol):
    """The engine's history: one page of a resource, as its REST API answers."""

    def page(self, resource: str, query: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows of `/history/{resource}` for a query in the REST names."""


class EngineHistory:
    """The history of a real engine."""

    def __init__(self, client: EngineClient) -> None:
        self._caller = client.caller

    def page(self, resource: str, query: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows of `/history/{resource}` for a query in the REST names."""
        return list(self._caller.rest("GET", f"/history/{resource}", params=query).json())


@dataclass(slots=True)
class News:
    """Rows for the store, by table."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in raw.COLUMNS})
    newest: Ms = 0  # the latest instant in them

    def add(self, table: str, row: tuple[Any, ...] | None, *moments: str | None) -> None:
        """Take a row, and its instants for the cursor."""
        if row is not None:
            self.rows[table].append(row)
        for moment in moments:
            self.newest = max(self.newest, raw.to_ms(moment) or 0)


def read_news(history: History, since: Ms, process_id: str = ROUTE) -> News:
    """Read what was begun, ended, written or assigned at or after `since`, and everything that is open now.

    Open instances and tasks are read each time, whatever their age: a moved deadline, a new holder or a migration to
    another version leaves no event that could be asked for by time.
    """
    news = News()
    ours = {"processDefinitionKey": process_id}
    for query in (_since(since, "started"), _since(since, "finished"), {"unfinished": True}):
        for row in _pages(history, "process-instance", {**ours, **query}):
            news.add("instance", raw.instance_row(row), row["startTime"], row["endTime"])
    for query in (_since(since, "started"), _since(since, "finished"), {"unfinished": True}):
        for row in _pages(history, "task", {**ours, **query}):
            news.add("task", raw.task_row(row), row["startTime"], row["endTime"])
    for kind in ("noneEndEvent", "boundaryError"):
        for row in _pages(history, "activity-instance", {"activityType": kind, **_since(since, "started")}):
            if row["processDefinitionKey"] == process_id:
                news.add("event", raw.event_row(row))
    for row in _pages(
        history, "detail", {"variableUpdates": True, "deserializeValues": False, **_since(since, "detail")}
    ):
        if row["processDefinitionKey"] == process_id:
            news.add("write", raw.write_row(row))
        elif row["processDefinitionKey"] in raw.RECORDS:
            news.add("record", raw.record_row(row))
    operations = {**ours, "entityTypeIn": "Task,ProcessInstance", **_since(since, "user-operation")}
    for row in _pages(history, "user-operation", operations):
        news.add("operation", raw.operation_row(row))
    return news


_SORTS = {"started": "startTime", "finished": "endTime", "detail": "time", "user-operation": "timestamp"}
_AFTER = {
    "startTime": "startedAfter",
    "endTime": "finishedAfter",
    "time": "occurredAfter",
    "timestamp": "afterTimestamp",
}


_OF_ORDERS = ("task", "event", "write", "operation")


def _since(since: Ms, event: str) -> dict[str, Any]:
    sort = _SORTS[event]
    return {"sortBy": sort, "sortOrder": "asc", _AFTER[sort]: instant(since)}


def _pages(history: History, resource: str, query: Mapping[str, Any]) -> Iterator[Wire]:
    """Read all rows: by time where the query has a beginning, else by place (what is open now)."""
    sort = query.get("sortBy")
    after = _AFTER[sort] if sort else ""
    asked = dict(query) if sort else {**query, "sortBy": "startTime", "sortOrder": "asc"}
    first = 0
    while True:
        page = history.page(resource, {**asked, "firstResult": first, "maxResults": PAGE})
        yield from page
        if len(page) < PAGE:
            return
        if not sort:
            first += PAGE
            continue
        seam = instant((raw.to_ms(page[-1][sort]) or 0) - 1)
        if seam == asked[after]:
            first += PAGE  # a whole page of one instant
        else:
            asked[after], first = seam, 0


def instant(moment: Ms) -> str:
    """Return an instant in the engine's notation."""
    return to_instant(clock.moment(max(0, moment)))


def touched(news: News) -> set[str]:
    """Return the instances that the rows speak of."""
    tables: Iterable[tuple[str, int]] = ((t, c.index("instance_id")) for t, c in raw.COLUMNS.items() if t in _OF_ORDERS)
    found = {str(row[place]) for table, place in tables for row in news.rows[table] if row[place]}
    return found | {row[0] for row in news.rows["instance"]}
