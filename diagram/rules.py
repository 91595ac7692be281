"""Our rules on the route: stages, groups, topics, card updates, file judging, errors, decisions."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from diagram.bpmn import Diagram, Node
from diagram.errors import DiagramError
from diagram.properties import (
    names,
    read_code,
    read_comment_on,
    read_fields,
    read_label,
    read_norm,
    read_required,
    read_track,
    read_waits,
)
from diagram.safety import COMPARISON, is_expression
from diagram.stages import JUDGE_TOPIC, SYNC_TOPIC, caught_at, judged_by, outcome_ends, start_of, sync_target
from orders.adjustment import PROCESS as REGISTER  # people work in it too: `diagram.register` has its rules
from orders.papers import BESIDE
from orders.stage import Field, FieldKind

FORM = "embedded:deployment:stage.html"
STAGE_WORDS = frozenset({"stage", "label", "norm", "required", "commentOn", "waits", "track"})
START_WORDS = frozenset({"required"})
END_CODES = frozenset({"delivered", "refused", "rejected", "cancelled"})
WITHOUT_CARD = frozenset({"End_Duplicate"})
THROWN = {"register-order": "ORDER_DUPLICATE", JUDGE_TOPIC: "ATTACHMENT_REJECTED"}
THROWN_BY_MODE = {(REGISTER, "ask"): "ENTRY_REPEATED", (REGISTER, "weigh"): "ENTRY_WITHDRAWN"}
CODES = (*THROWN.values(), *THROWN_BY_MODE.values())
ADDRESSEES = frozenset({"initiator", "holder", "manager", "heads"})
MODES = ("prepare", "send")
# Written by the server and the workers: a form must not overwrite them.
RESERVED = frozenset(
    {
        *("initiator", "startKey", "orderInstanceId", "trackToken", "cardStage", "portalPending", "discussion"),
        *("lateFlags", "lateReminder", "customerMessage", "closedAt", "closingSummary"),
        *("cancelledBy", "heldBy", "refundDue", "movedBy", "correctedBy", "plannedCost", "costDifference"),
    }
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the rest of the project knows: groups of the staff file and topics that have a handler."""

    groups: Collection[str]
    topics: Collection[str]


def is_route(diagram: Diagram) -> bool:
    """Tell whether orders go through this process: support processes have a form at the start, the register its own."""
    return any(diagram.of_kind("userTask")) and diagram.process_id != REGISTER


def thrown(node: Node) -> str | None:
    """Return the error code that a step may send, or None."""
    topic = node.topic or ""
    return THROWN.get(topic) or THROWN_BY_MODE.get((topic, node.properties.get("mode", "")))


def stages(diagram: Diagram, known: Known) -> Iterator[DiagramError]:
    """Each user task is a whole stage: code, column, norm, form, people, fields that fit each other."""
    codes: dict[str, str] = {}
    labels: dict[str, str] = {}
    for node in diagram.of_kind("userTask") if is_route(diagram) else ():
        if "stage" not in node.properties:
            yield fault(node, "у задачи нет свойства stage", "Задайте код шага, название колонки и норму")
            continue
        yield from known_properties(node, STAGE_WORDS)
        for read in (read_code, read_label, read_norm, read_waits, read_track):
            yield from attempt(read, node)
        yield from fields_fit(node)
        yield from common_form(node)
        yield from _people(node, known)
        if not node.documentation:
            yield fault(node, "у задачи нет описания", "Напишите, кто делает, зачем и когда готово")
        for seen, key, what in ((codes, "stage", "код шага"), (labels, "label", "колонка")):
            text = node.properties.get(key, "")
            if text and text in seen:
                yield fault(node, f"{what} «{text}» уже есть у {seen[text]}", "Дайте шагу своё название")
            seen.setdefault(text, node.id)
        if node.properties["stage"] in END_CODES:
            yield fault(node, f"код «{node.properties['stage']}» занят итогом заказа", "Дайте шагу другой код")


def starts(diagram: Diagram) -> Iterator[DiagramError]:
    """A start event with a form says what it asks for and who began."""
    node = start_of(diagram)
    if not node.properties:
        return
    yield from known_properties(node, START_WORDS)
    yield from fields_fit(node)
    yield from common_form(node)
    if node.camunda("initiator") != "initiator":
        yield fault(node, "не записано, кто начал", "Поставьте Initiator = initiator")


def known_properties(
    node: Node, words: Collection[str], prefixes: tuple[str, ...] = ("field.",)
) -> Iterator[DiagramError]:
    """Find properties that nothing reads."""
    for name in node.properties:
        if name not in words and not name.startswith(prefixes):
            yield fault(node, f"свойство «{name}» неизвестно", suggest(name, words))


