"""The portal's brakes: a leaky bucket over HTTP requests and a budget of run time per method."""

from __future__ import annotations

from collections import defaultdict, deque

BASKET = 60  # seconds
BASKETS = 10


class LeakyBucket:
    """Counter that rises by one per request and falls by `drain` per second; above `size` requests are refused."""

    def __init__(self, size: float, drain: float) -> None:
        self.size, self.drain = size, drain
        self._level = 0.0
        self._seen = 0.0

    def take(self, now: float) -> bool:
        """Count one request at `now` (seconds); False if the bucket is full, then it is not counted."""
        self._level = max(0.0, self._level - (now - self._seen) * self.drain)
        self._seen = now
        if self._level + 1 > self.size:
            return False
        self._level += 1
        return True


class Operating:
    """Run time used by each method over the last ten minutes, in baskets of one minute."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._used: dict[str, deque[tuple[int, float]]] = defaultdict(deque)

    def used(self, method: str, now: float) -> float:
        """Return the seconds that count against the method now."""
        oldest = int(now) // BASKET - BASKETS + 1
        baskets = self._used[method]
        while baskets and baskets[0][0] < oldest:
            baskets.popleft()
        return sum(seconds for _, seconds in baskets)

    def add(self, method: str, now: float, seconds: float) -> None:
        """Count the run time of one call."""
        basket = int(now) // BASKET
        baskets = self._used[method]
        if baskets and baskets[-1][0] == basket:
            baskets[-1] = (basket, baskets[-1][1] + seconds)
        else:
            baskets.append((basket, seconds))

    def blocked(self, method: str, now: float) -> bool:
        """Tell whether the method has used up its budget."""
        return self.used(method, now) >= self.limit

    def reset_at(self, method: str, now: float) -> int:
        """Return the moment (epoch seconds) at which part of the budget comes back."""
        baskets = self._used[method]
        first = baskets[0][0] if baskets else int(now) // BASKET
        return (first + BASKETS) * BASKET
