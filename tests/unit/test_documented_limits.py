"""Rule: at the limits that the portal documents (50 in a row, 2 a second) it has to refuse next to nothing.

What people wait for is done at that rate: also the heap that an outage has left.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mirrored import MirroredPortal, Story, everything_once, full_story, insist
from rich.console import Console

from bitrix_sync.errors import Limited

X, Y = 50, 2.0


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[MirroredPortal]:
    opened = MirroredPortal(tmp_path, rate=Y, burst=X)
    opened.portal.settings(rate=X, drain=Y)
    yield opened
    opened.portal.settings(rate=10_000, drain=1_000)
    opened.close()


def swept(mirrored: MirroredPortal) -> int:
    """Sweep as a worker does: again where people's steps had the whole bucket and it gave way."""
    while True:
        try:
            return mirrored.new_mirror().sweep()
        except Limited:
            continue


@pytest.mark.parametrize("orders", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_orders_started_at_once_while_a_sweep_runs(mirrored: MirroredPortal, orders: int) -> None:
    """Eight steps at a time and a sweep share one bucket."""
    stories = [full_story(mirrored.source, f"ORD-2026-{n:05d}") for n in range(orders)]

    def step(story: Story) -> None:
        insist(mirrored, story, times=60)

    with ThreadPoolExecutor(9) as pool:
        sweep = pool.submit(swept, mirrored)
        list(pool.map(step, stories))
        assert sweep.result() == orders
    asked = mirrored.portal.requests()
    refused = [line for line in asked if line["status"] == 503]
    assert len(refused) <= len(asked) / 100, f"{len(refused)} of {len(asked)}"
    mirrored.portal.settings(rate=10_000, drain=1_000)
    mirrored.rate = mirrored.burst = 10_000
    for story in stories[:3]:
        everything_once(mirrored, story)


@pytest.mark.parametrize(("orders", "rate"), [(5, 5.0), pytest.param(50, 8.0, marks=pytest.mark.soak)])
def test_a_heap_after_an_outage_comes_at_the_portals_rate(
    mirrored: MirroredPortal, orders: int, rate: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """Steps that opened without the portal; the ideal is the requests beyond the burst at its rate, no one refused."""
    burst = 10
    mirrored.portal.settings(rate=burst, drain=rate)
    mirrored.rate, mirrored.burst = rate, burst
    stories = [full_story(mirrored.source, f"ORD-2026-{n:05d}") for n in range(orders)]
    for story in stories:
        story.set(cardStage="estimate", portalPending=True)
    began, mirror = time.monotonic(), mirrored.new_mirror()
    assert mirror.sweep() == orders
    took, asked = time.monotonic() - began, mirrored.portal.requests()
    ideal = (len(asked) - burst) / rate
    with capsys.disabled():
        load = os.getloadavg()[0]
        Console().print(f"{orders} orders, {len(asked)} requests: {took:.1f} s, ideal {ideal:.1f} s, load {load:.1f}")
    assert took <= 1.3 * ideal
    assert [line for line in asked if line["status"] == 503] == []
    assert all(story.order.variables["portalPending"] is False for story in stories)
    mirrored.portal.settings(rate=10_000, drain=1_000)
    mirrored.rate = mirrored.burst = 10_000
    for story in stories[:3]:
        everything_once(mirrored, story)