def fields_fit(node: Node) -> Iterator[DiagramError]:
    """The fields of a form can be read, and what is demanded is among them."""
    try:
        fields = read_fields(node)
    except DiagramError as error:
        yield error
        return
    for item in fields:
        if item.name in RESERVED or item.name.startswith(BESIDE) or item.name.endswith("Info"):
            yield fault(node, f"имя поля «{item.name}» занято программой", "Назовите поле иначе")
    yield from attempt(lambda n: read_required(n, fields), node)
    yield from attempt(lambda n: read_comment_on(n, fields), node)


def common_form(node: Node) -> Iterator[DiagramError]:
    """A step is answered in the one form of all steps."""
    if node.camunda("formKey") != FORM:
        yield fault(node, "форма не общая", f"Поставьте Form key = {FORM}")


def _people(node: Node, known: Known) -> Iterator[DiagramError]:
    groups, assignee = names(node.camunda("candidateGroups")), node.camunda("assignee")
    if not groups and not assignee:
        yield fault(node, "не указано, кто выполняет", f"Выберите группу: {', '.join(sorted(known.groups))}")
    if assignee and not is_expression(assignee):
        yield fault(node, f"задача назначена на «{assignee}»", "Назначайте группе, а не человеку")
    if node.camunda("candidateUsers"):
        yield fault(node, "задача предложена отдельным людям", "Назначайте группе, а не человеку")
    for group in groups:
        if group not in known.groups:
            yield fault(node, f"группы «{group}» нет среди сотрудников", suggest(group, known.groups))


def topics(diagram: Diagram, known: Known) -> Iterator[DiagramError]:
    """Each service step is an external task that a handler waits for, or the one allowed expression."""
    for kind in ("serviceTask", "sendTask", "businessRuleTask"):
        for node in diagram.of_kind(kind):
            if node.topic is None and not node.camunda("expression"):
                yield fault(node, "у шага программы нет темы", "Поставьте Implementation = External и тему")
            elif node.topic is not None and node.topic not in known.topics:
                yield fault(node, f"тему «{node.topic}» никто не выполняет", suggest(node.topic, known.topics))
            yield from _instructions(node, known)


def _instructions(node: Node, known: Known) -> Iterator[DiagramError]:
    """Check what a notify or notify-customer step says about itself."""
    if node.topic == "notify-customer" and node.properties.get("mode") not in MODES:
        yield fault(node, "не сказано, готовить или отправлять письмо", "Задайте mode = prepare или send")
    if node.topic != "notify":
        return
    addressees = names(node.properties.get("to"))
    if not addressees or not node.properties.get("text"):
        yield fault(node, "не сказано, кому и что сообщить", "Задайте свойства to и text")
    for name in addressees:
        if name not in ADDRESSEES and name not in known.groups:
            yield fault(node, f"получателя «{name}» нет", suggest(name, [*ADDRESSEES, *known.groups]))


def card_updates(diagram: Diagram) -> Iterator[DiagramError]:
    """`sync-stage` stands directly before each user task and each outcome end, and leads nowhere else."""
    for node in diagram.of_topic(SYNC_TOPIC):
        yield from attempt(lambda n: sync_target(diagram, n), node)
    if not is_route(diagram):
        return
    ends = [end for end in outcome_ends(diagram) if end.id not in WITHOUT_CARD]
    for node in [*diagram.of_kind("userTask"), *ends]:
        before = [diagram.nodes.get(flow.source) for flow in diagram.incoming(node.id)]
        if not before or any(step is None or step.topic != SYNC_TOPIC for step in before):
            remedy = "Поставьте прямо перед ним «Обновить карточку» (тема sync-stage)"
            yield fault(node, "карточка не обновится перед этим шагом", remedy)


def file_judging(diagram: Diagram) -> Iterator[DiagramError]:
    """Each step that takes files is followed by `validate-attachments`, and a refusal leads back to the step."""
    judges: dict[str, list[Node]] = {}
    for judge in diagram.of_topic(JUDGE_TOPIC):
        try:
            judges.setdefault(judged_by(diagram, judge).id, []).append(judge)
        except DiagramError as error:
            yield error
    for node in [start_of(diagram), *diagram.of_kind("userTask")]:
        takes = takes_files(node)
        found = judges.get(node.id, [])
        if takes and not found:
            yield fault(node, "файлы этого шага никто не проверит", "Поставьте после него validate-attachments")
        elif found and not takes:
            yield fault(found[0], "здесь нечего проверять: файлов перед этим нет", "Уберите шаг или добавьте поле-файл")
        elif takes and node.kind == "userTask":
            after = {flow.target for flow in diagram.outgoing(node.id)}
            if after != {found[0].id}:
                yield fault(
                    found[0], "проверка файлов не стоит сразу после задачи", "Ведите стрелку задачи прямо к ней"
                )
            yield from _way_back(diagram, node, found[0])


