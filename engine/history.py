"""History: what happened, from the engine's own tables. pycamunda has no module for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.calls import PAGE, Caller, Row
from engine.errors import NotFound
from engine.rest import path_id
from engine.variables import FileValue, from_engine, from_instant, maybe_instant, to_instant


def since_second(moment: datetime) -> str:
    """Return the beginning of an aware moment's second as queries take it: rather a row too many than one too few."""
    return to_instant(moment.replace(microsecond=0))


@dataclass(frozen=True, slots=True)
class PastInstance:
    """A process instance, running or ended. Times are UTC."""

    id: str
    definition_id: str
    definition_key: str
    business_key: str
    started: datetime
    ended: datetime | None
    start_user: str | None
    state: str
    delete_reason: str | None


@dataclass(frozen=True, slots=True)
class PastTask:
    """A user task, open or closed; `reason` is "completed" only for an answer."""

    id: str
    element: str
    activity_instance_id: str
    assignee: str | None
    started: datetime
    ended: datetime | None
    duration: float | None  # seconds, calendar
    due: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class PastVariable:
    """A variable as it stands, or stood when the instance ended."""

    id: str
    name: str
    kind: str
    value: Any
    instance_id: str
    execution_id: str | None
    created: datetime | None


@dataclass(frozen=True, slots=True)
class Update:
    """One write of a variable. `order` counts the writes of the instance."""

    id: str
    name: str
    kind: str
    value: Any
    activity_instance_id: str | None
    task_id: str | None
    at: datetime
    order: int
    user_operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class PastActivity:
    """One activity or event that was entered."""

    id: str
    element: str
    kind: str  # "userTask" | "serviceTask" | "noneEndEvent" | …
    instance_id: str
    parent_id: str | None
    started: datetime
    ended: datetime | None
    canceled: bool


@dataclass(frozen=True, slots=True)
class Many:
    """What history holds of many instances, each by instance id."""

    variables: Mapping[str, list[PastVariable]]
    tasks: Mapping[str, list[PastTask]]
    updates: Mapping[str, list[Update]]


class History:
    """Reads of the engine's history; each list is paged and sorted."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def instance(self, instance_id: str) -> PastInstance:
        """Read one instance; raises NotFound."""
        return _instance(self._caller.rest("GET", f"/history/process-instance/{path_id(instance_id)}").json())

    def instances(self, **query: Any) -> Iterator[PastInstance]:
        """Read instances, oldest first; `query` in the REST names (processDefinitionKey, unfinished, …)."""
        return map(_instance, self._caller.rows("/history/process-instance", query, sort="startTime"))

    def find(self, **query: Any) -> list[PastInstance]:
        """Find instances, oldest first, by what fits into no address: `variables` = [{name, operator, value}]."""
        found: list[PastInstance] = []
        while True:
            paging = {"firstResult": len(found), "maxResults": PAGE}
            sorting = {"sorting": [{"sortBy": "startTime", "sortOrder": "asc"}]}
            page = self._caller.rest("POST", "/history/process-instance", params=paging, body=query | sorting).json()
            found += map(_instance, page)
            if len(page) < PAGE:
                return found

    def count(self, resource: str, **query: Any) -> int:
        """Count the rows of a list, such as `process-instance`; `query` in the REST names."""
        return int(self._caller.rest("GET", f"/history/{resource}/count", params=query).json()["count"])

    def tasks(self, **query: Any) -> Iterator[PastTask]:
        """Read user tasks, oldest first; `query` in the REST names (processInstanceId, taskId, …)."""
        return map(_task, self._caller.rows("/history/task", query, sort="startTime"))

    def variables(self, **query: Any) -> Iterator[PastVariable]:
        """Read variables by name; files without their bytes."""
        query = {"deserializeValues": False, **query}
        return map(_variable, self._caller.rows("/history/variable-instance", query, sort="variableName"))

    def updates(self, **query: Any) -> list[Update]:
        """Read every write of a variable in the order in which they were made; files without their bytes."""
        query = {"variableUpdates": True, "deserializeValues": False, **query}
        rows = self._caller.rows("/history/detail", query, sort="time")
        return sorted(map(_update, rows), key=lambda u: (u.at, u.order))

    def of_many(self, instance_ids: Sequence[str], keys: Sequence[str]) -> Many:
        """Read variables, tasks and writes of many instances; `keys`: their business keys. Files without bytes.

        The writes come last: a step that counts as done then has all its values.
        """
        these = {"processInstanceIdIn": list(instance_ids)}
        variables = _grouped(self._caller.search("/history/variable-instance", these, deserializeValues=False))
        tasks = self.tasks_of(keys)
        writes = {**these, "variableUpdates": True}
        updates = _grouped(self._caller.search("/history/detail", writes, deserializeValues=False))
        return Many(
            {i: [_variable(row) for row in variables.get(i, [])] for i in instance_ids},
            {i: tasks.get(i, []) for i in instance_ids},
            {i: sorted(map(_update, updates.get(i, [])), key=lambda u: (u.at, u.order)) for i in instance_ids},
        )

    def tasks_of(self, keys: Sequence[str]) -> dict[str, list[PastTask]]:
        """Read the tasks of many instances by their business keys; by instance id, each oldest first.

        Tasks have no condition for many instances: another instance with the same key is in the answer too.
        """
        rows = _grouped(self._caller.search("/history/task", {"processInstanceBusinessKeyIn": list(keys)}))
        return {i: sorted(map(_task, these), key=lambda t: t.started) for i, these in rows.items()}

    def activities(self, **query: Any) -> Iterator[PastActivity]:
        """Read activities, oldest first. Takes no processDefinitionKey: the engine ignores unknown names silently."""
        if "processDefinitionKey" in query:
            raise ValueError("history/activity-instance knows processDefinitionId only")
        return map(_activity, self._caller.rows("/history/activity-instance", query, sort="startTime"))

    def activity(self, activity_instance_id: str) -> PastActivity:
        """Read one activity; raises NotFound."""
        path = f"/history/activity-instance/{path_id(activity_instance_id)}"
        return _activity(self._caller.rest("GET", path).json())

    def file(self, instance_id: str, variable: str) -> FileValue:
        """Read a file variable with its bytes, of a running or an ended instance; raises NotFound."""
        for found in self.variables(processInstanceId=instance_id, variableName=variable):
            if found.kind == "File" and found.execution_id == instance_id:
                return FileValue(found.value.name, self.variable_data(found.id), found.value.mime)
        raise NotFound(f"no file {variable} in instance {instance_id}", status=404)

    def variable_data(self, variable_id: str) -> bytes:
        """Read the bytes behind a file variable's row."""
        return self._caller.rest("GET", f"/history/variable-instance/{path_id(variable_id)}/data").content

    def update_data(self, update_id: str) -> bytes:
        """Read the bytes that one write of a file variable carried, also after it was replaced."""
        return self._caller.rest("GET", f"/history/detail/{path_id(update_id)}/data").content

    def operations(self, **query: Any) -> list[Row]:
        """Read the user operation log as it comes: who did what by which account."""
        return list(self._caller.rows("/history/user-operation", query, sort="timestamp"))


