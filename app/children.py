"""Child programs of `demo` and `up`: started in their own process groups, stopped together, never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.uninterrupted import uninterrupted


@dataclass
class Children:
    """Programs that live as long as this object; `stop` ends all of them within `grace` + 3 seconds."""

    grace: float = 10.0
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        """Start one program; its output goes to `log`.

        A group of its own keeps the terminal's Ctrl-C from reaching it before its parent has decided.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out, uninterrupted():
            self._running[name] = subprocess.Popen(
                list(argv), env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        return self._running[name]

    def dead(self) -> list[str]:
        """Return the names of programs that have ended by themselves."""
        return [name for name, child in self._running.items() if child.poll() is not None]

    def stop(self, name: str | None = None) -> None:
        """Stop one program, or all: SIGTERM to each group, then SIGKILL to what is left after the grace."""
        names = [name] if name is not None else list(self._running)
        chosen = [self._running.pop(n) for n in names if n in self._running]
        for child in chosen:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + self.grace
        for child in chosen:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.05, deadline - time.monotonic()))
        for child in chosen:
            _signal(child, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(3)


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if child.poll() is None or number is signal.SIGKILL:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
