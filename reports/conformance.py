"""Did an order go the way its own version of the diagram draws, and did anybody use a side door? Pure.

The engine follows the diagram by construction, so what is looked for is what goes round it: a step begun without the
one before, a step that nothing followed, an end that is none of the diagram's, an order or variable changed by hand, a
step closed by somebody of another department.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diagram.bpmn import Diagram
from engine.history import PastActivity
from engine.variables import from_instant
from orders.persons import Staff
from orders.plural import count
from orders.stage import Route

NO_DEVIATIONS = "0 отклонений"
_DOORS = {
    "ModifyProcessInstance": "ход заказа изменён вручную",
    "Delete": "заказ удалён вручную",
    "RestartProcessInstance": "заказ запущен заново с середины",
    "SetVariable": "данные заказа изменены вручную",
    "SetVariables": "данные заказа изменены вручную",
    "ModifyVariable": "данные заказа изменены вручную",
    "RemoveVariable": "данные заказа удалены вручную",
    "DeleteHistory": "история заказа удалена",
    "Resolve": "шаг завершён в обход формы",
    "Delegate": "шаг передан в обход правил",
    "SetOwner": "у шага сменён владелец",
}
_REMARKS = {
    "Migrate": "переведён на другую версию схемы",
    "Suspend": "приостановлен",
    "Activate": "возобновлён",
    "SetExternalTaskRetries": "шаг программы повторён",
    "SetJobRetries": "таймер повторён",
}
_COMPLETE, _LINK = "Complete", "trackToken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One deviation, or a remark; `at` is UTC, None where it has no moment."""

    text: str
    at: datetime | None = None
    who: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one order."""

    key: str
    instance_id: str
    deviations: tuple[Finding, ...]
    remarks: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What history holds of one order. `operations`: rows of the user operation log; `tasks`: task id -> element."""

    key: str
    instance_id: str
    ended: bool
    activities: Sequence[PastActivity]
    operations: Sequence[Mapping[str, Any]]
    tasks: Mapping[str, str]


def check(
    seen: Seen,
    diagram: Diagram,
    route: Route,
    staff: Staff,
    technical: Collection[str],
    candidates: Callable[[str], Collection[str]] = lambda _task: (),
) -> Verdict:
    """Check one order against its own diagram.

    `technical`: accounts of programs, which the server allows their own few changes; `candidates`: who was let into a
    step by name (substitutes), asked for only where it matters.
    """
    deviations = [*_path(seen, diagram), *_end(seen, route)]
    remarks: list[Finding] = []
    for row in seen.operations:
        kind, who = str(row["operationType"]), str(row["userId"] or "")
        if who in technical:
            continue
        at = from_instant(row["timestamp"])
        if kind == "DeleteHistory" and row.get("newValue") == _LINK:
            remarks.append(Finding("ссылка заказчика отозвана", at, staff.name(who)))
        elif kind in _DOORS and row["entityType"] != "Deployment":
            deviations.append(Finding(_DOORS[kind], at, staff.name(who)))
        elif kind in _REMARKS:
            remarks.append(Finding(_REMARKS[kind], at, staff.name(who)))
        elif kind == _COMPLETE and row["entityType"] == "Task":
            found = _stranger(row, seen, route, staff, candidates)
            if found and staff.find(who) is None:
                remarks.append(Finding(f"{found}: сотрудника больше нет в файле, отдел не проверен", at, who))
            elif found:
                deviations.append(Finding(f"{found} завершил сотрудник другого отдела", at, staff.name(who)))
    return Verdict(seen.key, seen.instance_id, _once(deviations), _once(remarks))


def summary(verdicts: Sequence[Verdict]) -> str:
    """Return «Проверено 12 заказов: 0 отклонений»."""
    orders = count(len(verdicts), "заказ", "заказа", "заказов")
    bad = [v for v in verdicts if v.deviations]
    if not bad:
        return f"Проверено {orders}: {NO_DEVIATIONS}"
    found = count(sum(len(v.deviations) for v in bad), "отклонение", "отклонения", "отклонений")
    return f"Проверено {orders}: {found}, заказов с отклонениями {len(bad)}"


def _path(seen: Seen, diagram: Diagram) -> Iterable[Finding]:
    """Compare how often each step began and ended with how often those before and after it did."""
    begun = Counter(a.element for a in seen.activities)
    done = Counter(a.element for a in seen.activities if a.ended is not None and not a.canceled)
    for element, times in begun.items():
        node = diagram.nodes.get(element)
        if node is None:
            if element not in (diagram.process.get("id"), "") and not element.endswith("#multiInstanceBody"):
                yield Finding(f"шаг «{element}» не из этой версии схемы")
            continue
        before = {flow.source for flow in diagram.incoming(element)}
        if before and times > sum(done[source] for source in before):
            yield Finding(f"шаг «{node.name or element}» начат без предыдущего", _first(seen, element))
        after = {flow.target for flow in diagram.outgoing(element)}
        if after and done[element] > sum(begun[target] for target in after):
            yield Finding(f"после шага «{node.name or element}» ничего не последовало", _first(seen, element))


def _end(seen: Seen, route: Route) -> Iterable[Finding]:
    if seen.ended and not any(a.element in route.ends and not a.canceled for a in seen.activities):
        yield Finding("закончен не исходом схемы")


def _stranger(
    row: Mapping[str, Any], seen: Seen, route: Route, staff: Staff, candidates: Callable[[str], Collection[str]]
) -> str | None:
    """Return the step's name where the one who completed it was none of its department, nor let in by name."""
    task_id, who = str(row["taskId"]), str(row["userId"] or "")
    stage = route.stage(seen.tasks.get(task_id, ""))
    if stage is None or stage.assignee:  # the engine gave it to one person
        return None
    person = staff.find(who)
    if person is not None and set(person.groups) & set(stage.groups):
        return None
    return None if who in candidates(task_id) else f"шаг «{stage.name}»"


def _first(seen: Seen, element: str) -> datetime:
    return min(a.started for a in seen.activities if a.element == element)


def _once(found: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(dict.fromkeys(found))
