"""Rule: many orders under way, workers killed at any moment or asked to end as at a deploy: every order ends as its
persons decided, nothing is there twice, and nothing stays locked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from chain import Chain, open_chain
from crowd import CANCELLED, HOME, REFUSED, SHORT, Crowd, said
from oracle import clean
from shop import Shop

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
Tell = Callable[[str], None]


@pytest.fixture
def crowded(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Many orders on few cores: with the shortest locks a busy machine would do little but lose them."""
    with open_chain(shop, tmp_path_factory.mktemp("crowd") / "chain", lock_seconds=8) as opened:
        yield opened


def kill_a_crowd(chain: Chain, tell: Tell, seed: int, *, orders: int, workers: int, kills: int, seconds: float) -> None:
    """Kill workers at seeded moments while a crowd of orders goes its ways; every order ends as its persons decided."""
    crowd = Crowd(chain, seed, SHORT if orders < 20 else (*SHORT, REFUSED, CANCELLED, HOME))
    for _ in range(workers):
        chain.work()
    chain.wait(lambda: said(chain, "worker_started")() >= workers, "all workers at work")
    chain.kill_at_random(crowd.chance, kills, apart=(0.5, 3))
    crowd.start(orders)
    crowd.carry_to_the_ends(seconds)
    while chain.deaths < min(kills, 60):  # a quick machine was done before the kills were
        crowd.start(2)
        crowd.carry_to_the_ends(seconds)
    tell(f"seed {seed}: {chain.deaths} deaths, {orders} orders")
    assert chain.deaths >= min(kills, 60)
    clean(chain, crowd.orders)


def test_random_kills_under_load(crowded: Chain, tell: Tell) -> None:
    kill_a_crowd(crowded, tell, 1, orders=6, workers=2, kills=3, seconds=240)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_sixty_random_kills_under_load(crowded: Chain, tell: Tell, seed: int) -> None:
    kill_a_crowd(crowded, tell, seed, orders=200, workers=4, kills=70, seconds=2400)


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.soak)])
def test_sigterm_under_load_leaves_nothing_locked(crowded: Chain, tell: Tell, times: int) -> None:
    """As at a deploy: the worker ends by itself with code 0, and what it had in hand is free at once."""
    crowd, slowest = Crowd(crowded, 5, (REFUSED,)), 0.0
    for _ in range(times):
        crowded.work()
        before = said(crowded, "external_task_completed")()
        crowd.start(4)
        crowded.wait(lambda before=before: said(crowded, "external_task_completed")() > before, "the worker at work")
        asked = time.monotonic()
        assert crowded.retire() == [0]
        slowest = max(slowest, time.monotonic() - asked)
        assert [task.id for task in crowded.shop.admin.external.find(locked=True)] == []
    crowded.work()
    crowd.carry_to_the_ends(300)
    clean(crowded, crowd.orders)
    tell(f"{times} SIGTERMs under load, the slowest end took {slowest:.1f} s")
