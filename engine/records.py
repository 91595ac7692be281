"""What people wrote about an order beside its steps, out of history: corrections, complaints, actual costs.

Corrections are writes of the order's own variables. Complaints and costs come after the order's end: each is a process
instance of its own that names the order in `orderInstanceId` (the start gate found it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

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


def after_shipping(client: EngineClient, estimates: Mapping[str, str | None]) -> dict[str, list[Record]]:
    """Return complaints and costs of these orders, oldest first, by instance id; `estimates`: what each had planned.

    One request where there are none, else two.
    """
    found: dict[str, list[Record]] = {instance_id: [] for instance_id in estimates}
    if not estimates:
        return found
    one_of = [{"name": _ORDER, "operator": "eq", "value": instance_id} for instance_id in estimates]
    instances = client.history.find(orQueries=[{"variables": one_of}])
    instances = [each for each in instances if each.definition_key in (COMPLAINT, COST)]
    said = _texts(client, [each.id for each in instances])
    for instance in instances:
        texts = said.get(instance.id, {})
        order = texts.get(_ORDER, "")
        record = _record(instance, texts, estimates.get(order), found.get(order, ()))
        if record is not None and order in found:
            found[order].append(record)
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
