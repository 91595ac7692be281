"""What the stock routes tell of one order at a time, for many at once, by our server's own route."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.calls import Caller
from engine.tasks import Candidates


@dataclass(frozen=True, slots=True)
class ManySteps:
    """Candidates by task id; number of open incidents and reached end events (in order) by instance id."""

    candidates: Mapping[str, Candidates] = field(default_factory=dict)
    incidents: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Steps:
    """Calls on our server's route; the integration account only."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def of_many(self, instance_ids: Sequence[str]) -> ManySteps:
        """Read candidates, incidents and ends of up to 2,000 instances in one request; of none without one."""
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
        )
