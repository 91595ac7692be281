"""The analyst's guard: read diagrams and say, in plain Russian, what is wrong with which element and what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from diagram import lint, references, register, rules, shape
from diagram.bpmn import Diagram
from diagram.errors import DiagramError
from diagram.kind import MAIN_PROCESS, foreign, text_of, what_failed, what_is
from diagram.letters import strange_letters
from diagram.safety import unsafe_parts

MAX_BYTES = 10 * 1024 * 1024
KNOWING = (rules.stages, rules.topics, references.process_is_ours)  # these ask what the rest of the project knows
RULES = (
    *(rules.starts, rules.card_updates, rules.file_judging, rules.errors, rules.decisions),
    *(references.messages, references.promises, references.programs_ids, register.steps),
)
SHOWN = 20  # lines of a file's report; the rest is counted


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


@dataclass(frozen=True, slots=True)
class FileReport:
    """What one file is and everything to put right in it."""

    file: str
    what: str
    findings: tuple[Finding, ...]

    def lines(self, shown: int = SHOWN) -> list[str]:
        """Return the report: first what the file is, then findings, at most `shown` lines and a count of the rest."""
        if not self.findings:
            return [f"{self.file}: {self.what}, всё в порядке"]
        head = f"{self.file}: {self.what}, замечаний {len(self.findings)}"
        said = [
            f"  {str(finding).removeprefix(self.file).removeprefix(' · ').lstrip(': ')}" for finding in self.findings
        ]
        room = shown - 1
        if len(said) > room:
            said = [*said[: room - 1], f"  и ещё {len(said) - room + 1}"]
        return [head, *said]


def check_files(paths: Iterable[Path], staff_groups: Collection[str], topics: Collection[str]) -> list[Finding]:
    """Return the findings of our own rules in all files, in the order given; empty: nothing to put right."""
    known = rules.Known(frozenset(staff_groups), frozenset(topics))
    return [finding for path in paths for finding in _own(_read(Path(path)), known).findings]


def check_bytes(file: str, data: bytes, staff_groups: Collection[str], topics: Collection[str]) -> list[Finding]:
    """Return the findings of our own rules in one diagram that is already in memory; `file` is its name."""
    known = rules.Known(frozenset(staff_groups), frozenset(topics))
    return list(_own(_Source(file, data), known).findings)


def examine(
    paths: Iterable[Path], staff_groups: Collection[str], topics: Collection[str], *, linted: bool = True
) -> list[FileReport]:
    """Return a report on each file: our own rules and bpmnlint's. Raises LintMissing where that cannot run."""
    known = rules.Known(frozenset(staff_groups), frozenset(topics))
    checked = [_own(_read(Path(path)), known) for path in paths]
    # by place, not by name: two folders may hold files of one name
    texts = [(str(n), text_of(each.source.data)) for n, each in enumerate(checked) if linted and each.diagram]
    hits: dict[str, list[lint.Hit]] = {}
    for hit in lint.run(texts):
        hits.setdefault(hit.file, []).append(hit)
    return [each.report(hits.get(str(n), ())) for n, each in enumerate(checked)]


@dataclass(frozen=True, slots=True)
class _Source:
    """A file as it was read, or why it was not."""

    file: str
    data: bytes
    fault: DiagramError | None = None


@dataclass(frozen=True, slots=True)
class _Checked:
    """A file with what our own rules say; `diagram` is None where the file itself is of no use."""

    source: _Source
    what: str
    diagram: Diagram | None
    faults: tuple[DiagramError, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return _findings(self.source.file, self.faults)

    def report(self, hits: Sequence[lint.Hit]) -> FileReport:
        more = lint.faults(self.diagram, hits, self.faults) if self.diagram else []
        return FileReport(self.source.file, self.what, _findings(self.source.file, [*self.faults, *more]))


def _read(path: Path) -> _Source:
    try:
        if path.stat().st_size > MAX_BYTES:
            fault = DiagramError("файл больше 10 МиБ", "Таких схем не бывает: проверьте, тот ли это файл")
            return _Source(path.name, b"", fault)
        return _Source(path.name, path.read_bytes())
    except OSError as error:
        return _Source(path.name, b"", DiagramError(f"файл не открылся ({error.strerror})", "Проверьте путь и права"))


def _findings(file: str, faults: Iterable[DiagramError]) -> tuple[Finding, ...]:
    found = (Finding(file, error.element_id, error.label, error.problem, error.remedy) for error in faults)
    return tuple(dict.fromkeys(found))


def _own(source: _Source, known: rules.Known) -> _Checked:
    """Check one file by our own rules; where the file itself is of no use, only that is said."""
    if source.fault is not None:
        return _Checked(source, source.fault.problem, None, (source.fault,))
    try:
        foreign(source.data)
        diagram = Diagram(source.data)
    except DiagramError as error:
        return _Checked(source, what_failed(source.data, error), None, (error,))
    what = what_is(diagram.root, {MAIN_PROCESS, *known.topics})
    return _Checked(source, what, diagram, tuple(_faults(source.file, diagram, known)))


def _faults(file: str, diagram: Diagram, known: rules.Known) -> Iterator[DiagramError]:
    yield from shape.process(diagram, file)
    yield from shape.flows(diagram)
    yield from shape.names_and_ids(diagram)
    yield from shape.drawing(diagram)
    yield from references.orphans(diagram)
    yield from references.kinds(diagram)
    yield from references.ids_and_labels(diagram)
    yield from strange_letters(diagram)
    yield from unsafe_parts(diagram)
    if not any(node.kind == "startEvent" for node in diagram.scope(diagram.process_id)):
        return  # without a start our rules have nothing to follow; said above
    for asking in KNOWING:
        yield from asking(diagram, known)
    for rule in RULES:
        yield from rule(diagram)
