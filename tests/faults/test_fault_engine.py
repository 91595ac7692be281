"""Rule: the engine may be killed in the middle of a transaction; what it acknowledged is there, and nothing is half."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chain import Chain, open_chain
from crowd import REFUSED, Crowd, said
from oracle import clean
from ownshop import kill_and_look, open_own
from shop import Shop

pytestmark = pytest.mark.engine
Tell = Callable[[str], None]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_own(tmp_path_factory.mktemp("engine") / "engine") as opened:
        yield opened


def test_the_engine_killed_in_a_transaction(own: Shop, tell: Tell) -> None:
    tell(f"H2: 1 kill, acknowledged and unsure {kill_and_look(own, 31, 1)}")


@pytest.mark.soak
@pytest.mark.parametrize("seed", [32, 33, 34])
def test_ten_times_killed_in_a_transaction(own: Shop, tell: Tell, seed: int) -> None:
    tell(f"H2, seed {seed}: 10 kills, acknowledged and unsure {kill_and_look(own, seed, 10)}")


@pytest.fixture
def chain(own: Shop, tmp_path: Path) -> Iterator[Chain]:
    with open_chain(own, tmp_path / "chain", lock_seconds=15) as opened:
        opened.work()
        opened.wait(opened.healthy, "the worker up")
        yield opened
    own.end_everything()


@pytest.mark.parametrize("away", [0.0, pytest.param(300.0, marks=pytest.mark.soak)])
def test_the_worker_outlives_its_engine(chain: Chain, own: Shop, away: float, tell: Tell) -> None:
    """It waits, says so once for each state, and goes on by itself within 15 s when REST answers again."""
    crowd = Crowd(chain, 8, (REFUSED,))
    crowd.start(3)
    chain.wait(lambda: said(chain, "external_task_completed")() >= 2, "the worker in mid-work")
    own.engine.kill()
    until = time.monotonic() + away
    chain.wait(lambda: said(chain, "loop_failing")() and time.monotonic() >= until, "the outage noticed", away + 120)
    own.engine.start()
    back = time.monotonic()
    poller = 'order_route_loop_beat_timestamp_seconds{loop="poller"}'
    chain.wait(lambda: said(chain, "loop_recovered")() >= 1, "the worker back")
    tell(f"engine away {away:g} s and its start: the worker was back {time.monotonic() - back:.1f} s after REST")
    crowd.carry_to_the_ends(240)
    assert chain.metrics()[poller] and len(chain.workers) == 1 and chain.deaths == 0
    assert _said_by_poller(chain) == ["loop_failing", "loop_recovered"]
    clean(chain, crowd.orders)


def _said_by_poller(chain: Chain) -> list[str]:
    """Return what the poller said of its state, in order."""
    log = (chain.folder / "worker.log").read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [line for line in log if '"loop": "poller"' in line]
    return [event for line in lines for event in ("loop_failing", "loop_recovered") if f'"{event}"' in line]
