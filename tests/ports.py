"""Ports for programs that a test starts later, or publishes from a container."""

from __future__ import annotations

import random
import socket

# Below the range from which the kernel gives ports to everybody else (32768 and up): a port found free here is still
# free seconds later, and the address translation of a container that was killed never meets a listener of another test.
_FIRST, _LAST = 20_000, 29_999
_TRIES = 200


def free_port() -> int:
    """Return a port that nobody listens on now, on any address. Raises OSError when there is none."""
    for _ in range(_TRIES):
        port = random.SystemRandom().randint(_FIRST, _LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {_FIRST} and {_LAST}")


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now, each another."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return sorted(found)
