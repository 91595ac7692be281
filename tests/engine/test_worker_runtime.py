"""Rule: whatever a handler or the engine does, each task is done once, its order never gets lost, and no loop dies."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from shop import Shop, wait_until
from workbench import QUICK, Bench, new_bench

import workers.failures
from engine.client import EngineClient
from engine.errors import Conflict, EngineDown
from engine.external import External, Topic
from orders.errors import BusinessError, Permanent, PortalUnavailable, Transient
from workers.registry import Handler, Input, Values, topic
from workers.runtime import Options
from workers.task import Task

pytestmark = pytest.mark.engine


@pytest.fixture
def bench(shop: Shop, tmp_path: Path) -> Bench:
    """Deploy a process of one step."""
    return new_bench(shop, tmp_path)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let unknown exceptions be tried again at once; the pauses themselves are the unit test's matter."""
    monkeypatch.setattr(workers.failures, "SOON", (0.1, 0.1))


def done(bench: Bench, seen: list[str] | None = None) -> Handler[..., Any]:
    """Return a handler that only notes its task."""

    @topic(bench.topic)
    def note(task: Task) -> None:
        """Note the task."""
        if seen is not None:
            seen.append(task.id)

    return note


def metric(worker: Any, name: str, bench: Bench) -> float:
    """Read a counter of a worker."""
    return worker.metrics.registry.get_sample_value(f"order_route_tasks_{name}_total", {"topic": bench.topic}) or 0.0


class Ordered(Input):
    """One of the two variables of the instance."""

    customer_name: str


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
    assert metric(one, "completed", bench) + metric(other, "completed", bench) == 40


@pytest.mark.usefixtures("soon")
def test_always_throwing_handler_makes_one_readable_incident(bench: Bench) -> None:
    """Three attempts, one incident that says why; the others are unharmed; new retries make it work."""
    broken = threading.Event()
    broken.set()
    bad, runs = bench.start(customerName="bad"), Counter[str]()

    @topic(bench.topic)
    def fragile(order: Ordered, task: Task) -> None:
        """Fail for one order while something is broken."""
        runs[task.instance_id] += 1
        if order.customer_name == "bad" and broken.is_set():
            raise LookupError("нет такого листа в смете")

    good = [bench.start(customerName="good") for _ in range(10)]
    with bench.worker(fragile) as worker:
        bench.ended(*good)
        wait_until(lambda: bench.incidents(bad), 20, "the incident")
        assert runs[bad.id] == 3
        assert [runs[i.id] for i in good] == [1] * 10
        [task] = bench.tasks()
        assert task.retries == 0
        assert task.error_message == f"{bench.topic}: внутренняя ошибка LookupError: нет такого листа в смете"
        assert "Traceback" in bench.shop.admin.external.error_details(task.id)
        assert [i.message for i in bench.incidents(bad)] == [task.error_message]
        assert metric(worker, "incidents", bench) == 1
        broken.clear()
        bench.shop.admin.external.set_retries(task.id, 1)
        bench.ended(bad)
    assert runs[bad.id] == 4


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("error", [RecursionError("deep"), SystemExit(3), MemoryError(), KeyboardInterrupt()])
def test_loops_survive_what_is_no_exception(bench: Bench, error: BaseException) -> None:
    """A handler that raises past Exception costs its own order an incident, and no loop its life (F-12)."""

    @topic(bench.topic)
    def deadly(order: Ordered) -> None:
        """Raise for one order."""
        if order.customer_name == "bad":
            raise error

    bad = bench.start(customerName="bad")
    with bench.worker(deadly, options=Options(lock=2.0, poll=1.0, slots=1)) as worker:
        wait_until(lambda: bench.incidents(bad), 20, "the incident")
        bench.ended(*(bench.start(customerName="good") for _ in range(5)))
        assert worker.healthy()
        fetched = metric(worker, "fetched", bench)
        bench.ended(bench.start(customerName="good"))
        assert metric(worker, "fetched", bench) == fetched + 1


def test_permanent_error_is_an_incident_at_once(bench: Bench) -> None:
    """What no retry can mend is not retried."""
    runs: list[str] = []

    @topic(bench.topic)
    def hopeless(task: Task) -> None:
        """Fail for good."""
        runs.append(task.id)
        raise Permanent("Этапа нет в схеме")

    instance = bench.start()
    with bench.worker(hopeless):
        wait_until(lambda: bench.incidents(instance), 10, "the incident")
    assert len(runs) == 1
    assert bench.tasks()[0].error_message == "Этапа нет в схеме"


def test_bad_input_is_an_incident_that_names_the_variable(bench: Bench) -> None:
    """Variables that do not fit never reach the handler."""

    @topic(bench.topic)
    def strict(order: Ordered) -> None:
        """Never run."""
        pytest.fail("ran with a bad input")

    instance = bench.start(customerName=5)
    with bench.worker(strict):
        wait_until(lambda: bench.incidents(instance), 10, "the incident")
    assert "customerName" in (bench.tasks()[0].error_message or "")


