"""A running shop goes over to the next version: old and new worker, old and new orders, all four pairs work or wait.

The version before is made by code, so a clone without history can test it: the route before is the deployed one, the
next has one stage more; the worker before was started before the deployment, or does not know a topic; an order of the
version before lacks a variable that today's worker writes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from chain import Chain, open_chain
from route_edits import TECHNOLOGIST, insert_stage, route_xml
from shop import ROOT, Shop, pdf_file

from engine.client import EngineClient
from engine.deploy import deploy, folder_files
from engine.external import Topic
from engine.processes import Instance
from engine.rights import ROUTE

pytestmark = [pytest.mark.acceptance, pytest.mark.engine]
STAGE = replace(TECHNOLOGIST, group="designers")
NEW_STEP = f"UserTask_{STAGE.name}"
NEW_ANSWER = {"technologyDecision": "approve", "technologyFile": pdf_file("карта.pdf"), "technologyComment": "Годится"}


@pytest.fixture
def chain(shop: Shop, tmp_path: Path) -> Iterator[Chain]:
    with open_chain(shop, tmp_path / "chain", lock_seconds=15) as opened:
        yield opened


@pytest.fixture
def next_version(shop: Shop, tmp_path: Path) -> Iterator[Path]:
    """Return the folder of the next version; what a test deployed of it is taken back for the tests after it."""
    folder = tmp_path / "next"
    folder.mkdir()
    for file in folder_files(ROOT / "bpmn"):
        (folder / file.name).write_bytes(file.read_bytes())
    new = insert_stage(route_xml(), STAGE, "Flow_PrepareDesignToPrepareEstimate")
    (folder / f"{ROUTE}.bpmn").write_text(new, encoding="utf-8")
    before = shop.admin.processes.newest(ROUTE).deployment_id
    yield folder
    newest = shop.admin.processes.newest(ROUTE).deployment_id
    if newest != before:
        shop.admin.caller.rest("DELETE", f"/deployment/{newest}", params={"cascade": "true"}, timeout=120)


def of_the_version_before(shop: Shop) -> Instance:
    """Begin an order as the version before did: without `orderKey`, which register-order writes now."""
    order = shop.start_order()
    asked = [Topic("register-order", 60.0, business_key=order.business_key)]
    with EngineClient(*shop.worker_credentials) as before:
        (task,) = before.external.fetch_and_lock("before", asked, 1)
        before.external.complete(task.id, "before", {"trackToken": "t" * 32})
    return order


def go_over(chain: Chain, folder: Path) -> None:
    """Deploy the next version and make its column, as `order-route deploy` does."""
    done = deploy(chain.shop.admin, folder_files(folder), name="order-route", ttl_days=1095)
    assert done.new
    chain.parts.cards().provision()


def worker_of(chain: Chain, topics: str) -> subprocess.Popen[bytes]:
    """Start a worker that knows only these topics."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("ORDER_ROUTE_")} | chain.env
    argv = [sys.executable, "-m", "app", "worker", "--topics", topics]
    with (chain.folder / "worker.log").open("ab") as log:
        worker = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=log, stderr=log)
    chain.workers.append(worker)
    return worker


def elements(chain: Chain, order: Instance) -> list[str]:
    return [t.element for t in chain.shop.integration.history.tasks(processInstanceId=order.id)]


def test_all_four_pairs_of_worker_and_order_work(chain: Chain, next_version: Path) -> None:
    shop = chain.shop
    first, second = of_the_version_before(shop), of_the_version_before(shop)
    old_worker = chain.work()
    for order in (first, second):
        chain.step(order, "UserTask_ApproveOrder")
    go_over(chain, next_version)

    chain.carry(first, "ApproveOrder", "PrepareDesign")  # old worker, old order: its own diagram has no new step
    chain.step(first, "UserTask_PrepareEstimate")
    begun, carried = shop.start_order(), shop.start_order()  # old worker, new orders
    assert begun.definition_id != first.definition_id
    chain.carry(carried, "ApproveOrder", "PrepareDesign")
    chain.answer(carried, NEW_STEP, **NEW_ANSWER)
    chain.step(carried, "UserTask_PrepareEstimate")
    chain.step(begun, "UserTask_ApproveOrder")

    chain.workers.remove(old_worker)
    old_worker.terminate()
    assert old_worker.wait(60) == 0
    chain.work()
    chain.carry(second, "ApproveOrder", "PrepareDesign")  # new worker, old order
    chain.step(second, "UserTask_PrepareEstimate")
    chain.carry(begun, "ApproveOrder", "PrepareDesign")  # new worker, new order
    chain.step(begun, NEW_STEP)

    assert "orderKey" not in shop.reader.snapshot(second.id).variables, "the version before did not write it"
    assert [elements(chain, o).count(NEW_STEP) for o in (first, second, begun, carried)] == [0, 0, 1, 1]
    chain.verdict(first, second, begun, carried)


def test_a_worker_that_does_not_know_a_topic_leaves_its_steps_waiting(chain: Chain) -> None:
    shop = chain.shop
    known = "register-order,sync-stage,notify"  # the topics of a version that could not judge files yet
    old = worker_of(chain, known)
    order = shop.start_order()
    waiting = chain.wait(
        lambda: next((t for t in shop.admin.external.find(processInstanceId=order.id) if t.topic not in known), None),
        "the unknown step reached",
    )
    chain.wait(chain.healthy, "the old worker well")
    other = shop.start_order()  # it goes on with what it knows
    chain.wait(
        lambda: [t.topic for t in shop.admin.external.find(processInstanceId=other.id)] == [waiting.topic], "so far"
    )
    assert (waiting.worker_id, chain.incidents(order)) == (None, []), "nobody took it and nobody complained"
    chain.workers.remove(old)
    old.terminate()
    assert old.wait(60) == 0
    chain.work()
    for each in (order, other):
        chain.step(each, "UserTask_ApproveOrder")
    chain.verdict(order, other)
