"""Rule: engine or portal may be away, a year may pass: nothing acknowledged is lost, and the card catches up."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from chain import Chain, open_chain
from ownshop import open_own
from shop import good_answer

from engine.errors import EngineError, NotFound
from engine.processes import Instance

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
TWO_YEARS = 2 * 366 * 86_400  # the sweep runs only when a test asks for it
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


def test_portal_away_longer_than_the_patience(chain: Chain) -> None:
    before = chain.shop.start_order()
    director = chain.step(before, "UserTask_ApproveOrder")
    chain.portal.stop()
    chain.complete(director, {"directorDecision": "approve"})
    meanwhile = chain.shop.start_order()
    for order, element in ((before, "UserTask_PrepareDesign"), (meanwhile, "UserTask_ApproveOrder")):
        chain.step(order, element)
        assert pending(chain, order) is True
        assert chain.incidents(order) == []
    chain.portal.start()
    assert [c["xmlId"] for c in chain.book.cards()] == [f"order:{before.business_key}"]
    swept = sweep(chain)
    chain.wait(lambda: chain.shop.integration.history.instance(swept.id).ended, "the sweep ended")
    for order in (before, meanwhile):
        chain.wait(lambda order=order: pending(chain, order) is False, "the mark taken off")
    chain.verdict(before, meanwhile)


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
