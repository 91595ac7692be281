"""Rule: the database may be gone, slow or cut in mid-answer: callers hear no, nothing is half, work goes on by itself.

PostgreSQL holds the engine's tables and the ledger, both behind a line that can go wrong.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import pytest
from chain import Chain, open_chain
from crowd import REFUSED, Crowd, said
from oracle import clean
from ownshop import Acknowledged, kill_and_look, open_own
from postgres import Postgres, engine_on
from proxy import Fault, Proxy
from shop import Shop, wait_until

from engine.errors import EngineDown, EngineError

pytestmark = pytest.mark.engine
Tell = Callable[[str], None]


@pytest.fixture(scope="module")
def line(postgres: Postgres) -> Iterator[Proxy]:
    """The one line to the database."""
    for name in ("fault_engine", "fault_ledger"):
        postgres.make(name)
    proxy = Proxy(postgres.port)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def own(line: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    there = Postgres(line.port)
    kind = engine_on(there, "fault_engine")
    with open_own(tmp_path_factory.mktemp("database") / "engine", kind) as opened:
        yield opened


@pytest.fixture(scope="module")
def chain(own: Shop, line: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A worker; its ledger is in the same database, over the same line."""
    ledger = Postgres(line.port).url("fault_ledger")
    with open_chain(own, tmp_path_factory.mktemp("database") / "chain", ledger_url=ledger, lock_seconds=15) as opened:
        opened.work()
        opened.wait(opened.healthy, "the worker up")
        yield opened


@pytest.fixture(autouse=True)
def healed(line: Proxy) -> Iterator[None]:
    yield
    line.faults()


# The kills come first: later a worker is here, and these want the steps for themselves.


def test_the_engine_killed_on_postgresql(own: Shop, tell: Tell) -> None:
    tell(f"PostgreSQL: 1 kill, acknowledged and unsure {kill_and_look(own, 44, 1)}")


@pytest.mark.soak
@pytest.mark.parametrize("seed", [45, 46, 47])
def test_ten_times_killed_on_postgresql(own: Shop, tell: Tell, seed: int) -> None:
    tell(f"PostgreSQL, seed {seed}: 10 kills, acknowledged and unsure {kill_and_look(own, seed, 10)}")


@pytest.mark.parametrize("away", [3.0, pytest.param(60.0, marks=pytest.mark.soak)])
def test_the_database_is_gone(chain: Chain, own: Shop, line: Proxy, tell: Tell, away: float) -> None:
    """Acknowledged work is there afterwards, unanswered work is there whole or not at all, the worker goes on."""
    crowd = Crowd(chain, 41, (REFUSED,))
    crowd.start(3)
    first = [own.start_order() for _ in range(4)]
    for order in first:
        chain.step(order, "UserTask_ApproveOrder")
    seen = Acknowledged(own)
    seen.begin(first)
    wait_until(lambda: seen.started and seen.answered, 120, "the first acknowledgements")
    line.down()
    seen.end()
    with pytest.raises(EngineDown):
        own.start_order()
    until = time.monotonic() + away
    chain.wait(lambda: time.monotonic() >= until, "the database away", away + 30)
    line.up()
    back = time.monotonic()
    wait_until(lambda: _starts(crowd), 60, "the engine takes orders again")
    done = said(chain, "external_task_completed")
    before = done()
    chain.wait(lambda: done() > before, "the worker goes on")
    tell(f"database away {away:g} s: orders taken and worked on again {time.monotonic() - back:.1f} s later")
    crowd.carry_to_the_ends(300)
    assert seen.lost() == [] and seen.half() == []
    for order in seen.started:
        chain.step(order, "UserTask_ApproveOrder")
    for order in seen.answered:
        chain.step(order, "UserTask_PrepareDesign")
    assert len(chain.workers) == 1 and chain.deaths == 0
    everybody = [*crowd.orders, *seen.started, *first]
    chain.reconcile(*everybody)
    clean(chain, everybody)
    own.end_everything()


def _starts(crowd: Crowd) -> bool:
    with contextlib.suppress(EngineError):
        crowd.start(1)
        return True
    return False


@pytest.mark.parametrize("seconds", [0.05, pytest.param(2.0, marks=pytest.mark.soak)])
def test_the_database_is_slow(chain: Chain, line: Proxy, seconds: float) -> None:
    """Each round trip takes so long that locks are in danger; nothing is done twice for it."""
    crowd = Crowd(chain, 42, (REFUSED,))
    crowd.start(2 if seconds < 1 else 6)
    slow = Fault("delay", every=1 if seconds < 1 else 20, seconds=seconds)
    line.faults(slow)
    done = said(chain, "external_task_completed")
    before = done()
    chain.wait(lambda: done() >= before + 2 and slow.hits > 20, "work over the slow line")
    line.faults()
    crowd.carry_to_the_ends(300)
    clean(chain, crowd.orders)


@pytest.mark.parametrize("orders", [2, pytest.param(20, marks=pytest.mark.soak)])
def test_commits_whose_answer_is_lost(chain: Chain, line: Proxy, orders: int, tell: Tell) -> None:
    """The line breaks just after a commit was sent: the caller cannot know, the repeat finds out."""
    crowd = Crowd(chain, 43, (REFUSED,))
    crowd.start(orders)
    lost = Fault("lose", r"COMMIT|commit", every=25)
    line.faults(lost)
    done = said(chain, "external_task_completed")
    chain.wait(lambda: lost.hits >= orders, "commits without an answer")
    line.faults()
    crowd.carry_to_the_ends(600)
    tell(f"{lost.hits} commits without an answer, {done()} tasks completed")
    clean(chain, crowd.orders)
