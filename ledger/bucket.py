"""The leaky bucket that all processes on all hosts share, with two lanes.

The portal counts +1 per request, lets `rate` per second leak out and refuses above `burst` (bitrix24.md 1). People's
steps may use all of it; sweeps and imports at most half, and never the upper half that people may need at once.
After a refusal the rate halves for a minute.
"""

from __future__ import annotations

from dataclasses import dataclass

SLOW_SECONDS = 60.0
PEOPLE, SWEEP = "people", "sweep"


@dataclass(frozen=True, slots=True)
class Level:
    """How full the bucket is, in requests; times in seconds since 1970."""

    level: float = 0.0
    sweep_level: float = 0.0
    at: float = 0.0
    slow_until: float = 0.0


def leaked(state: Level, rate: float, now: float) -> Level:
    """Return the bucket at `now`, at half the rate while it is slowed down."""
    passed = max(0.0, now - state.at)
    slow = min(passed, max(0.0, state.slow_until - state.at))
    out = rate * (passed - slow / 2)
    level, own = max(0.0, state.level - out), max(0.0, state.sweep_level - out / 2)
    return Level(level, own, max(now, state.at), state.slow_until)


def take(state: Level, rate: float, burst: float, lane: str, now: float) -> tuple[Level, float]:
    """Take one token: (bucket after, seconds to wait); with a wait nothing was taken."""
    here = leaked(state, rate, now)
    speed = rate / 2 if now < here.slow_until else rate
    wait = _wait(here.level, burst if lane == PEOPLE else max(1.0, burst / 2), speed)
    if lane != PEOPLE:
        wait = max(wait, _wait(here.sweep_level, max(1.0, burst / 2), speed / 2))
    if wait > 0:
        return here, wait
    own = 1.0 if lane != PEOPLE else 0.0
    return Level(here.level + 1, here.sweep_level + own, here.at, here.slow_until), 0.0


def penalised(state: Level, now: float) -> Level:
    """Return the bucket after the portal refused a request for its rate."""
    return Level(state.level, state.sweep_level, state.at, max(state.slow_until, now + SLOW_SECONDS))


def _wait(level: float, room: float, speed: float) -> float:
    over = level + 1 - room
    return over / speed if over > 1e-9 else 0.0
