"""Conformance of this shop's orders: what the engine's history holds, checked against each order's own diagram."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache

from app.wiring import ROUTE, Parts
from diagram.bpmn import Diagram
from engine.history import PastInstance
from reports.conformance import Seen, Verdict, check


def verdicts(parts: Parts, key: str | None = None, tell: Callable[[int, int], None] = lambda *_: None) -> list[Verdict]:
    """Check one order, or all ended ones, oldest first; repeated requests too. Raises EngineError."""
    history = parts.integration.history
    query = {"processInstanceBusinessKey": key} if key else {"finished": True}
    found = list(history.instances(processDefinitionKey=ROUTE, **query))
    known = _diagrams(parts)
    made = []
    for number, instance in enumerate(found, 1):
        made.append(_verdict(parts, instance, known(instance.definition_id)))
        tell(number, len(found))
    return made


def checker(parts: Parts) -> Callable[[str], Verdict | None]:
    """Return what checks one order by its instance; None where the engine has forgotten it."""
    known = _diagrams(parts)

    def verdict(instance_id: str) -> Verdict | None:
        found = next(iter(parts.integration.history.instances(processInstanceIds=[instance_id])), None)
        return None if found is None else _verdict(parts, found, known(found.definition_id))

    return verdict


def _diagrams(parts: Parts) -> Callable[[str], Diagram]:
    """Return what reads the diagram of a definition, each once."""
    return cache(lambda definition: Diagram(parts.integration.processes.xml(definition)))


def _verdict(parts: Parts, instance: PastInstance, diagram: Diagram) -> Verdict:
    history, technical = parts.integration.history, parts.technical
    seen = Seen(
        instance.business_key,
        instance.id,
        instance.ended is not None,
        list(history.activities(processInstanceId=instance.id)),
        history.operations(processInstanceId=instance.id),
        {t.id: t.element for t in history.tasks(processInstanceId=instance.id)},
    )
    accounts = {technical.worker, technical.integration, technical.deployer}
    return check(
        seen, diagram, parts.route(instance.definition_id), parts.staff, accounts, lambda task: _let_in(parts, task)
    )


def _let_in(parts: Parts, task_id: str) -> Collection[str]:
    """Return the persons that were ever made candidates of a step by name."""
    rows = parts.integration.caller.rows(
        "/history/identity-link-log", {"taskId": task_id, "type": "candidate"}, sort="time"
    )
    return {str(row["userId"]) for row in rows if row["userId"]}
