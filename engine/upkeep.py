"""How service steps went, from the engine's history: when each was due and done, and which attempts failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from engine.calls import PAGE
from engine.client import EngineClient
from engine.history import since_second
from engine.variables import from_instant


@dataclass(frozen=True, slots=True)
class ServiceStep:
    """One service step that was done; `opened` = its task stood in the queue. UTC."""

    definition_id: str
    instance_id: str
    element: str
    opened: datetime
    done: datetime


def service_steps(client: EngineClient, process: str, first: datetime, last: datetime) -> Iterator[ServiceStep]:
    """Read the service steps of a process that were done from `first` on and before `last` (aware)."""
    query = {"finishedAfter": since_second(first), "finishedBefore": since_second(last)}
    query["activityType"] = "serviceTask"
    for row in client.caller.rows("/history/activity-instance", query, sort="endTime"):
        if row["processDefinitionKey"] == process and not row["canceled"]:
            opened, done = from_instant(row["startTime"]), from_instant(row["endTime"])
            yield ServiceStep(row["processDefinitionId"], row["processInstanceId"], row["activityId"], opened, done)


def failed_attempts(client: EngineClient, process: str, first: datetime, last: datetime) -> list[str]:
    """Return the instance of each attempt of a service step that failed from `first` on and before `last` (aware).

    The log knows no condition for time: it is read from its end on, until it is older.
    """
    found: list[str] = []
    query = {"processDefinitionKey": process, "failureLog": True, "sortBy": "timestamp", "sortOrder": "desc"}
    place = 0
    while True:
        paging = {"firstResult": place, "maxResults": PAGE}
        page = client.caller.rest("GET", "/history/external-task-log", params={**query, **paging}).json()
        times = [from_instant(row["timestamp"]) for row in page]
        found += [row["processInstanceId"] for row, at in zip(page, times, strict=True) if first <= at < last]
        if len(page) < PAGE or times[-1] < first:
            return found
        place += PAGE
