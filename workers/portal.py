"""Whether work that can wait for the portal is fetched at all. The portal's client knows when it is down."""

from __future__ import annotations

import time
from collections.abc import Callable

PROBE_SECONDS = 15.0


class PortalWatch:
    """Keeps optional portal topics out of the poll while the portal is known to be down, but for a try every 15 s."""

    def __init__(self, is_down: Callable[[], bool], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._is_down = is_down
        self._monotonic = monotonic
        self._tried = float("-inf")

    @property
    def down(self) -> bool:
        """Tell whether the portal is known to be down."""
        return self._is_down()

    def may_fetch(self) -> bool:
        """Tell whether the next poll may ask for optional portal topics; while it is down, once in 15 s."""
        if not self.down:
            return True
        now = self._monotonic()
        if now - self._tried < PROBE_SECONDS:
            return False
        self._tried = now
        return True
