"""Entries of the register as the accountant reads them: read from the engine's history, pure from there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.register import Kept
from orders.dates import parse_moment
from orders.errors import Refused
from orders.snapshot import Scalar


class State(StrEnum):
    """Where an entry stands."""

    OPEN = "решения ещё нет"
    CONFIRMED = "подтверждена"
    ANNULLED = "отменена"
    WITHDRAWN = "снята программой"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One entry. Instants in UTC; hours are working hours; points are no money."""

    key: str
    state: State
    person: str
    order: str
    stage: str
    promise: datetime
    ready: datetime | None
    hours: float
    hours_first: float
    points: int
    rule: str
    act: str  # number and date of the local act in force at the decision, "" for none
    decided_by: str
    decided_at: datetime | None
    reason: str
    explanation: str
    appealed: bool = False  # the person did not agree with a decision


def read(kept: Iterable[Kept], first: datetime, last: datetime) -> list[Adjustment]:
    """Return the entries about promises in [first, last), oldest promise first; repeats and deleted ones are none."""
    found = [entry for each in kept if (entry := _entry(each)) is not None and first <= entry.promise < last]
    return sorted(found, key=lambda e: (e.promise, e.key))


def _entry(kept: Kept) -> Adjustment | None:
    values = kept.values
    promise, state = _moment(values.get("adjustPromise")), _state(kept)
    if promise is None or state is None or "adjustRule" not in values:
        return None
    signed = _signed(values.get("done_UserTask_DecideAdjustment"))
    return Adjustment(
        key=kept.key,
        state=state,
        person=_text(values, "adjustPerson"),
        order=_text(values, "orderKey"),
        stage=_text(values, "adjustStageName"),
        promise=promise,
        ready=_moment(values.get("adjustReadyAt")),
        hours=_number(values.get("adjustHours")),
        hours_first=_number(values.get("adjustHoursFirst")),
        points=int(_number(values.get("adjustPoints"))),
        rule=_text(values, "adjustRule"),
        act=_text(values, "adjustAct"),
        decided_by=signed.get("name", ""),
        decided_at=_moment(signed.get("at")),
        reason=_text(values, "adjustReason") or _text(values, "adjustWithdrawn"),
        explanation=_text(values, "adjustExplanation"),
        appealed=bool(_text(values, "appealReason")) or _text(values, "appealDecision") == "appeal",
    )


def _state(kept: Kept) -> State | None:
    if not kept.ended:
        return State.OPEN
    if not kept.completed:
        return None
    if kept.values.get("adjustWithdrawn"):
        return State.WITHDRAWN
    return {"confirm": State.CONFIRMED, "annul": State.ANNULLED}.get(_text(kept.values, "adjustDecision"))


def _signed(text: Scalar) -> dict[str, str]:
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return {k: str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _moment(text: Scalar) -> datetime | None:
    try:
        return parse_moment(text) if isinstance(text, str) and text else None
    except Refused:
        return None


def _number(value: Scalar) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _text(values: Mapping[str, Scalar], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
