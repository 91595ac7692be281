"""What the stock routes tell of one order at a time, for many at once, by our server's own route."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.calls import Caller, Row
from engine.tasks import Candidates
from engine.variables import from_instant
from orders.snapshot import Pause

SUSPEND, ACTIVATE = "Suspend", "Activate"
"""Operations of the engine's log."""


@dataclass(frozen=True, slots=True)
class ManySteps:
    """Candidates by task id; number of open incidents, reached end events and pauses (in order) by instance id."""

    candidates: Mapping[str, Candidates] = field(default_factory=dict)
    incidents: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pauses: Mapping[str, tuple[Pause, ...]] = field(default_factory=dict)


class Steps:
    """Calls on our server's route; the integration account only."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def of_many(self, instance_ids: Sequence[str]) -> ManySteps:
        """Read all that of up to 2,000 instances in one request; of none without one."""
        if not instance_ids:
            return ManySteps()
        told = self._caller.rest("POST", "/order/steps", body={"instances": list(instance_ids)}).json()
        groups: dict[str, list[str]] = {}
        users: dict[str, list[str]] = {}
        for row in told["candidates"]:
            kind, who = (groups, row.get("group")) if "group" in row else (users, row.get("user"))
            kind.setdefault(row["id"], []).append(who)
        ends: dict[str, list[str]] = {}
        for row in told["ends"]:
            ends.setdefault(row["instance"], []).append(row["id"])
        return ManySteps(
            {t: Candidates(tuple(groups.get(t, ())), tuple(users.get(t, ()))) for t in {*groups, *users}},
            Counter(row["instance"] for row in told["incidents"]),
            ends,
            _pauses(told["pauses"]),
        )


def _pauses(rows: Sequence[Row]) -> dict[str, tuple[Pause, ...]]:
    """Return from when until when each order was suspended; the log names every call, also one without effect."""
    found: dict[str, list[Pause]] = {}
    for row in rows:
        spans, at = found.setdefault(row["instance"], []), from_instant(row["at"])
        open_ = bool(spans) and spans[-1][1] is None
        if row["id"] == SUSPEND and not open_:
            spans.append((at, None))
        elif row["id"] == ACTIVATE and open_:
            spans[-1] = (spans[-1][0], at)
    return {instance: tuple(spans) for instance, spans in found.items()}
