"""Places where a test may kill or interrupt the program: before and after each effect.

Active only when ORDER_ROUTE_TEST_BUILD=1. `FAILPOINT=name:action` or `FAILPOINT=name/detail:action` with the actions
`kill` (SIGKILL to the own process), `stop` (SIGSTOP: it sleeps until a SIGCONT) and `raise` (a Failpoint that no
handler catches); several are separated by commas. A failpoint that stops or raises fires once per process.
"""

from __future__ import annotations

import os
import signal
import threading

ENABLE = "ORDER_ROUTE_TEST_BUILD"
WHICH = "FAILPOINT"

_fired: set[str] = set()
_lock = threading.Lock()


class Failpoint(BaseException):
    """The program "dies" here; not an Exception, so that only a process' own end would look the same."""


def failpoint(name: str, detail: str = "") -> None:
    """Act if a test asked for this place; does nothing in a normal run."""
    if os.environ.get(ENABLE) != "1":
        return
    for entry in filter(None, os.environ.get(WHICH, "").split(",")):
        place, _, action = entry.partition(":")
        if place not in (name, f"{name}/{detail}"):
            continue
        if action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if action == "stop" and _first_time(entry):
            os.kill(os.getpid(), signal.SIGSTOP)
        if action == "raise" and _first_time(entry):
            raise Failpoint(entry)


def reset_failpoints() -> None:
    """Let every failpoint fire again."""
    with _lock:
        _fired.clear()


def _first_time(entry: str) -> bool:
    with _lock:
        if entry in _fired:
            return False
        _fired.add(entry)
        return True
