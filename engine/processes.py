"""Process definitions and running instances: start, find, variables, messages, incidents, jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pycamunda.message
import pycamunda.processdef
import pycamunda.processinst

from engine.calls import Caller, Row
from engine.rest import path_id
from engine.variables import all_to_engine, from_engine, maybe_instant, to_engine


@dataclass(frozen=True, slots=True)
class Instance:
    """A process instance as the start or a query answers it."""

    id: str
    definition_id: str
    business_key: str | None


@dataclass(frozen=True, slots=True)
class Definition:
    """A deployed version of a diagram."""

    id: str
    key: str
    version: int
    deployment_id: str
    resource: str
    version_tag: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """What waits for an operator."""

    id: str
    kind: str  # "failedExternalTask" | "failedJob" | …
    instance_id: str
    activity_id: str
    message: str
    configuration: str  # id of the external task or the job
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Job:
    """A timer or an asynchronous continuation."""

    id: str
    instance_id: str
    due: datetime | None
    retries: int
    message: str | None
    activity_id: str | None = None


class Processes:
    """Calls on definitions and instances."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def start(self, key: str, values: Mapping[str, object], *, business_key: str | None = None) -> Instance:
        """Start the newest version of a process; the answer carries the number the engine gave.

        Raises GateRefused. Never sent twice: after a broken connection look for the business key first.
        """
        request = self._caller.build(pycamunda.processdef.StartInstance, key=path_id(key), business_key=business_key)
        request.variables.update(all_to_engine(values))
        return _instance(self._caller.send(request, "POST", once=True).json())

    def instances(self, **query: Any) -> list[Instance]:
        """Read running instances; `query` in pycamunda's names (business_key, process_definition_key, …)."""
        query.setdefault("sort_by", "instance_id")
        return [_instance(row) for row in self._caller.query(pycamunda.processinst.GetList, **query)]

    def instance(self, instance_id: str) -> Instance:
        """Read one running instance; raises NotFound when it has ended."""
        request = self._caller.build(pycamunda.processinst.Get, id_=path_id(instance_id))
        return _instance(self._caller.send(request, "GET").json())

    def delete(self, instance_id: str) -> None:
        """Delete a running instance (operators only; not a way to cancel an order)."""
        request = self._caller.build(pycamunda.processinst.Delete, id_=path_id(instance_id))
        self._caller.send(request, "DELETE")

    def variables(self, instance_id: str) -> dict[str, Any]:
        """Read the variables of a running instance; files without their bytes."""
        path = f"/process-instance/{path_id(instance_id)}/variables"
        answer = self._caller.rest("GET", path, params={"deserializeValues": False}).json()
        return {name: from_engine(wire) for name, wire in answer.items()}

    def set_variable(self, instance_id: str, name: str, value: object) -> None:
        """Write one variable of a running instance."""
        path = f"/process-instance/{path_id(instance_id)}/variables/{path_id(name)}"
        self._caller.rest("PUT", path, body=to_engine(value, name=name))

    def correlate(self, message: str, instance_id: str, values: Mapping[str, object]) -> None:
        """Send a message to one instance; raises NothingWaits when it comes too late. Never sent twice."""
        request = self._caller.build(
            pycamunda.message.CorrelateSingle, message_name=message, process_instance_id=instance_id
        )
        request.process_variables.update(all_to_engine(values))
        # pycamunda always sends `all` and `resultEnabled`; false is the engine's default for both
        self._caller.send(request, "POST", once=True)

    def definitions(self, **query: Any) -> list[Definition]:
        """Read deployed definitions; `query` in the REST names (key, latestVersion, …)."""
        return [_definition(row) for row in self._caller.rows("/process-definition", query, sort="id")]

    def definition(self, definition_id: str) -> Definition:
        """Read one deployed version."""
        request = self._caller.build(pycamunda.processdef.Get, id_=path_id(definition_id))
        return _definition(self._caller.send(request, "GET").json())

    def newest(self, key: str) -> Definition:
        """Read the newest version of a process; raises NotFound."""
        return _definition(self._caller.rest("GET", f"/process-definition/key/{path_id(key)}").json())

    def xml(self, definition_id: str) -> str:
        """Read the deployed diagram of that version."""
        request = self._caller.build(pycamunda.processdef.GetXML, id_=path_id(definition_id))
        return str(self._caller.send(request, "GET").json()["bpmn20Xml"])

    def set_time_to_live(self, definition_id: str, days: int) -> None:
        """Set how many days the history of ended instances is kept."""
        path = f"/process-definition/{path_id(definition_id)}/history-time-to-live"
        self._caller.rest("PUT", path, body={"historyTimeToLive": days})

    def incidents(self, **query: Any) -> list[Incident]:
        """Read open incidents, oldest first; `query` in the REST names (processInstanceId, …).

        By plain REST: pycamunda's list has no `maxResults` and knows only two kinds of incident.
        """
        return [_incident(row) for row in self._caller.rows("/incident", query, sort="incidentTimestamp")]

    def jobs(self, **query: Any) -> list[Job]:
        """Read jobs; `query` in the REST names (processInstanceId, withException, noRetriesLeft, …)."""
        return [_job(row) for row in self._caller.rows("/job", query, sort="jobId")]

    def execute_job(self, job_id: str) -> None:
        """Run a job now, also before its due date."""
        self._caller.rest("POST", f"/job/{path_id(job_id)}/execute", body={}, once=True)

    def set_job_retries(self, job_id: str, retries: int = 1) -> None:
        """Give a failed job new attempts; its incident goes."""
        self._caller.rest("PUT", f"/job/{path_id(job_id)}/retries", body={"retries": retries})

    def set_suspended(self, instance_ids: Iterable[str], suspended: bool) -> None:
        """Suspend or activate running instances."""
        body = {"suspended": suspended, "processInstanceIds": list(instance_ids)}
        self._caller.rest("PUT", "/process-instance/suspended", body=body)


def _instance(row: Row) -> Instance:
    return Instance(row["id"], row["definitionId"], row.get("businessKey"))


def _definition(row: Row) -> Definition:
    return Definition(
        row["id"], row["key"], row["version"], row["deploymentId"], row["resource"], row.get("versionTag")
    )


def _incident(row: Row) -> Incident:
    return Incident(
        id=row["id"],
        kind=row["incidentType"],
        instance_id=row.get("processInstanceId") or "",
        activity_id=row.get("activityId") or "",
        message=row.get("incidentMessage") or "",
        configuration=row.get("configuration") or "",
        at=maybe_instant(row.get("incidentTimestamp")),
    )


def _job(row: Row) -> Job:
    return Job(
        id=row["id"],
        instance_id=row.get("processInstanceId") or "",
        due=maybe_instant(row.get("dueDate")),
        retries=row["retries"],
        message=row.get("exceptionMessage"),
        activity_id=row.get("failedActivityId"),
    )
