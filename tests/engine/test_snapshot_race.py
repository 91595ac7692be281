"""Rule: an order can be read at any moment, also while a person completes the very step that is being read."""

from __future__ import annotations

import threading

import pytest
from shop import Shop

from orders.errors import OrderRouteError

pytestmark = pytest.mark.engine


def test_reading_never_fails_because_a_step_was_just_completed(shop: Shop) -> None:
    """Readers without pause beside an order on its way: each snapshot is whole, none is refused."""
    order = shop.start_order()
    shop.open_step(order)
    over, failures, looks = threading.Event(), list[OrderRouteError](), list[int]()

    def read() -> None:
        while not over.is_set():
            try:
                found = shop.reader.snapshot(order.id)
            except OrderRouteError as error:
                failures.append(error)
                return
            looks.append(len(found.done))
            assert len(found.open) <= 1

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        shop.carry_home(order)
    finally:
        over.set()
        for reader in readers:
            reader.join(timeout=30)
    assert failures == []
    assert max(looks) >= 5
