"""Norms of stages: how long a step may take, and the instant at which it is due."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orders.dates import parse_moment
from orders.errors import Permanent, Refused
from orders.snapshot import Scalar
from orders.worktime import WorkingCalendar

HOURS_A_DAY = 8.0
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([hd])")
_UNTIL = re.compile(r"until:([A-Za-z][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Norm:
    """Working hours, or the name of the variable that holds the instant. Exactly one of both."""

    hours: float | None = None
    until: str | None = None


def parse_norm(text: str) -> Norm:
    """Read `8h`, `2d` (1d = 8 working hours), `0h` (no deadline) or `until:readyBy`. Raises Permanent otherwise."""
    cleaned = text.strip()
    if match := _UNTIL.fullmatch(cleaned):
        return Norm(until=match[1])
    match = _AMOUNT.fullmatch(cleaned)
    hours = float(match[1]) * (HOURS_A_DAY if match[2] == "d" else 1.0) if match else -1.0
    if not 0 <= hours <= 10_000:
        raise Permanent(f"Норма «{text}» не понята: пишите 8h, 2d или until:readyBy")
    return Norm(hours=hours)


def due(
    calendar: WorkingCalendar, start: datetime, norm: str, variables: Mapping[str, Scalar] | None = None
) -> datetime | None:
    """Return when (UTC) a step begun at `start` is due; None without a norm or while the promise is not made.

    Raises Permanent for an unreadable norm or promise.
    """
    if not norm.strip():
        return None
    parsed = parse_norm(norm)
    if parsed.hours == 0:
        return None
    if parsed.hours is not None:
        return calendar.add(start, parsed.hours)
    promise = (variables or {}).get(parsed.until or "")
    if promise in (None, ""):
        return None
    try:
        return parse_moment(str(promise), calendar.zone)
    except Refused as error:
        raise Permanent(f"Срок «{parsed.until}» не прочитан: {error}") from None
