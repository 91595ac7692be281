"""What history tells of an order, in the shape that every report works on. Values only.

All instants are whole milliseconds since 1970 in UTC, as exact as the engine's own; sums are kopecks.
"""

from __future__ import annotations

from dataclasses import dataclass

Ms = int

RUNNING, REMOVED, DUPLICATE = "running", "removed", "duplicate"
COMPLAINT, COST = "complaint", "cost"
OPEN, DONE, REFUSED_FILES, CANCELLED = "open", "done", "refused_files", "cancelled"


@dataclass(frozen=True, slots=True)
class Visit:
    """One step in front of people: from its opening to its answer."""

    id: str  # the engine's task
    instance_id: str
    number: int  # 1, 2, … in the order of opening
    element: str
    stage: str
    label: str
    department: str  # group id; empty where the diagram names a person
    customer: bool  # the time is the customer's, not ours
    version: int  # of the diagram, as the step was made by
    created: Ms
    claimed: Ms | None  # None = unknown, never "at once"
    ended: Ms | None
    due: Ms | None
    person: str | None  # who answered, else who holds it
    outcome: str  # OPEN | DONE | REFUSED_FILES | CANCELLED
    decision: str | None = None
    positive: bool | None = None  # None where nothing is approved
    comment: str | None = None
    again: bool = False  # opened once more because files were refused: no rework


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A file that was judged and taken, with what it was at that moment."""

    instance_id: str
    variable: str
    name: str
    size: int
    sha256: str
    by: str
    at: Ms


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision at a gate."""

    instance_id: str
    visit_id: str
    stage: str
    decision: str
    positive: bool
    person: str | None
    comment: str | None
    at: Ms


@dataclass(frozen=True, slots=True)
class Promise:
    """A ready date that was given to the customer, and when."""

    ready_by: Ms
    at: Ms


@dataclass(frozen=True, slots=True)
class Record:
    """What was recorded about an order after it was shipped: a complaint, or what it cost (kopecks)."""

    id: str  # of the process instance that recorded it
    kind: str  # COMPLAINT | COST
    order_instance_id: str
    at: Ms
    cost: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One process instance of the route."""

    instance_id: str
    key: str
    version: int
    started: Ms
    ended: Ms | None
    outcome: str  # RUNNING | "delivered" | "refused" | "rejected" | "cancelled" | DUPLICATE | REMOVED
    initiator: str | None = None
    customer: str | None = None
    item: str | None = None
    stage: str | None = None  # the open stage, else the last one
    promises: tuple[Promise, ...] = ()
    ready: Ms | None = None  # when production answered last
    invoiced: Ms | None = None
    paid: Ms | None = None
    estimate: int | None = None  # kopecks
    paid_sum: int | None = None  # kopecks
    reason: str | None = None  # why it was cancelled
    paused: tuple[tuple[Ms, Ms | None], ...] = ()  # suspended from … until …; None = still


@dataclass(frozen=True, slots=True)
class Deviation:
    """What an ended order did that its own version of the diagram does not draw, or a side door that was used."""

    text: str
    at: Ms | None = None
    who: str = ""


Checked = tuple[Deviation, ...]
"""The deviations of one ended order that was checked; empty = it went as drawn."""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """One order with everything below it."""

    order: Order
    visits: tuple[Visit, ...] = ()
    files: tuple[FileSeen, ...] = ()
    decisions: tuple[Decision, ...] = ()
