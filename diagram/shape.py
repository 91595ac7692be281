"""Rules on the file and the drawing: one process, its settings, names, ids, flows, and a shape for each node."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diagram.bpmn import BPMN, CAMUNDA, DI, GATEWAYS, SCOPES, Diagram, Node, properties_of
from diagram.errors import DiagramError
from diagram.rules import fault

GENERATED = re.compile(
    r"(Activity|Event|StartEvent|EndEvent|Gateway|Flow|Task|SequenceFlow|Process)_([0-9][0-9a-z]{6}|[0-9]+)"
)
PLAIN_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
PERIOD = re.compile(r"P[1-9][0-9]*D")


def process(diagram: Diagram, file: str) -> Iterator[DiagramError]:
    """The process says its name, purpose, version and how long its history is kept; its id is the file's name."""
    element, id_ = diagram.process, diagram.process_id
    if not re.fullmatch(re.escape(id_) + r"(-[a-z]+)?", file.removesuffix(".bpmn")):
        remedy = f"Назовите файл {id_}.bpmn, вариант — {id_}-слово.bpmn"
        yield DiagramError(f"id процесса «{id_}» не равен имени файла", remedy, id_)
    if not PERIOD.fullmatch(element.get(f"{CAMUNDA}historyTimeToLive", "")):
        yield DiagramError("не задано, сколько хранить историю", "Поставьте History time to live = P1095D", id_)
    for what, text in (
        ("названия", element.get("name")),
        ("версии (Version tag)", element.get(f"{CAMUNDA}versionTag")),
        ("описания", element.findtext(f"{BPMN}documentation", "").strip()),
    ):
        if not text:
            yield DiagramError(f"у процесса нет {what}", "Заполните поле в свойствах процесса", id_)
    blank = [node for node in diagram.scope(id_) if node.kind == "startEvent"]
    if len(blank) != 1:
        yield DiagramError(f"начальных событий {len(blank)}", "У процесса должно быть одно начало", id_)
    if properties_of(element):
        yield DiagramError("у процесса есть свойства, их никто не читает", "Перенесите их на задачи", id_)


def names_and_ids(diagram: Diagram) -> Iterator[DiagramError]:
    """Each node has a speaking id and a name; only a joining gateway may be silent."""
    for node in diagram.nodes.values():
        if GENERATED.fullmatch(node.id) or not PLAIN_ID.fullmatch(node.id):
            yield fault(node, f"id «{node.id}» ничего не говорит", "Дайте id по смыслу: UserTask_CheckSample")
        forks = len(diagram.outgoing(node.id)) > 1
        if not node.name and (node.kind not in GATEWAYS or forks):
            yield fault(node, "у элемента нет названия", "Подпишите его на схеме")
        if node.kind in GATEWAYS and forks:
            silent = [flow.id for flow in diagram.outgoing(node.id) if not flow.name]
            if silent:
                yield fault(node, f"стрелка {silent[0]} из развилки не подписана", "Подпишите ответ: да, нет")


def flows(diagram: Diagram) -> Iterator[DiagramError]:
    """Each flow joins two nodes of one scope; each node is on a way from a start to an end."""
    for flow in diagram.flows.values():
        source, target = diagram.nodes.get(flow.source), diagram.nodes.get(flow.target)
        if source is None or target is None:
            yield DiagramError("у стрелки нет начала или конца", "Проведите её заново", flow.id, flow.name or None)
        elif source.scope != target.scope:
            yield DiagramError(
                "стрелка пересекает границу подпроцесса", "Проведите её заново", flow.id, flow.name or None
            )
    for node in diagram.nodes.values():
        if not diagram.outgoing(node.id) and node.kind != "endEvent" and not node.by_event:
            yield fault(node, "из элемента нет пути дальше", "Проведите стрелку или поставьте конечное событие")
        if not diagram.incoming(node.id) and node.kind not in ("startEvent", "boundaryEvent") and not node.by_event:
            yield fault(node, "к элементу нет пути", "Проведите стрелку или удалите элемент")
        if node.kind in SCOPES and not any(part.kind == "startEvent" for part in diagram.scope(node.id)):
            yield fault(node, "у подпроцесса нет начала", "Добавьте в него начальное событие")


def drawing(diagram: Diagram) -> Iterator[DiagramError]:
    """Each node has a shape and each flow an edge; each collapsed sub-process its own plane."""
    drawn = {e.get("bpmnElement") for e in diagram.root.iter() if e.tag in (f"{DI}BPMNShape", f"{DI}BPMNEdge")}
    planes = {e.get("bpmnElement") for e in diagram.root.iter(f"{DI}BPMNPlane")}
    missing: list[Node] = [node for node in diagram.nodes.values() if node.id not in drawn]
    if not drawn:
        yield DiagramError("в файле нет рисунка", "Нарисуйте схему в Camunda Modeler", diagram.process_id)
        return
    for node in missing:
        yield fault(node, "элемента нет на рисунке", "Удалите его из файла или нарисуйте")
    for flow in diagram.flows.values():
        if flow.id not in drawn:
            yield DiagramError("стрелки нет на рисунке", "Проведите её заново", flow.id, flow.name or None)
    for shape in diagram.root.iter(f"{DI}BPMNShape"):
        node_id = shape.get("bpmnElement", "")
        known = diagram.nodes.get(node_id)
        if known is not None and known.kind in SCOPES and shape.get("isExpanded") != "true" and node_id not in planes:
            yield fault(known, "у свёрнутого подпроцесса нет своего листа", "Откройте его в Modeler и сохраните")
