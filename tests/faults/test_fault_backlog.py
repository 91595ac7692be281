"""Rule: a heap of work that waited is worked off oldest first, and never faster than the portal allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from chain import Chain, open_chain
from oracle import clean
from shop import Shop

pytestmark = pytest.mark.engine
RATE, BURST = 40.0, 50  # what the portal allows a second, and at once
SLOTS = 16


@pytest.fixture
def chain(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("backlog")
    with open_chain(shop, folder / "chain", lock_seconds=15, bitrix_rate=RATE, bitrix_burst=BURST) as opened:
        opened.portal.settings(rate=BURST, drain=RATE)
        yield opened


@pytest.mark.parametrize("count", [24, pytest.param(300, marks=pytest.mark.soak)])
def test_a_heap_of_orders_is_opened_oldest_first(chain: Chain, tell: Callable[[str], None], count: int) -> None:
    """Nobody worked for a while. With so many slots an order may overtake those that are in work, and no others."""
    orders = [chain.shop.start_order() for _ in range(count)]
    begun, calls = time.monotonic(), len(chain.portal.requests())
    chain.work()
    chain.wait(lambda: len(_opened(chain)) == count, f"{count} first steps open", 60 + 10 * count)
    took, calls = time.monotonic() - begun, len(chain.portal.requests()) - calls
    places = {instance: place for place, instance in enumerate(_opened(chain))}
    late = [places[order.id] - place for place, order in enumerate(orders)]
    assert max(map(abs, late)) <= 3 * SLOTS, "some order waited behind much younger ones"
    refused = [line for line in chain.portal.requests() if line["status"] == 503]
    assert len(refused) <= calls / 100
    assert calls <= RATE * took + 2 * BURST
    tell(f"{count} queued orders, {calls} requests in {took:.0f} s at {RATE:g} a second, {len(refused)} refused")
    chain.portal.settings(rate=2000, drain=100)  # who looks at the end is not to be refused in the worker's place
    with ThreadPoolExecutor(2) as readers:
        assert not any(readers.map(chain.incidents, orders))
    clean(chain, orders)


def _opened(chain: Chain) -> list[str]:
    """Return the orders whose first step is open, in the order in which they opened."""
    found = [task for task in chain.shop.integration.tasks.find() if task.element == "UserTask_ApproveOrder"]
    return [task.instance_id for task in sorted(found, key=lambda task: str(task.created))]
