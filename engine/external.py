"""External tasks: the worker's side of the engine, with the options that pycamunda leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pycamunda.externaltask

from engine.calls import Caller, Row
from engine.rest import path_id
from engine.variables import all_to_engine, from_engine, maybe_instant

MESSAGE_LIMIT = 666  # the engine cuts an errorMessage there
_POLL_GRACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Topic:
    """What one topic asks for. `variables` None = all; `lock_seconds` is how long the task stays ours."""

    name: str
    lock_seconds: float
    variables: tuple[str, ...] | None = None
    extension_properties: bool = False
    business_key: str | None = None
    definition_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExternalTask:
    """A service step waiting for a worker. Times are UTC; `retries` is None before the first failure."""

    id: str
    topic: str
    activity_id: str
    activity_instance_id: str
    instance_id: str
    definition_id: str
    definition_key: str
    business_key: str | None
    worker_id: str | None
    retries: int | None
    priority: int
    lock_until: datetime | None
    created: datetime | None
    error_message: str | None = None
    suspended: bool = False
    variables: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)


class External:
    """Calls on external tasks. complete, failure and error may be repeated: a second one answers NotFound."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def fetch_and_lock(
        self,
        worker_id: str,
        topics: Sequence[Topic],
        max_tasks: int,
        *,
        poll_seconds: float = 0.0,
        oldest_first: bool = True,
        use_priority: bool = False,
    ) -> list[ExternalTask]:
        """Fetch and lock what waits, staying on the line for up to `poll_seconds`.

        Raises EngineDown when no answer comes within that time and 10 s more.
        """
        request = self._caller.build(
            pycamunda.externaltask.FetchAndLock,
            worker_id=worker_id,
            max_tasks=max_tasks,
            async_response_timeout=round(poll_seconds * 1000) or None,
            use_priority=use_priority,
        )
        request.topics.extend(map(_topic, topics))
        if oldest_first and not use_priority:
            request = _sorted(request)
        answer = self._caller.send(request, "POST", timeout=poll_seconds + _POLL_GRACE_SECONDS)
        return [_external(row) for row in answer.json()]

    def complete(self, task_id: str, worker_id: str, values: Mapping[str, object] | None = None) -> None:
        """Finish a step. Raises LockLost or NotFound (done, or the instance was cancelled)."""
        request = self._caller.build(pycamunda.externaltask.Complete, id_=path_id(task_id), worker_id=worker_id)
        request.variables.update(all_to_engine(values or {}))
        self._caller.send(request, "POST")

    def bpmn_error(
        self, task_id: str, worker_id: str, code: str, message: str, values: Mapping[str, object] | None = None
    ) -> None:
        """Report an obstacle that the diagram catches by its code.

        A code that nobody catches would end the order silently: the worker checks against the deployed diagram first.
        """
        request = self._caller.build(
            pycamunda.externaltask.HandleBPMNError,
            id_=path_id(task_id),
            worker_id=worker_id,
            error_code=code,
            error_message=message[:MESSAGE_LIMIT],
        )
        request.variables.update(all_to_engine(values or {}))
        self._caller.send(request, "POST")

    def failure(
        self,
        task_id: str,
        worker_id: str,
        message: str,
        *,
        retries: int,
        retry_seconds: float = 0.0,
        details: str = "",
        values: Mapping[str, object] | None = None,
    ) -> None:
        """Report a failed attempt; `retries` 0 makes an incident. `values` are written to the instance."""
        body: dict[str, Any] = {
            "workerId": worker_id,
            "errorMessage": message[:MESSAGE_LIMIT],
            "errorDetails": details,
            "retries": retries,
            "retryTimeout": round(retry_seconds * 1000),
        }
        if values:
            body["variables"] = all_to_engine(values)
        self._caller.rest("POST", f"/external-task/{path_id(task_id)}/failure", body=body)

    def extend_lock(self, task_id: str, worker_id: str, seconds: float) -> None:
        """Keep the lock for `seconds` from now. Raises LockLost or NotFound: stop before the next outside call."""
        request = self._caller.build(
            pycamunda.externaltask.ExtendLock,
            id_=path_id(task_id),
            new_duration=round(seconds * 1000),
            worker_id=worker_id,
        )
        self._caller.send(request, "POST")

    def lock(self, task_id: str, worker_id: str, seconds: float) -> None:
        """Lock one known task; raises LockLost when another worker has it."""
        body = {"workerId": worker_id, "lockDuration": round(seconds * 1000)}
        self._caller.rest("POST", f"/external-task/{path_id(task_id)}/lock", body=body)

    def unlock(self, task_id: str) -> None:
        """Give a task back, so that another worker may fetch it at once."""
        self._caller.send(self._caller.build(pycamunda.externaltask.Unlock, id_=path_id(task_id)), "POST")

    def set_retries(self, task_id: str, retries: int = 1) -> None:
        """Give a failed step new attempts; its incident goes and it may be fetched at once."""
        request = self._caller.build(pycamunda.externaltask.SetRetries, id_=path_id(task_id), retries=retries)
        self._caller.send(request, "PUT")

    def set_retries_of(self, task_ids: Iterable[str], retries: int = 1) -> None:
        """Give many failed steps new attempts in one call."""
        request = self._caller.build(
            pycamunda.externaltask.SetRetriesSync, retries=retries, external_task_ids=list(task_ids)
        )
        self._caller.send(request, "PUT")

    def get(self, task_id: str) -> ExternalTask:
        """Read one external task; raises NotFound when it is done or cancelled."""
        request = self._caller.build(pycamunda.externaltask.Get, id_=path_id(task_id), request_error_details=False)
        return _external(self._caller.send(request, "GET").json())

    def find(self, **query: Any) -> list[ExternalTask]:
        """Read external tasks; `query` in the REST names (topicName, workerId, processInstanceId, noRetriesLeft)."""
        return [_external(row) for row in self._caller.rows("/external-task", query, sort="id")]

    def of_many(self, instance_ids: Sequence[str]) -> list[ExternalTask]:
        """Read the external tasks of many instances."""
        query = {"processInstanceIdIn": list(instance_ids)}
        return [_external(row) for row in self._caller.search("/external-task", query)]

    def error_details(self, task_id: str) -> str:
        """Read the details of the last failure; empty where there are none."""
        return self._caller.rest("GET", f"/external-task/{path_id(task_id)}/errorDetails").text


