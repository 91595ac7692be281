"""What an analyst does to the route in the Modeler, done to its XML: copy a whole stage, rename it, put it in the way.

Nothing here knows more of the project than an analyst does: ids, names and properties of the diagram.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

ROOT = Path(__file__).resolve().parent.parent
ROUTE_FILE = ROOT / "bpmn" / "custom-furniture-order.bpmn"
VARIANT_FILE = ROOT / "bpmn" / "variants" / "custom-furniture-order-renegotiation.bpmn"


def route_xml() -> str:
    """Return the shop's own route."""
    return ROUTE_FILE.read_text(encoding="utf-8")


def replaced(xml: str, old: str, new: str) -> str:
    """Replace a piece that stands there exactly once."""
    assert xml.count(old) == 1, (xml.count(old), old)
    return xml.replace(old, new)


@dataclass(frozen=True)
class NewStage:
    """A stage that is made by copying another one."""

    copied: str  # "PrepareEstimate"
    name: str  # "ApproveTechnology"
    title: str  # the sub-process and the column
    task: str  # what to do
    group: str
    properties: Mapping[str, str]
    at: tuple[int, int] = (1066, 400)


TECHNOLOGIST = NewStage(
    copied="PrepareEstimate",
    name="ApproveTechnology",
    title="Согласование технолога",
    task="Согласовать технологию",
    group="technologists",
    properties={
        "stage": "technology",
        "label": "Согласование технолога",
        "norm": "4h",
        "field.technologyDecision": "choice; Решение; approve=Согласовать, reject=Вернуть конструкторам",
        "field.technologyFile": "file; Технологическая карта",
        "field.technologyComment": "text; Комментарий",
        "required": "technologyDecision, technologyFile@approve",
        "commentOn": "reject",
    },
)


def _block(xml: str, begin: str, end: str) -> str:
    start = xml.index(begin)
    return xml[start : xml.index(end, start) + len(end)]


def copied_stage(xml: str, stage: NewStage) -> tuple[str, str]:
    """Return (sub-process, its own plane) of the copy, without its flows outside."""
    old = stage.copied
    body = _block(xml, f'<bpmn:subProcess id="Stage_{old}"', "</bpmn:subProcess>")
    plane = _block(xml, f'<bpmndi:BPMNDiagram id="Diagram_Stage_{old}"', "</bpmndi:BPMNDiagram>")
    body, plane = body.replace(old, stage.name), plane.replace(old, stage.name)
    head, _, inner = body.partition("<bpmn:startEvent")
    head = re.sub(r'name="[^"]*"', f'name="{stage.title}"', head, count=1)
    head = re.sub(r"\s*<bpmn:(incoming|outgoing)>[^<]*</bpmn:\1>", "", head)
    body = f"{head}<bpmn:startEvent{inner}"
    task = _block(body, "<bpmn:userTask", "</bpmn:userTask>")
    new = re.sub(r'name="[^"]*"', f'name="{stage.task}"', task, count=1)
    new = re.sub(r'candidateGroups="[^"]*"', f'candidateGroups="{stage.group}"', new)
    rows = "".join(
        f"<camunda:property name={quoteattr(k)} value={quoteattr(v)} />" for k, v in stage.properties.items()
    )
    new = re.sub(
        r"<camunda:properties>.*</camunda:properties>",
        f"<camunda:properties>{rows}</camunda:properties>",
        new,
        flags=re.DOTALL,
    )
    return body.replace(task, new), plane


