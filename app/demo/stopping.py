"""How a demo ends before its time."""

from __future__ import annotations

import signal
from types import FrameType


def sigterm_as_ctrl_c() -> None:
    """Let SIGTERM do what Ctrl-C does: all children stop and nothing is left behind."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
