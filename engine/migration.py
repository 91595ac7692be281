"""Move running orders to another version of their diagram: where each stands, a plan per version, all or none.

Triggers are never renewed: a timer keeps its due date to the second, its job only learns the new definition. The
engine moves the orders of one call in one transaction; orders of several versions are several calls, so when a later
one fails the earlier ones are moved back.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.calls import Caller
from engine.errors import Conflict, EngineError
from engine.rest import path_id

Plan = dict[str, Any]
_SECONDS = 300.0  # the engine moves all orders of a call in one transaction
_TRIES, _PAUSE_SECONDS = 6, 0.5  # a worker may finish a step at the same moment


@dataclass(frozen=True, slots=True)
class Standing:
    """A running order and the elements at which it stands, its scopes included."""

    instance_id: str
    business_key: str
    definition_id: str
    suspended: bool
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """All orders of one version with the plan that moves them."""

    plan: Plan
    orders: tuple[Standing, ...]

    def mapped(self) -> set[str]:
        """Return the elements from which the plan leads somewhere."""
        return {each for instruction in self.plan["instructions"] for each in instruction["sourceActivityIds"]}

    def stuck(self) -> dict[str, tuple[str, ...]]:
        """Return instance id -> the elements that the new version does not have; empty: all can go."""
        mapped = self.mapped()
        stuck = {each.instance_id: tuple(e for e in each.elements if e not in mapped) for each in self.orders}
        return {instance: elements for instance, elements in stuck.items() if elements}


class Migrations:
    """Calls on migration; the deployers' account may make them."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def counts(self, definition_id: str) -> dict[str, int]:
        """Return element id -> how many orders of a version stand there."""
        rows = self._caller.rest("GET", f"/process-definition/{path_id(definition_id)}/statistics").json()
        return {row["id"]: int(row["instances"]) for row in rows}

    def running(self, process_id: str) -> int:
        """Return how many instances of a process run, all versions."""
        query = {"processDefinitionKey": process_id}
        return int(self._caller.rest("GET", "/process-instance/count", params=query).json()["count"])

    def standing(self, definition_id: str) -> list[Standing]:
        """Return the running orders of a version with where each stands."""
        rows = self._caller.rows("/process-instance", {"processDefinitionId": definition_id}, sort="instanceId")
        return [self._standing(row) for row in rows]

    def _standing(self, row: Mapping[str, Any]) -> Standing:
        tree = self._caller.rest("GET", f"/process-instance/{path_id(row['id'])}/activity-instances").json()
        elements = tuple(dict.fromkeys(_elements(tree)))
        return Standing(row["id"], row.get("businessKey") or "", row["definitionId"], bool(row["suspended"]), elements)

    def plan(self, source: str, target: str) -> Plan:
        """Let the engine match the elements of two versions by id."""
        body = {"sourceProcessDefinitionId": source, "targetProcessDefinitionId": target, "updateEventTriggers": False}
        plan: Plan = self._caller.rest("POST", "/migration/generate", body=body).json()
        return plan

    def problems(self, plan: Plan) -> list[str]:
        """Return what the engine says against a plan; empty: it may be carried out."""
        report = self._caller.rest("POST", "/migration/validate", body=plan).json()
        return [
            f"{', '.join(each['instruction']['sourceActivityIds'])}: {failure}"
            for each in report.get("instructionReports") or ()
            for failure in each.get("failures") or ()
        ]

    def move(self, moves: Sequence[Move]) -> None:
        """Carry out all moves or none. Raises EngineError; then every order is where it was."""
        done: list[Move] = []
        try:
            for each in moves:
                self._execute(each.plan, each)
                done.append(each)
        except EngineError:
            for each in reversed(done):
                self._execute(_back(each.plan), each)
            raise

    def _execute(self, plan: Plan, move: Move) -> None:
        body = {"migrationPlan": plan, "processInstanceIds": [each.instance_id for each in move.orders]}
        for left in range(_TRIES, 0, -1):
            try:
                self._caller.rest("POST", "/migration/execute", body=body, timeout=_SECONDS, once=True)
            except Conflict:
                if left == 1:
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                return


def _back(plan: Plan) -> Plan:
    """Return the plan that undoes a plan."""
    turned = [
        {
            "sourceActivityIds": each["targetActivityIds"],
            "targetActivityIds": each["sourceActivityIds"],
            "updateEventTrigger": False,
        }
        for each in plan["instructions"]
    ]
    return {
        "sourceProcessDefinitionId": plan["targetProcessDefinitionId"],
        "targetProcessDefinitionId": plan["sourceProcessDefinitionId"],
        "instructions": turned,
    }


def _elements(tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield the elements below the process itself; a step about to begin counts as stood at."""
    for child in tree.get("childActivityInstances") or ():
        yield child["activityId"]
        yield from _elements(child)
    for child in tree.get("childTransitionInstances") or ():
        yield child["activityId"]
