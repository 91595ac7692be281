"""The analyst's guard: read diagrams and say, in plain Russian, what is wrong with which element and what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from defusedxml.ElementTree import iterparse

from diagram import rules, shape
from diagram.bpmn import Diagram, reading
from diagram.errors import DiagramError
from diagram.letters import strange_letters
from diagram.safety import unsafe_parts

MAX_BYTES = 10 * 1024 * 1024
CAMUNDA_8 = "http://camunda.org/schema/zeebe/1.0"
OPERATON = "http://operaton.org/schema/1.0/bpmn"
PLATFORM = "{http://camunda.org/schema/modeler/1.0}executionPlatform"
KNOWING = (rules.stages, rules.topics)  # these also ask what the rest of the project knows
RULES = (rules.starts, rules.card_updates, rules.file_judging, rules.errors, rules.decisions)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to put right, in Russian."""

    file: str
    element_id: str | None
    element_label: str | None
    problem: str
    remedy: str

    def __str__(self) -> str:
        """Say it on one line."""
        element = f" · «{self.element_label or self.element_id}» ({self.element_id})" if self.element_id else ""
        return f"{self.file}{element}: {self.problem}. {self.remedy}."


def check_files(paths: Iterable[Path], staff_groups: Collection[str], topics: Collection[str]) -> list[Finding]:
    """Return all findings of all files, in the order given; an empty list means that they may be deployed."""
    known = rules.Known(frozenset(staff_groups), frozenset(topics))
    return [finding for path in paths for finding in _check_file(Path(path), known)]


def check_bytes(file: str, data: bytes, staff_groups: Collection[str], topics: Collection[str]) -> list[Finding]:
    """Return the findings of one diagram that is already in memory; `file` is its name."""
    return _findings(file, _check(file, data, rules.Known(frozenset(staff_groups), frozenset(topics))))


def _check_file(path: Path, known: rules.Known) -> list[Finding]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DiagramError("файл больше 10 МиБ", "Таких схем не бывает: проверьте, тот ли это файл")
        data = path.read_bytes()
    except OSError as error:
        fault = DiagramError(f"файл не открылся ({error.strerror})", "Проверьте путь и права")
        return _findings(path.name, [fault])
    except DiagramError as error:
        return _findings(path.name, [error])
    return _findings(path.name, _check(path.name, data, known))


def _findings(file: str, faults: Iterable[DiagramError]) -> list[Finding]:
    found = (Finding(file, error.element_id, error.label, error.problem, error.remedy) for error in faults)
    return list(dict.fromkeys(found))


def _check(file: str, data: bytes, known: rules.Known) -> Iterator[DiagramError]:
    """Yield all faults of a file; where the file itself is of no use, only the first."""
    try:
        foreign(data)
        diagram = Diagram(data)
    except DiagramError as error:
        yield error
        return
    yield from shape.process(diagram, file)
    yield from shape.flows(diagram)
    yield from shape.names_and_ids(diagram)
    yield from shape.drawing(diagram)
    yield from strange_letters(diagram)
    yield from unsafe_parts(diagram)
    if not any(node.kind == "startEvent" for node in diagram.scope(diagram.process_id)):
        return  # without a start our rules have nothing to follow; said above
    for asking in KNOWING:
        yield from asking(diagram, known)
    for rule in RULES:
        yield from rule(diagram)


def foreign(data: bytes) -> None:
    """Raise DiagramError where the file is no diagram, or one for another engine."""
    if not data.strip():
        raise DiagramError("файл пуст", "Сохраните схему заново в Camunda Modeler")
    spaces, platforms = _marks(data)
    if CAMUNDA_8 in spaces or any("Cloud" in platform for platform in platforms):
        remedy = "Нужна схема для Camunda 7: New diagram → BPMN diagram (Camunda Platform 7)"
        raise DiagramError("это схема для Camunda 8", remedy)
    if OPERATON in spaces:
        remedy = "Замените на http://camunda.org/schema/1.0/bpmn, префикс camunda:"
        raise DiagramError("в файле пространство имён operaton:", remedy)


def _marks(data: bytes) -> tuple[set[str], set[str]]:
    """Return the namespaces that a file declares and the platforms that it names. Raises DiagramError."""
    spaces, platforms = set(), set()
    with reading():
        for event, found in iterparse(BytesIO(data), events=("start-ns", "start"), forbid_dtd=True):
            if event == "start-ns":
                spaces.add(found[1])
            elif found.get(PLATFORM):
                platforms.add(found.get(PLATFORM))
    return spaces, platforms
