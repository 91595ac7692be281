"""Who is signed in to the board: opaque cookies, known to this process only.

A session ends after half a day without use, after 30 days at the latest, when the person signs out, leaves the staff
file or loses the account. A restart ends all: people sign in anew, nothing is kept on disk.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

IDLE_SECONDS, LONGEST_SECONDS = 12 * 3600.0, 30 * 86400.0
CHECK_SECONDS = 60.0  # how soon somebody whose account was removed is out
MOST = 10_000


@dataclass(slots=True)
class Session:
    """One browser of one person. `csrf` goes into each form of theirs."""

    person: str
    csrf: str
    began: float
    used: float
    checked: float


class Sessions:
    """The open sessions. `still_there` asks the engine about an account; safe to use from many threads."""

    def __init__(self, still_there: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._still_there, self._clock = still_there, clock
        self._open: dict[str, Session] = {}
        self._guard = threading.Lock()

    def begin(self, person: str) -> str:
        """Open a session and return the cookie's value; it is kept here as a hash only."""
        token, now = secrets.token_urlsafe(32), self._clock()
        with self._guard:
            self._sweep(now)
            self._open[_hash(token)] = Session(person, secrets.token_urlsafe(24), now, now, now)
        return token

    def find(self, token: str | None) -> Session | None:
        """Return the session of a cookie, None where it has ended or never was. Raises what `still_there` raises."""
        if not token or len(token) > 100:
            return None
        key, now = _hash(token), self._clock()
        with self._guard:
            session = self._open.get(key)
            if session is None:
                return None
            if now - session.used > IDLE_SECONDS or now - session.began > LONGEST_SECONDS:
                del self._open[key]
                return None
            session.used = now
            asked = now - session.checked > CHECK_SECONDS
        if asked:
            if not self._still_there(session.person):
                self.end(token)
                return None
            session.checked = now
        return session

    def end(self, token: str | None) -> None:
        """Close a session."""
        with self._guard:
            self._open.pop(_hash(token or ""), None)

    def _sweep(self, now: float) -> None:
        """Forget what has ended; beyond the limit the longest unused give way."""
        self._open = {k: s for k, s in self._open.items() if now - s.used <= IDLE_SECONDS}
        if len(self._open) >= MOST:
            for key, _ in sorted(self._open.items(), key=lambda kept: kept[1].used)[: MOST // 10]:
                del self._open[key]


def same(given: str, wanted: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
