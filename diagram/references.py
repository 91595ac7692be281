"""Rules on what the parts of a route say about each other: ids, labels, messages, placeholders, kinds, promises."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diagram.bpmn import BPMN, DI, GATEWAYS, Diagram, Node, local
from diagram.errors import DiagramError
from diagram.kind import MAIN_PROCESS
from diagram.properties import names, read_fields
from diagram.rules import RESERVED, Known, fault, suggest
from diagram.stages import start_of
from orders.stage import Field, FieldKind

CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
PREFIXES = {
    "startEvent": ("StartEvent_",),
    "endEvent": ("End_", "EndEvent_"),
    "boundaryEvent": ("BoundaryEvent_",),
    "userTask": ("UserTask_",),
    "serviceTask": ("ServiceTask_",),
    "exclusiveGateway": ("Gateway_",),
    "parallelGateway": ("Gateway_",),
    "subProcess": ("Stage_", "EventSub_", "SubProcess_"),
}
ENGINE_SKIPS = {
    "task": "задача без вида: движок её молча пропустит",
    "manualTask": "ручная задача: движок её молча пропустит",
    "receiveTask": "задача ждёт сообщения, которое никто не посылает",
    "callActivity": "вызов другого процесса: заказ ведёт одна схема",
    "sendTask": "задача отправки: программы выполняют только Service task",
    "intermediateThrowEvent": "событие посылает то, чего никто не ждёт",
}
MESSAGES = {
    "OrderCancelled": ("cancelReason", "cancelledBy", "heldBy", "refundDue"),
    "ReadyDateMoved": ("readyBy", "moveReason", "movedBy"),
    "OrderCorrected": ("correctReason", "correctedBy"),
}
"""What the support processes send to a running order, with the variables that come along."""
LATE_TOPIC, LATE_TIMER, LATE_TASK = "flag-late-production", "BoundaryEvent_Late", "UserTask_Manufacture"
FIRST_TOPIC, LAST_TOPIC, LAST_END = "register-order", "close-order", "End_Delivered"


def process_is_ours(diagram: Diagram, known: Known) -> Iterator[DiagramError]:
    """Programs work for the route and for the support processes whose topics they know."""
    if diagram.process_id == MAIN_PROCESS or diagram.process_id in known.topics:
        return
    remedy = f"Маршрут называется {MAIN_PROCESS}, вспомогательный процесс — как его тема"
    yield DiagramError(f"процесс «{diagram.process_id}» программы не ведут", remedy, diagram.process_id)


def kinds(diagram: Diagram) -> Iterator[DiagramError]:
    """Nothing stands in the route that the engine passes over in silence or that nobody serves."""
    for node in diagram.nodes.values():
        if node.kind in ENGINE_SKIPS:
            yield fault(node, f"здесь {ENGINE_SKIPS[node.kind]}", "Сделайте её User task или Service task с темой")


def ids_and_labels(diagram: Diagram) -> Iterator[DiagramError]:
    """An id says kind and meaning, in letters; a name is Russian, since people read it."""
    for node in diagram.nodes.values():
        wanted = PREFIXES.get(node.kind)
        if wanted and not node.id.startswith(wanted):
            yield fault(node, f"id «{node.id}» не говорит, что это", f"Начните id с {' или '.join(wanted)}")
        if node.name and not CYRILLIC.search(node.name):
            yield fault(node, f"название «{node.name}» не по-русски", "Напишите по-русски, что здесь делают")
        label = node.properties.get("label", "")
        if label and not CYRILLIC.search(label):
            yield fault(node, f"название колонки «{label}» не по-русски", "Напишите его по-русски")
        if node.kind in GATEWAYS and len(diagram.outgoing(node.id)) > 1 and node.name and node.name[-1] != "?":
            yield fault(node, f"развилка «{node.name}» ничего не спрашивает", "Назовите её вопросом: «Цена принята?»")
    yield from _repeated(diagram)


def _repeated(diagram: Diagram) -> Iterator[DiagramError]:
    seen: set[str] = set()
    for element in diagram.root.iter():
        id_ = element.get("id")
        if id_ is None or not element.tag.startswith((BPMN, DI)):
            continue
        if id_ in seen:
            yield DiagramError(f"id «{id_}» стоит в файле дважды", "Дайте копии свой id", id_, element.get("name"))
        seen.add(id_)


def orphans(diagram: Diagram) -> Iterator[DiagramError]:
    """The drawing shows what is there: no shape of a deleted element, no edge without its flow, none without place."""
    known = {element.get("id") for element in diagram.root.iter() if element.get("id")}
    for shape in diagram.root.iter():
        if shape.tag not in (f"{DI}BPMNShape", f"{DI}BPMNEdge", f"{DI}BPMNPlane"):
            continue
        target = shape.get("bpmnElement")
        if not target or target not in known:
            what = f"элемент «{target}», которого нет" if target else "безымянная фигура"
            yield DiagramError(f"на рисунке {what}", "Удалите эту фигуру со схемы", target or shape.get("id"))
        elif shape.tag == f"{DI}BPMNShape" and not any(local(child.tag) == "Bounds" for child in shape):
            yield DiagramError("на рисунке фигура без места", "Передвиньте её в Modeler и сохраните", target)
        elif shape.tag == f"{DI}BPMNEdge" and sum(local(child.tag) == "waypoint" for child in shape) < 2:
            yield DiagramError("на рисунке стрелка без пути", "Проведите её заново", target)


def messages(diagram: Diagram) -> Iterator[DiagramError]:
    """A route listens to each message that support processes send, and to no other."""
    caught = {name: node for node in diagram.nodes.values() if (name := message_of(diagram, node)) is not None}
    for name, node in caught.items():
        if name not in MESSAGES:
            yield fault(node, f"сообщение «{name}» никто не посылает", suggest(name, MESSAGES))
    if diagram.process_id == MAIN_PROCESS:
        for name in MESSAGES:
            if name not in caught:
                problem = f"маршрут не слышит сообщение {name}"
                yield DiagramError(problem, "Верните событийный подпроцесс с этим сообщением", diagram.process_id)


def message_of(diagram: Diagram, node: Node) -> str | None:
    """Return the name of the message that an event waits for, or None."""
    definition = node.definition("message")
    if definition is None:
        return None
    named = {m.get("id", ""): m.get("name", "") for m in diagram.root.iter(f"{BPMN}message")}
    return named.get(definition.get("messageRef", ""), "")


def promises(diagram: Diagram) -> Iterator[DiagramError]:
    """What a norm, a demand or a notice reads is asked for somewhere in the route."""
    fields = all_fields(diagram)
    readable = {*fields, *RESERVED, "key", "orderKey", *(name for names_ in MESSAGES.values() for name in names_)}
    for node in diagram.nodes.values():
        until = node.properties.get("norm", "").partition("until:")[2]
        if until and getattr(fields.get(until), "kind", None) not in (FieldKind.MOMENT, FieldKind.DATE):
            yield fault(node, f"норма ждёт даты «{until}», её никто не вводит", suggest(until, fields))
        for demand in names(node.properties.get("required")):
            right = demand.partition("!=")[2].strip()
            if right and right not in fields:
                yield fault(node, f"required сравнивает с «{right}», такого поля нет", suggest(right, fields))
        for word in PLACEHOLDER.findall(node.properties.get("text", "") if node.topic == "notify" else ""):
            if word not in readable:
                yield fault(node, f"подстановки «{{{word}}}» не бывает", suggest(word, readable))


def all_fields(diagram: Diagram) -> dict[str, Field]:
    """Return every field that a route asks for; what cannot be read is another rule's finding."""
    found: dict[str, Field] = {}
    for node in [start_of(diagram), *diagram.of_kind("userTask")]:
        try:
            fields = read_fields(node)
        except DiagramError:
            continue
        for item in fields:
            found.setdefault(item.name, item)
    return found


