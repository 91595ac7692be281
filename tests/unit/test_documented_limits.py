"""Rule: at the limits that the portal documents (50 in a row, 2 a second) it has to refuse next to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mirrored import MirroredPortal, Story, everything_once, full_story, insist

X, Y = 50, 2.0


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[MirroredPortal]:
    opened = MirroredPortal(tmp_path, rate=Y, burst=X)
    opened.portal.settings(rate=X, drain=Y)
    yield opened
    opened.portal.settings(rate=10_000, drain=1_000)
    opened.close()


@pytest.mark.parametrize("orders", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_orders_started_at_once_while_a_sweep_runs(mirrored: MirroredPortal, orders: int) -> None:
    """Eight steps at a time and a sweep share one bucket."""
    stories = [full_story(mirrored.source, f"ORD-2026-{n:05d}") for n in range(orders)]

    def step(story: Story) -> None:
        insist(mirrored, story, times=60)

    with ThreadPoolExecutor(9) as pool:
        sweep = pool.submit(mirrored.new_mirror().sweep)
        list(pool.map(step, stories))
        assert sweep.result() == orders
    asked = mirrored.portal.requests()
    refused = [line for line in asked if line["status"] == 503]
    assert len(refused) <= len(asked) / 100, f"{len(refused)} of {len(asked)}"
    mirrored.portal.settings(rate=10_000, drain=1_000)
    mirrored.rate = mirrored.burst = 10_000
    for story in stories[:3]:
        everything_once(mirrored, story)
