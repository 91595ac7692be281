"""bpmnlint (recommended + camunda-compat) through Node, its findings in Russian.

One Node process reads all files: they go in by stdin, findings come out by stdout. What our own rules have said about
the same element already is left out, so an analyst reads each fault once.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diagram.bpmn import Diagram
from diagram.errors import DiagramError

HERE = Path(__file__).parent
SCRIPT = HERE / "lint" / "lint.js"
MODULES = HERE / "node_modules" / "bpmnlint"
TIMEOUT_SECONDS = 60.0
MODELER = "Откройте схему в Camunda Modeler и сохраните заново"

# rule -> what is wrong, what to do, words of our own finding that say the same
WORDS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "ad-hoc-sub-process": ("в ad-hoc подпроцессе начало или конец", "Сделайте подпроцесс обычным", ()),
    "conditional-flows": ("у стрелки из развилки нет условия", "Напишите условие или отметьте Default flow", ()),
    "end-event-required": ("нет конечного события", "Поставьте конец", ()),
    "event-based-gateway": ("развилка по событию собрана неверно", "Ведите из неё хотя бы две стрелки к событиям", ()),
    "event-sub-process-typed-start-event": (
        "событийный подпроцесс начинается ничем",
        "Начните его с сообщения или таймера",
        (),
    ),
    "fake-join": ("две стрелки сходятся в шаге без развилки", "Поставьте перед шагом сходящуюся развилку", ()),
    "global": ("сообщение или ошибка без имени, лишние или повторены", "Оставьте одну, с именем и кодом", ()),
    "label-required": ("нет названия", "Подпишите элемент на схеме", ("не подписана",)),
    "link-event": ("у события-ссылки нет пары", "Уберите ссылку: ведите стрелку", ()),
    "no-bpmndi": ("элемента нет на рисунке", "Удалите его из файла или нарисуйте", ("нет рисунка", "нет на рисунке")),
    "no-complex-gateway": ("сложная развилка", "Поставьте развилку Exclusive", ()),
    "no-disconnected": ("элемент ни с чем не связан", "Проведите стрелки или удалите его", ("нет пути",)),
    "no-duplicate-sequence-flows": ("две одинаковые стрелки", "Удалите лишнюю", ()),
    "no-gateway-join-fork": ("развилка и сводит, и делит пути", "Поставьте две развилки друг за другом", ()),
    "no-implicit-split": ("из шага выходит больше одной стрелки", "Поставьте после шага развилку", ()),
    "no-implicit-end": ("из элемента нет пути дальше", "Проведите стрелку или поставьте конец", ()),
    "no-implicit-start": ("к элементу нет пути", "Проведите стрелку или удалите элемент", ()),
    "no-inclusive-gateway": ("развилка Inclusive", "Поставьте развилку Exclusive", ()),
    "no-overlapping-elements": ("элементы стоят друг на друге", "Раздвиньте их", ()),
    "single-blank-start-event": ("больше одного начала", "Оставьте одно начало", ("начальных событий",)),
    "single-event-definition": ("у события больше одного повода", "Оставьте один", ()),
    "start-event-required": ("нет начального события", "Поставьте начало", ("начальных событий", "нет начала")),
    "sub-process-blank-start-event": ("подпроцесс начинается событием", "Начните его обычным кружком", ()),
    "superfluous-gateway": ("развилка ничего не делит и не сводит", "Удалите её", ()),
    "superfluous-label": ("подпись на единственной стрелке", "Уберите подпись", ()),
    "superfluous-termination": ("лишнее завершение всего процесса", "Поставьте обычный конец", ()),
    "camunda-compat/history-time-to-live": (
        "не задано, сколько хранить историю",
        "Поставьте History time to live = P1095D",
        (),
    ),
    "import": ("файл ссылается на то, чего в нём нет, или повторяет id", MODELER, ("нет начала или конца", "рисунке")),
    "parse": ("файл не читается", MODELER, ()),
}


class LintMissing(DiagramError):
    """bpmnlint cannot run here: Node.js or its packages are missing, or it broke."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One finding of bpmnlint, as it says it."""

    file: str
    rule: str
    element_id: str | None
    message: str


def run(texts: Sequence[tuple[str, str]]) -> list[Hit]:
    """Lint (file, XML) pairs in one Node process. Raises LintMissing."""
    if not texts:
        return []
    node = shutil.which("node")
    if node is None:
        raise LintMissing("нет Node.js", "Установите его: apt-get install nodejs npm")
    if not MODULES.is_dir():
        raise LintMissing("нет пакета bpmnlint", "Выполните: npm ci --prefix diagram")
    sent = json.dumps([{"file": file, "xml": xml} for file, xml in texts])
    try:
        done = subprocess.run(
            [node, str(SCRIPT)], input=sent, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT_SECONDS
        )
        found = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, OSError, ValueError) as error:
        remedy = "Выполните заново: npm ci --prefix diagram"
        raise LintMissing(f"bpmnlint не отработал ({type(error).__name__})", remedy) from error
    return [Hit(each["file"], each["rule"], each["id"], each["message"]) for each in found]


def faults(diagram: Diagram, hits: Iterable[Hit], own: Iterable[DiagramError]) -> list[DiagramError]:
    """Return the hits on one diagram in Russian, without those that our own rules said already."""
    said = [(error.element_id, error.problem) for error in own]
    found = []
    for hit in hits:
        if hit.element_id is None and hit.rule not in ("import", "parse") and said:
            continue  # a rule of bpmnlint stumbled over the file; what is wrong with it is said above
        problem, remedy, twins = WORDS.get(hit.rule, (f"правило {hit.rule}: {hit.message}", MODELER, ()))
        same = _around(diagram, hit.element_id)
        words = (problem, *twins)
        if any((id_ in same or "рисунка" in text) and any(word in text for word in words) for id_, text in said):
            continue
        if hit.rule in ("import", "parse"):
            problem = f"{problem} ({' '.join(hit.message.split())[:120]})"
        found.append(DiagramError(problem, remedy, hit.element_id, label_of(diagram, hit.element_id)))
    return found


def _around(diagram: Diagram, id_: str | None) -> set[str | None]:
    """Return the element and, for a flow, the node that it leaves: our rules name that one."""
    flow = diagram.flows.get(id_ or "")
    return {id_, flow.source} if flow else {id_}


def label_of(diagram: Diagram, id_: str | None) -> str | None:
    """Return what is written at an element, or None."""
    known = diagram.nodes.get(id_ or "") or diagram.flows.get(id_ or "")
    return (known.name or None) if known else None
