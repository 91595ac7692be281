"""Rule: what two sweeps in a row could not put right is drift: it is told while it lasts, and not longer."""

from __future__ import annotations

import pytest

from bitrix_sync.drift import Drift, after_sweep, lasting


def test_one_sweeps_trouble_is_none_and_two_are_drift_until_it_is_over() -> None:
    failed = {"i1": ("ORD-1", "карточка удалена")}
    once = after_sweep(None, {"i1", "i2"}, {"i1", "i2"}, failed)
    assert lasting(once) == []
    twice = after_sweep(once, {"i1"}, {"i1", "i2"}, failed)
    assert lasting(twice) == [Drift("ORD-1", "карточка удалена")]
    assert lasting(after_sweep(twice, {"i1", "i2"}, {"i1", "i2"}, {})) == []


def test_an_order_whose_turn_it_was_not_stays_and_one_that_is_gone_is_forgotten() -> None:
    failed = {"i1": ("ORD-1", "нет связи"), "i2": ("ORD-2", "нет связи")}
    text = after_sweep(after_sweep(None, set(failed), set(failed), failed), set(failed), set(failed), failed)
    assert lasting(after_sweep(text, {"i3"}, {"i1", "i3"}, {})) == [Drift("ORD-1", "нет связи")]


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"i": 1}', '{"i": {"order": "x"}}'])
def test_what_is_not_ours_counts_as_nothing(text: str | None) -> None:
    assert lasting(text) == []