def refusing(bench: Bench) -> Handler[..., Any]:
    """Return a handler that meets a business obstacle."""

    @topic(bench.topic)
    def refuse(task: Task) -> None:
        """Refuse."""
        raise BusinessError("FILE_REFUSED", "Файл пуст", {"refusalText": "Файл пуст", "orderFile": None})

    return refuse


def test_caught_code_goes_to_the_diagram(shop: Shop, tmp_path: Path) -> None:
    """A code that the diagram catches at this step takes its way, with its variables."""
    bench = new_bench(shop, tmp_path, catches="FILE_REFUSED")
    instance = bench.start()
    with bench.worker(refusing(bench)):
        bench.ended(instance)
    assert bench.end_of(instance) == "End_Caught"
    assert bench.variables(instance)["refusalText"] == "Файл пуст"


def test_uncaught_code_is_an_incident_not_a_finished_order(shop: Shop, tmp_path: Path) -> None:
    """A code that nobody catches would end the order silently; it becomes an incident that names the code."""
    bench = new_bench(shop, tmp_path, catches="OTHER_CODE")
    instance = bench.start()
    with bench.worker(refusing(bench)):
        wait_until(lambda: bench.incidents(instance), 10, "the incident")
    assert instance.id in bench.running()
    assert "FILE_REFUSED" in (bench.tasks()[0].error_message or "")


def test_cancelled_instance_tells_its_handler(bench: Bench) -> None:
    """The handler of an instance that is gone learns it within a third of the lock, and its result is dropped."""
    began, told = threading.Event(), threading.Event()

    @topic(bench.topic)
    def long_work(task: Task) -> None:
        """Work until told to stop."""
        began.set()
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if task.cancelled():
                told.set()
                task.hold()  # raises: nothing more may be sent

    instance = bench.start()
    with bench.worker(long_work) as worker:
        assert began.wait(10)
        bench.shop.admin.processes.delete(instance.id)
        assert told.wait(QUICK.lock)
        wait_until(lambda: metric(worker, "dropped", bench) == 1, 5, "the dropped result")
        assert metric(worker, "completed", bench) == 0
        assert metric(worker, "failed", bench) == 0


def test_slow_handler_keeps_its_lock(bench: Bench) -> None:
    """Work three times as long as the lock is done once, though another worker waits for it."""
    seen: list[str] = []

    @topic(bench.topic)
    def slow(task: Task) -> None:
        """Work for three locks."""
        seen.append(task.id)
        threading.Event().wait(3 * QUICK.lock)
        task.hold()

    instance = bench.start()
    with bench.worker(slow), bench.worker(slow):
        bench.ended(instance, seconds=30)
    assert len(seen) == 1


def test_lost_lock_stops_the_work_before_the_next_call(bench: Bench) -> None:
    """When another worker has got the task, `hold` raises and no answer is sent."""
    began, go, dropped = threading.Event(), threading.Event(), threading.Event()

    @topic(bench.topic)
    def zombie(task: Task) -> None:
        """Wait, then want to call the outside world."""
        began.set()
        go.wait(20)
        try:
            task.hold()
        finally:
            dropped.set()
        pytest.fail("the outside call was made")

    instance = bench.start()
    with bench.worker(zombie, options=Options(lock=3.0, poll=1.0, slots=1)) as worker:
        assert began.wait(10)
        [task] = bench.tasks()
        bench.shop.admin.external.unlock(task.id)  # what the end of a lock does for a process that was stopped
        bench.shop.admin.external.lock(task.id, "another-worker", 60.0)
        wait_until(lambda: metric(worker, "lock_lost", bench) == 1, 10, "the keeper's notice")
        go.set()
        assert dropped.wait(5)
        wait_until(lambda: metric(worker, "dropped", bench) == 1, 5, "the dropped result")
    assert instance.id in bench.running()
    assert bench.tasks()[0].worker_id == "another-worker"


def test_transient_error_is_retried_when_asked(bench: Bench) -> None:
    """A wait that the other side asked for is kept, and noticed within one poll."""
    at: list[float] = []

    def never(task: Task) -> None:
        """Not reached."""
        pytest.fail("the patience was not over")

    @topic(bench.topic, patience=never)
    def busy(task: Task) -> None:
        """Be busy once."""
        at.append(time.monotonic())
        if len(at) == 1:
            raise Transient("заказ занят", retry_after=2.0)

    instance = bench.start()
    with bench.worker(busy, options=Options(lock=2.0, poll=1.0, patience=60.0)):
        bench.ended(instance)
    assert len(at) == 2
    assert 2.0 <= at[1] - at[0] <= 2.0 + 1.0 + 2.0


