"""Rule: a worker may be killed at any moment, by anything; the next one ends its work, and nothing is there twice.

Failpoints exist in test builds only. The short runs kill at each kind of place once; the soak runs have the counts of
the promise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from chain import KINDS, Chain, doubled, open_chain
from crowd import CANCELLED
from oracle import clean
from shop import Shop

from engine.processes import Instance

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
Tell = Callable[[str], None]
READS = ("list", "get", "current", "fields", "getlist", "getchildren", "profile")


@pytest.fixture
def chain(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with open_chain(shop, tmp_path_factory.mktemp("kills") / "chain") as opened:
        yield opened


def cancelled_order(chain: Chain) -> Instance:
    """Let an order open, be approved and be cancelled: the shortest one in which every kind of thing is created."""
    order = chain.shop.start_order()
    chain.carry(order, "ApproveOrder")
    chain.step(order, "UserTask_PrepareDesign")
    chain.cancel(order)
    assert chain.ended(order) == CANCELLED
    return order


def test_killed_before_a_call_another_worker_makes_it(chain: Chain) -> None:
    """Before a write that may be repeated: the next worker is there after the lock's end, with no other wait."""
    chain.work("before_call/crm.item.update:kill", "before_call/batch:kill")
    clean(chain, [cancelled_order(chain)])
    assert chain.deaths == 2


def waves(chain: Chain, place: str, count: int) -> list[Instance]:
    """Let `count` workers die at `place` of every kind in turn, several at once, each on its own order.

    A create that may have begun is looked for until the portal's own limit is over: so a wave takes a minute.
    """
    kinds = [kind for kind in KINDS if f"{place}/{kind}" != "before_call/notice"]
    orders = []
    while chain.deaths < count and len(orders) < 2 * count:
        before = chain.deaths
        for number in range(4):
            chain.work(f"{place}/{KINDS[kinds[(before + number) % len(kinds)]]}:kill")
        wave = [chain.shop.start_order() for _ in range(4)]
        for order in wave:
            chain.carry(order, "ApproveOrder")
            chain.step(order, "UserTask_PrepareDesign")
            chain.cancel(order)
        for order in wave:
            assert chain.ended(order) == CANCELLED
        orders += wave
        chain.retire()
    assert chain.deaths >= count
    return orders


@pytest.mark.soak
@pytest.mark.parametrize("place", ["before_call", "after_call"])
def test_fifty_times_killed_around_a_call(chain: Chain, place: str, tell: Tell) -> None:
    """Fifty deaths before calls; and fifty after them, when only the portal knows that the thing is there."""
    orders = waves(chain, place, 50)
    tell(f"{place}: {chain.deaths} deaths, {len(orders)} orders")
    clean(chain, orders)


def test_killed_before_the_answer_nothing_is_written_again(chain: Chain, tell: Tell) -> None:
    """All effects were done and noted, only the engine was not told: the next worker tells it and writes nothing."""
    killed_before_the_answer(chain, tell, rounds=1)


@pytest.mark.soak
def test_fifty_times_killed_before_the_answer(chain: Chain, tell: Tell) -> None:
    killed_before_the_answer(chain, tell, rounds=17)


def killed_before_the_answer(chain: Chain, tell: Tell, rounds: int) -> None:
    orders = []
    for _ in range(rounds):
        chain.retire()
        chain.work(*(f"before_complete/{topic}:kill" for topic in ("register-order", "sync-stage", "notify")))
        orders.append(cancelled_order(chain))
    assert chain.deaths == 3 * rounds
    assert doubled(_writes(chain)) == {}, "the very same write was sent twice"
    clean(chain, orders)
    tell(f"before_complete: {chain.deaths} deaths, {len(orders)} orders")


def _writes(chain: Chain) -> list[str]:
    """Return every single write that the portal carried out, with all that was sent."""
    lines = [line for line in chain.portal.log(applied=True) if line["method"] != "batch"]
    return [
        f"{line['method']} {json.dumps(line['params'], sort_keys=True)}" for line in lines if _wrote(line["method"])
    ]


def _wrote(method: str) -> bool:
    return method != "batch" and method.rpartition(".")[2].lower() not in READS
