"""Rule: a worker's clock decides nothing, a moved date moves its timer, and a flag is set once, late or not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from chain import Chain, open_chain
from crowd import said
from oracle import clean
from ownshop import open_own
from shop import ROOT, Shop

from engine.errors import EngineError
from engine.processes import Instance

pytestmark = pytest.mark.engine
HOUR = 3600
TO_WORK = ("ApproveOrder", "PrepareDesign", "PrepareEstimate", "AgreePrice", "SetReadyDate")


def clock(seconds: int) -> dict[str, str]:
    """Return the environment of a process whose clock is wrong by so many seconds."""
    paths = [str(ROOT / "tests" / "skewed"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths), "SKEW_SECONDS": str(seconds)}


@pytest.fixture
def chain(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Each test has a portal of its own: an order of the test before would be one whose card is gone."""
    shop.end_everything()
    with open_chain(shop, tmp_path_factory.mktemp("time") / "chain", lock_seconds=6) as opened:
        yield opened


@pytest.fixture
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """An engine of one's own: the route's sweep meets no order that other tests have ended with cards elsewhere."""
    folder = tmp_path_factory.mktemp("apart")
    with open_own(folder / "engine") as own, open_chain(own, folder / "chain", lock_seconds=6) as opened:
        yield opened


def test_a_clock_that_is_an_hour_wrong_changes_no_outcome(chain: Chain) -> None:
    """One order under each clock, and one whose worker dies with a clock ahead, so that its lease ends in an hour."""
    outcomes = {}
    for seconds in (0, HOUR, -HOUR):
        chain.work(**clock(seconds))
        order = chain.shop.start_order()
        chain.carry(order, "ApproveOrder")
        task = chain.step(order, "UserTask_PrepareDesign")
        assert task.due and task.created
        outcomes[seconds] = (order, task.due, chain.shop.integration.processes.variables(order.id)["cardStage"])
        assert chain.retire() == [0]
    assert _differ(seconds_apart=[due for _, due, _ in outcomes.values()]) < HOUR / 4
    assert {stage for _, _, stage in outcomes.values()} == {"design"}
    chain.work("before_call/batch:kill", **clock(HOUR))
    chain.successors(**clock(-HOUR))
    last = chain.shop.start_order()
    chain.step(last, "UserTask_ApproveOrder")
    assert chain.deaths == 1
    assert said(chain, "portal_patience_over")() == 0
    clean(chain, [order for order, _, _ in outcomes.values()] + [last])


def _differ(seconds_apart: list[datetime]) -> float:
    return (max(seconds_apart) - min(seconds_apart)).total_seconds()


def in_work(chain: Chain, soon: timedelta | None = None) -> Instance:
    """Carry an order into production; it is promised in two weeks, or as soon as told."""
    order = chain.shop.start_order()
    chain.carry(order, *TO_WORK[:-1])
    ready = (datetime.now(UTC) + (soon or timedelta(days=14))).isoformat()
    chain.answer(order, "UserTask_SetReadyDate", readyDecision="approve", readyBy=ready)
    chain.step(order, "UserTask_Manufacture")
    return order


def flags(chain: Chain, order: Instance) -> list[str]:
    """Return the promises for which a flag was raised."""
    written = chain.shop.integration.processes.variables(order.id).get("lateFlags")
    return [flag["readyBy"] for flag in json.loads(str(written))] if written else []


def fired(chain: Chain, order: Instance) -> list[datetime]:
    """Return when the late timer fired."""
    query = {"processInstanceId": order.id, "activityId": "BoundaryEvent_Late"}
    return [activity.started for activity in chain.shop.integration.history.activities(**query)]


def move(chain: Chain, order: Instance, to: datetime) -> None:
    """Move the promised date by its own process, as the production director does."""
    request = {"orderKey": order.business_key, "newReadyBy": to.isoformat(), "moveReason": "Сдвинулось"}
    chain.shop.person(chain.shop.member("productionDirectors")).processes.start("move-ready-date", request)
    chain.wait(lambda: _due(chain, order) == to, "the timer moved")


def _due(chain: Chain, order: Instance) -> datetime | None:
    (job,) = chain.shop.admin.caller.rest("GET", f"/job?processInstanceId={order.id}&maxResults=10").json() or [{}]
    due = job.get("dueDate")
    return datetime.strptime(due, "%Y-%m-%dT%H:%M:%S.%f%z") if due else None


@pytest.mark.soak
def test_a_moved_date_moves_its_timer(chain: Chain) -> None:
    """Moved earlier it fires then; moved later, the old moment passes in silence; the past is refused."""
    chain.work()
    early, late = in_work(chain), in_work(chain, timedelta(seconds=150))
    with pytest.raises(EngineError):
        _move_to_the_past(chain, early)
    promised = _due(chain, late)
    assert promised is not None
    move(chain, late, datetime.now(UTC).replace(microsecond=0) + timedelta(days=20))
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=4)
    move(chain, early, soon)
    chain.wait(lambda: flags(chain, early), "the flag of the order that was moved up")
    assert [abs((at - soon).total_seconds()) < 60 for at in fired(chain, early)] == [True]
    assert len(flags(chain, early)) == 1
    chain.wait(lambda: datetime.now(UTC) > promised + timedelta(seconds=3), "the old moment past")
    assert fired(chain, late) == [] and flags(chain, late) == []
    chain.reconcile(early, late)  # no step has ended since: the round over all cards brings the new dates
    clean(chain, [early, late])


def _move_to_the_past(chain: Chain, order: Instance) -> None:
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    request = {"orderKey": order.business_key, "newReadyBy": past, "moveReason": "Вчера"}
    chain.shop.person(chain.shop.member("productionDirectors")).processes.start("move-ready-date", request)


@pytest.mark.soak
def test_a_flag_due_in_an_outage_is_set_once(apart: Chain) -> None:
    """Worker and portal are away when the timer fires: the flag comes with the worker, the notice with the portal."""
    chain = apart
    chain.work()
    order = in_work(chain, timedelta(seconds=20))
    gone = chain.workers.pop()
    gone.kill()
    gone.wait(10)
    chain.portal.stop()
    chain.wait(lambda: fired(chain, order), "the timer fired while nobody worked")
    chain.work()
    chain.wait(lambda: flags(chain, order), "the flag without a portal")
    chain.portal.start()
    chain.shop.admin.processes.start("reconcile-portal", {})
    told = chain.wait(lambda: [tag for tag in chain.notices(order) if ":late:" in tag], "the notice by the sweep")
    running = chain.shop.reader.running_instances
    chain.wait(lambda: not running("reconcile-portal"), "the first sweep over: a second one beside it ends at once")
    chain.shop.admin.processes.start("reconcile-portal", {})
    sweeps = said(chain, "sweep_done")
    chain.wait(lambda: sweeps() >= 2, "another sweep")
    assert sorted(tag for tag in chain.notices(order) if ":late:" in tag) == sorted(told)
    assert len(flags(chain, order)) == len(fired(chain, order)) == 1
    clean(chain, [order])
