"""Rule: a comparison speaks the analyst's words, names lost demands first and says nothing where nothing changed."""

from __future__ import annotations

import re

import pytest
from route_edits import VARIANT_FILE, replaced, route_xml, with_technologist

from diagram.bpmn import Diagram
from diagram.diff import About, Change, compare
from orders.persons import GROUPS

ESTIMATE = 'value="estimateFile, estimateSum"'
DESIGN = 'candidateGroups="designers"'


def found(new: str, old: str | None = None) -> list[Change]:
    """Compare a text with the route."""
    return compare(Diagram(old or route_xml()), Diagram(new), GROUPS)


def without(pattern: str) -> str:
    """Return the route without what matches once."""
    text, times = re.subn(pattern, "", route_xml(), count=1, flags=re.DOTALL)
    assert times == 1, pattern
    return text


def test_nothing_changed() -> None:
    """The same diagram, and one that is only drawn otherwise, change nothing for people."""
    assert found(route_xml()) == []
    assert found(route_xml().replace('x="1066" y="210"', 'x="1067" y="210"')) == []


LOST = {
    "a file": (replaced(route_xml(), ESTIMATE, 'value="estimateSum"'), "больше не требует файл «Смета»"),
    "a field": (replaced(route_xml(), ESTIMATE, 'value="estimateFile"'), "больше не требует поле «Сумма сметы, ₽»"),
    "always": (
        replaced(route_xml(), '"customerName, customerContact, item', '"customerContact, item'),
        "начало «Заявка подана» больше не требует поле «Заказчик»",
    ),
    "a norm": (
        route_xml().replace('name="norm" value="3d"', 'name="norm" value="0h"'),
        "норма 24 ч → 0 ч",
    ),
    "a condition": (
        replaced(route_xml(), '"readyDecision, readyBy@approve"', '"readyDecision"'),
        "больше не требует поле «Срок готовности»",
    ),
    "a reason": (
        route_xml().replace('name="commentOn" value="reject"', 'name="commentOn" value=""'),
        "при решении «Отклонить» причина больше не нужна",
    ),
    "a choice": (
        replaced(route_xml(), "phone=По телефону, ", ""),
        "решения «По телефону» больше нет",
    ),
    "a check of the date": (replaced(route_xml(), "Дата отгрузки; past", "Дата отгрузки"), "больше не проверяется"),
    "a timer": (
        without(r'<bpmn:boundaryEvent id="BoundaryEvent_Late".*?</bpmn:boundaryEvent>'),
        "больше не следит за сроком",
    ),
    "an addressee": (replaced(route_xml(), "initiator, directors", "initiator"), "больше не сообщает: directors"),
    "a program": (
        without(r'<bpmn:serviceTask id="ServiceTask_CloseOrder".*?</bpmn:serviceTask>'),
        "больше не выполняется «Закрыть заказ»",
    ),
    "a file that became a line": (
        replaced(route_xml(), "file; Смета", "line; Смета"),
        "больше не требует файл «Смета»",
    ),
    "cancelling": (
        without(r'<bpmn:subProcess id="EventSub_Cancel".*?</bpmn:subProcess>'),
        "больше не бывает «Отмена заказа»",
    ),
    "a stage": (
        without(r'<bpmn:subProcess id="Stage_AgreePrice".*?</bpmn:subProcess>'),
        "шага «Согласовать цену» больше нет",
    ),
}


@pytest.mark.parametrize("what", LOST)
def test_a_lost_demand_comes_first(what: str) -> None:
    """What orders need no longer fulfil is the first thing said, and said as such."""
    text, words = LOST[what]
    changes = found(text)
    assert changes[0].about is About.LOST
    assert any(words in change.text for change in changes if change.about is About.LOST), changes


@pytest.mark.parametrize(
    ("new", "about", "words"),
    [
        (with_technologist(), About.STAGES, "добавлен шаг «Согласовать технологию»"),
        (with_technologist(), About.WAYS, "нет больше пути «Разработка документации» → «Расчёт сметы»"),
        (VARIANT_FILE.read_text(encoding="utf-8"), About.STAGES, "новое решение «Просит пересчитать»"),
        (VARIANT_FILE.read_text(encoding="utf-8"), About.WAYS, "—пересчитать→ «Расчёт сметы»"),
        (route_xml().replace('"Отгрузить заказ"', '"Отправить"'), About.STAGES, "называется теперь «Отправить»"),
        (route_xml().replace('value="2d"', 'value="4d"'), About.NORMS, "норма 16 ч → 32 ч"),
        (
            replaced(route_xml(), DESIGN, 'candidateGroups="workshop"'),
            About.GROUPS,
            "конструкторское бюро → экспериментальный цех",
        ),
        (replaced(route_xml(), ESTIMATE, 'value="estimateFile, estimateSum, estimateComment"'), About.STAGES, "иначе"),
        (replaced(route_xml(), 'value="estimate"', 'value="costing"'), About.STAGES, "estimate → costing"),
        (route_xml().replace("UserTask_Ship", "UserTask_Send"), About.STAGES, "другой id"),
        (
            replaced(route_xml(), 'StarterGroups="orderCreators"', 'StarterGroups="commercial"'),
            About.GROUPS,
            "начинает",
        ),
    ],
)
def test_what_is_no_loss(new: str, about: About, words: str) -> None:
    """Stages, norms, groups and ways have their own sections; none of these asks for a yes."""
    changes = found(new)
    assert any(change.about is about and words in change.text for change in changes), changes
    assert About.LOST not in {change.about for change in changes}


def test_a_demand_that_holds_less_often_is_lost() -> None:
    """From «always» to «only with a decision» is less than before."""
    old = replaced(route_xml(), "readyBy@approve", "readyBy")
    assert "теперь не всегда" in found(route_xml(), old)[0].text
    assert found(old)[0].about is About.STAGES