def _way_back(diagram: Diagram, node: Node, judge: Node) -> Iterator[DiagramError]:
    events = [event for event in diagram.boundaries(judge.id) if diagram.code_of(event) == THROWN[JUDGE_TOPIC]]
    if events and not any(node.id in reachable(diagram, event.id) for event in events):
        yield fault(
            judge, "после отказа в файле человек не может приложить другой", "Ведите стрелку отказа назад к шагу"
        )


def takes_files(node: Node) -> bool:
    """Tell whether a form asks for files; a field that cannot be read is another rule's finding."""
    try:
        return any(item.kind.holds_files for item in read_fields(node))
    except DiagramError:
        return False


def errors(diagram: Diagram) -> Iterator[DiagramError]:
    """Each error that a step may send is caught, and each error that is caught has a sender."""
    for node in diagram.nodes.values():
        code = thrown(node)
        if code is not None and code not in caught_at(diagram, node):
            yield fault(node, f"ошибку {code} здесь никто не ловит", "Поставьте на шаг граничное событие-ошибку")
    for node in diagram.nodes.values():
        if node.definition("error") is None or node.kind == "endEvent":
            continue
        caught = diagram.code_of(node)
        if caught is None:
            yield fault(node, "событие ловит любую ошибку", "Выберите ошибку с кодом")
        elif caught not in CODES:
            yield fault(node, f"ошибку {caught} никто не посылает", suggest(caught, CODES))
        elif node.kind == "boundaryEvent":
            host = diagram.nodes.get(node.element.get("attachedToRef", ""))
            if host is not None and host.topic and thrown(host) != caught:
                yield fault(
                    node, f"шаг не посылает ошибку {caught}", "Перенесите событие на тот шаг, который её посылает"
                )


def decisions(diagram: Diagram) -> Iterator[DiagramError]:
    """A fork asks a question; each way but the default one compares a field with a value that it can have."""
    fields = _all_fields(diagram)
    for node in diagram.nodes.values():
        flows = diagram.outgoing(node.id)
        if node.kind != "exclusiveGateway":
            if any(flow.condition for flow in flows):
                yield fault(node, "условие стоит на стрелке не из развилки", "Поставьте развилку (Exclusive gateway)")
            continue
        if len(flows) < 2:
            continue
        default = node.attribute("default")
        if default not in {flow.id for flow in flows}:
            yield fault(node, "у развилки нет пути по умолчанию", "Отметьте одну стрелку: Default flow")
        for flow in flows:
            if flow.id != default:
                yield from _condition(node, flow.condition, fields)


def _condition(node: Node, condition: str | None, fields: dict[str, Field]) -> Iterator[DiagramError]:
    if not condition:
        yield fault(node, "у стрелки из развилки нет условия", "Напишите условие: ${directorDecision == 'approve'}")
        return
    match = COMPARISON.fullmatch(condition)
    if match is None:
        return  # said by the safety rule
    name, value = match.groups()
    item = fields.get(name)
    if item is None:
        yield fault(node, f"условие читает «{name}», такого поля нет", suggest(name, fields))
    elif value is not None and item.kind is FieldKind.CHOICE and value not in dict(item.choices):
        yield fault(node, f"у поля {name} нет варианта «{value}»", suggest(value, dict(item.choices)))


def _all_fields(diagram: Diagram) -> dict[str, Field]:
    found: dict[str, Field] = {}
    for node in [start_of(diagram), *diagram.of_kind("userTask")]:
        try:
            found |= {item.name: item for item in read_fields(node)}
        except DiagramError:
            continue
    return found


def reachable(diagram: Diagram, start: str) -> set[str]:
    """Return the ids of all nodes that a token may reach from a node, boundary events and inner nodes included."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        waiting += [flow.target for flow in diagram.outgoing(here)]
        waiting += [event.id for event in diagram.boundaries(here)]
        waiting += [inner.id for inner in diagram.scope(here)]
    return seen


def attempt(read: Callable[[Node], object], node: Node) -> Iterator[DiagramError]:
    """Yield the fault that a reader raises, if it does."""
    try:
        read(node)
    except DiagramError as error:
        yield error


def suggest(word: str, known: Collection[str]) -> str:
    """Return the remedy for an unknown word: the nearest known one, else all of them."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"Наверное, {near[0]}" if near else f"Есть: {', '.join(sorted(known)) or 'ни одного'}"


def fault(node: Node, problem: str, remedy: str) -> DiagramError:
    """Return a fault that names the node."""
    return DiagramError(problem, remedy, node.id, node.name or None)
