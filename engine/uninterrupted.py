"""Ctrl-C that waits for the end of a few lines: a program that is being started must be noted before anything stops.

Without it a KeyboardInterrupt inside `subprocess.Popen` leaves a child that nobody knows of.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back until the block is left; outside the main thread they never come anyway."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    held = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in held.items():
        if callable(handler) or handler is signal.SIG_DFL:  # what is ignored stays ignored, in the child too
            signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in held.items():
            if handler is not None:
                signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
