"""One order as the engine holds it at one moment: what the card, `status` and the answers are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Scalar = str | int | float | bool | None
Pause = tuple[datetime, datetime | None]
"""Suspended from … until … (UTC); None = still."""


@dataclass(frozen=True, slots=True)
class FileRef:
    """A judged file: its Info's sha256 equals its bytes (files without that are not in a snapshot)."""

    variable: str  # "designFile", "designFile_2"
    name: str  # NFC, as shown to people
    size: int  # bytes
    sha256: str  # hex
    by: str  # person id
    at: datetime  # UTC


@dataclass(frozen=True, slots=True)
class VisitDone:
    """One finished visit of a user task, in the order in which they ended."""

    visit: str  # activityInstanceId of the sync-stage before it
    task_id: str
    person: str  # id of who completed it
    person_name: str
    at: datetime  # UTC
    decision: str | None = None
    comment: str | None = None
    values: Mapping[str, Scalar] = field(default_factory=dict)  # what this completion wrote, files left out
    duration: float | None = None  # seconds, calendar
    due: datetime | None = None  # UTC, as it stood when the step was finished


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """The step that is in front of people now, or about to be (its sync-stage is still open)."""

    visit: str
    task_id: str  # user task's element id
    since: datetime  # UTC
    engine_task: str | None = None  # engine task id; None while sync-stage is open
    assignee: str | None = None
    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()  # candidate users, e.g. substitutes
    due: datetime | None = None  # UTC
    refusal: str | None = None  # why the files of the last attempt were refused


class RecordKind(StrEnum):
    """What may be written about an order beside its steps."""

    CORRECTED = "corrected"  # its data were corrected while it ran
    COMPLAINT = "complaint"  # the customer complained after shipping
    COST = "cost"  # what it really cost


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that somebody wrote about an order beside its steps, oldest first in a snapshot."""

    kind: RecordKind
    number: str  # "RCL-2026-00007" of a complaint, else "1", "2" … among those of its kind
    person: str | None  # person id
    at: datetime  # UTC
    text: str  # why it was corrected, what the complaint says, the actual cost as a sum ("110000.00")
    planned: str | None = None  # COST only: the estimate as a sum, None where the order has none


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """One order, whole. Times are UTC and aware."""

    key: str  # business key
    instance_id: str
    definition_id: str
    started: datetime
    initiator: str | None
    variables: Mapping[str, Scalar] = field(default_factory=dict)  # files left out
    files: tuple[FileRef, ...] = ()
    done: tuple[VisitDone, ...] = ()
    open: tuple[OpenVisit, ...] = ()
    ended: datetime | None = None
    end_id: str | None = None  # end event reached; the outcome, not the engine's `state`
    closing: str | None = None  # end event id whose sync-stage is open now
    incidents: int = 0
    records: tuple[Record, ...] = ()  # corrections, and of an ended order complaints and costs
    paused: tuple[Pause, ...] = ()  # when it was suspended, oldest first

    @property
    def running(self) -> bool:
        """Tell whether the engine still runs the instance."""
        return self.ended is None

    @property
    def suspended(self) -> bool:
        """Tell whether a running order is suspended now: nobody can work on it."""
        return self.running and bool(self.paused) and self.paused[-1][1] is None


@dataclass(frozen=True, slots=True)
class Promise:
    """The date that an order in production was promised for, and what was raised about it so far."""

    instance_id: str
    ready_by: str  # variable readyBy as the gate stored it, ISO 8601
    late_flags: str | None = None  # variable lateFlags
    late_reminder: str | None = None  # variable lateReminder
