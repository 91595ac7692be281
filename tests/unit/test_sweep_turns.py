"""The sweep's cost does not grow with the shop: beyond a number of orders each waits for its turn, and none for ever.

Where few orders run, all are looked at in every sweep, in few requests to the portal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mirrored import MirroredPortal, Story

from bitrix_sync import sweep

FEW, ORDERS = 3, 8


@pytest.fixture
def mirrored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MirroredPortal]:
    monkeypatch.setattr(sweep, "AT_ONCE", FEW)
    opened = MirroredPortal(tmp_path)
    yield opened
    opened.close()


def _orders(mirrored: MirroredPortal) -> list[Story]:
    stories = []
    for n in range(ORDERS):
        story = Story(mirrored.source, f"ORD-2026-{n:05d}")
        story.open("approve")
        mirrored.mirror.reconcile(story.instance)
        stories.append(story)
    return stories


def _spoil(mirrored: MirroredPortal, stories: list[Story]) -> None:
    for story in stories:
        mirrored.edit({"title": "spoilt"}, key=story.order.key)


def _spoilt(mirrored: MirroredPortal) -> int:
    return sum(card["title"] == "spoilt" for card in mirrored.cards())


def test_every_order_has_its_turn_within_the_stated_number_of_sweeps(mirrored: MirroredPortal) -> None:
    _spoil(mirrored, _orders(mirrored))
    left = []
    for _ in range(sweep.sweeps_per_round(ORDERS)):
        assert mirrored.new_mirror().sweep() <= FEW  # a new process each time: the turn is kept in the ledger
        left.append(_spoilt(mirrored))
    assert left == [5, 2, 0]


def test_an_order_that_moved_does_not_wait_for_its_turn(mirrored: MirroredPortal) -> None:
    stories = _orders(mirrored)
    mirrored.mirror.sweep()
    last = max(stories, key=lambda story: story.instance)
    last.finish("orlov", "Берём", directorDecision="approve")
    visit = last.open("design")
    last.change(open=(replace(visit, since=datetime.now(UTC) + timedelta(seconds=1)),))
    mirrored.mirror.sweep()
    assert mirrored.column(last.order.key) == "design"


def test_a_sweep_that_failed_is_repeated_from_the_same_place(mirrored: MirroredPortal) -> None:
    _spoil(mirrored, _orders(mirrored))
    mirrored.portal.faults({"kind": "empty_list", "methods": ["crm.item.list"], "count": 1})
    with pytest.raises(Exception, match="Битрикс24"):
        mirrored.new_mirror().sweep()
    mirrored.portal.faults()
    for _ in range(sweep.sweeps_per_round(ORDERS)):
        mirrored.new_mirror().sweep()
    assert _spoilt(mirrored) == 0


def test_few_orders_are_all_looked_at_in_few_requests(
    mirrored: MirroredPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "AT_ONCE", 1000)
    _orders(mirrored)
    mirrored.mirror.sweep()
    mark = mirrored.mark()
    assert mirrored.mirror.sweep() == ORDERS
    assert len(mirrored.requests_since(mark)) == 1
