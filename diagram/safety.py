"""What a model may not carry: a script, a class, a connector or a foreign expression is remote code.

The server's parse listener refuses the same; here it is said before deploying, with the element's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from diagram.bpmn import BPMN, CAMUNDA, Diagram, local
from diagram.errors import DiagramError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

COMPARISON = re.compile(
    r"\$\{\s*([a-z][A-Za-z0-9]*)\s*(?:==|!=|<=?|>=?)\s*(?:'([^'$#{}\\]*)'|-?[0-9]+(?:\.[0-9]+)?|true|false)\s*\}",
    re.ASCII,
)
ALLOWED = {
    "conditionExpression": COMPARISON,
    "timeCycle": re.compile(r"\$\{reconcileCycle\}|R/\$\{readyBy\}/P1D"),
    "timeDate": re.compile(r"\$\{(?:explainBy|appealBy)\}"),
    "assignee": re.compile(r"\$\{(?:initiator|adjustPerson|adjustDecider)\}"),
    "expression": re.compile(r"\$\{readyDate\.move\(execution\)\}"),
}
CODE_ELEMENTS = {
    f"{BPMN}scriptTask": "скрипт",
    f"{BPMN}script": "скрипт",
    f"{CAMUNDA}script": "скрипт",
    f"{CAMUNDA}connector": "коннектор",
    f"{CAMUNDA}executionListener": "слушатель",
    f"{CAMUNDA}taskListener": "слушатель",
    f"{CAMUNDA}inputOutput": "отображение переменных",
    f"{CAMUNDA}field": "поле класса",
    f"{CAMUNDA}formData": "встроенная форма",
}
CODE_ATTRIBUTES = {
    "class": "класс Java",
    "delegateExpression": "выражение-делегат",
    "resource": "внешний скрипт",
    "decisionRef": "таблица решений",
    "formRef": "чужая форма",
    "formHandlerClass": "класс Java",
    "variableMappingClass": "класс Java",
    "variableMappingDelegateExpression": "выражение-делегат",
}
REMEDY = "Уберите: шаги программы выполняет только внешняя задача (External) со своей темой"


def unsafe_parts(diagram: Diagram) -> Iterator[DiagramError]:
    """Find code and foreign expressions, wherever they stand in the file."""
    holder: tuple[str | None, str | None] = (None, None)
    for element in diagram.root.iter():
        if element.tag.startswith(BPMN) and element.get("id") and "EventDefinition" not in element.tag:
            holder = (element.get("id"), element.get("name"))
        if element.tag in CODE_ELEMENTS:
            yield DiagramError(f"здесь {CODE_ELEMENTS[element.tag]}", REMEDY, *holder)
            continue
        for problem in _faults(element):
            yield DiagramError(problem, REMEDY, *holder)


def _faults(element: Element) -> Iterator[str]:
    tag = local(element.tag)
    if element.tag == f"{CAMUNDA}property":
        return
    for key, text in element.attrib.items():
        name = local(key)
        if key.startswith(CAMUNDA) and name in CODE_ATTRIBUTES:
            yield f"здесь {CODE_ATTRIBUTES[name]} «{text}»"
        elif key == f"{CAMUNDA}expression" or is_expression(text):
            yield from _expression(name, text)
    if tag == "conditionExpression" and element.get("language"):
        yield "условие написано как скрипт"
    elif tag == "conditionExpression" or is_expression(element.text or ""):
        yield from _expression(tag, (element.text or "").strip())


def _expression(place: str, text: str) -> Iterator[str]:
    allowed = ALLOWED.get(place)
    if allowed is None or not allowed.fullmatch(text):
        yield f"выражение «{text}» не разрешено"


def is_expression(text: str) -> bool:
    """Tell whether the engine would evaluate the text."""
    return "${" in text or "#{" in text
