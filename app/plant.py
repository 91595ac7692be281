"""The plant's clock, deadlines and staff as they are now; clock and deadlines fulfil `orders.ports`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orders import norms
from orders.persons import Staff, StaffError
from orders.snapshot import Scalar
from orders.staff import read_staff
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


class FreshStaff:
    """The staff file as it stands: read anew when it was changed, the last good one while it is wrong."""

    def __init__(self, path: Path, staff: Staff) -> None:
        self._path, self._staff = path, staff
        self._seen = self._stamp()

    def __call__(self) -> Staff:
        """Return the present staff."""
        if (stamp := self._stamp()) != self._seen:
            self._seen = stamp
            try:
                self._staff = read_staff(self._path.read_text(encoding="utf-8"))
            except (OSError, StaffError):
                return self._staff
        return self._staff

    def _stamp(self) -> float:
        try:
            return self._path.stat().st_mtime
        except OSError:
            return 0.0
