"""What people wrote about an order beside its steps, out of history: corrections, complaints, actual costs.

Corrections are writes of the order's own variables. Complaints and costs come after the order's end: each is a process
instance of its own that names the order in `orderInstanceId` (the start gate found it).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter

from engine.client import EngineClient
from engine.history import PastInstance, Update, since_second
from orders.parts import in_parts
from orders.snapshot import Record, RecordKind

COMPLAINT, COST = "record-complaint", "record-actual-cost"
_ORDER = "orderInstanceId"


def corrections(updates: Sequence[Update]) -> list[Record]:
    """Return the corrections among an order's writes, oldest first; each one writes its reason and its author."""
    reasons = [u for u in updates if u.name == "correctReason" and isinstance(u.value, str)]
    authors = [u.value for u in updates if u.name == "correctedBy" and isinstance(u.value, str)]
    return [
        Record(RecordKind.CORRECTED, str(n), author, reason.at, reason.value)
        for n, (reason, author) in enumerate(zip(reasons, authors, strict=False), 1)
    ]


def after_shipping(client: EngineClient, instance_id: str, estimate: str | None) -> list[Record]:
    """Return complaints and costs of an order, oldest first: one request where there are none, else three."""
    named = client.history.variables(variableName=_ORDER, variableValue=instance_id)
    ids = [found.instance_id for found in named]
    if not ids:
        return []
    instances = [i for i in client.history.instances(processInstanceIds=ids) if i.definition_key in (COMPLAINT, COST)]
    said = _texts(client, [i.id for i in instances])
    found: list[Record] = []
    for instance in sorted(instances, key=attrgetter("started")):
        record = _record(instance, said.get(instance.id, {}), estimate, found)
        if record is not None:
            found.append(record)
    return found


def orders_recorded(client: EngineClient, since: datetime) -> list[str]:
    """Return the ids of the orders that a complaint or a cost was recorded about since then (aware)."""
    moment = since_second(since)
    ids = [
        instance.id
        for process in (COMPLAINT, COST)
        for instance in client.history.instances(processDefinitionKey=process, startedAfter=moment)
    ]
    return list(dict.fromkeys(texts[_ORDER] for texts in _texts(client, ids).values() if _ORDER in texts))


def _record(
    instance: PastInstance, said: dict[str, str], estimate: str | None, before: Iterable[Record]
) -> Record | None:
    kind = RecordKind.COMPLAINT if instance.definition_key == COMPLAINT else RecordKind.COST
    text = said.get("complaintText" if kind is RecordKind.COMPLAINT else "actualCost")
    if text is None:  # erased
        return None
    number = instance.business_key or str(1 + sum(record.kind is kind for record in before))
    planned = (said.get("plannedCost") or estimate) if kind is RecordKind.COST else None
    return Record(kind, number, said.get("initiator") or instance.start_user, instance.started, text, planned)


def _texts(client: EngineClient, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for part in in_parts(ids, 50):
        for variable in client.history.variables(processInstanceIdIn=list(part)):
            if isinstance(variable.value, str):
                found.setdefault(variable.instance_id, {})[variable.name] = variable.value
    return found
