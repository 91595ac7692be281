"""Rule: engine or portal may be away, a year may pass: nothing acknowledged is lost, and the card catches up."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import requests
from chain import Chain, doubled, open_chain
from crowd import said
from ownshop import open_own
from rich.console import Console
from shop import good_answer

from app.demo.traffic import Purpose, spent
from engine.errors import EngineError, NotFound
from engine.processes import Instance

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
TWO_YEARS = 2 * 366 * 86_400  # the sweep runs only when a test asks for it
RATE, BURST = 2.0, 10  # what the portal allows a second, and at once
CATCH_UP = 900.0  # seconds for hundreds of requests at that rate
GRACE = 60.0  # seconds in which a heap smaller than that is not held to the rate: the next probe, the next try
HOME = ("ApproveOrder", "PrepareDesign", "PrepareEstimate", "AgreePrice", "SetReadyDate")
SHIP = ("Manufacture", "TellCustomer", "IssueInvoice", "TakePayment", "Ship")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """An engine of its own, at an address of its own: it is killed, and its clock goes ahead by a year."""
    folder = tmp_path_factory.mktemp("outages")
    with (
        open_own(folder / "engine", profile="demo", reconcile_seconds=TWO_YEARS) as shop,
        open_chain(shop, folder / "chain", portal_patience_seconds=5) as opened,
    ):
        opened.work()
        yield opened


def sweep(chain: Chain) -> Instance:
    """Start a sweep now, as an operator would."""
    return chain.shop.admin.processes.start("reconcile-portal", {})


def pending(chain: Chain, order: Instance) -> object:
    return chain.shop.integration.processes.variables(order.id).get("portalPending")


@pytest.mark.parametrize("trouble", ["gone", "revoked"])
def test_portal_away_longer_than_the_patience(chain: Chain, trouble: str) -> None:
    """No connection, or a webhook that was taken away: one alarm in either case, and nothing is burned."""
    before, alarms = chain.shop.start_order(), said(chain, "portal_alarm")
    director, so_far = chain.step(before, "UserTask_ApproveOrder"), alarms()
    if trouble == "gone":
        chain.portal.stop()
    else:
        chain.portal.faults({"kind": "unauthorized"})
    chain.complete(director, {"directorDecision": "approve"})
    meanwhile = chain.shop.start_order()
    for order, element in ((before, "UserTask_PrepareDesign"), (meanwhile, "UserTask_ApproveOrder")):
        chain.step(order, element)
        assert pending(chain, order) is True
        assert chain.incidents(order) == []
    assert [task.retries for task in chain.shop.admin.external.find() if task.retries is not None] == []
    assert alarms() - so_far == 1
    if trouble == "gone":
        chain.portal.start()
    else:
        chain.portal.faults()
    there = [card["xmlId"] for card in chain.book.cards()]
    assert f"order:{before.business_key}" in there and f"order:{meanwhile.business_key}" not in there
    swept = sweep(chain)
    chain.wait(lambda: chain.shop.integration.history.instance(swept.id).ended, "the sweep ended")
    for order in (before, meanwhile):
        chain.wait(lambda order=order: pending(chain, order) is False, "the mark taken off")
    chain.verdict(before, meanwhile)


@pytest.mark.parametrize(("orders", "away"), [(4, 10), pytest.param(50, 60, marks=pytest.mark.soak)])
def test_all_that_waited_for_the_portal_comes_at_the_portals_rate(chain: Chain, orders: int, away: float) -> None:
    """Steps open after the patience, people go on in Tasklist; no retry is spent, and the cards catch up meanwhile.

    The ideal is the requests that the cards needed at the rate that the portal allows, once its bucket is full.
    """
    with _slow_portal(chain):
        begun = [chain.shop.start_order() for _ in range(orders)]
        for order in begun:
            chain.step(order, "UserTask_ApproveOrder")
        chain.portal.stop()
        went = time.monotonic()
        for order in begun:
            chain.carry(order, "ApproveOrder")
        for order in begun:
            chain.step(order, "UserTask_PrepareDesign")
        for order in begun[::2]:
            chain.carry(order, "PrepareDesign")
            chain.step(order, "UserTask_PrepareEstimate")
        chain.wait(lambda: time.monotonic() - went >= away, "the outage's end")
        assert [chain.incidents(order) for order in begun] == [[]] * orders
        assert [task.retries for task in chain.shop.admin.external.find() if task.retries is not None] == []
        assert [pending(chain, order) for order in begun] == [True] * orders
        asked, back = len(chain.portal.log()), time.monotonic()
        chain.portal.start()
        while any(pending(chain, order) for order in begun):
            swept = sweep(chain)
            over = partial(chain.shop.integration.history.instance, swept.id)
            chain.wait(lambda over=over: over().ended, "a sweep's end", CATCH_UP)
        took, spent_on = time.monotonic() - back, spent(chain.portal.log()[asked:]).requests
        work = sum(spent_on[each] for each in (Purpose.STEP, Purpose.FILE, Purpose.CHANGE, Purpose.NOTICE))
    ideal = max(0.0, work - BURST) / RATE
    load = os.getloadavg()[0]
    Console().print(
        f"{orders} orders, {away:g} s away: {work} requests, {took:.0f} s, ideal {ideal:.0f} s, load {load:.1f}"
    )
    assert took <= 1.3 * ideal + (0 if orders > 10 else GRACE)
    assert doubled(chain.created()) == {}
    for order in begun:  # a step that was done meanwhile never got a task in the portal
        assert chain.incidents(order) == []
        assert [str(d) for d in chain.parts.cards().differences(order.id, deep=True)] == []


@contextmanager
def _slow_portal(chain: Chain) -> Iterator[None]:
    """Let portal and worker keep to a rate that work can reach, as the real one's 2 a second."""
    before = chain.portal.rate, chain.portal.drain
    chain.retire()
    chain.portal.rate, chain.portal.drain = BURST, RATE
    chain.portal.settings(rate=BURST, drain=RATE)
    chain.work(ORDER_ROUTE_BITRIX_RATE=f"{RATE:g}", ORDER_ROUTE_BITRIX_BURST=str(BURST))
    try:
        yield
    finally:
        chain.portal.rate, chain.portal.drain = before
        chain.portal.settings(rate=before[0], drain=before[1])
        chain.retire()
        chain.successors()
        chain.work()