def programs_ids(diagram: Diagram) -> Iterator[DiagramError]:
    """The route begins and closes with its programs; the late timer bears the ids that the server looks for."""
    if diagram.process_id != MAIN_PROCESS:
        return
    start = start_of(diagram)
    after = [diagram.nodes.get(flow.target) for flow in diagram.outgoing(start.id)]
    if [node.topic if node else None for node in after] != [FIRST_TOPIC]:
        yield fault(start, "заказ не учтён в начале", f"Поставьте сразу за началом тему {FIRST_TOPIC}")
    if LAST_END not in diagram.nodes:
        remedy = "Верните этот id: по нему заказ считается отгруженным"
        yield DiagramError(f"нет итога {LAST_END}", remedy, diagram.process_id)
    if not any(diagram.of_topic(LAST_TOPIC)):
        remedy = f"Верните шаг с темой {LAST_TOPIC} перед итогом"
        yield DiagramError("заказ никто не закрывает", remedy, diagram.process_id)
    timer = diagram.nodes.get(LATE_TIMER)
    for node in diagram.of_topic(LATE_TOPIC):
        if timer is None or timer.element.get("attachedToRef") != LATE_TASK or LATE_TASK not in diagram.nodes:
            problem = "перенос срока не найдёт таймер опоздания"
            yield fault(node, problem, f"Верните id {LATE_TIMER} таймеру на задаче {LATE_TASK}")
        elif timer.interrupting:
            yield fault(timer, "опоздание прервёт работу", "Сделайте таймер непрерывающим (non-interrupting)")
