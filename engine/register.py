"""The register of bonus adjustments in the engine: entries are instances of a process of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.client import EngineClient
from engine.errors import NotFound
from engine.facts import scalar
from engine.history import since_second
from engine.variables import from_instant
from orders.adjustment import PROCESS, StepLog
from orders.parts import in_parts
from orders.snapshot import Scalar


def step_log(client: EngineClient, instance_id: str) -> StepLog:
    """Read from the user operation log who took an order's steps when, and when the order was suspended."""
    rows = client.history.operations(processInstanceId=instance_id)
    taken = [(from_instant(r["timestamp"]), r["newValue"]) for r in rows if r["property"] == "assignee"]
    suspended = [from_instant(r["timestamp"]) for r in rows if r["operationType"] == "Suspend"]
    return StepLog(tuple(sorted(taken, key=lambda pair: pair[0])), tuple(sorted(suspended)))


def entries(client: EngineClient, key: str) -> list[str]:
    """Return the ids of the entries under a key, oldest first."""
    query = {"processInstanceBusinessKey": key, "processDefinitionKey": PROCESS}
    return [instance.id for instance in client.history.instances(**query)]


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as history keeps it: its variables, files left out; `completed` = it ran to one of its ends."""

    key: str
    ended: bool
    completed: bool
    values: Mapping[str, Scalar]


def begun_between(client: EngineClient, first: datetime, last: datetime) -> list[Kept]:
    """Read the entries that were begun from `first` on and before `last` (aware), oldest first."""
    query = {"startedAfter": since_second(first), "startedBefore": since_second(last)}
    found = list(client.history.instances(processDefinitionKey=PROCESS, **query))
    values: dict[str, dict[str, Scalar]] = {}
    for part in in_parts([instance.id for instance in found], 50):
        for variable in client.history.variables(processInstanceIdIn=list(part)):
            values.setdefault(variable.instance_id, {})[variable.name] = scalar(variable.value)
    return [Kept(i.business_key, i.ended is not None, i.state == "COMPLETED", values.get(i.id, {})) for i in found]


def propose(client: EngineClient, key: str, values: Mapping[str, Scalar]) -> None:
    """Begin an entry. An engine without the process (an older folder of diagrams) keeps no register."""
    try:
        client.processes.newest(PROCESS)
    except NotFound:
        return
    client.processes.start(PROCESS, values, business_key=key)
