"""What a piece of work costs: time, processor time of all who take part, and requests.

Others work on a machine too: seconds then say little, processor time and requests say what grows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chain import Chain
from postgres import Postgres

from engine.rest import Transport
from growth.rows import run

ROUNDS, ENOUGH_SECONDS = 5, 3.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """One piece of work: seconds, processor seconds of client, engine and database, requests to engine and portal."""

    seconds: float
    cpu: float
    engine: int
    portal: int


class Meter:
    """Measures work in one shop."""

    def __init__(self, chain: Chain, server: Postgres) -> None:
        self._chain, self._server = chain, server

    def best(self, act: Callable[[], Any]) -> Cost:
        """Measure once, what is quick a few times; return the quickest."""
        measured = [self._cost(act)]
        while len(measured) < ROUNDS and sum(c.seconds for c in measured) < ENOUGH_SECONDS:
            measured.append(self._cost(act))
        return min(measured, key=lambda c: c.seconds)

    def _cost(self, act: Callable[[], Any]) -> Cost:
        asked = [0]
        real = Transport.send

        def counted(transport: Transport, *arguments: Any, **more: Any) -> Any:
            asked[0] += 1
            return real(transport, *arguments, **more)

        others = self._others()
        before, spent, own = self._chain.portal.mark(), _spent(others), time.process_time()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Transport, "send", counted)
            began = time.perf_counter()
            act()
            seconds = time.perf_counter() - began
        cpu = time.process_time() - own + _spent(others) - spent
        return Cost(seconds, cpu, asked[0], len(self._chain.portal.requests(since=before)))

    def _others(self) -> list[int]:
        """Return the processes of the engine and of its connections to the database."""
        engine = self._chain.shop.engine.pid
        assert engine is not None
        backends = run(self._server, "SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return [engine, *(int(str(pid)) for (pid,) in backends)]


def _spent(processes: Iterable[int]) -> float:
    """Return the processor seconds that these processes have used; none for one that has gone."""
    total = 0
    for process in processes:
        file = Path(f"/proc/{process}/stat")
        if file.exists():
            user, system = file.read_text().rpartition(")")[2].split()[11:13]
            total += int(user) + int(system)
    return total / _TICKS
