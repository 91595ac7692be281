"""Rule: each task is done once, within the worker's limits, and a stop leaves nothing locked."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from shop import Shop, wait_until
from workbench import Bench, Ordered, counted, done, new_bench

from app.programs import worker_problems
from app.web import inside_site, public_site
from engine.client import EngineClient
from engine.external import Topic
from ledger.failpoints import Failpoint, reset_failpoints
from workers.registry import Values, topic
from workers.runtime import Options
from workers.task import Task

pytestmark = pytest.mark.engine


@pytest.fixture
def bench(shop: Shop, tmp_path: Path) -> Bench:
    """Deploy a process of one step."""
    return new_bench(shop, tmp_path)


def test_handler_gets_its_variables_and_meta_data(shop: Shop, tmp_path: Path) -> None:
    """Only the declared variables come; properties, key and times come with the task; outputs are typed."""
    bench = new_bench(shop, tmp_path, properties={"to": "initiator", "text": "Заказ {key}"})
    seen: list[tuple[Ordered, Task]] = []

    @topic(bench.topic)
    def look(order: Ordered, task: Task) -> Values:
        """Keep what came."""
        seen.append((order, task))
        return {"at": task.create_time, "amount": 3, "flag": True, "gone": None}

    instance = bench.start(customerName="Ёлка", other="x" * 10)
    with bench.worker(look):
        bench.ended(instance)
    order, task = seen[0]
    assert order == Ordered(customer_name="Ёлка")
    assert task.properties == {"to": "initiator", "text": "Заказ {key}"}
    assert (task.business_key, task.instance_id, task.activity_id, task.process_id) == (
        instance.business_key,
        instance.id,
        "ServiceTask_Step",
        bench.process_id,
    )
    assert task.activity_instance_id.startswith("ServiceTask_Step:")
    assert task.retries is None
    written = bench.variables(instance)
    assert (written["amount"], written["flag"], written["gone"], written["at"]) == (3, True, None, task.create_time)


def test_no_declared_variables_means_none_are_sent(bench: Bench) -> None:
    """An empty list is not taken for "all"."""
    bench.start(customerName="Ёлка")
    with EngineClient(*bench.shop.worker_credentials) as client:
        found = client.external.fetch_and_lock("w", [Topic(bench.topic, 1.0, ())], 1, poll_seconds=2)
    assert [dict(task.variables) for task in found] == [{}]


def test_two_workers_do_each_task_once(bench: Bench) -> None:
    """Two workers share the work, and nothing is done twice."""
    seen: list[str] = []
    instances = [bench.start() for _ in range(40)]
    calm = Options(lock=15.0, poll=1.0, slots=4)
    with bench.worker(done(bench, seen), options=calm) as one, bench.worker(done(bench, seen), options=calm) as other:
        bench.ended(*instances, seconds=40)
    assert len(seen) == 40
    assert max(Counter(seen).values()) == 1
    assert counted(one, "completed", bench) + counted(other, "completed", bench) == 40


def test_portal_work_is_never_fetched_ahead(bench: Bench) -> None:
    """With one slot taken, the other portal tasks stay free for other workers."""
    go, began = threading.Event(), threading.Event()

    @topic(bench.topic, portal=True)
    def sync(task: Task) -> None:
        """Wait."""
        began.set()
        go.wait(20)

    instances = [bench.start() for _ in range(4)]
    with bench.worker(sync, options=Options(lock=10.0, poll=1.0, slots=1)):
        assert began.wait(10)
        assert not threading.Event().wait(1.5)  # time for another poll
        assert len([t for t in bench.tasks() if t.worker_id]) == 1
        go.set()
        bench.ended(*instances)


def test_topic_limit_holds(bench: Bench) -> None:
    """A topic with a limit never runs more at once, though slots are free."""
    most, now, mutex = [0], [0], threading.Lock()

    @topic(bench.topic, limit=2)
    def heavy(task: Task) -> None:
        """Count who is here."""
        with mutex:
            now[0] += 1
            most[0] = max(most[0], now[0])
        threading.Event().wait(0.2)
        with mutex:
            now[0] -= 1

    instances = [bench.start() for _ in range(10)]
    with bench.worker(heavy, options=Options(lock=5.0, poll=1.0, slots=8)):
        bench.ended(*instances)
    assert most[0] == 2


def test_stop_is_clean_though_a_handler_hangs(bench: Bench) -> None:
    """Stopping takes at most ten seconds; nothing stays locked, and the hanging handler may send nothing more."""
    began, go, refused = threading.Event(), threading.Event(), threading.Event()

    @topic(bench.topic)
    def hang(task: Task) -> None:
        """Hang, then want to call the outside world."""
        began.set()
        go.wait(60)
        try:
            task.hold()
        except Exception:
            refused.set()
            raise

    instances = [bench.start() for _ in range(8)]
    with bench.worker(hang, options=Options(lock=30.0, poll=1.0, slots=4)) as worker:
        assert began.wait(10)
        wait_until(lambda: len([t for t in bench.tasks() if t.worker_id]) >= 4, 10, "four locked tasks")
        begun = time.monotonic()
        worker.stop()
        assert time.monotonic() - begun <= 10.0
        assert [t.id for t in bench.tasks() if t.worker_id] == []
        go.set()
        assert refused.wait(5)
    assert {i.id for i in instances} == bench.running()


def test_stop_lets_a_handler_finish(bench: Bench) -> None:
    """Work that ends within the stop's time is answered."""
    began = threading.Event()

    @topic(bench.topic)
    def second(task: Task) -> None:
        """Work for a second."""
        began.set()
        threading.Event().wait(1.0)

    instance = bench.start()
    with bench.worker(second) as worker:
        assert began.wait(10)
        worker.stop()
    assert instance.id not in bench.running()


def test_a_stopped_worker_is_unhealthy(bench: Bench) -> None:
    """`healthy` is true of a worker that turns, and false once its loops have ended."""
    with bench.worker(done(bench)) as worker:
        wait_until(worker.healthy, 5, "a healthy worker")
        worker.stop()
        assert not worker.healthy()


@pytest.mark.parametrize("loop", ["poller", "keeper", "slot-3"])
def test_a_dead_thread_turns_the_health_page_red(bench: Bench, loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-12: one loop has died of something that nobody caught; the process lives, and its pages say so."""
    deaths: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda death: deaths.append(death.exc_type))
    with bench.worker(done(bench)) as worker:
        problems = worker_problems(worker)
        outside, inside = public_site(problems).test_client(), inside_site(problems).test_client()
        wait_until(lambda: outside.get("/healthz").status_code == 200, 5, "green")
        monkeypatch.setenv("ORDER_ROUTE_TEST_BUILD", "1")
        monkeypatch.setenv("FAILPOINT", f"loop/{loop}:raise")
        reset_failpoints()
        wait_until(lambda: outside.get("/healthz").status_code == 503, 10, "red")
        answer = inside.get("/readyz")
        assert (answer.status_code, len(answer.get_json()["problems"])) == (503, 1)
    assert deaths == [Failpoint]
