"""Read the stages from a diagram: the only place where a stage is defined."""

from __future__ import annotations

from collections import deque

from diagram.bpmn import SCOPES, Diagram, Node
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
from orders.stage import Route, Stage

SYNC_TOPIC = "sync-stage"
JUDGE_TOPIC = "validate-attachments"


def read_route(xml: str | bytes) -> Route:
    """Return what code needs to know of one diagram. Raises DiagramError, which names the element."""
    return route_of(Diagram(xml))


def route_of(diagram: Diagram) -> Route:
    """Return what code needs to know of a diagram that is already read. Raises DiagramError."""
    start = start_of(diagram)
    fields = read_fields(start)
    ends = outcome_ends(diagram)
    return Route(
        process_id=diagram.process_id,
        stages=stages_of(diagram),
        start_id=start.id,
        start_fields=fields,
        start_required=read_required(start, fields),
        ends=tuple(end.id for end in ends),
        end_names={end.id: end.name for end in ends},
        topics={node.id: node.topic for node in diagram.nodes.values() if node.topic},
        sync_targets={node.id: sync_target(diagram, node).id for node in diagram.of_topic(SYNC_TOPIC)},
        judged={node.id: judged_by(diagram, node).id for node in diagram.of_topic(JUDGE_TOPIC)},
        caught={node.id: caught_at(diagram, node) for node in diagram.nodes.values() if node.topic},
        properties={node.id: node.properties for node in diagram.nodes.values() if node.properties},
    )


def stages_of(diagram: Diagram) -> tuple[Stage, ...]:
    """Return the stages in the order of the route. Raises DiagramError, also where two share a code."""
    found = [stage_of(node) for node in in_order(diagram) if node.kind == "userTask" and "stage" in node.properties]
    seen: dict[str, Stage] = {}
    for stage in found:
        if stage.code in seen:
            problem = f"код шага «{stage.code}» уже есть у {seen[stage.code].task_id}"
            raise DiagramError(problem, "Дайте шагу свой код", stage.task_id, stage.name)
        seen[stage.code] = stage
    return tuple(found)


def stage_of(node: Node) -> Stage:
    """Return the stage that a user task defines. Raises DiagramError."""
    fields = read_fields(node)
    return Stage(
        task_id=node.id,
        code=read_code(node),
        name=node.name,
        label=read_label(node),
        norm=read_norm(node),
        groups=names(node.camunda("candidateGroups")),
        assignee=node.camunda("assignee"),
        fields=fields,
        required=read_required(node, fields),
        comment_on=read_comment_on(node, fields),
        waits=read_waits(node),
        track=read_track(node),
        documentation=node.documentation,
    )


def start_of(diagram: Diagram) -> Node:
    """Return the process's own start event: the blank one, else the first. Raises DiagramError."""
    found = [node for node in diagram.scope(diagram.process_id) if node.kind == "startEvent"]
    if not found:
        raise DiagramError("у процесса нет начала", "Добавьте начальное событие", diagram.process_id)
    return next((node for node in found if not node.defined), found[0])


def outcome_ends(diagram: Diagram) -> list[Node]:
    """Return the ends that are outcomes: top-level ones and those of interrupting event sub-processes."""
    found = [node for node in diagram.scope(diagram.process_id) if node.kind == "endEvent"]
    for node in diagram.event_scopes(diagram.process_id):
        inner = diagram.scope(node.id)
        if any(part.kind == "startEvent" and part.interrupting for part in inner):
            found += [part for part in inner if part.kind == "endEvent"]
    return found


def sync_target(diagram: Diagram, node: Node) -> Node:
    """Return the user task or end that a sync-stage stands before. Raises DiagramError."""
    flows = diagram.outgoing(node.id)
    target = diagram.nodes.get(flows[0].target) if len(flows) == 1 else None
    if target is None or target.kind not in ("userTask", "endEvent"):
        remedy = "Ведите единственную стрелку прямо к задаче человека или к итогу"
        raise DiagramError("обновление карточки не стоит прямо перед шагом", remedy, node.id, node.name)
    return target


def judged_by(diagram: Diagram, node: Node) -> Node:
    """Return the user task (or, at top level, the start event) whose files a step judges. Raises DiagramError."""
    waiting, seen = deque([node.id]), {node.id}
    while waiting:
        for flow in diagram.incoming(waiting.popleft()):
            source = diagram.nodes.get(flow.source)
            if source is None or source.id in seen:
                continue
            if source.kind == "userTask":
                return source
            seen.add(source.id)
            waiting.append(source.id)
    if node.scope == diagram.process_id:
        return start_of(diagram)
    raise DiagramError(
        "перед проверкой файлов нет задачи человека", "Поставьте её сразу после задачи", node.id, node.name
    )


def caught_at(diagram: Diagram, node: Node) -> frozenset[str]:
    """Return the error codes that the diagram catches for a step: at itself and around it."""
    found: set[str | None] = set()
    here: Node | None = node
    while here is not None:
        found |= {diagram.code_of(event) for event in diagram.boundaries(here.id)}
        for around in diagram.event_scopes(here.scope):
            found |= {diagram.code_of(event) for event in diagram.scope(around.id) if event.kind == "startEvent"}
        here = diagram.nodes.get(here.scope)
    return frozenset(code for code in found if code)


def in_order(diagram: Diagram) -> list[Node]:
    """Return all nodes in the order of the route; a way back does not count, sub-processes unfold in place."""
    found: list[Node] = []
    waiting = list(reversed(_scope_in_order(diagram, diagram.process_id)))
    while waiting:
        node = waiting.pop()
        found.append(node)
        if node.kind in SCOPES:
            waiting += reversed(_scope_in_order(diagram, node.id))
    return found


def _scope_in_order(diagram: Diagram, scope: str) -> list[Node]:
    """Order the nodes of one scope: reverse postorder of a walk along the flows, then what no flow reaches."""
    nodes = diagram.scope(scope)
    # What follows a start event comes first; event sub-processes and loose ends keep the order of the file.
    roots = [node for node in nodes if node.kind == "startEvent"]
    roots += [node for node in nodes if node.kind != "startEvent" and not diagram.incoming(node.id)]
    roots = [node for node in [*roots, *nodes] if node.kind != "boundaryEvent"]
    seen: set[str] = set()
    found: list[Node] = []
    for root in roots:
        found += _walk(diagram, root, seen)
    return found


def _walk(diagram: Diagram, root: Node, seen: set[str]) -> list[Node]:
    if root.id in seen:
        return []
    seen.add(root.id)
    done: list[Node] = []
    stack = [(root, iter(_next(diagram, root)))]
    while stack:
        node, following = stack[-1]
        for step in following:
            if step.id not in seen:
                seen.add(step.id)
                stack.append((step, iter(_next(diagram, step))))
                break
        else:
            done.append(node)
            stack.pop()
    return done[::-1]


def _next(diagram: Diagram, node: Node) -> list[Node]:
    """Return what follows, last first: a walk that ends with the main flow puts it before the side ways."""
    flows = [diagram.nodes[flow.target] for flow in diagram.outgoing(node.id) if flow.target in diagram.nodes]
    return [*flows, *diagram.boundaries(node.id)][::-1]