def _grouped(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["processInstanceId"], []).append(row)
    return found


def _instance(row: Row) -> PastInstance:
    return PastInstance(
        id=row["id"],
        definition_id=row["processDefinitionId"],
        definition_key=row["processDefinitionKey"],
        business_key=row["businessKey"] or "",
        started=from_instant(row["startTime"]),
        ended=maybe_instant(row["endTime"]),
        start_user=row["startUserId"],
        state=row["state"],
        delete_reason=row["deleteReason"],
    )


def _task(row: Row) -> PastTask:
    return PastTask(
        id=row["id"],
        element=row["taskDefinitionKey"] or "",
        activity_instance_id=row["activityInstanceId"] or "",
        assignee=row["assignee"],
        started=from_instant(row["startTime"]),
        ended=maybe_instant(row["endTime"]),
        duration=None if row["duration"] is None else row["duration"] / 1000,
        due=maybe_instant(row["due"]),
        reason=row["deleteReason"],
    )


def _variable(row: Row) -> PastVariable:
    return PastVariable(
        id=row["id"],
        name=row["name"],
        kind=row["type"],
        value=from_engine(row),
        instance_id=row["processInstanceId"],
        execution_id=row["executionId"],
        created=maybe_instant(row.get("createTime")),
    )


def _update(row: Row) -> Update:
    wire = {"type": row["variableType"], "value": row["value"], "valueInfo": row.get("valueInfo")}
    return Update(
        id=row["id"],
        name=row["variableName"],
        kind=row["variableType"],
        value=from_engine({**wire, "name": row["variableName"]}),
        activity_instance_id=row["activityInstanceId"],
        task_id=row["taskId"],
        at=from_instant(row["time"]),
        order=int(row.get("revision") or 0),
        user_operation_id=row.get("userOperationId"),
    )


def _activity(row: Row) -> PastActivity:
    return PastActivity(
        id=row["id"],
        element=row["activityId"],
        kind=row["activityType"],
        instance_id=row["processInstanceId"],
        parent_id=row["parentActivityInstanceId"],
        started=from_instant(row["startTime"]),
        ended=maybe_instant(row["endTime"]),
        canceled=bool(row["canceled"]),
    )
