"""The watch over the portal as a loop of a worker process."""

from __future__ import annotations

from bitrix_sync.watch import Watch
from workers.loops import Loop
from workers.metrics import process_metrics

REST_SECONDS = 0.5  # between two looks into the inbox
LEAVE_SECONDS = 2.0
ALIVE_SECONDS = 300.0  # a turn may repair twenty cards of a slow portal


class WatchLoop:
    """Turns the watch in a thread; `healthy` tells that it still turns."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._loop = Loop("portal-watch", self._turn, process_metrics())

    def start(self) -> None:
        """Begin to look."""
        self._loop.start()

    def end(self) -> None:
        """Ask it to end after the present turn; returns at once."""
        self._loop.stop()

    def stop(self) -> None:
        """End and let another process look; one whose turn is long is left, the next process waits for its lease."""
        self.end()
        if self._loop.join(LEAVE_SECONDS):
            self._watch.release()

    def healthy(self) -> bool:
        """Tell whether the thread lives and has turned lately."""
        return self._loop.beaten(ALIVE_SECONDS)

    def _turn(self) -> None:
        self._watch.turn()
        self._loop.rest(REST_SECONDS)
