"""A sweep repairs what differs at little cost, and neither one spoilt card nor an outage stops it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mirrored import MirroredPortal, Story, everything_once, full_story

from bitrix_sync.errors import UnknownOutcome, Unreadable
from orders.errors import PortalUnavailable
from orders.persons import Staff
from orders.snapshot import Record, RecordKind


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[MirroredPortal]:
    opened = MirroredPortal(tmp_path)
    yield opened
    opened.close()


def test_many_cards_gone_at_once_stop_all_creating_with_one_alarm(mirrored: MirroredPortal) -> None:
    stories = [full_story(mirrored.source, f"ORD-2026-{n:05d}") for n in range(5)]
    for story in stories:
        mirrored.mirror.reconcile(story.instance)
        story.set(cardStage="estimate", portalPending=False)
    mirrored.lose_ledger()
    alarms: list[str] = []
    mirror = mirrored.new_mirror(on_alarm=alarms.append)
    mirrored.portal.faults({"kind": "empty_list", "methods": ["*"]})
    with pytest.raises(PortalUnavailable):
        mirror.sweep()
    assert mirrored.portal.log("crm.item.add", applied=True)[5:] == []
    assert len(alarms) == 1


def test_one_cards_unreadable_answer_harms_no_other_order(mirrored: MirroredPortal) -> None:
    stories = [full_story(mirrored.source, f"ORD-2026-{n:05d}") for n in range(3)]
    for story in stories:
        mirrored.mirror.reconcile(story.instance)
    bad = mirrored.card("ORD-2026-00000")["id"]
    for story in stories:
        story.finish("petrova", None, estimateSum="10.00")
        story.open("price")
    client = mirrored.new_client()
    mirrored.portal.faults(
        {"kind": "deep_json", "methods": ["crm.item.get"], "item": bad},
        {"kind": "deep_json", "methods": ["crm.item.list"], "count": 1},  # the sweep's look at all of them
    )
    mirror = mirrored.new_mirror(client=client)
    mirror.sweep()
    assert [mirrored.column(s.order.key) for s in stories] == ["estimate", "price", "price"]
    with pytest.raises(Unreadable, match="вложен"):
        mirror.reconcile(stories[0].instance)
    assert client.alarm is None


def test_a_step_that_opened_without_the_portal_loses_its_mark_in_the_sweep(mirrored: MirroredPortal) -> None:
    story = full_story(mirrored.source)
    story.set(cardStage="estimate", portalPending=True)
    mirrored.mirror.sweep()
    everything_once(mirrored, story)
    assert story.order.variables["portalPending"] is False


@pytest.mark.parametrize(("pending", "lane"), [(True, "people"), (False, "sweep")])
def test_what_people_waited_for_goes_in_their_lane(
    mirrored: MirroredPortal, monkeypatch: pytest.MonkeyPatch, pending: bool, lane: str
) -> None:
    """After an outage their cards come as fast as the portal allows; a sweep's own repairs have half of that."""
    story = full_story(mirrored.source)
    if pending:
        story.set(cardStage="estimate", portalPending=True)
    else:
        mirrored.mirror.reconcile(story.instance)
        mirrored.edit({"customerName": "Кто-то другой"}, user=103)
    lanes: list[str] = []
    take = mirrored.ledger.take_token

    def noted(portal: str, rate: float, burst: float, lane: str) -> float:
        lanes.append(lane)
        return take(portal, rate, burst, lane)

    monkeypatch.setattr(mirrored.ledger, "take_token", noted)
    mirrored.mirror.sweep()
    assert mirrored.value("customerName") == "ООО «Ромашка»"
    assert len(lanes) >= 2 and set(lanes) == {lane}


