"""A user task or start as plain text values, read leniently: for comparing versions, also ones that `check` refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from diagram.bpmn import Node
from diagram.properties import names


@dataclass(frozen=True, slots=True)
class Asked:
    """One field of a form."""

    kind: str
    label: str
    choices: Mapping[str, str] = field(default_factory=dict)  # value -> label
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What a step asks for. `required`: field -> when ("" always, else a decision or a comparison)."""

    id: str
    name: str
    code: str
    label: str
    norm: str
    groups: tuple[str, ...]
    assignee: str | None
    fields: Mapping[str, Asked]
    required: Mapping[str, tuple[str, ...]]
    comment_on: tuple[str, ...]
    waits: str | None
    timers: int

    def said(self, decision: str) -> str:
        """Return the label of a decision, or its value."""
        return next((f.choices[decision] for f in self.fields.values() if decision in f.choices), decision)


def step_of(node: Node, timers: int = 0) -> Step:
    """Read one node. `timers`: how many timers watch it."""
    p = node.properties
    required: dict[str, tuple[str, ...]] = {}
    for demand in names(p.get("required")):
        name, _, when = (part.strip() for part in demand.partition("@"))
        required[name] = (*required.get(name, ()), when)
    fields = {key.removeprefix("field."): _asked(text) for key, text in p.items() if key.startswith("field.")}
    return Step(
        id=node.id,
        name=node.name or node.id,
        code=p.get("stage", ""),
        label=p.get("label", ""),
        norm=p.get("norm", ""),
        groups=names(node.camunda("candidateGroups")),
        assignee=node.camunda("assignee"),
        fields=fields,
        required=required,
        comment_on=names(p.get("commentOn")),
        waits=p.get("waits"),
        timers=timers,
    )


def _asked(text: str) -> Asked:
    kind, label, rest = (*(part.strip() for part in text.split(";", 2)), "", "")[:3]
    if kind == "choice":
        pairs = (part.partition("=") for part in names(rest))
        return Asked(kind, label, {value.strip(): said.strip() or value.strip() for value, _, said in pairs})
    return Asked(kind, label, options=names(rest))
