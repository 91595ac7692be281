"""The analyst's folder beside what is deployed: what would change, for whom, and which running orders can move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from diagram.bpmn import Diagram, Node
from diagram.diff import About, Change, compare
from diagram.errors import DiagramError
from diagram.kind import foreign, text_of
from diagram.rules import reachable
from diagram.stages import SYNC_TOPIC, in_order
from engine.client import EngineClient
from engine.deploy import folder_files
from engine.migration import Move, Standing
from engine.processes import Definition
from engine.rights import ROUTE
from orders.plural import count

_ORDERS = ("заказ", "заказа", "заказов")


@dataclass(frozen=True, slots=True)
class Compared:
    """One process: its newest deployed version, and what the folder's diagram changes."""

    title: str
    process_id: str
    version: int | None  # None: not deployed yet
    same: bool  # to the letter
    changes: tuple[Change, ...] = ()


@dataclass(slots=True)
class Comparison:
    """The whole folder against the engine. `standing`: user task id -> how many orders are there now."""

    processes: list[Compared] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)  # changed or new
    absent: list[str] = field(default_factory=list)  # deployed, not in the folder
    standing: Counter[str] = field(default_factory=Counter)
    running: int = 0

    @property
    def lost(self) -> list[str]:
        """Return what orders would no longer have to fulfil."""
        return [self._said(c) for p in self.processes for c in p.changes if c.about is About.LOST]

    @property
    def nothing(self) -> bool:
        """Tell whether a deployment would change nothing."""
        return not self.forms and all(p.same for p in self.processes)

    def lines(self) -> list[str]:
        """Say it, lost demands first."""
        if self.nothing:
            return ["Ничего не изменилось: такие же диаграммы уже опубликованы"]
        found = _section("Пропадает (deploy попросит подтвердить: --yes)", self.lost)
        for process in self.processes:
            found += self._process(process)
        found += [f"Форма {name} изменилась" for name in self.forms]
        found += [f"Процесса {name} в папке нет: опубликованный остаётся" for name in self.absent]
        return [*found, *self._running()]

    def _process(self, process: Compared) -> list[str]:
        if process.same:
            return []
        if process.version is None:
            return [f"{process.title} ({process.process_id}): ещё не опубликован, станет версией 1"]
        found = [f"{process.title} ({process.process_id}): версия {process.version} → {process.version + 1}"]
        if not process.changes:
            return [*found, "  изменился только рисунок или описание, для заказов всё по-прежнему"]
        for about in list(About)[1:]:
            found += _section(about.value, [self._said(c) for c in process.changes if c.about is about], indent="  ")
        return found

    def _said(self, change: Change) -> str:
        there = self.standing[change.step or ""]
        return f"{change.text}; сейчас там {count(there, *_ORDERS)}" if there else change.text

    def _running(self) -> list[str]:
        if not self.running or all(p.same for p in self.processes if p.process_id == ROUTE):
            return []
        orders = count(self.running, *_ORDERS)
        return [f"В работе {orders}: закончат по своей версии. Перенести на новую: order-route migrate --dry-run"]


def _section(title: str, items: Iterable[str], indent: str = "") -> list[str]:
    listed = [f"{indent}  {item}" for item in items]
    return [f"{indent}{title}:", *listed] if listed else []


def compare_folder(client: EngineClient, folder: Path, titles: Mapping[str, str]) -> Comparison:
    """Compare the analyst's folder with what is deployed. Raises DiagramError for a file that is no diagram."""
    files = folder_files(folder)
    found = Comparison()
    newest = {d.key: d for d in client.processes.definitions(latestVersion=True)}
    for file in (f for f in files if f.suffix == ".bpmn"):
        compared = _compare(client, file, newest, titles)
        if any(compared.process_id == other.process_id for other in found.processes):
            raise DiagramError(f"процесс {compared.process_id} есть в папке дважды", f"Уберите {file.name}")
        found.processes.append(compared)
    here = {p.process_id for p in found.processes}
    found.absent = sorted(set(newest) - here)
    deployment = next((newest[p].deployment_id for p in sorted(here & set(newest), key=lambda p: p != ROUTE)), None)
    found.forms = _changed_forms(client, deployment, [f for f in files if f.suffix != ".bpmn"])
    found.standing = standing_at(client)
    found.running = client.migrations.running(ROUTE)
    return found


def _compare(client: EngineClient, file: Path, newest: Mapping[str, Definition], titles: Mapping[str, str]) -> Compared:
    data = file.read_bytes()
    foreign(data)
    diagram, text = Diagram(data), text_of(data)
    title = diagram.process.get("name") or diagram.process_id
    deployed = newest.get(diagram.process_id)
    if deployed is None:
        return Compared(title, diagram.process_id, None, same=False)
    there = client.processes.xml(deployed.id)
    same = _plain(there) == _plain(text)
    changes = () if same else tuple(compare(Diagram(there), diagram, titles))
    return Compared(title, diagram.process_id, deployed.version, same, changes)


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").strip()


