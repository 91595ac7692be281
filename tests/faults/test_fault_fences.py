"""Rule: one owner for each task: a process that slept through its lock adds nothing, however many look for work."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests
from chain import Chain, doubled, open_chain
from crowd import CANCELLED, REFUSED, Crowd, said
from oracle import clean
from shop import Shop, wait_until
from workbench import Bench, ending, marks_of, new_bench

pytestmark = pytest.mark.engine
LOCK = 8  # seconds; shorter ones are lost to a busy machine rather than to a sleeping worker


@pytest.fixture
def chain(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with open_chain(shop, tmp_path_factory.mktemp("fences") / "chain", lock_seconds=LOCK) as opened:
        yield opened


@pytest.fixture
def bench(shop: Shop, tmp_path: Path) -> Bench:
    """Deploy a process of one step."""
    return new_bench(shop, tmp_path)


def stopped(worker: subprocess.Popen[bytes]) -> bool:
    """Tell whether a process was stopped, by itself or from outside."""
    return psutil.Process(worker.pid).status() == psutil.STATUS_STOPPED


def test_a_stopped_worker_adds_nothing_when_it_wakes_up(chain: Chain) -> None:
    """One sleeps right before it moves the card, one right before its answer; meanwhile the order has gone on."""
    zombies, orders = [], []
    for place in ("before_call/batch:stop", "before_complete/sync-stage:stop"):
        zombies.append(chain.work(place))
        orders.append(chain.shop.start_order())  # one at a time: a process that sleeps in a ledger write holds it
        chain.wait(lambda: stopped(zombies[-1]), f"a worker asleep at {place}")
    chain.work(FAILPOINT="")
    for order in orders:
        chain.carry(order, "ApproveOrder", "PrepareDesign")
        chain.step(order, "UserTask_PrepareEstimate")
    dropped = said(chain, "external_task_dropped")
    before = dropped()
    for zombie in zombies:
        zombie.send_signal(signal.SIGCONT)
    chain.wait(lambda: dropped() >= before + 2, "both zombies dropped their work")
    assert chain.retire() == [0, 0, 0]
    clean(chain, orders)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [21, 22, 23])
def test_stopped_at_random_moments(chain: Chain, tell: Callable[[str], None], seed: int) -> None:
    """Twenty stops longer than the lock, also between the last check and the call: key and look-up absorb those."""
    crowd = Crowd(chain, seed, (REFUSED, CANCELLED))
    for _ in range(3):
        chain.work()
    chain.wait(lambda: said(chain, "worker_started")() >= 3, "all workers at work")
    crowd.start(20)
    for _ in range(20):
        sleeper = crowd.chance.choice(chain.workers)
        sleeper.send_signal(signal.SIGSTOP)
        until = time.monotonic() + 2 * LOCK
        chain.wait(lambda until=until: crowd.turn() or time.monotonic() > until, "a stop longer than the lock")
        sleeper.send_signal(signal.SIGCONT)
        awake = time.monotonic() + crowd.chance.uniform(0.5, 2)
        chain.wait(lambda awake=awake: crowd.turn() or time.monotonic() > awake, "some work in between")
        crowd.start(1)
    crowd.carry_to_the_ends(900)
    assert chain.retire() == [0, 0, 0]
    tell(f"seed {seed}: 20 stops, {len(crowd.orders)} orders")
    chain.reconcile(*crowd.orders)  # a create that was under way while its worker slept leaves a twin for the sweep
    clean(chain, crowd.orders)


@pytest.mark.parametrize(("processes", "tasks"), [(3, 150), pytest.param(8, 500, marks=pytest.mark.soak)])
def test_many_processes_do_each_task_once(bench: Bench, tmp_path: Path, processes: int, tasks: int) -> None:
    """All with the very same settings, let go at one moment; each task has one owner, and each process its own name."""
    marks, gate = tmp_path / "marks", tmp_path / "gate"
    gate.mkdir()
    with ThreadPoolExecutor(4) as starters:
        instances = list(starters.map(lambda _: bench.start(), range(tasks)))
    with contextlib.ExitStack() as stack:
        for _ in range(processes):
            stack.enter_context(ending(bench.process("note", marks, LOCK="30", GATE=str(gate))))
        wait_until(lambda: len(list(gate.iterdir())) == processes, 120, "all processes at the gate")
        (gate / "open").touch()
        bench.ended(*instances, seconds=240)
    assert len(marks_of(marks)) == tasks
    assert doubled(marks_of(marks)) == {}
    owners = Counter(_owners(bench))
    assert 1 < len(owners) <= processes and owners.total() == tasks  # the quickest may leave the last one nothing


def _owners(bench: Bench) -> Iterator[str]:
    """Yield the worker of each completion, from the engine's own log."""
    engine = bench.shop.engine
    query = {"processDefinitionKey": bench.process_id, "successLog": "true", "maxResults": "1000"}
    account = (engine.admin_user, engine.admin_password.get_secret_value())
    found = requests.get(f"{engine.url}/history/external-task-log", query, auth=account, timeout=60)
    assert found.ok, found.text
    yield from (line["workerId"] for line in found.json())