def insert_stage(xml: str, stage: NewStage, flow: str, *, again: str | None = None) -> str:
    """Put a copied stage into a top-level flow. `again`: a joining gateway to which a rejection leads back."""
    body, plane = copied_stage(xml, stage)
    name, (x, y) = stage.name, stage.at
    found = re.search(rf'<bpmn:sequenceFlow id="{flow}" sourceRef="([^"]+)" targetRef="([^"]+)" />', xml)
    assert found
    source, target = found.groups()
    gateway = f"Gateway_{name}Decision"
    last = gateway if again else f"Stage_{name}"
    into, out, back = f"Flow_{name}Begins", f"Flow_{name}Ends", f"Flow_{name}Rejected"
    leaving = f"Flow_{name}Decided" if again else out
    ends = f"<bpmn:incoming>{into}</bpmn:incoming><bpmn:outgoing>{leaving}</bpmn:outgoing>"
    body = body.replace("<bpmn:startEvent", f"{ends}<bpmn:startEvent", 1)
    nodes, flows = body, f'<bpmn:sequenceFlow id="{into}" sourceRef="{source}" targetRef="Stage_{name}" />'
    drawn = shape(f"Stage_{name}", x, y, 100, 80, ' isExpanded="false"') + edge(into, (x - 60, y + 40), (x, y + 40))
    if again:
        decision = next(k.removeprefix("field.") for k, v in stage.properties.items() if v.startswith("choice"))
        nodes += (
            f'<bpmn:exclusiveGateway id="{gateway}" name="{stage.title}: да?" default="{back}">'
            f"<bpmn:incoming>Flow_{name}Decided</bpmn:incoming><bpmn:outgoing>{out}</bpmn:outgoing>"
            f"<bpmn:outgoing>{back}</bpmn:outgoing></bpmn:exclusiveGateway>"
        )
        flows += (
            f'<bpmn:sequenceFlow id="Flow_{name}Decided" sourceRef="Stage_{name}" targetRef="{gateway}" />'
            f'<bpmn:sequenceFlow id="{back}" name="нет" sourceRef="{gateway}" targetRef="{again}" />'
            f'<bpmn:sequenceFlow id="{out}" name="да" sourceRef="{gateway}" targetRef="{target}">'
            f"<bpmn:conditionExpression xsi:type=\"bpmn:tFormalExpression\">${{{decision} == 'approve'}}"
            "</bpmn:conditionExpression></bpmn:sequenceFlow>"
        )
        drawn += shape(gateway, x + 150, y + 15, 50, 50) + edge(
            f"Flow_{name}Decided", (x + 100, y + 40), (x + 150, y + 40)
        )
        drawn += edge(back, (x + 175, y + 65), (x + 175, y + 100))
        xml = _incoming(xml, again, back)
    else:
        flows += f'<bpmn:sequenceFlow id="{out}" sourceRef="{last}" targetRef="{target}" />'
    drawn += edge(out, (x + 200, y + 40), (x + 250, y + 40))
    xml = replaced(xml, found.group(0), flows)
    xml = replaced(xml, f"<bpmn:outgoing>{flow}</bpmn:outgoing>", f"<bpmn:outgoing>{into}</bpmn:outgoing>")
    xml = replaced(xml, f"<bpmn:incoming>{flow}</bpmn:incoming>", f"<bpmn:incoming>{out}</bpmn:incoming>")
    xml = re.sub(rf'\s*<bpmndi:BPMNEdge id="{flow}_di".*?</bpmndi:BPMNEdge>', "", xml, flags=re.DOTALL)
    xml = xml.replace('<bpmn:subProcess id="Stage_', f'{nodes}<bpmn:subProcess id="Stage_', 1)
    xml = xml.replace("</bpmndi:BPMNPlane>", f"{drawn}</bpmndi:BPMNPlane>", 1)
    return replaced(xml, "</bpmn:definitions>", f"{plane}</bpmn:definitions>")


def _incoming(xml: str, node: str, flow: str) -> str:
    head = re.search(rf'<bpmn:exclusiveGateway id="{node}"[^>]*>', xml)
    assert head
    return replaced(xml, head.group(0), f"{head.group(0)}<bpmn:incoming>{flow}</bpmn:incoming>")


def shape(id_: str, x: int, y: int, w: int, h: int, more: str = "") -> str:
    """Return the drawing of a node."""
    return (
        f'<bpmndi:BPMNShape id="{id_}_di" bpmnElement="{id_}"{more}>'
        f'<dc:Bounds x="{x}" y="{y}" width="{w}" height="{h}" /></bpmndi:BPMNShape>'
    )


def edge(id_: str, *points: tuple[int, int]) -> str:
    """Return the drawing of a flow."""
    way = "".join(f'<di:waypoint x="{x}" y="{y}" />' for x, y in points)
    return f'<bpmndi:BPMNEdge id="{id_}_di" bpmnElement="{id_}">{way}</bpmndi:BPMNEdge>'


def with_technologist(xml: str | None = None) -> str:
    """Return the route with an approval more: the technologist looks at the design before the estimate."""
    flow = "Flow_PrepareDesignToPrepareEstimate"
    return insert_stage(xml or route_xml(), TECHNOLOGIST, flow, again="Gateway_DesignAgain")