def test_step_opens_without_the_portal_after_the_patience(bench: Bench) -> None:
    """A portal that stays away holds a step up for the patience only; then the other answer is written."""

    def pending(task: Task) -> Values:
        """Go on without the portal."""
        return {"portalPending": True, "visit": task.activity_instance_id}

    @topic(bench.topic, portal=True, patience=pending)
    def sync(task: Task) -> Values:
        """Find the portal away."""
        raise PortalUnavailable("портал не отвечает")

    instance, begun = bench.start(), time.monotonic()
    with bench.worker(sync) as worker:
        bench.ended(instance)
        waited = time.monotonic() - begun
        assert metric(worker, "incidents", bench) == 0
        assert metric(worker, "patience_over", bench) == 1
    assert QUICK.patience - 0.5 <= waited <= QUICK.patience + 5.0
    written = bench.variables(instance)
    assert written["portalPending"] is True
    assert written["visit"].startswith("ServiceTask_Step:")


def test_optional_portal_work_is_not_fetched_while_the_portal_is_down(bench: Bench) -> None:
    """A known outage makes no failures of work that can wait; it goes on when the portal is back."""
    down = threading.Event()
    down.set()
    seen: list[str] = []

    @topic(bench.topic, portal=True, optional=True)
    def sweep(task: Task) -> None:
        """Sweep."""
        seen.append(task.id)

    with bench.worker(sweep, portal_down=down.is_set) as worker:
        wait_until(lambda: worker.healthy(), 5, "a healthy worker")
        bench.ended(bench.start())  # the one probe
        waiting = bench.start()
        assert not threading.Event().wait(2.5)  # longer than two polls
        assert waiting.id in bench.running()
        assert len(seen) == 1
        down.clear()
        bench.ended(waiting)


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


class Faulty(External):
    """The real engine behind a bad line: the first answers go wrong as told."""

    def __init__(self, client: EngineClient, *errors: tuple[bool, Exception]) -> None:
        super().__init__(client.caller)
        self.errors = list(errors)
        self.calls = 0

    def complete(self, task_id: str, worker_id: str, values: Any = None) -> None:
        """Complete; the next planned error comes instead of the answer, after or before the call is carried out."""
        self.calls += 1
        if not self.errors:
            return super().complete(task_id, worker_id, values)
        carried_out, error = self.errors.pop(0)
        if carried_out:
            super().complete(task_id, worker_id, values)
        raise error


@pytest.mark.parametrize(
    ("errors", "calls"),
    [
        ([(True, EngineDown("answer lost", maybe_done=True))], 2),
        ([(False, EngineDown("no connection"))], 2),
        ([(False, Conflict("optimistic locking"))] * 4, 5),
        ([(False, EngineDown("no answer", maybe_done=True)), (True, EngineDown("lost", maybe_done=True))], 3),
    ],
)
def test_answer_is_repeated_until_it_has_arrived(bench: Bench, errors: Any, calls: int) -> None:
    """A lost answer, a refused connection and optimistic locking end in one completion and no incident."""
    seen: list[str] = []
    instance = bench.start()
    with EngineClient(*bench.shop.worker_credentials) as client:
        faulty = Faulty(client, *errors)
        with bench.worker(done(bench, seen), engine=faulty) as worker:
            bench.ended(instance)
            wait_until(lambda: metric(worker, "completed", bench) == 1, 10, "the completion")
            assert metric(worker, "failed", bench) == 0
    assert faulty.calls == calls
    assert len(seen) == 1


@pytest.mark.usefixtures("soon")
def test_next_step_that_fails_is_no_endless_repeat(shop: Shop, tmp_path: Path) -> None:
    """An engine that answers 500 because the next step fails: three attempts, then an incident that says so."""
    bench = new_bench(shop, tmp_path, last_condition="${missing == 'x'}")
    runs: list[str] = []
    instance = bench.start()
    with bench.worker(done(bench, runs)):
        wait_until(lambda: bench.incidents(instance), 40, "the incident")
    assert len(runs) == 3
    assert "missing" in (bench.tasks()[0].error_message or "")


def test_task_that_killed_its_process_five_times_is_put_aside(bench: Bench) -> None:
    """Attempts are counted before the handler runs; the sixth is an incident and never runs."""
    instance = bench.start()
    [task] = bench.tasks()
    ledger = bench.ledger()
    for _ in range(5):
        ledger.attempt(task.id)
    seen: list[str] = []
    with bench.worker(done(bench, seen)):
        wait_until(lambda: bench.incidents(instance), 10, "the incident")
        assert seen == []
        assert "аварийно" in (bench.tasks()[0].error_message or "")
        bench.shop.admin.external.set_retries(task.id, 1)  # the operator's retry begins to count anew
        bench.ended(instance)
    assert len(seen) == 1


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


def test_dead_poller_is_unhealthy(bench: Bench) -> None:
    """`healthy` is true of a worker that turns, and false once its loops have ended."""
    with bench.worker(done(bench)) as worker:
        wait_until(worker.healthy, 5, "a healthy worker")
        worker.stop()
        assert not worker.healthy()
