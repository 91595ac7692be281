"""What changes for people when one diagram takes another's place, lost demands first, in the analyst's words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from diagram.bpmn import CAMUNDA, GATEWAYS, Diagram, Node
from diagram.properties import names
from diagram.stages import JUDGE_TOPIC, SYNC_TOPIC, in_order, start_of
from diagram.step import Asked, Step, step_of

AMOUNT = re.compile(r"([0-9]+)([hd])")
KINDS = {"file": "файл", "files": "файл"}
PLUMBING = (SYNC_TOPIC, JUDGE_TOPIC)  # their places are the check's matter


class About(StrEnum):
    """Sections of a comparison, in the order in which they are shown."""

    LOST = "Пропадает"
    STAGES = "Шаги"
    NORMS = "Нормы"
    GROUPS = "Кто выполняет"
    WAYS = "Пути"
    REST = "Прочее"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `step` is the user task that it concerns, where orders may stand now."""

    about: About
    text: str
    step: str | None = None


def compare(old: Diagram, new: Diagram, titles: Mapping[str, str] | None = None) -> list[Change]:
    """Return what differs, section by section; empty: nothing that people or programs would notice.

    `titles`: group id -> how people call the department.
    """
    called = titles or {}
    found = [
        *_starts(old, new),
        *_steps(old, new, called),
        *_programs(old, new),
        *_events(old, new),
        *_starters(old, new, called),
        *_ways(old, new),
    ]
    order = list(About)
    return sorted(dict.fromkeys(found), key=lambda change: order.index(change.about))


def _steps(old: Diagram, new: Diagram, called: Mapping[str, str]) -> Iterator[Change]:
    before, after = _by_id(old), _by_id(new)
    for id_, step in before.items():
        if id_ not in after:
            twin = next((s for s in after.values() if s.code == step.code and s.id not in before), None)
            if twin is None:
                yield Change(About.LOST, f"шага «{step.name}» больше нет", id_)
            else:
                text = f"у шага «{step.name}» другой id ({id_} → {twin.id}): идущие заказы на него не перенести"
                yield Change(About.STAGES, text, id_)
                yield from _step(step, twin, called)
        else:
            yield from _step(step, after[id_], called)
    codes = {step.code for step in before.values()}
    for id_, step in after.items():
        if id_ not in before and step.code not in codes:
            yield Change(About.STAGES, f"добавлен шаг «{step.name}» ({_about(step, called)})", id_)


def _by_id(diagram: Diagram) -> dict[str, Step]:
    tasks = (node for node in in_order(diagram) if node.kind == "userTask")
    return {node.id: step_of(node, _timers(diagram, node)) for node in tasks}


def _timers(diagram: Diagram, node: Node) -> int:
    return sum(event.definition("timer") is not None for event in diagram.boundaries(node.id))


def _about(step: Step, called: Mapping[str, str]) -> str:
    files = [f"файл «{field.label}»" for field in step.fields.values() if field.kind in KINDS]
    return ", ".join([_people(step, called), f"норма {said_norm(step.norm)}", *files])


def _step(old: Step, new: Step, called: Mapping[str, str]) -> Iterator[Change]:
    yield from _demands(old, new, f"шаг «{new.name}»")
    if old.name != new.name:
        yield Change(About.STAGES, f"шаг «{old.name}» называется теперь «{new.name}»", new.id)
    if old.label != new.label:
        yield Change(About.STAGES, f"колонка «{old.label}» называется теперь «{new.label}»", new.id)
    if old.code != new.code:
        yield Change(About.STAGES, f"шаг «{new.name}»: код колонки {old.code} → {new.code}, карточки сменят её", new.id)
    yield from _norms(old, new)
    if (old.groups, old.assignee) != (new.groups, new.assignee):
        text = f"шаг «{new.name}»: {_people(old, called)} → {_people(new, called)}"
        yield Change(About.GROUPS, text, new.id)


def _norms(old: Step, new: Step) -> Iterator[Change]:
    if hours(old.norm) != hours(new.norm):
        gone = hours(new.norm) == 0
        text = f"шаг «{new.name}»: норма {said_norm(old.norm)} → {said_norm(new.norm)}"
        yield Change(About.LOST if gone else About.NORMS, text, new.id)
    if old.waits != new.waits:
        text = "ждут заказчика, время не наше" if new.waits else "время считается нашим"
        yield Change(About.NORMS, f"шаг «{new.name}»: теперь {text}", new.id)
    if old.timers > new.timers:
        yield Change(About.LOST, f"шаг «{new.name}» больше не следит за сроком", new.id)


def _demands(old: Step, new: Step, where: str) -> Iterator[Change]:
    for name, field in old.fields.items():
        there = new.fields.get(name)
        what = f"{KINDS.get(field.kind, 'поле')} «{field.label}»"
        was, now = old.required.get(name, ()), new.required.get(name, ()) if there else ()
        if was and not now:
            yield Change(About.LOST, f"{where} больше не требует {what}", new.id)
        elif was != now and "" in was:
            yield Change(About.LOST, f"{where} требует {what} теперь не всегда: {', '.join(now)}", new.id)
        elif was != now:
            yield Change(
                About.STAGES, f"{where}: {what} требуется иначе: {', '.join(n or 'всегда' for n in now)}", new.id
            )
        elif there is None:
            yield Change(About.STAGES, f"{where}: нет больше поля «{field.label}»", new.id)
        if there is not None:
            yield from _field(field, there, where, new.id)
    for name, field in new.fields.items():
        if name not in old.fields:
            must = ", обязательное" if name in new.required else ""
            yield Change(About.STAGES, f"{where}: новое поле «{field.label}»{must}", new.id)
    for decision in old.comment_on:
        if decision not in new.comment_on:
            said = old.said(decision)
            yield Change(About.LOST, f"{where}: при решении «{said}» причина больше не нужна", new.id)
    for decision in new.comment_on:
        if decision not in old.comment_on:
            yield Change(About.STAGES, f"{where}: при решении «{new.said(decision)}» нужна причина", new.id)