def test_people_who_left_are_not_addressed(mirrored: MirroredPortal) -> None:
    story = Story(mirrored.source)
    story.open("design")
    mirrored.mirror.reconcile(story.instance)
    designers = [p for p in mirrored.staff.members("designers") if p.bitrix_id]
    first = int(mirrored.open_tasks()[0]["responsibleId"])
    mirrored.portal.set_users([{"id": first, "active": False}])
    mirrored.new_mirror().sweep()
    (task,) = mirrored.open_tasks()
    assert int(task["responsibleId"]) in {p.bitrix_id for p in designers} - {first}
    mirrored.portal.set_users([{"id": p.bitrix_id, "active": False} for p in designers])
    mirrored.new_mirror().sweep()
    mirrored.new_mirror().sweep()
    assert len(mirrored.tasks()) == 1
    told = mirrored.portal.log("im.notify.personal.add", applied=True)
    assert len(told) == len([p for p in mirrored.staff.members("operators") if p.bitrix_id])
    hired = replace(designers[0], id="novikov", name="Пётр Новиков", bitrix_id=501, heads=())
    mirrored.portal.set_users([{"id": 501, "name": "Пётр", "lastName": "Новиков", "active": True}])
    staff = Staff((*mirrored.staff.persons, hired))
    mirrored.new_mirror(staff=staff).sweep()
    (task,) = mirrored.open_tasks()
    assert task["responsibleId"] == "501"


def test_the_one_with_the_fewest_open_tasks_is_asked_and_keeps_the_task(mirrored: MirroredPortal) -> None:
    asked: list[Any] = []
    for number in range(len(mirrored.staff.members("designers"))):
        story = Story(mirrored.source, f"ORD-2026-{number:05d}")
        story.open("design")
        mirrored.mirror.reconcile(story.instance)
        asked.append(mirrored.open_tasks(story.order.key)[0]["responsibleId"])
    assert len(set(asked)) == len(asked)
    mark = mirrored.mark()
    mirrored.mirror.sweep()
    assert mirrored.writes_since(mark) == []


@pytest.mark.parametrize(("orders", "requests"), [(30, 2), pytest.param(1000, 10, marks=pytest.mark.soak)])
def test_a_sweep_without_drift_is_cheap_and_writes_nothing(
    mirrored: MirroredPortal, orders: int, requests: int
) -> None:
    for number in range(orders):
        story = Story(mirrored.source, f"ORD-2026-{number:05d}")
        story.change(files=())
        story.open("manufacture")
        mirrored.mirror.reconcile(story.instance)
    mark = mirrored.mark()
    assert mirrored.new_mirror().sweep() == orders
    assert mirrored.writes_since(mark) == []
    assert len(mirrored.requests_since(mark)) <= requests


def test_a_sweep_catches_up_after_an_outage(mirrored: MirroredPortal) -> None:
    stories = [full_story(mirrored.source, f"ORD-2026-{n:05d}") for n in range(3)]
    mirrored.portal.stop()
    client = mirrored.new_client(probe_seconds=0.05, sleep=lambda _: None)
    mirror = mirrored.new_mirror(client=client)
    for story in stories:
        with pytest.raises(PortalUnavailable):
            mirror.reconcile(story.instance)
    assert client.alarm is not None
    mirrored.portal.start()
    for _ in range(50):
        try:
            mirror.sweep()
            break
        except PortalUnavailable:
            continue
    for story in stories:
        everything_once(mirrored, story)


def test_ended_orders_stay_in_the_sweep_until_their_closing_is_there(mirrored: MirroredPortal) -> None:
    story = full_story(mirrored.source)
    mirrored.mirror.reconcile(story.instance)
    story.end("End_PriceRejected")
    mirrored.portal.faults({"kind": "lost_answer", "methods": ["batch"]})
    with pytest.raises((UnknownOutcome, PortalUnavailable)):
        mirrored.new_mirror(client=mirrored.new_client(sleep=lambda _: None)).sweep()
    mirrored.portal.faults()
    assert mirrored.mirror.sweep() == 1
    assert mirrored.column() == "rejected"


def test_a_complaint_long_after_the_end_reaches_the_card(mirrored: MirroredPortal) -> None:
    """An order that nobody would look at any more is looked at again when something is recorded about it."""
    story, now = full_story(mirrored.source), datetime.now(UTC)
    story.end("End_Delivered", now - timedelta(days=200))
    mirrored.mirror.reconcile(story.instance)
    assert mirrored.mirror.sweep() == 0
    story.change(records=(Record(RecordKind.COMPLAINT, "RCL-2026-00007", "sokolova", now, "Скрипит дверца"),))
    for _ in range(2):
        assert mirrored.mirror.sweep() == 1
        assert sum("Скрипит дверца" in text for text in mirrored.comments()) == 1
