"""The demo tells all ten stories among its first twelve orders, whatever the seed, and the same seed twice the same;
it ends by SIGTERM as by Ctrl-C.
"""

from __future__ import annotations

import os
import signal

import pytest

from app.demo.plan import Story, make_plan
from app.demo.stopping import sigterm_as_ctrl_c


@pytest.mark.parametrize("seed", range(60))
def test_first_twelve_hold_every_story(seed: int) -> None:
    plan = make_plan(12, seed)
    assert len(plan) == 12
    assert {order.story for order in plan} == set(Story)


def test_same_seed_same_plan_and_more_orders_keep_the_first() -> None:
    assert make_plan(12, 7) == make_plan(12, 7)
    assert make_plan(40, 7)[:12] == make_plan(12, 7)
    assert make_plan(12, 7) != make_plan(12, 8)


def test_fewer_orders_are_just_fewer() -> None:
    assert len(make_plan(1, 3)) == 1


def test_sigterm_unwinds_like_ctrl_c() -> None:
    """So that engine and folder of a demo or a history are cleared away, whoever ends it."""
    before = signal.getsignal(signal.SIGTERM)
    sigterm_as_ctrl_c()
    try:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
