"""How long steps take: what is left of an open one, judged by those that went before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reports.clock import HOUR, WorkClock
from reports.facts import Ms
from reports.figures import enough, quantile

SHARE = 0.85  # so many of a hundred steps take no longer


@dataclass(frozen=True, slots=True)
class Pace:
    """Working hours that finished steps took, by stage code."""

    taken: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def remaining(self, stage: str, age: float) -> float | None:
        """Return how many working hours a step of that age still takes in 85 of 100 cases.

        Judged by the steps that took longer than that; None where there are too few of them to tell.
        """
        longer = [hours for hours in self.taken.get(stage, ()) if hours > age]
        return quantile(longer, SHARE) - age if len(longer) >= enough(SHARE) else None


def pace_of(spans: Iterable[tuple[str, Ms, Ms]], clock: WorkClock) -> Pace:
    """Return the pace of finished steps, each (stage code, opened, answered)."""
    taken: dict[str, list[float]] = {}
    for stage, opened, answered in spans:
        taken.setdefault(stage, []).append(clock.worked(opened, answered) / HOUR)
    return Pace({stage: tuple(hours) for stage, hours in taken.items()})
