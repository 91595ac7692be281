"""User tasks: read, claim, complete, give back, and what a substitute or a moved deadline needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pycamunda.task

from engine.calls import Caller, Row
from engine.rest import path_id
from engine.variables import all_to_engine, from_engine, maybe_instant
from orders.dates import utc


@dataclass(frozen=True, slots=True)
class Task:
    """An open user task. Times are UTC."""

    id: str
    element: str  # id in the diagram, e.g. UserTask_PrepareDesign
    name: str
    instance_id: str
    definition_id: str
    created: datetime | None
    assignee: str | None = None
    due: datetime | None = None
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who may take a task: group ids and user ids, in the engine's order."""

    groups: tuple[str, ...]
    users: tuple[str, ...]


class Tasks:
    """Calls on user tasks. Every write is made as the person of the client."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def get(self, task_id: str) -> Task:
        """Read one open task; raises NotFound when it is closed or hidden."""
        request = self._caller.build(pycamunda.task.Get, id_=path_id(task_id))
        return _task(self._caller.send(request, "GET").json())

    def find(self, **query: Any) -> list[Task]:
        """Read open tasks; `query` in pycamunda's names (process_instance_id, assignee, candidate_group, …)."""
        query.setdefault("sort_by", "created")
        return [_task(row) for row in self._caller.query(pycamunda.task.GetList, **query)]

    def of_instance(self, instance_id: str) -> list[Task]:
        """Read the open tasks of one instance."""
        return self.find(process_instance_id=instance_id)

    def of_many(self, instance_ids: Sequence[str]) -> list[Task]:
        """Read the open tasks of many instances."""
        return [_task(row) for row in self._caller.search("/task", {"processInstanceIdIn": list(instance_ids)})]

    def candidates(self, task_id: str) -> Candidates:
        """Read the candidate groups and users of an open task."""
        request = self._caller.build(pycamunda.task.IdentityLinksGetList, task_id=path_id(task_id), type_="candidate")
        links = self._caller.send(request, "GET").json()
        return Candidates(
            tuple(x["groupId"] for x in links if x.get("groupId")), tuple(x["userId"] for x in links if x.get("userId"))
        )

    def add_candidate(self, task_id: str, user_id: str) -> None:
        """Make a person a candidate, e.g. a present substitute."""
        self._candidate(pycamunda.task.IdentityLinksAdd, task_id, user_id)

    def add_candidate_group(self, task_id: str, group_id: str) -> None:
        """Make a department a candidate of a step that was a person's own."""
        request = self._caller.build(
            pycamunda.task.IdentityLinksAdd, task_id=path_id(task_id), type_="candidate", group_id=group_id
        )
        self._caller.send(request, "POST")

    def remove_candidate(self, task_id: str, user_id: str) -> None:
        """Take a candidate user away again."""
        self._candidate(pycamunda.task.IdentityLinksDelete, task_id, user_id)

    def claim(self, task_id: str, user_id: str) -> None:
        """Make the person the assignee of an unclaimed task."""
        request = self._caller.build(pycamunda.task.Claim, id_=path_id(task_id), user_id=user_id)
        self._caller.send(request, "POST")

    def assign(self, task_id: str, user_id: str) -> None:
        """Give a task to somebody who may do it, whoever holds it now."""
        request = self._caller.build(pycamunda.task.SetAssignee, id_=path_id(task_id), user_id=user_id)
        self._caller.send(request, "POST")

    def unclaim(self, task_id: str) -> None:
        """Give a claimed task back to its department."""
        self._caller.send(self._caller.build(pycamunda.task.Unclaim, id_=path_id(task_id)), "POST")

    def complete(self, task_id: str, values: Mapping[str, object]) -> None:
        """Finish a task with its values. Raises GateRefused with the sentence for the person.

        Never sent twice: after a broken connection EngineDown says with `maybe_done` that it may be done.
        """
        request = self._caller.build(pycamunda.task.Complete, id_=path_id(task_id))
        request.variables.update(all_to_engine(values))
        self._caller.send(request, "POST", once=True)

    def comment(self, task_id: str, message: str) -> None:
        """Write a comment at a task."""
        request = self._caller.build(pycamunda.task.CommentCreate, task_id=path_id(task_id), message=message)
        self._caller.send(request, "POST", once=True)

    def variables(self, task_id: str) -> dict[str, Any]:
        """Read all variables that the task sees; files without their bytes."""
        answer = self._caller.rest("GET", f"/task/{path_id(task_id)}/variables", params={"deserializeValues": False})
        return {name: from_engine(wire) for name, wire in answer.json().items()}

    def variable(self, task_id: str, name: str) -> Any:
        """Read one variable through the task, which its candidates may; raises NotFound when there is none."""
        path = f"/task/{path_id(task_id)}/variables/{path_id(name)}"
        return from_engine(self._caller.rest("GET", path, params={"deserializeValue": False}).json())

    def file(self, task_id: str, name: str) -> bytes:
        """Read the bytes of an earlier file through the task."""
        return self._caller.rest("GET", f"/task/{path_id(task_id)}/variables/{path_id(name)}/data").content

    def set_due(self, task_id: str, due: datetime) -> None:
        """Move the deadline by our server's own route; the stock update would overwrite name and assignee."""
        self._caller.rest("PUT", f"/order/task/{path_id(task_id)}/due", body={"due": utc(due).isoformat()})

    def _candidate(self, kind: Any, task_id: str, user_id: str) -> None:
        request = self._caller.build(kind, task_id=path_id(task_id), type_="candidate", user_id=user_id)
        self._caller.send(request, "POST")


def _task(row: Row) -> Task:
    return Task(
        id=row["id"],
        element=row["taskDefinitionKey"] or "",
        name=row["name"] or "",
        instance_id=row["processInstanceId"] or "",
        definition_id=row["processDefinitionId"] or "",
        created=maybe_instant(row["created"]),
        assignee=row["assignee"],
        due=maybe_instant(row["due"]),
        suspended=bool(row.get("suspended")),
    )
