"""Rule: a stage that an analyst added has words of its own for the customer, in both languages, or those before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

import pytest
from worker_world import AT, ROUTE, order

from diagram.bpmn import Node
from diagram.errors import DiagramError
from diagram.properties import read_track
from orders.calendar import WorkingCalendar
from orders.snapshot import OpenVisit
from orders.stage import Route, Stage
from orders.tracking import Language, track

ADDED = Stage("UserTask_ChooseFabric", "fabric", "Выбрать ткань", "Выбор ткани у снабжения", "1d", ("designers",))
WORDS = ("Подбираем ткань", "We are choosing the fabric")


def says(stage: Stage, language: Language) -> str:
    design, make = ROUTE.stages
    route: Route = replace(ROUTE, stages=(design, stage, make))
    here = order(open=(OpenVisit("v1", stage.task_id, AT, groups=("designers",)),))
    shown = track(here, route, WorkingCalendar(), datetime(2026, 11, 26, tzinfo=UTC), language)
    assert [title for title, place in shown.milestones if place == "here"] == [
        {"ru": "Проект и цена", "en": "Design and price"}[language]
    ]
    return shown.says


def test_an_added_stage_speaks_with_its_own_words_or_the_ones_before() -> None:
    assert says(ADDED, "ru") == "Готовим чертежи"
    assert says(ADDED, "en") == "We are preparing the drawings"
    worded = replace(ADDED, track=WORDS)
    assert (says(worded, "ru"), says(worded, "en")) == WORDS


@pytest.mark.parametrize("text", ["Подбираем ткань", "Подбираем ткань;", "; We are choosing"])
def test_words_in_one_language_only_are_named(text: str) -> None:
    with pytest.raises(DiagramError, match="track"):
        read_track(node(text))


def test_words_are_read_and_nothing_means_none() -> None:
    assert read_track(node("; ".join(WORDS))) == WORDS
    assert read_track(node("")) is None


def node(text: str) -> Node:
    return Node("UserTask_X", "userTask", "Шаг", "P", Element("userTask"), {"track": text} if text else {})
