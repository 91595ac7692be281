"""Conformance of this shop's orders: what the engine's history holds, checked against each order's own diagram."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from app.wiring import ROUTE, Parts
from diagram.bpmn import Diagram
from engine.history import PastInstance, PastTask
from orders.parts import in_parts
from reports.conformance import Seen, Verdict, check

_PART, _AT_ONCE = 50, 4


def verdicts(parts: Parts, key: str | None = None, tell: Callable[[int, int], None] = lambda *_: None) -> list[Verdict]:
    """Check one order, or all ended ones, oldest first; repeated requests too. Raises EngineError."""
    history = parts.integration.history
    query = {"processInstanceBusinessKey": key} if key else {"finished": True}
    found = list(history.instances(processDefinitionKey=ROUTE, **query))
    made = []
    for verdict in _judged(parts, found):
        made.append(verdict)
        tell(len(made), len(found))
    return made


def verdicts_of(parts: Parts, instance_ids: Sequence[str]) -> Iterator[Verdict]:
    """Check many orders by their instances; what the engine has forgotten is left out. Raises EngineError."""
    for part in in_parts(instance_ids, _PART):
        yield from _judged(parts, parts.integration.history.find(processInstanceIds=list(part)))


def _judged(parts: Parts, instances: Sequence[PastInstance]) -> Iterator[Verdict]:
    """Check orders in the order given; a few at a time, for activities and operations are asked order by order."""
    known = _diagrams(parts)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for part in in_parts(instances, _PART):
            tasks = parts.integration.history.tasks_of([i.business_key for i in part])
            drawn = [known(i.definition_id) for i in part]
            yield from pool.map(lambda i, d, of=tasks: _verdict(parts, i, d, of.get(i.id, [])), part, drawn)


def _diagrams(parts: Parts) -> Callable[[str], Diagram]:
    """Return what reads the diagram of a definition, each once."""
    return cache(lambda definition: Diagram(parts.integration.processes.xml(definition)))


def _verdict(parts: Parts, instance: PastInstance, diagram: Diagram, tasks: Sequence[PastTask]) -> Verdict:
    history, technical = parts.integration.history, parts.technical
    seen = Seen(
        instance.business_key,
        instance.id,
        instance.ended is not None,
        list(history.activities(processInstanceId=instance.id)),
        history.operations(processInstanceId=instance.id),
        {t.id: t.element for t in tasks},
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
