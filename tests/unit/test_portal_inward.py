"""Rule: an answer given in the portal is kept until the engine can take it, and read the way people write.

A task that was finished while its step was still opening is not renewed; one closed in our own name is no answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from mirrored import ZONE, MirroredPortal, Story

from bitrix_sync.desk import Accepted, Desk
from bitrix_sync.schema import CardField
from bitrix_sync.values import from_portal
from engine.errors import EngineDown
from orders.errors import Transient
from orders.reply import Reply, said_decision
from orders.snapshot import OrderSnapshot
from orders.stage import Field, FieldKind

BELOVA = 102


class Heard:
    """Stands where the desk stands, and notes what it is asked to submit."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Reply]] = []
        self.trouble: Exception | None = None

    def submit_held(self, order: OrderSnapshot, visit: str, person: str, reply: Reply) -> Accepted:
        self.asked.append((visit, person, reply))
        if self.trouble is not None:
            raise self.trouble
        return Accepted(person, None)


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[MirroredPortal]:
    opened = MirroredPortal(tmp_path)
    yield opened
    opened.close()


def finish(mirrored: MirroredPortal, user: int = BELOVA) -> dict[str, Any]:
    (task,) = mirrored.open_tasks()
    mirrored.portal.call("tasks.task.complete", {"taskId": task["id"]}, user=user)
    return dict(task)


def test_an_answer_before_its_step_is_open_waits_and_a_lost_engine_renews_nothing(mirrored: MirroredPortal) -> None:
    heard = Heard()
    mirror = mirrored.new_mirror(desk=cast(Desk, heard))
    story = Story(mirrored.source)
    visit = story.open("approve")
    story.change(open=(replace(visit, engine_task=None),))
    mirror.reconcile(story.instance)
    finish(mirrored)
    mirror.reconcile(story.instance)
    assert (mirrored.open_tasks(), heard.asked) == ([], [])
    story.change(open=(visit,))
    heard.trouble = EngineDown("away", maybe_done=True)
    with pytest.raises(Transient):
        mirror.reconcile(story.instance)
    assert mirrored.open_tasks() == [], "the answer is kept"
    heard.trouble = None
    mirror.reconcile(story.instance)
    assert [(v, p) for v, p, _ in heard.asked] == [(visit.visit, "belova")] * 2


def test_a_closing_in_our_own_name_is_no_answer(mirrored: MirroredPortal) -> None:
    heard = Heard()
    mirror = mirrored.new_mirror(desk=cast(Desk, heard))
    story = Story(mirrored.source)
    story.open("approve")
    mirror.reconcile(story.instance)
    finish(mirrored, user=1)
    mirror.reconcile(story.instance)
    assert len(mirrored.open_tasks()) == 1 and heard.asked == []
    assert mirrored.portal.notices_of(1) == [], "nobody answered: nobody is told that an answer was refused"


CHOICE = Field("d", FieldKind.CHOICE, "Решение", (("approve", "Согласовать"), ("reject", "Отклонить")))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Согласовать", ("approve", "")),
        (" отклонить: дорого, подождём", ("reject", "дорого, подождём")),
        ("Согласовать.\nСрочно", ("approve", "Срочно")),
        ("Согласоватьли", None),
        ("Надо согласовать с цехом", None),
        ("", None),
    ],
)
def test_a_decision_is_read_only_where_a_text_begins_with_it(text: str, found: tuple[str, str] | None) -> None:
    assert said_decision(CHOICE, text) == found


@pytest.mark.parametrize(
    ("kind", "shown", "value"),
    [
        (FieldKind.SUM, "125000.5|RUB", "125000.5"),
        (FieldKind.DATE, "2026-12-24T03:00:00+03:00", "2026-12-24"),
        (FieldKind.MOMENT, "2026-12-24T15:00:00+00:00", "2026-12-24T18:00:00+03:00"),
        (FieldKind.CHOICE, 31, "approve"),
        (FieldKind.CHOICE, "77", "77"),
        (FieldKind.TEXT, None, ""),
        (FieldKind.LINE, " С-17 ", " С-17 "),
    ],
)
def test_a_card_field_is_read_as_the_engine_takes_it(kind: FieldKind, shown: Any, value: str) -> None:
    field = CardField("x", kind, "ufX", "UF_X", "X", {"approve": 31})
    assert from_portal(field, shown, ZONE) == value
