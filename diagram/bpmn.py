"""A BPMN file as nodes and flows: read once, asked by `stages` and by every rule of the check.

Only defusedxml reads the text, so a file from a stranger opens nothing and inflates nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from diagram.errors import DiagramError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
EVENTS = ("startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent")
TASKS = (
    "task",
    "userTask",
    "serviceTask",
    "sendTask",
    "receiveTask",
    "manualTask",
    "scriptTask",
    "businessRuleTask",
    "callActivity",
)
GATEWAYS = ("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway")
SCOPES = ("subProcess", "transaction", "adHocSubProcess")
FLOW_NODES = frozenset((*EVENTS, *TASKS, *GATEWAYS, *SCOPES))


@dataclass(frozen=True, slots=True)
class Flow:
    """One sequence flow."""

    id: str
    name: str
    source: str
    target: str
    condition: str | None


@dataclass(frozen=True, slots=True)
class Node:
    """One flow node; `scope` is the id of the process or sub-process that holds it."""

    id: str
    kind: str  # "userTask"
    name: str
    scope: str
    element: Element = field(repr=False, compare=False)
    properties: Mapping[str, str] = field(default_factory=dict)  # camunda:property, empty ones left out

    def attribute(self, name: str) -> str | None:
        """Return an attribute of BPMN itself, or None where it is absent or empty."""
        return self.element.get(name) or None

    def camunda(self, name: str) -> str | None:
        """Return an attribute of the `camunda:` namespace, or None where it is absent or empty."""
        return self.element.get(CAMUNDA + name) or None

    @property
    def topic(self) -> str | None:
        """Return the topic of an external task."""
        return self.camunda("topic") if self.camunda("type") == "external" else None

    @property
    def documentation(self) -> str:
        """Return the documentation on one line."""
        found = self.element.find(f"{BPMN}documentation")
        return " ".join((found.text or "").split()) if found is not None else ""

    def definition(self, kind: str) -> Element | None:
        """Return the event definition of that kind ("error", "timer", "message")."""
        return self.element.find(f"{BPMN}{kind}EventDefinition")

    @property
    def defined(self) -> bool:
        """Tell whether an event carries a definition: a start event without one is the blank start."""
        return any(local(child.tag).endswith("EventDefinition") for child in self.element)

    @property
    def interrupting(self) -> bool:
        """Tell whether a start or boundary event ends what it belongs to."""
        return self.element.get("isInterrupting", self.element.get("cancelActivity", "true")) != "false"

    @property
    def by_event(self) -> bool:
        """Tell whether this is an event sub-process."""
        return self.element.get("triggeredByEvent") == "true"


def local(tag: str) -> str:
    """Return a tag without its namespace."""
    return tag.rpartition("}")[2]


@contextmanager
def reading() -> Iterator[None]:
    """Turn what the XML reader says into a DiagramError."""
    try:
        yield
    except DefusedXmlException as error:
        raise DiagramError("в файле есть DOCTYPE или сущности", "Сохраните схему заново в Camunda Modeler") from error
    except (ParseError, ValueError, LookupError) as error:
        where = f" (строка {error.position[0]})" if isinstance(error, ParseError) else ""
        raise DiagramError(f"это не XML{where}", "Откройте файл в Camunda Modeler и сохраните заново") from error


def parse(xml: str | bytes) -> Element:
    """Read the text of a diagram. Raises DiagramError where it is no XML or carries a DOCTYPE."""
    with reading():
        return fromstring(xml, forbid_dtd=True)


def properties_of(element: Element) -> dict[str, str]:
    """Return an element's own camunda:property values; an empty one means absent (templates write `""`)."""
    found = element.iterfind(f"{BPMN}extensionElements/{CAMUNDA}properties/{CAMUNDA}property")
    pairs = ((item.get("name", "").strip(), item.get("value", "").strip()) for item in found)
    return {name: value for name, value in pairs if name and value}