def _changed_forms(client: EngineClient, deployment: str | None, files: Iterable[Path]) -> list[str]:
    there = client.deployments.resources(deployment) if deployment else {}
    changed = []
    for file in files:
        known = there.get(file.name)
        if known is None or deployment is None or client.deployments.resource(deployment, known) != file.read_bytes():
            changed.append(file.name)
    return changed


def standing_at(client: EngineClient) -> Counter[str]:
    """Return user task id -> how many running orders stand there or at the card update before it."""
    found: Counter[str] = Counter()
    for definition in client.processes.definitions(key=ROUTE):
        counts = client.migrations.counts(definition.id)
        if not counts:
            continue
        diagram = Diagram(client.processes.xml(definition.id))
        for id_, there in counts.items():
            step = step_at(diagram, id_)
            if step is not None:
                found[step.id] += there
    return found


def step_at(diagram: Diagram, element: str) -> Node | None:
    """Return the user task that an order at this element is or will be at; None where it is at none."""
    node = diagram.nodes.get(element)
    if node is not None and node.topic == SYNC_TOPIC:
        node = next((diagram.nodes.get(flow.target) for flow in diagram.outgoing(node.id)), None)
    return node if node is not None and node.kind == "userTask" else None


@dataclass(frozen=True, slots=True)
class Moving:
    """One running order in a migration: where it is, why it cannot move, and which new steps it will not see."""

    key: str
    place: str
    suspended: bool
    problems: tuple[str, ...]
    unseen: tuple[str, ...]  # names of new steps that lie behind the order
    may_return: bool  # some of those are met again when the order is sent back


@dataclass(frozen=True, slots=True)
class Migration:
    """What `migrate` would do. Nothing moves where anything has a problem."""

    target: Definition
    moves: tuple[Move, ...]
    orders: tuple[Moving, ...]
    problems: tuple[str, ...]

    @property
    def possible(self) -> bool:
        """Tell whether every order can move."""
        return not self.problems and not any(order.problems for order in self.orders)


def plan_migration(client: EngineClient, process_id: str = ROUTE) -> Migration:
    """Look at every running order of an older version. Raises NotFound where nothing is deployed."""
    target = client.processes.newest(process_id)
    new = Diagram(client.processes.xml(target.id))
    moves, orders, problems = [], [], list[str]()
    for source in client.processes.definitions(key=process_id):
        standing = client.migrations.standing(source.id) if source.id != target.id else []
        if not standing:
            continue
        old = Diagram(client.processes.xml(source.id))
        move = Move(client.migrations.plan(source.id, target.id), tuple(standing))
        problems += [f"версия {source.version}: {each}" for each in client.migrations.problems(move.plan)]
        stuck = move.stuck()
        moves.append(move)
        orders += [_moving(order, old, new, stuck.get(order.instance_id, ())) for order in standing]
    return Migration(target, tuple(moves), tuple(orders), tuple(problems))


def _moving(order: Standing, old: Diagram, new: Diagram, stuck: Iterable[str]) -> Moving:
    problems = tuple(f"«{_name(old, id_)}» ({id_}) нет в новой версии" for id_ in stuck)
    leaves = [id_ for id_ in order.elements if id_ in old.nodes and old.nodes[id_].kind != "subProcess"]
    places = [step.name for id_ in leaves if (step := step_at(old, id_))] or [_name(old, id_) for id_ in leaves]
    unseen = _behind(new, leaves, _new_steps(old, new))
    ahead = set[str]().union(*(onward(new, id_) for id_ in leaves))
    return Moving(
        key=order.business_key or order.instance_id,
        place=", ".join(dict.fromkeys(places)) or "—",
        suspended=order.suspended,
        problems=problems,
        unseen=tuple(step.name for step in unseen),
        may_return=any(step.id in ahead for step in unseen),
    )


def _name(diagram: Diagram, id_: str) -> str:
    node = diagram.nodes.get(id_)
    return (node.name if node else "") or id_


def _new_steps(old: Diagram, new: Diagram) -> list[Node]:
    return [node for node in new.of_kind("userTask") if node.id not in old.nodes]


def _behind(new: Diagram, leaves: Iterable[str], steps: Iterable[Node]) -> list[Node]:
    """Return the new steps that stand before every place of an order on the way of the route."""
    place = {node.id: n for n, node in enumerate(in_order(new))}
    here = max((place.get(id_, 0) for id_ in leaves), default=0)
    return [step for step in steps if place[step.id] < here]


def onward(diagram: Diagram, id_: str) -> set[str]:
    """Return all elements that may still come after one, out of its sub-process too."""
    found: set[str] = set()
    node = diagram.nodes.get(id_)
    while node is not None:
        for flow in diagram.outgoing(node.id):
            found |= reachable(diagram, flow.target)
        node = diagram.nodes.get(node.scope)
    return found
