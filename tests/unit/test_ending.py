"""Rule: worker and portal watch are asked to end before either is waited for, and a watch in a long turn is left: what
a supervisor asks to end is gone before it is killed, and tasks in hand are given back.
"""

from __future__ import annotations

import threading
import time

import pytest

from app import programs, watching
from app.watching import WatchLoop


class Noted:
    """Stands for worker and watch; notes what is asked of it."""

    def __init__(self, name: str, said: list[str]) -> None:
        self.name, self.said = name, said

    def start(self) -> None:
        """Note it."""
        self.said.append(f"{self.name} starts")

    def end(self) -> None:
        """Note it."""
        self.said.append(f"{self.name} is asked to end")

    def stop(self) -> None:
        """Note it."""
        self.said.append(f"{self.name} is waited for")


class LongTurn:
    """A watch whose turn lasts until the test is over."""

    def __init__(self) -> None:
        self.begun, self.over, self.released = threading.Event(), threading.Event(), False

    def turn(self) -> None:
        """Look for long."""
        self.begun.set()
        self.over.wait(60)

    def release(self) -> None:
        """Note it."""
        self.released = True


@pytest.mark.parametrize("fails", [False, True])
def test_both_are_asked_before_either_is_waited_for(fails: bool) -> None:
    said: list[str] = []
    worker, watch = Noted("worker", said), Noted("watch", said)
    try:
        with programs.at_work(worker, watch):  # type: ignore[arg-type]  # the part it uses
            said.append("work")
            if fails:
                raise RuntimeError("trouble")
    except RuntimeError:
        assert fails
    assert said[2:] == ["work", "watch is asked to end", "worker is waited for", "watch is waited for"]


@pytest.mark.parametrize("long", [True, False])
def test_a_watch_in_a_long_turn_is_left_with_its_lease(monkeypatch: pytest.MonkeyPatch, long: bool) -> None:
    monkeypatch.setattr(watching, "LEAVE_SECONDS", 0.2 if long else 30.0)
    monkeypatch.setattr(watching, "REST_SECONDS", 600.0)
    look = LongTurn()
    loop = WatchLoop(look)  # type: ignore[arg-type]  # the part it uses
    loop.start()
    assert look.begun.wait(10)
    if not long:
        look.over.set()
    began = time.monotonic()
    loop.stop()
    assert time.monotonic() - began < 20
    assert look.released is not long, "a lease that is given up while its turn still works lets two repair at once"
    look.over.set()
