"""Rule: a promise that passes proposes one entry of the register, for the one who held the step; the person explains,
the named manager decides, nobody else sees it, and nothing is confirmed by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from chain import Chain, open_chain
from shop import Shop

from engine.history import PastInstance
from engine.processes import Instance
from engine.tasks import Task
from orders.adjustment import PROCESS

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
HOLDER, MANAGER, AUDITOR, COLLEAGUE, OPERATOR = "stepanov", "gromov", "nikitina", "makarov", "kozlov"
SOON = 6.0  # seconds that a promise lies ahead
BEFORE = ("ApproveOrder", "PrepareDesign", "PrepareEstimate", "AgreePrice")


@pytest.fixture(scope="module")
def chain(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with open_chain(shop, tmp_path_factory.mktemp("register") / "chain", lock_seconds=15) as opened:
        opened.work()
        opened.wait(opened.healthy, "the worker up")
        yield opened


def promised(chain: Chain, seconds: float = SOON) -> tuple[Instance, datetime]:
    """Carry a new order to production, promised for a few seconds from now."""
    order = chain.shop.start_order()
    chain.carry(order, *BEFORE)
    step = chain.step(order, "UserTask_SetReadyDate")
    by = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
    chain.complete(step, {"readyDecision": "approve", "readyBy": by.isoformat()})
    return order, by


def entries(chain: Chain, order: Instance) -> list[PastInstance]:
    history = chain.shop.integration.history
    found = history.find(
        processDefinitionKey=PROCESS, variables=[{"name": "orderInstanceId", "operator": "eq", "value": order.id}]
    )
    return list(found)


def flagged(chain: Chain, order: Instance) -> str:
    return chain.wait(lambda: str(chain.shop.reader.variables(order.id).get("lateFlags") or ""), "the late flag")


def entry_task(chain: Chain, entry: PastInstance, element: str) -> Task:
    def look() -> Task | None:
        return next((t for t in chain.shop.integration.tasks.of_instance(entry.id) if t.element == element), None)

    return chain.wait(look, f"{element} of {entry.business_key}")


def test_a_late_order_makes_one_entry_that_goes_its_whole_way(chain: Chain) -> None:
    order, by = promised(chain)
    step = chain.step(order, "UserTask_Manufacture")
    chain.shop.person(HOLDER).tasks.claim(step.id, HOLDER)
    flagged(chain, order)
    (entry,) = entries(chain, order)
    assert entry.business_key == f"{order.business_key}.manufacture.{by:%Y%m%dT%H%M%SZ}"
    assert abs((entry.started - by).total_seconds()) < 60
    explain = entry_task(chain, entry, "UserTask_ExplainDelay")
    assert explain.assignee == HOLDER
    said = chain.shop.reader.variables(entry.id)
    assert said["adjustTask"] == step.id and step.id in str(said["adjustEvidence"])
