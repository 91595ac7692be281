"""Rule: a worker killed right after a creating call loses nothing and doubles nothing; the next one finishes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from chain import KINDS, Chain, open_chain
from shop import Shop

from engine.processes import Instance

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
STORIES = {  # at most four deaths at one step: a task that takes its process down more often is put aside
    "at the card": ("card", "card's file", "Drive folder"),
    "at the task": ("Drive file", "task", "log line"),
    "at the end": ("notice", "comment"),
}


@pytest.fixture
def chain(shop: Shop, tmp_path: Path) -> Iterator[Chain]:
    with open_chain(shop, tmp_path / "chain") as opened:
        yield opened


def check_everything_is_there_once(chain: Chain, *orders: Instance) -> None:
    chain.verdict(*orders)
    assert len(chain.book.cards()) == len(orders)
    for order in orders:
        comments, lines = chain.book.comments(order.business_key), chain.book.lines(order.business_key)
        assert [("отменён" in text, "передумал" in text) for text in comments] == [(True, True)]
        assert len(lines) == 1
        told = {key.rpartition(":")[2] for key in chain.notices(order)}
        assert told == {"volkov", "lebedeva", "novikov", "sokolova", "orlov"}
        assert len(chain.notices(order)) == len(told)  # one key each; the portal keeps one notice per key


def test_the_stories_cover_every_kind() -> None:
    assert {kind for kinds in STORIES.values() for kind in kinds} == set(KINDS)


@pytest.mark.parametrize("kinds", STORIES.values(), ids=STORIES)
def test_killed_after_each_creating_call(chain: Chain, kinds: tuple[str, ...]) -> None:
    """One worker dies after the first, its successor after the second, and so on; the last one finishes."""
    chain.work(*(f"after_call/{KINDS[kind]}:kill" for kind in kinds))
    order = chain.cancelled_order()
    assert chain.deaths == len(kinds)
    check_everything_is_there_once(chain, order)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_killed_at_random_moments(chain: Chain, seed: int) -> None:
    """Orders come until all four kills have fallen into one."""
    chain.work()
    chain.kill_at_random(random.Random(seed), times=4, apart=(0.3, 3))
    orders = [chain.cancelled_order()]
    while chain.deaths < 4:
        orders.append(chain.cancelled_order())
    check_everything_is_there_once(chain, *orders)
