"""Rule: a worker may be killed at any moment, by anything; the next one ends its work, and nothing is there twice.

Failpoints exist in test builds only. The short runs kill at each kind of place once; the soak runs have the counts of
the promise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from chain import KINDS, Chain, open_chain
from crowd import CANCELLED
from oracle import clean
from shop import Shop

from engine.processes import Instance

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
Tell = Callable[[str], None]
WAVE = 6  # workers that die at once, each on its own order


@pytest.fixture
def chain(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with open_chain(shop, tmp_path_factory.mktemp("kills") / "chain") as opened:
        yield opened


def test_killed_before_a_call_another_worker_makes_it(chain: Chain) -> None:
    """Before a write that may be repeated: the next worker is there after the lock's end, with no other wait."""
    chain.work("before_call/crm.item.update:kill", "before_call/batch:kill")
    clean(chain, [chain.cancelled_order()])
    assert chain.deaths == 2


def waves(chain: Chain, place: str, count: int) -> list[Instance]:
    """Let `count` workers die at `place` of every kind in turn, several at once, each on its own order.

    A create that may have begun is looked for until the portal's own limit is over: so a wave takes a minute.
    """
    kinds = [kind for kind in KINDS if f"{place}/{kind}" != "before_call/notice"]
    orders = []
    while chain.deaths < count and len(orders) < 2 * count:
        before = chain.deaths
        for number in range(WAVE):
            chain.work(f"{place}/{KINDS[kinds[(before + number) % len(kinds)]]}:kill")
        wave = [chain.shop.start_order() for _ in range(WAVE)]
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