def test_engine_killed_under_a_running_worker(chain: Chain) -> None:
    shop, (worker,) = chain.shop, chain.workers
    first = [shop.start_order() for _ in range(2)]
    directors = [chain.step(order, "UserTask_ApproveOrder") for order in first]
    started: list[Instance] = []
    answered: list[Instance] = []

    def start() -> None:
        while len(started) < 8:
            try:
                started.append(shop.start_order())
            except EngineError:
                return

    def answer() -> None:
        for order, task in zip(first, directors, strict=True):
            try:
                chain.complete(task, good_answer("UserTask_ApproveOrder"))
            except EngineError:
                return
            answered.append(order)

    threads = [threading.Thread(target=start), threading.Thread(target=answer)]
    for thread in threads:
        thread.start()
    chain.wait(lambda: len(started) >= 2 and answered, "some work acknowledged")
    shop.engine.kill()
    for thread in threads:
        thread.join()
    shop.engine.start()
    for order in started:
        chain.step(order, "UserTask_ApproveOrder")
    for order in answered:
        chain.step(order, "UserTask_PrepareDesign")
    assert worker.poll() is None
    chain.reconcile(*started, *answered)  # a step may have waited longer than the patience
    chain.verdict(*started, *answered)


def test_files_of_a_closed_order_open_a_year_later(chain: Chain) -> None:
    shop = chain.shop
    order = shop.start_order()
    chain.carry(order, *HOME, *SHIP)
    assert chain.ended(order) == "End_Delivered"
    kept = shop.reader.snapshot(order.id).files
    assert {f.variable for f in kept} == {"orderFile", "designFile", "estimateFile"}
    swept = sweep(chain)
    chain.wait(lambda: shop.integration.history.instance(swept.id).ended, "a sweep ended, which is kept for a day")
    _a_year_passes(chain)
    chain.wait(lambda: _forgotten(chain, swept), "the clean-up removed the sweep of a year ago")
    told = shop.reader.snapshot(order.id)
    assert told.files == kept
    for file in kept:
        name, data = shop.reader.file_bytes(order.id, file.variable)
        assert (name, hashlib.sha256(data).hexdigest()) == (file.name, file.sha256)
    chain.verdict(order)  # deep: each file is fetched from the card and from the Drive, and equals the engine's


def _a_year_passes(chain: Chain) -> None:
    """Move the engine's clock ahead by 366 days, then let the clean-up of history run at once."""
    engine, later = chain.shop.engine, datetime.now(UTC) + timedelta(days=366)
    with requests.Session() as admin:
        admin.auth = (engine.admin_user, engine.admin_password.get_secret_value())
        digest = f"{engine.url}/process-definition/key/send-digest/suspended"
        admin.put(digest, json={"suspended": True, "includeProcessInstances": True}, timeout=60).raise_for_status()
        # The nights' clean-ups on the way are no stops: without the mornings' digest nothing else is due in the year.
        gone = admin.post(f"{engine.root}/demo/clock/advance", json={"to": later.isoformat()}, timeout=60)
        gone.raise_for_status()
        assert gone.json()["arrived"] is True
        admin.post(f"{engine.url}/history/cleanup?immediatelyDue=true", timeout=60).raise_for_status()


def _forgotten(chain: Chain, instance: Instance) -> bool:
    try:
        chain.shop.integration.history.instance(instance.id)
    except NotFound:
        return True
    return False