def _field(old: Asked, new: Asked, where: str, id_: str) -> Iterator[Change]:
    if (old.kind in KINDS) and (new.kind not in KINDS):
        yield Change(About.LOST, f"{where} больше не требует файл «{old.label}»: теперь это {new.kind}", id_)
    elif old.kind != new.kind:
        yield Change(About.STAGES, f"{where}: поле «{new.label}» другого вида: {old.kind} → {new.kind}", id_)
    if old.label != new.label:
        yield Change(About.STAGES, f"{where}: поле «{old.label}» называется теперь «{new.label}»", id_)
    if old.options and not new.options:
        yield Change(About.LOST, f"{where}: дата «{new.label}» больше не проверяется", id_)
    for value, label in old.choices.items():
        if value not in new.choices:
            yield Change(About.LOST, f"{where}: решения «{label}» больше нет", id_)
    for value, label in new.choices.items():
        if value not in old.choices:
            yield Change(About.STAGES, f"{where}: новое решение «{label}»", id_)


def _starts(old: Diagram, new: Diagram) -> Iterator[Change]:
    before, after = step_of(start_of(old)), step_of(start_of(new))
    yield from _demands(before, after, f"начало «{after.name}»")


def _programs(old: Diagram, new: Diagram) -> Iterator[Change]:
    """What programs do: a step that is gone, and a notice that reaches fewer people or says something else."""
    before, after = ({n.id: n for n in d.nodes.values() if n.topic not in (None, *PLUMBING)} for d in (old, new))
    for id_, node in before.items():
        if id_ not in after:
            yield Change(About.LOST, f"больше не выполняется «{node.name}» ({node.topic})")
            continue
        then = after[id_]
        if node.topic != then.topic:
            yield Change(About.LOST, f"«{node.name}» делает теперь другое: {node.topic} → {then.topic}")
        gone = [who for who in names(node.properties.get("to")) if who not in names(then.properties.get("to"))]
        if gone:
            yield Change(About.LOST, f"«{node.name}» больше не сообщает: {', '.join(gone)}")
        elif node.properties != then.properties:
            yield Change(About.REST, f"«{node.name}» сообщает иначе")
    for id_, node in after.items():
        if id_ not in before:
            yield Change(About.STAGES, f"теперь выполняется «{node.name}» ({node.topic})")


def _events(old: Diagram, new: Diagram) -> Iterator[Change]:
    for node in old.nodes.values():
        if node.by_event and node.id not in new.nodes:
            yield Change(About.LOST, f"больше не бывает «{node.name}»")
    for node in new.nodes.values():
        if node.by_event and node.id not in old.nodes:
            yield Change(About.STAGES, f"теперь бывает «{node.name}»")


def _starters(old: Diagram, new: Diagram, called: Mapping[str, str]) -> Iterator[Change]:
    before, after = (names(d.process.get(f"{CAMUNDA}candidateStarterGroups")) for d in (old, new))
    if set(before) != set(after):
        said = [", ".join(called.get(g, g) for g in groups) or "никто" for groups in (before, after)]
        yield Change(About.GROUPS, f"начинает: {said[0]} → {said[1]}")


def _ways(old: Diagram, new: Diagram) -> Iterator[Change]:
    before, after = _top_ways(old), _top_ways(new)
    for way in sorted(before - after):
        yield Change(About.WAYS, f"нет больше пути {way}")
    for way in sorted(after - before):
        yield Change(About.WAYS, f"новый путь {way}")


def _top_ways(diagram: Diagram) -> set[str]:
    """Return the ways between named elements of the top level; joining gateways are passed over."""
    found = set()
    for node in diagram.scope(diagram.process_id):
        if _silent(node):
            continue
        host = diagram.nodes.get(node.element.get("attachedToRef", ""))
        begin = f"«{host.name}: {node.name}»" if host else f"«{node.name}»"
        for flow in diagram.outgoing(node.id):
            sign = f" —{flow.name}→ " if flow.name else " → "
            found |= {f"{begin}{sign}«{end.name}»" for end in _named(diagram, flow.target)}
    return found


def _named(diagram: Diagram, id_: str) -> list[Node]:
    """Return the first named elements from here on."""
    found, waiting, seen = [], [id_], set[str]()
    while waiting:
        node = diagram.nodes.get(waiting.pop())
        if node is None or node.id in seen:
            continue
        seen.add(node.id)
        if _silent(node):
            waiting += [flow.target for flow in diagram.outgoing(node.id)]
        else:
            found.append(node)
    return found


def _silent(node: Node) -> bool:
    return node.kind in GATEWAYS and not node.name


def _people(step: Step, called: Mapping[str, str]) -> str:
    if step.assignee:
        return "тот, кто подал заявку" if step.assignee == "${initiator}" else step.assignee
    return ", ".join(called.get(group, group) for group in step.groups) or "никто"


def hours(norm: str) -> int | str:
    """Return working hours of a norm (1d = 8 h), 0 where there is none, the text where it waits for a date."""
    match = AMOUNT.fullmatch(norm)
    if match is None:
        return norm or 0
    return int(match[1]) * (8 if match[2] == "d" else 1)


def said_norm(norm: str) -> str:
    """Return a norm as people say it: «16 ч», «до readyBy»."""
    amount = hours(norm)
    return f"{amount} ч" if isinstance(amount, int) else amount.replace("until:", "до ")