def _sorted(request: Any) -> Any:
    """Make a FetchAndLock ask for the oldest first; pycamunda has no parameter for that."""
    plain = request.body_parameters
    request.body_parameters = lambda: {**plain(), "sorting": [_OLDEST_FIRST]}
    return request


_OLDEST_FIRST = {"sortBy": "createTime", "sortOrder": "asc"}


def _topic(topic: Topic) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "topicName": topic.name,
        "lockDuration": round(topic.lock_seconds * 1000),
        "deserializeValues": False,
    }
    if topic.variables is not None:
        wire["variables"] = list(topic.variables)
    if topic.extension_properties:
        wire["includeExtensionProperties"] = True
    if topic.business_key is not None:
        wire["businessKey"] = topic.business_key
    if topic.definition_keys:
        wire["processDefinitionKeyIn"] = list(topic.definition_keys)
    return wire


def _external(row: Row) -> ExternalTask:
    return ExternalTask(
        id=row["id"],
        topic=row["topicName"],
        activity_id=row["activityId"],
        activity_instance_id=row["activityInstanceId"],
        instance_id=row["processInstanceId"],
        definition_id=row["processDefinitionId"],
        definition_key=row["processDefinitionKey"],
        business_key=row.get("businessKey"),
        worker_id=row.get("workerId"),
        retries=row.get("retries"),
        priority=row.get("priority") or 0,
        lock_until=maybe_instant(row.get("lockExpirationTime")),
        created=maybe_instant(row.get("createTime")),
        error_message=row.get("errorMessage"),
        suspended=bool(row.get("suspended")),
        variables={name: from_engine(wire) for name, wire in (row.get("variables") or {}).items()},
        properties=row.get("extensionProperties") or {},
    )
