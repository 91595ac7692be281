"""Our rules on the register of bonus adjustments: the one support process that people work in beside the route.

Its tasks are no stages: they have no column, no card update and no department, each lies with one named person.
"""

from __future__ import annotations

from collections.abc import Iterator

from diagram.bpmn import Diagram, Node
from diagram.errors import DiagramError
from diagram.properties import read_norm
from diagram.rules import attempt, common_form, fault, fields_fit, known_properties, suggest
from orders.adjustment import PROCESS as REGISTER
from orders.stage import FieldKind

WORDS = frozenset({"norm", "required", "commentOn"})
PERSONS = ("${adjustPerson}", "${adjustDecider}")
MODES = ("ask", "weigh", "tell")


def steps(diagram: Diagram) -> Iterator[DiagramError]:
    """Each task lies with the person or the deciding manager; each program's step says which of its three it is."""
    if diagram.process_id != REGISTER:
        return
    for node in diagram.of_kind("userTask"):
        yield from known_properties(node, WORDS, ("field.", "show."))
        yield from attempt(read_norm, node)
        yield from fields_fit(node)
        yield from common_form(node)
        yield from _shown(node)
        if node.camunda("assignee") not in PERSONS or node.camunda("candidateGroups") or node.camunda("candidateUsers"):
            yield fault(node, "запись увидят посторонние", f"Назначьте задачу только на {' или '.join(PERSONS)}")
        if not node.documentation:
            yield fault(node, "у задачи нет описания", "Напишите, кто делает, зачем и когда готово")
    for node in diagram.of_topic(REGISTER):
        mode = node.properties.get("mode", "")
        if mode not in MODES:
            yield fault(node, "не сказано, что делает шаг", f"Задайте mode. {suggest(mode, MODES)}")


def _shown(node: Node) -> Iterator[DiagramError]:
    kinds = [kind for kind in FieldKind if not kind.holds_files and kind is not FieldKind.CHOICE]
    for name, text in node.properties.items():
        kind, _, label = (part.strip() for part in text.partition(";"))
        if name.startswith("show.") and (kind not in kinds or not label):
            yield fault(node, f"«{text}» у {name} непонятно", f"Пишите: вид; Название. Виды: {', '.join(kinds)}")
