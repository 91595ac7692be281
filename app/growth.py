"""How fast the databases grow: what was seen at the last look is kept in the data folder and compared."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_FILE = "doctor.json"


@dataclass(frozen=True, slots=True)
class Growth:
    """How much something grew (bytes, negative where it shrank) in how many days."""

    size: int
    days: float

    def days_left(self, free: int) -> float | None:
        """Return in how many days at this pace the free bytes are used up, None where nothing grows."""
        return free * self.days / self.size if self.size > 0 and self.days > 0 else None


def since_last_look(data_dir: Path, sizes: dict[str, int], now: datetime | None = None) -> dict[str, Growth]:
    """Return the growth of each name that was seen before, and keep what is seen now for the next look.

    Nothing is kept where the folder cannot be written, nor when the last look was less than an hour ago: then the next
    look still compares with that one.
    """
    file, now = data_dir / _FILE, now or datetime.now(UTC)
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
        days = (now - datetime.fromisoformat(before["at"])).total_seconds() / 86400
        found = {
            name: Growth(size - before["sizes"][name], days) for name, size in sizes.items() if name in before["sizes"]
        }
    except (OSError, ValueError, KeyError, TypeError):
        days, found = float("inf"), {}
    if days > 1 / 24 and os.access(data_dir, os.W_OK):
        file.write_text(json.dumps({"at": now.isoformat(), "sizes": sizes}), encoding="utf-8")
    return found
