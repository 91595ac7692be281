"""Rule: what a handler raises costs its order a wait or one readable incident; no other order notices, no loop dies."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from shop import Shop, wait_until
from workbench import QUICK, Bench, Ordered, counted, done, new_bench

import workers.failures
from orders.errors import BusinessError, Permanent, PortalUnavailable, Transient
from workers.registry import Handler, Values, topic
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
        assert counted(worker, "incidents", bench) == 1
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
        fetched = counted(worker, "fetched", bench)
        bench.ended(bench.start(customerName="good"))
        assert counted(worker, "fetched", bench) == fetched + 1


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
        assert counted(worker, "incidents", bench) == 0
        assert counted(worker, "patience_over", bench) == 1
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
