"""What a stage, its fields and a route are. Read from the deployed diagram by `diagram.stages`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FieldKind(StrEnum):
    """Type of a form field: the word before the first semicolon of a `field.*` property."""

    LINE = "line"  # at most 255 characters
    TEXT = "text"  # at most 4,000 characters
    CHOICE = "choice"
    SUM = "sum"  # roubles as text, dot, two digits: "125000.00", more than zero
    DATE = "date"  # YYYY-MM-DD
    MOMENT = "moment"  # ISO 8601 with offset
    FILE = "file"
    FILES = "files"  # name, name_2 … name_20

    @property
    def holds_files(self) -> bool:
        """Tell whether the value is a file."""
        return self in (FieldKind.FILE, FieldKind.FILES)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a stage's form, in the order of the diagram."""

    name: str
    kind: FieldKind
    label: str
    choices: tuple[tuple[str, str], ...] = ()  # (value, Russian label)
    options: tuple[str, ...] = ()  # "future" or "past"


@dataclass(frozen=True, slots=True)
class Demand:
    """One entry of `required`: always, only with a decision, or only when two fields differ.

    `orderFile` · `readyBy@approve` (decision value) · `paymentComment@paidSum!=estimateSum`.
    """

    field: str
    decision: str | None = None
    differs: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One user task with a `stage` property: column, form, gate, norm and who may do it."""

    task_id: str  # element id, e.g. "UserTask_PrepareEstimate"; never changes
    code: str  # column code, e.g. "estimate"; unique, never changes
    name: str  # the task's name: what to do
    label: str  # the column's title
    norm: str  # "8h" | "2d" | "until:readyBy"
    groups: tuple[str, ...] = ()
    assignee: str | None = None  # an expression such as "${initiator}"
    fields: tuple[Field, ...] = ()
    required: tuple[Demand, ...] = ()
    comment_on: tuple[str, ...] = ()  # decisions that ask for the first text field
    waits: str | None = None  # "customer": this time is not ours
    track: tuple[str, str] | None = None  # what the customer reads of it, in Russian and English
    documentation: str = ""

    def decision_field(self) -> Field | None:
        """Return the first choice field, or None where there is nothing to decide."""
        return next((f for f in self.fields if f.kind is FieldKind.CHOICE), None)

    def buttons_field(self) -> Field | None:
        """Return the decision that is shown as buttons, None where the first choice is a plain question."""
        first = self.decision_field()
        asks = first is not None and (first.name.endswith("Decision") or bool(self.comment_on))
        return first if asks else None

    def comment_field(self) -> Field | None:
        """Return the stage's first text field, the one that `commentOn` means."""
        return next((f for f in self.fields if f.kind is FieldKind.TEXT), None)

    def file_fields(self) -> tuple[Field, ...]:
        """Return the fields that hold files."""
        return tuple(f for f in self.fields if f.kind.holds_files)


@dataclass(frozen=True, slots=True)
class Route:
    """What code needs to know of one version of the diagram."""

    process_id: str
    stages: tuple[Stage, ...]  # in the order of the route
    start_id: str  # the process's own start event
    start_fields: tuple[Field, ...] = ()
    start_required: tuple[Demand, ...] = ()
    ends: tuple[str, ...] = ()  # top-level outcome ends and those of interrupting event sub-processes
    end_names: Mapping[str, str] = field(default_factory=dict)  # end event id -> its Russian name
    topics: Mapping[str, str] = field(default_factory=dict)  # service task id -> topic
    sync_targets: Mapping[str, str] = field(default_factory=dict)  # sync-stage id -> user task or end event id
    judged: Mapping[str, str] = field(default_factory=dict)  # validate-attachments id -> user task or start event
    caught: Mapping[str, frozenset[str]] = field(default_factory=dict)  # service task id -> error codes caught
    properties: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # element id -> camunda:property

    def stage(self, task_id: str) -> Stage | None:
        """Return the stage of a user task id, or None."""
        return next((s for s in self.stages if s.task_id == task_id), None)

    def stage_of_code(self, code: str) -> Stage | None:
        """Return the stage of a column code, or None."""
        return next((s for s in self.stages if s.code == code), None)
