"""Rule: the demo tells from the portal's log what each request was for, and flatters no number.

The log is that of a real sandbox portal: a step without files costs four requests, a file at most three more, and what
is asked or said again after a lost answer counts as a repeat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from mirrored import MirroredPortal, Story, insist

from app.demo.traffic import Purpose, Spent, spent
from bitrix_sync.provision import provision

KEY = "ORD-2026-00042"


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[MirroredPortal]:
    opened = MirroredPortal(tmp_path)
    yield opened
    opened.close()


def told(mirrored: MirroredPortal, mark: int) -> Spent:
    """Return what is told of our requests since a place in the log; none may be missing."""
    lines = mirrored.since(mark)
    found = spent(lines)
    assert found.requests.total() == sum(line["batch"] is None and line["user"] == 1 for line in lines)
    return found


def carried(mirrored: MirroredPortal) -> Story:
    """Let an order be started and two steps be done, the second with a file."""
    story = Story(mirrored.source)
    story.open("approve")
    insist(mirrored, story)
    story.finish("orlov", "Берём", directorDecision="approve")
    story.open("design")
    insist(mirrored, story)
    story.file("designFile", "Чертёж.dxf", b"0\nSECTION", "volkov")
    story.finish("volkov")
    story.open("estimate")
    insist(mirrored, story)
    return story


def test_the_set_up_is_no_step(mirrored: MirroredPortal) -> None:
    provision(mirrored.new_client(), mirrored.route)
    assert set(told(mirrored, 0).requests) == {Purpose.SET_UP}


def test_steps_and_files_are_told_apart(mirrored: MirroredPortal) -> None:
    mark = mirrored.mark()
    carried(mirrored)
    found = told(mirrored, mark)
    assert found.files == 2
    assert found.requests == {Purpose.STEP: 3 * 4, Purpose.FILE: 1 + 2 * 2}  # one folder, and twice card and Drive


def test_looks_that_find_nothing_are_no_steps(mirrored: MirroredPortal) -> None:
    story = carried(mirrored)
    mark = mirrored.mark()
    mirrored.mirror.sweep()
    mirrored.mirror.reconcile(story.instance)
    assert set(told(mirrored, mark).requests) == {Purpose.LOOK}


def test_a_card_that_goes_back_is_another_change(mirrored: MirroredPortal) -> None:
    story = carried(mirrored)
    mirrored.portal.set_users([{"id": 103, "mayMove": True}])
    mark = mirrored.mark()
    mirrored.edit({"stageId": mirrored.schema.columns["payment"]}, user=103)
    mirrored.mirror.reconcile(story.instance)
    assert set(told(mirrored, mark).requests) >= {Purpose.CHANGE, Purpose.NOTICE}
    assert told(mirrored, mark).requests[Purpose.STEP] == 0


def test_what_persons_ask_is_not_ours(mirrored: MirroredPortal) -> None:
    carried(mirrored)
    mark = mirrored.mark()
    mirrored.edit({"comments": "Позвонить"}, user=103)
    mirrored.portal.call("user.current", {}, user=103)
    assert told(mirrored, mark).requests[Purpose.STEP] == 0


def test_a_lost_answer_makes_repeats_and_no_dearer_steps(mirrored: MirroredPortal) -> None:
    mark = mirrored.mark()
    mirrored.portal.faults({"kind": "lost_answer", "fraction": 0.3}, seed=3)
    carried(mirrored)
    mirrored.portal.faults()
    lost = sum(line["fault"] is not None and line["batch"] is None for line in mirrored.since(mark))
    found = told(mirrored, mark)
    assert lost >= 4 and found.requests[Purpose.REPEAT] >= lost
    assert (found.files, found.requests[Purpose.STEP], found.requests[Purpose.FILE]) == (2, 12, 5)


def test_the_words_name_the_norms() -> None:
    purposes = {Purpose.STEP: 39, Purpose.FILE: 10, Purpose.CHANGE: 7, Purpose.ANSWER: 2, Purpose.NOTICE: 3}
    found = Spent(Counter(purposes | {Purpose.LOOK: 41, Purpose.REPEAT: 12}), files=4)
    assert found.words(10) == [
        "Запросов к порталу: на шаг 3,9 (норма 4), на новый файл ещё 2,5 (норма 3).",
        "Кроме них: другие перемены карточек 7, приём ответов из портала 2, уведомления 3, опросы и сверки 41, "
        "повторы после обрыва 12, подготовка 0.",
    ]
