"""Each layer that keeps a create from doubling holds alone, where the others cannot see: key, ledger, look-up, lease.

In most troubles one layer covers another (what the first look misses, the portal's own refusal of a second catches).
Here are the moments in which only one of them stands between an order and its double.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mirrored import MirroredPortal, everything_once, full_story, insist

from bitrix_sync.sandbox.store import Store
from bitrix_sync.work import card_key
from ledger.failpoints import Failpoint, reset_failpoints
from orders.errors import Transient

KEY = "ORD-2026-00042"
ALONE = (  # creates that no portal recognises by themselves; a task carries an Idempotency-Key, so it need not wait
    "crm.item.add",
    "disk.folder.addsubfolder",
    "disk.folder.uploadfile",
    "crm.timeline.comment.add",
    "crm.timeline.logmessage.add",
)


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[MirroredPortal]:
    opened = MirroredPortal(tmp_path)
    yield opened
    opened.close()


def die(mirrored: MirroredPortal, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Let a process die with a call under way: it is begun, and nobody knows what becomes of it."""
    monkeypatch.setenv("ORDER_ROUTE_TEST_BUILD", "1")
    monkeypatch.setenv("FAILPOINT", f"before_call/{method}:raise")
    reset_failpoints()
    with pytest.raises(Failpoint):
        mirrored.mirror.reconcile(f"i-{KEY}")


@pytest.mark.parametrize("method", ALONE)
def test_a_call_that_may_still_run_is_not_made_again(
    mirrored: MirroredPortal, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Its caller is dead, its outcome is not there yet: only the noted intent knows that it may still come."""
    story = full_story(mirrored.source)
    die(mirrored, monkeypatch, method)
    with pytest.raises(Transient) as told:
        mirrored.new_mirror(settle_seconds=60.0).reconcile(story.instance)
    assert told.value.retry_after is not None and 30 < told.value.retry_after <= 60
    assert mirrored.portal.log(method) == []
    insist(mirrored, story)
    everything_once(mirrored, story)


def test_a_create_that_lands_after_the_first_look_is_found(
    mirrored: MirroredPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dead caller's card appears between the order's first look at the portal and its own create."""
    story = full_story(mirrored.source)
    die(mirrored, monkeypatch, "crm.item.add")
    calls: list[int] = []

    def hold() -> None:
        calls.append(1)
        if len(calls) == 3:  # 1: the order is taken, 2: the first look, 3: before whatever comes next
            late = {"title": "Заказ", "xmlId": f"order:{KEY}", "categoryId": mirrored.schema.category_id}
            mirrored.portal.call("crm.item.add", {"entityTypeId": mirrored.schema.entity_type_id, "fields": late})

    mirrored.mirror.reconcile(story.instance, hold)
    assert len(mirrored.portal.log("crm.item.add", applied=True)) == 1
    everything_once(mirrored, story)


@pytest.mark.parametrize("method", ALONE)
def test_a_lost_answer_is_looked_up_at_once(mirrored: MirroredPortal, method: str) -> None:
    """The thing is there, so people need not wait until the portal's time for a request is over."""
    story = full_story(mirrored.source)
    mirrored.portal.faults({"kind": "lost_answer", "methods": [method], "count": 1})
    mirrored.new_mirror(settle_seconds=60.0).reconcile(story.instance)
    everything_once(mirrored, story)


def test_an_answer_after_the_leases_end_is_not_written_down_as_done(mirrored: MirroredPortal) -> None:
    """Another process may be at the order by then: what came of the call is for the next look to say."""
    story = full_story(mirrored.source)
    mirrored.portal.faults({"kind": "slow", "methods": ["crm.item.add"], "seconds": 1.2, "count": 1})
    with pytest.raises(Transient, match="после конца аренды"):
        mirrored.new_mirror(lease_seconds=0.8).reconcile(story.instance)
    assert mirrored.ledger.effect(card_key(KEY)).state == "unknown"
    insist(mirrored, story)
    everything_once(mirrored, story)


def test_a_notice_whose_answer_was_lost_is_shown_once(mirrored: MirroredPortal) -> None:
    mirror = mirrored.new_mirror(client=mirrored.new_client(sleep=lambda _: None))
    mirrored.portal.faults({"kind": "lost_answer", "methods": ["im.notify.personal.add"], "count": 2})
    mirror.tell("sokolova", "Директор отказал", "ORD-1:note:x:sokolova")
    assert len(mirrored.portal.log("im.notify.personal.add", applied=True)) == 3
    mirrored.portal.stop()
    state = Store(mirrored.folder / "portal" / "portal.db")
    assert [notice["text"] for notice in state.all("notice")] == ["Директор отказал"]
    state.close()


def test_bytes_that_were_not_judged_reach_no_card(mirrored: MirroredPortal) -> None:
    """A file that was replaced after its judgement is another file, and waits for a judgement of its own."""
    story = full_story(mirrored.source)
    name, judged = mirrored.source.data[story.instance, "orderFile"]
    mirrored.source.data[story.instance, "orderFile"] = (name, b"MZ" + judged)
    with pytest.raises(Transient, match="сменился"):
        mirrored.mirror.reconcile(story.instance)
    assert mirrored.value("orderFile") in (None, "", [])
    assert mirrored.drive() == []
