"""Rule: the line between worker and engine may lose, cut, delay or spoil any answer: work is done once and goes on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from chain import Chain, open_chain
from crowd import CANCELLED, REFUSED, Crowd, said
from oracle import clean
from proxy import Fault, Proxy
from shop import Shop
from workbench import counted, diagram_of_branches, new_bench

from engine.client import EngineClient
from engine.errors import Conflict
from engine.external import External
from workers.registry import topic
from workers.runtime import Options
from workers.task import Task

pytestmark = pytest.mark.engine
COMPLETE, FETCH, EXTEND = r"^POST \S+/complete ", r"^POST \S+/fetchAndLock ", r"^POST \S+/extendLock "
DEEP = b"[" * 100_000 + b"]" * 100_000
HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"


def deep(status: bytes) -> bytes:
    """Return a whole HTTP answer whose body is nested 100,000 deep."""
    return HEAD % (status, len(DEEP)) + DEEP


@pytest.fixture
def line(shop: Shop) -> Iterator[Proxy]:
    """The line between the worker and the engine; persons have one of their own."""
    proxy = Proxy(shop.engine.port)
    yield proxy
    proxy.close()


@pytest.fixture
def chain(shop: Shop, line: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A worker whose every call to the engine goes over that line."""
    address = f"http://127.0.0.1:{line.port}/engine-rest"
    folder = tmp_path_factory.mktemp("lines")
    with open_chain(shop, folder / "chain", engine_url=address, lock_seconds=15) as opened:
        opened.work()
        opened.wait(opened.healthy, "the worker up")
        yield opened


@pytest.mark.parametrize("kind", ["lose", "cut"])
def test_lost_answers_to_complete(chain: Chain, line: Proxy, kind: str) -> None:
    """Every second answer is lost: the repeat meets a task that is gone, and that is success."""
    lost_answers(chain, line, kind, orders=3, at_least=6)


@pytest.mark.soak
def test_a_hundred_lost_answers(chain: Chain, line: Proxy, tell: Callable[[str], None]) -> None:
    tell(f"{lost_answers(chain, line, 'lose', orders=40, at_least=100)} answers to complete lost")


def lost_answers(chain: Chain, line: Proxy, kind: str, orders: int, at_least: int) -> int:
    lost = Fault(kind, COMPLETE, every=2)
    line.faults(lost)
    crowd = Crowd(chain, 4, (REFUSED, CANCELLED))
    crowd.start(orders)
    crowd.carry_to_the_ends(600)
    assert lost.hits >= at_least
    assert said(chain, "external_task_failed")() == 0
    clean(chain, crowd.orders)
    return lost.hits


def test_answers_nested_100000_deep(chain: Chain, line: Proxy) -> None:
    """F-12: to a poll, to a complete and to the keeper; the loops live, and the work of before is not lost."""
    kinds = [Fault("answer", where, count=2, body=deep(status)) for where, status in
             ((FETCH, b"200 OK"), (COMPLETE, b"200 OK"), (COMPLETE, b"500 Internal Server Error"))]  # fmt: skip
    line.faults(*kinds)
    crowd = Crowd(chain, 5, (REFUSED,))
    crowd.start(3)
    crowd.carry_to_the_ends(240)
    assert [fault.hits for fault in kinds] == [2, 2, 2]
    before = chain.metrics()
    for loop in ("poller", "keeper"):
        beat = f'order_route_loop_beat_timestamp_seconds{{loop="{loop}"}}'
        chain.wait(lambda beat=beat: chain.metrics()[beat] > before[beat], f"another turn of the {loop}")
    assert chain.healthy()
    clean(chain, crowd.orders)


def test_a_line_that_takes_and_never_answers(chain: Chain, line: Proxy) -> None:
    """A poll, a complete and an extension hang at once; the others go on, and the hanging ones end by their limit."""
    silent = [Fault("silent", where, count=1) for where in (COMPLETE, FETCH, EXTEND)]
    line.faults(*silent)
    crowd = Crowd(chain, 6, (REFUSED,))
    crowd.start(4)
    crowd.carry_to_the_ends(240)
    assert [fault.hits for fault in silent[:2]] == [1, 1]
    assert chain.healthy()
    clean(chain, crowd.orders)


def test_no_line_at_all_is_said_once(chain: Chain, line: Proxy) -> None:
    """The engine's host is gone: the worker waits, says so once, lives, and goes on when the line is back."""
    crowd = Crowd(chain, 7, (REFUSED,))
    line.down()
    chain.wait(lambda: said(chain, "loop_failing")() >= 1, "the worker noticed")
    crowd.start(2)
    turns = 'order_route_loop_errors_total{loop="poller"}'
    chain.wait(lambda: chain.metrics().get(turns, 0) >= 3, "three polls in vain")
    line.up()
    crowd.carry_to_the_ends(240)
    assert len(chain.workers) == 1 and chain.deaths == 0
    failing, recovered = (Counter(_loops(chain, event)) for event in ("loop_failing", "loop_recovered"))
    assert failing == recovered and failing["poller"] == 1 and set(failing.values()) == {1}
    clean(chain, crowd.orders)


def _loops(chain: Chain, event: str) -> Iterator[str]:
    """Yield the loop of each such line in the workers' log."""
    for line in (chain.folder / "worker.log").read_text(encoding="utf-8").splitlines():
        if f'"{event}"' in line:
            yield str(json.loads(line)["loop"])


@pytest.mark.parametrize("joins", [12, pytest.param(50, marks=pytest.mark.soak)])
def test_branches_that_end_at_once(shop: Shop, tmp_path: Path, joins: int) -> None:
    """Four branches meet in a join in the same moment: the engine refuses some for optimistic locking, all arrive."""
    bench = new_bench(shop, tmp_path, draw=lambda name: diagram_of_branches(name, name, 4))
    seen: list[str] = []

    @topic(bench.topic)
    def branch(task: Task) -> None:
        """Note the task."""
        seen.append(task.id)

    with EngineClient(*shop.worker_credentials) as client:
        watched = Watched(client)
        with ThreadPoolExecutor(4) as starters:
            instances = list(starters.map(lambda _: bench.start(), range(joins)))
        with bench.worker(branch, engine=watched, options=Options(lock=30.0, poll=1.0, slots=8)) as worker:
            bench.ended(*instances, seconds=240)
            assert counted(worker, "failed", bench) == 0
    assert watched.answers["Conflict"] > 0, "no two branches met: nothing was tried"
    assert Counter(seen).most_common(1)[0][1] == 1 and len(seen) == 4 * joins
    assert not any(bench.incidents(instance) for instance in instances)


class Watched(External):
    """The real engine; counts how often it refused a complete for two answers at once."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__(client.caller)
        self.answers: Counter[str] = Counter()

    def complete(self, task_id: str, worker_id: str, values: Any = None) -> None:
        """Complete and count."""
        try:
            super().complete(task_id, worker_id, values)
        except Conflict:
            self.answers["Conflict"] += 1
            raise
