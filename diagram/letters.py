"""Letters that look right and are not: Cyrillic twins, no-break spaces, curled quotes in names that code reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from diagram.bpmn import BPMN, CAMUNDA, Diagram, local
from diagram.errors import DiagramError
from diagram.properties import names
from orders.twins import is_cyrillic, likely_word

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SPACES = "\u00a0\u2007\u202f\u200b\u200c\u200d\u2060\ufeff"
QUOTES = "«»“”„‘’‚"
PLAIN = str.maketrans(SPACES + QUOTES, " " * 3 + "\0" * (len(SPACES) - 3) + "'" * len(QUOTES))
TECHNICAL = ("stage", "norm", "required", "commentOn", "waits", "to", "mode")
EXPRESSIONS = ("conditionExpression", "timeCycle", "timeDate", "timeDuration")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def strange_letters(diagram: Diagram) -> Iterator[DiagramError]:
    """Find what must be plain Latin text and is not."""
    holder: tuple[str | None, str | None] = (None, None)
    for element in diagram.root.iter():
        if not element.tag.startswith((BPMN, CAMUNDA)):
            continue
        if element.tag.startswith(BPMN) and element.get("id") and "EventDefinition" not in element.tag:
            holder = (element.get("id"), element.get("name"))
        for where, text in _technical(element):
            fault = what_is_strange(text)
            if fault:
                problem, likely = fault
                yield DiagramError(f"{where} «{text}»: {problem}", f"Наверное, нужно «{likely}»", *holder)


def _technical(element: Element) -> Iterator[tuple[str, str]]:
    """Yield (what it is, text) for each text of an element that code reads."""
    tag = local(element.tag)
    if element.tag == f"{CAMUNDA}property":
        yield from _property(element.get("name", ""), element.get("value", ""))
        return
    for key in ("id", "errorCode"):
        if element.get(key):
            yield key, element.get(key, "")
    if tag == "message":
        yield "имя сообщения", element.get("name", "")
    for key, text in element.attrib.items():
        if key.startswith(CAMUNDA) and local(key) != "versionTag":
            yield local(key), text
    if tag in EXPRESSIONS and element.text:
        yield "выражение", element.text.strip()


def _property(name: str, text: str) -> Iterator[tuple[str, str]]:
    yield "имя свойства", name
    if name in TECHNICAL:
        yield name, text
    elif name == "text":
        yield from (("подстановка", found) for found in PLACEHOLDER.findall(text))
    elif name.startswith("field."):
        kind, _, rest = text.partition(";")
        options = rest.partition(";")[2]
        yield f"тип поля {name}", kind
        yield from ((f"вариант поля {name}", part.partition("=")[0]) for part in names(options))


def what_is_strange(text: str) -> tuple[str, str] | None:
    """Return (what is wrong, the likely intended text) of the first strange letter, or None."""
    likely = likely_word(text.translate(PLAIN)).replace("\0", "")
    for place, letter in enumerate(text, start=1):
        if letter in SPACES:
            return f"неразрывный или невидимый пробел, {place}-й знак", likely
        if letter in QUOTES:
            return f"кавычка {letter} вместо прямой, {place}-й знак", likely
        if is_cyrillic(letter):
            return f"«{letter}» кириллическая, {place}-я буква", likely
    return None
