"""History told step by step: a test says what happened, and gets the rows that the history REST would answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from made_history import DEFINITION, MadeHistory, text

PROCESS = "custom-furniture-order"
RESOURCES = ("process-instance", "task", "activity-instance", "detail", "user-operation")


@dataclass
class Told:
    """A history that grows with what is told."""

    history: MadeHistory = field(default_factory=lambda: MadeHistory({resource: [] for resource in RESOURCES}))
    count: int = 0

    def add(self, resource: str, **row: Any) -> dict[str, Any]:
        """Add a row under a new id, and forget what was sorted."""
        self.count += 1
        row.setdefault("id", f"{resource}-{self.count:05d}")
        self.history.rows[resource].append(row)
        self.history._sorted.clear()
        return row

    def order(self, key: str, started: datetime, **values: str) -> ToldOrder:
        """Start an order; `values` are variables of the start."""
        row = self.add(
            "process-instance", id=f"i-{self.count:05d}-{key}", businessKey=key, processDefinitionId=DEFINITION,
            processDefinitionKey=PROCESS, startTime=text(started), endTime=None, startUserId="sokolova", state="ACTIVE",
        )  # fmt: skip
        order = ToldOrder(self, row)
        for name, value in {"customerName": "ООО «Клён»", **values}.items():
            order.write(started, name, value, row["id"])
        return order


@dataclass
class ToldOrder:
    """One order of the history."""

    told: Told
    instance: dict[str, Any]

    @property
    def id(self) -> str:
        """Return the instance's id."""
        return str(self.instance["id"])

    def write(self, at: datetime, name: str, value: str | None, activity: str = "", kind: str = "String") -> None:
        """Write a variable."""
        self.told.add(
            "detail", processInstanceId=self.id, processDefinitionKey=PROCESS, variableName=name, variableType=kind,
            value=value, activityInstanceId=activity, taskId=None, time=text(at), revision=0,
        )  # fmt: skip

    def step(
        self,
        element: str,
        created: datetime,
        ended: datetime | None = None,
        *,
        claimed: datetime | None = None,
        person: str = "orlov",
        due: datetime | None = None,
        reason: str = "completed",
        **values: str,
    ) -> dict[str, Any]:
        """Open a step and answer it, if `ended` is given; `values` are what the answer holds."""
        task = self.told.add(
            "task", processInstanceId=self.id, processDefinitionId=DEFINITION, processDefinitionKey=PROCESS,
            taskDefinitionKey=f"UserTask_{element}", activityInstanceId=f"{element}:{self.told.count}",
            assignee=person if claimed else None, startTime=text(created), endTime=text(ended) if ended else None,
            due=text(due) if due else None, deleteReason=reason if ended else None,
        )  # fmt: skip
        if claimed:
            self.hold(task, claimed, person)
        if ended and reason == "completed":
            activity = task["activityInstanceId"]
            for name, value in values.items():
                self.write(ended, name, value, activity)
            self.write(ended, f"done_UserTask_{element}", json.dumps({"person": person}), activity)
        return task

    def hold(self, task: dict[str, Any], at: datetime, person: str | None) -> None:
        """Claim a step for a person, or give it back."""
        self.told.add(
            "user-operation", processInstanceId=self.id, taskId=task["id"], entityType="Task", userId=person or "orlov",
            operationType="Claim" if person else "Assign", property="assignee", orgValue=None, newValue=person,
            timestamp=text(at), processDefinitionKey=PROCESS,
        )  # fmt: skip

    def pause(self, at: datetime, kind: str = "Suspend") -> None:
        """Suspend the order, or let it go on (`Activate`)."""
        self.told.add(
            "user-operation", processInstanceId=self.id, taskId=None, entityType="ProcessInstance", userId="kozlov",
            operationType=kind, property="suspensionState", orgValue=None, newValue=kind.lower(), timestamp=text(at),
            processDefinitionKey=PROCESS,
        )  # fmt: skip

    def event(self, at: datetime, element: str, kind: str = "noneEndEvent") -> None:
        """Reach an event."""
        self.told.add(
            "activity-instance", processInstanceId=self.id, processDefinitionKey=PROCESS, activityId=element,
            activityType=kind, startTime=text(at), endTime=text(at), canceled=False,
        )  # fmt: skip

    def end(self, at: datetime, element: str | None = "End_Delivered") -> None:
        """End the order; without an element it was deleted by hand."""
        if element:
            self.event(at, element)
        self.instance |= {"endTime": text(at), "state": "COMPLETED" if element else "EXTERNALLY_TERMINATED"}
        self.told.history._sorted.clear()

    def ship(self, at: datetime) -> None:
        """End delivered, every step from the request on in one go: for tests that look at the whole order only."""
        self.step("Ship", at - timedelta(minutes=5), at)
        self.end(at)
