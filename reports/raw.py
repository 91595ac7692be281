"""Rows of the engine's history as the store keeps them: only what reports need, never a secret.

Tokens of customers' links, comments on the card and contacts stay in the engine: a report needs none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.steps import ACTIVATE, SUSPEND
from reports.facts import Ms

Wire = Mapping[str, Any]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "instance": ("id", "definition_id", "key", "started", "ended", "starter", "state"),
    "task": (
        *("id", "instance_id", "definition_id", "element", "activity_id"),
        *("assignee", "created", "ended", "due", "reason"),
    ),
    "event": ("id", "instance_id", "element", "kind", "moment", "canceled"),
    "write": ("id", "instance_id", "name", "value", "activity_id", "moment", "place"),
    "operation": ("id", "instance_id", "task_id", "kind", "person", "new", "moment"),
    "record": ("id", "instance_id", "kind", "name", "value", "moment"),  # of a process of its own beside the order
}
"""Table -> columns; the first is the engine's own id, so that a row that is read twice stands once."""

_LEFT_OUT = {
    *("trackToken", "discussion", "portalPending", "cardStage", "customerMessage", "customerContact"),
    *("lateReminder", "startKey", "closingSummary"),
}
_LEFT_OUT_STARTS = ("visit_", "due_", "refusal_")
_BYTES = ("File", "Bytes", "Object")


RECORDS: Mapping[str, str] = {"record-complaint": "complaint", "record-actual-cost": "cost"}
"""Support process -> what it records about an order that was shipped."""
ORDER, COST = "orderInstanceId", "actualCost"


def to_ms(text: str | None) -> Ms | None:
    """Read an instant of the engine; None stays None."""
    return None if not text else round(datetime.fromisoformat(text).timestamp() * 1000)


def instance_row(row: Wire) -> tuple[Any, ...]:
    """Return the store's row of a process instance."""
    return (
        *(row["id"], row["processDefinitionId"], row["businessKey"] or "", to_ms(row["startTime"])),
        *(to_ms(row["endTime"]), row["startUserId"], row["state"]),
    )


def task_row(row: Wire) -> tuple[Any, ...]:
    """Return the store's row of a user task."""
    return (
        *(row["id"], row["processInstanceId"], row["processDefinitionId"], row["taskDefinitionKey"]),
        *(row["activityInstanceId"], row["assignee"], to_ms(row["startTime"]), to_ms(row["endTime"])),
        *(to_ms(row["due"]), row["deleteReason"]),
    )


def event_row(row: Wire) -> tuple[Any, ...]:
    """Return the store's row of an end event or a caught error."""
    return (
        *(row["id"], row["processInstanceId"], row["activityId"], row["activityType"]),
        *(to_ms(row["startTime"]), int(bool(row["canceled"]))),
    )


def write_row(row: Wire) -> tuple[Any, ...] | None:
    """Return the store's row of a variable's write; None for what no report needs."""
    name = row["variableName"]
    if name in _LEFT_OUT or name.startswith(_LEFT_OUT_STARTS) or row["variableType"] in _BYTES:
        return None
    value = row["value"]
    return (
        *(row["id"], row["processInstanceId"], name, None if value is None else str(value)),
        *(row["activityInstanceId"], to_ms(row["time"]), int(row.get("revision") or 0)),
    )


def operation_row(row: Wire) -> tuple[Any, ...] | None:
    """Return the store's row of a change of a task's holder, or of an order's pause; None for all other operations."""
    paused = row["entityType"] == "ProcessInstance" and row["operationType"] in (SUSPEND, ACTIVATE)
    if not paused and (row["entityType"] != "Task" or row["property"] != "assignee"):
        return None
    return (
        *(row["id"], row["processInstanceId"], row["taskId"], row["operationType"]),
        *(row["userId"], row["newValue"], to_ms(row["timestamp"])),
    )


def record_row(row: Wire) -> tuple[Any, ...] | None:
    """Return the store's row of a complaint's or a cost's variable: which order, how much; the text stays away."""
    if row["variableName"] not in (ORDER, COST) or row["value"] is None:
        return None
    return (
        *(row["id"], row["processInstanceId"], RECORDS[row["processDefinitionKey"]], row["variableName"]),
        *(str(row["value"]), to_ms(row["time"])),
    )
