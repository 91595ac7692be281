"""The plant's clock and deadlines, fulfilling `orders.ports.Clock` and `orders.ports.Deadlines`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from orders import norms
from orders.snapshot import Scalar
from orders.worktime import WorkingCalendar


class SystemClock:
    """The host's clock."""

    def now(self) -> datetime:
        """Return the present in UTC, aware."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class PlantDeadlines:
    """Norms on the plant's working calendar."""

    calendar: WorkingCalendar

    def due(self, start: datetime, norm: str, variables: Mapping[str, Scalar]) -> datetime | None:
        """Return the instant (UTC) at which a norm that began at `start` has passed, None where there is none."""
        return norms.due(self.calendar, start, norm, variables)
