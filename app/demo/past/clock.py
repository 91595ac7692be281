"""The engine's clock, which a demo may move: forward from due job to due job, so that timers fire on their days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import requests

from engine.embedded import EmbeddedEngine

_TIMEOUT = 120.0


class EngineTime:
    """Moves the clock of an engine in the demo profile; `drained` returns when no external task is left."""

    def __init__(self, engine: EmbeddedEngine, drained: Callable[[], None]) -> None:
        self._address = f"{engine.root}/demo/clock"
        self._session = requests.Session()
        self._session.auth = (engine.admin_user, engine.admin_password.get_secret_value())
        self._drained = drained
        self.now = datetime.now(UTC)

    def begin(self, at: datetime) -> None:
        """Set the clock where the history begins. Only on an engine on which nothing was ever started."""
        self._post("begin", at)

    def advance(self, to: datetime) -> None:
        """Go to a moment; every timer on the way fires in its time, and what it sets off is worked off there."""
        while to > self.now:
            answer = self._post("advance", to)
            if answer["failed"]:
                raise RuntimeError(f"timers failed: {answer['failed']}")
            if answer["jobs"]:
                self._drained()
            if answer["arrived"]:
                return

    def reset(self) -> None:
        """Go back to real time; the simulated present must lie before it."""
        self._post("reset", None)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _post(self, path: str, to: datetime | None) -> dict[str, object]:
        body = {"to": to.astimezone(UTC).isoformat()} if to else {}
        answer = self._session.post(f"{self._address}/{path}", json=body, timeout=_TIMEOUT)
        answer.raise_for_status()
        found = dict(answer.json())
        self.now = datetime.fromisoformat(str(found["now"]))
        return found