class Diagram:
    """One executable process of a file. Raises DiagramError where the file holds none or more than one."""

    def __init__(self, xml: str | bytes) -> None:
        self.root = parse(xml)
        self.process = self._only_process()
        self.process_id = self.process.get("id", "")
        self.nodes: dict[str, Node] = {}
        self.flows: dict[str, Flow] = {}
        self._read(self.process)

    def _only_process(self) -> Element:
        if self.root.tag != f"{BPMN}definitions":
            raise DiagramError("это не схема BPMN", "Нужен файл .bpmn из Camunda Modeler")
        found = [p for p in self.root.iter(f"{BPMN}process") if p.get("isExecutable") == "true"]
        if len(found) != 1:
            problem = (
                "в файле нет исполняемого процесса" if not found else "в файле больше одного исполняемого процесса"
            )
            raise DiagramError(problem, "Оставьте в файле один процесс с отметкой «Executable»")
        return found[0]

    def _read(self, process: Element) -> None:
        waiting = [process]
        while waiting:
            scope = waiting.pop(0)
            for child in scope:
                kind, id_ = local(child.tag), child.get("id", "")
                if not child.tag.startswith(BPMN) or not id_:
                    continue
                if kind == "sequenceFlow":
                    self.flows[id_] = _flow(child)
                elif kind in FLOW_NODES:
                    name = " ".join(child.get("name", "").split())
                    self.nodes[id_] = Node(id_, kind, name, scope.get("id", ""), child, properties_of(child))
                    if kind in SCOPES:
                        waiting.append(child)

    @cached_property
    def _outgoing(self) -> dict[str, list[Flow]]:
        found: dict[str, list[Flow]] = {}
        for flow in self.flows.values():
            found.setdefault(flow.source, []).append(flow)
        return found

    @cached_property
    def _incoming(self) -> dict[str, list[Flow]]:
        found: dict[str, list[Flow]] = {}
        for flow in self.flows.values():
            found.setdefault(flow.target, []).append(flow)
        return found

    @cached_property
    def _scopes(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes.values():
            found.setdefault(node.scope, []).append(node)
        return found

    @cached_property
    def _boundaries(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes.values():
            if node.kind == "boundaryEvent":
                found.setdefault(node.element.get("attachedToRef", ""), []).append(node)
        return found

    @cached_property
    def _event_scopes(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes.values():
            if node.by_event:
                found.setdefault(node.scope, []).append(node)
        return found

    def outgoing(self, id_: str) -> list[Flow]:
        """Return the flows that leave a node, in the order of the file."""
        return self._outgoing.get(id_, [])

    def incoming(self, id_: str) -> list[Flow]:
        """Return the flows that lead to a node, in the order of the file."""
        return self._incoming.get(id_, [])

    def scope(self, id_: str) -> list[Node]:
        """Return the nodes that stand directly in a process or sub-process."""
        return self._scopes.get(id_, [])

    def boundaries(self, id_: str) -> list[Node]:
        """Return the boundary events of a node."""
        return self._boundaries.get(id_, [])

    def event_scopes(self, id_: str) -> list[Node]:
        """Return the event sub-processes that stand directly in a process or sub-process."""
        return self._event_scopes.get(id_, [])

    def of_kind(self, kind: str) -> Iterator[Node]:
        """Iterate over all nodes of a kind, in the order of the file."""
        return (node for node in self.nodes.values() if node.kind == kind)

    def of_topic(self, topic: str) -> Iterator[Node]:
        """Iterate over all external tasks of a topic."""
        return (node for node in self.nodes.values() if node.topic == topic)

    @cached_property
    def error_codes(self) -> Mapping[str, str]:
        """Return error id -> error code."""
        return {e.get("id", ""): e.get("errorCode", "") for e in self.root.iter(f"{BPMN}error")}

    def code_of(self, node: Node) -> str | None:
        """Return the error code that an event catches; None where it catches none or any."""
        definition = node.definition("error")
        return self.error_codes.get(definition.get("errorRef", "")) or None if definition is not None else None


def _flow(element: Element) -> Flow:
    found = element.find(f"{BPMN}conditionExpression")
    condition = (found.text or "").strip() if found is not None else None
    name = " ".join(element.get("name", "").split())
    return Flow(element.get("id", ""), name, element.get("sourceRef", ""), element.get("targetRef", ""), condition)
