"""Rule: a portal restored from its backup is found out: every difference is listed, mended once, nothing doubled.

What the ledger remembers of the lost day is not believed, and a number that the portal gives out anew belongs to
whoever it was given to.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mirrored import MirroredPortal, Story, full_story

from orders.errors import Permanent

SOKOLOVA = 103
EARLY, STILL, LATE = "ORD-2026-00001", "ORD-2026-00002", "ORD-2026-00003"


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[MirroredPortal]:
    opened = MirroredPortal(tmp_path)
    yield opened
    opened.close()


def test_every_difference_of_a_restored_portal_is_listed_and_mended_once(mirrored: MirroredPortal) -> None:
    early, still = full_story(mirrored.source, EARLY), full_story(mirrored.source, STILL)
    for story in (early, still):
        mirrored.mirror.reconcile(story.instance)
    state = mirrored.folder / "portal" / "portal.db"
    mirrored.portal.stop()
    yesterday = state.read_bytes()
    mirrored.portal.start()

    early.file("estimateFile", "Смета.pdf", b"%PDF-1.4 estimate", "elena")
    early.finish("elena", "С доставкой", estimateSum="125000.00")
    early.open("price")
    late = Story(mirrored.source, LATE)
    late.open("approve")
    for story in (early, late):
        mirrored.mirror.reconcile(story.instance)
        assert [str(d) for d in mirrored.new_mirror().differences(story.instance, deep=True)] == []
    lost_card = int(mirrored.card(LATE)["id"])

    mirrored.portal.stop()
    for left in state.parent.glob("portal.db*"):
        left.unlink()
    state.write_bytes(yesterday)
    mirrored.portal.start()
    fields = {"title": "Новый", "categoryId": mirrored.schema.category_id}
    params = {"entityTypeId": mirrored.schema.entity_type_id, "fields": fields}
    assert int(mirrored.portal.call("crm.item.add", params, user=SOKOLOVA)["item"]["id"]) == lost_card

    listed = {d.what: d for d in mirrored.new_mirror().differences(early.instance, deep=True)}
    assert {"Колонка", "Задача", "Запись в ленте", "Смета", "Сумма сметы, ₽"} <= set(listed), sorted(listed)
    assert listed["Колонка"].who == "маршрут" and listed["Колонка"].since == early.order.open[0].since
    assert mirrored.new_mirror().differences(still.instance, deep=True) == []
    assert [(d.what, d.portal) for d in mirrored.new_mirror().differences(late.instance)] == [("Карточка", "нет")]

    mirrored.new_mirror().sweep()
    mirrored.new_mirror().mend(early.instance)
    with pytest.raises(Permanent, match="удалена"):
        mirrored.new_mirror().mend(late.instance)
    mirrored.new_mirror().recreate(late.instance)
    for story in (early, still, late):
        assert [str(d) for d in mirrored.new_mirror().differences(story.instance, deep=True)] == []
    for key in (EARLY, STILL, LATE):
        assert len(mirrored.open_tasks(key)) == 1
    owners = sorted(str(card["xmlId"] or "") for card in mirrored.cards())
    assert owners == ["", *(f"order:{key}" for key in (EARLY, STILL, LATE))], "the new owner keeps the card"
    mark = mirrored.mark()
    mirrored.new_mirror().sweep()
    assert mirrored.writes_since(mark) == [], "a second run finds nothing"
