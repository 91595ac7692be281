"""Read orders whole, fifty at a time or one, in few requests: seven for running ones, six or seven for ended ones.

Everything comes from history, which holds running and ended instances alike; only what is open now (tasks, waiting
external tasks, incidents) is asked of the runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime

from engine import records, register
from engine.client import EngineClient
from engine.errors import NotFound, NothingWaits
from engine.facts import Facts, Now, look, own_variables, plain_values
from engine.history import since_second
from engine.rights import ROUTE
from engine.standins import fit_stand_ins
from engine.variables import FileValue
from orders.adjustment import StepLog
from orders.parts import in_parts
from orders.persons import Staff
from orders.ports import Engine
from orders.snapshot import OrderSnapshot, Promise, Scalar
from orders.stage import Route

DISCUSSION = "discussion"
TOGETHER = 50  # orders read at once: a page or a few of their variable writes
_MANUFACTURE = "UserTask_Manufacture"
_MOST_LOOKS = 5  # an order that moves faster than it is read is taken as last seen: late, never contradictory


class DeployedRoutes:
    """Routes by definition id, read once from the deployed diagram. `read` is `diagram.stages.read_route`."""

    def __init__(self, client: EngineClient, read: Callable[[str], Route]) -> None:
        self._client = client
        self._read = read
        self._known: dict[str, Route] = {}

    def __call__(self, definition_id: str) -> Route:
        """Return the route of that version; a deployed version never changes."""
        route = self._known.get(definition_id)
        if route is None:
            route = self._known[definition_id] = self._read(self._client.processes.xml(definition_id))
        return route


class SnapshotReader:
    """Fulfils `orders.ports.Engine` through the integration account. Safe to use from many threads."""

    def __init__(self, client: EngineClient, routes: Callable[[str], Route], *, process_id: str = ROUTE) -> None:
        self._client = client
        self._routes = routes
        self._process_id = process_id

    def route(self, definition_id: str) -> Route:
        """Read the deployed diagram of that version (cached)."""
        return self._routes(definition_id)

    def snapshot(self, instance_id: str) -> OrderSnapshot:
        """Read one order, running or ended; raises NotFound."""
        found = self._read([instance_id])
        if not found:
            raise NotFound(f"no instance {instance_id}", status=404)
        return found[0]

    def snapshots(self, instance_ids: Sequence[str]) -> Iterator[OrderSnapshot]:
        """Read many orders in their order, some at a time; one that is gone by now is left out.

        An order that moved while it was read is read again, so that open and done steps are of one moment.
        """
        for part in in_parts(instance_ids, TOGETHER):
            yield from self._read(part)

    def variables(self, instance_id: str) -> Mapping[str, Scalar]:
        """Read the variables of one order, running or ended, files left out; one request."""
        return plain_values(own_variables(self._client.history.variables(processInstanceId=instance_id), instance_id))

    def file_bytes(self, instance_id: str, variable: str) -> tuple[str, bytes]:
        """Return (name as uploaded, bytes) of a file variable of a running or ended order; raises NotFound."""
        found = self._client.history.file(instance_id, variable)
        return found.name, found.data or b""

    def file_names(self, instance_id: str) -> Mapping[str, str]:
        """Return the names, as uploaded, of all files that the instance holds now, judged or not, by variable."""
        present = own_variables(self._client.history.variables(processInstanceId=instance_id), instance_id)
        return {name: v.value.name for name, v in present.items() if isinstance(v.value, FileValue)}

    def correlate(self, message: str, instance_id: str, variables: Mapping[str, Scalar]) -> bool:
        """Send a message to one instance; False where nothing waits for it any more."""
        try:
            self._client.processes.correlate(message, instance_id, variables)
        except (NothingWaits, NotFound):
            return False
        return True

    def fit_stand_ins(self, staff: Staff, day: date) -> int:
        """Make the substitutes of that day candidates of the open steps; return how many steps changed."""
        return fit_stand_ins(self._client, self._routes, staff, day)

    def instances_of(self, business_key: str) -> list[str]:
        """Return the ids of all instances of the route with that key, oldest first, ended ones included."""
        query = {"processInstanceBusinessKey": business_key, "processDefinitionKey": self._process_id}
        return [i.id for i in self._client.history.instances(**query)]

    def running_instances(self, process_id: str) -> list[str]:
        """Return the ids of the running instances of a process (any version), oldest first."""
        return [i.id for i in self._client.history.instances(processDefinitionKey=process_id, unfinished=True)]

    def order_keys(self, process_id: str, since: datetime) -> Mapping[str, str]:
        """Return the business keys, by instance id, of all that run and of those that ended at or after `since`."""
        ended = {"processDefinitionKey": process_id, "finishedAfter": since_second(since)}
        found = [*self._client.history.instances(processDefinitionKey=process_id, unfinished=True)]
        found += self._client.history.instances(**ended)
        return {each.id: each.business_key for each in found if each.business_key}

    def ended_instances(self, process_id: str, since: datetime) -> list[str]:
        """Return the ids of the instances of a process that ended at or after `since` (aware), oldest first."""
        query = {"processDefinitionKey": process_id, "finishedAfter": since_second(since)}
        return [i.id for i in self._client.history.instances(**query)]

    def moved_instances(self, process_id: str, since: datetime) -> list[str]:
        """Return the ids of the running instances of a process in which a step began or ended since then (aware)."""
        query = {"processDefinitionKey": process_id, "unfinished": True, "executedActivityAfter": since_second(since)}
        return [i.id for i in self._client.history.find(**query)]

    def orders_recorded(self, since: datetime) -> list[str]:
        """Return the ids of the orders that a complaint or a cost was recorded about since then (aware)."""
        return records.orders_recorded(self._client, since)

    def open_orders(self) -> list[str]:
        """Return the ids of all running orders, oldest first."""
        return self.running_instances(self._process_id)

    def set_variables(self, instance_id: str, variables: Mapping[str, Scalar]) -> None:
        """Write variables of a running instance; only those that the integration account may write."""
        for name, value in variables.items():
            self._client.processes.set_variable(instance_id, name, value)

    def discussion(self, instance_id: str) -> str:
        """Return what the order holds of its card's comments, "" for nothing."""
        try:
            found = self._client.history.file(instance_id, DISCUSSION)
        except NotFound:
            return ""
        return (found.data or b"").decode("utf-8", "replace")

    def write_discussion(self, instance_id: str, text: str) -> None:
        """Write it, of a running order; the engine's history keeps every state."""
        file = FileValue(f"{DISCUSSION}.json", text.encode(), "application/json")
        self._client.processes.set_variable(instance_id, DISCUSSION, file)

    def write_paper(self, instance_id: str, variable: str, name: str, data: bytes, info: str) -> None:
        """Write a judged file that people added beside the route, and its Info: without that it counts as absent."""
        self._client.processes.set_variable(instance_id, variable, FileValue(name, data))
        self._client.processes.set_variable(instance_id, f"{variable}Info", info)

    def promises(self) -> list[Promise]:
        """Return the promised dates of all orders that are in production now, in two requests."""
        query = {"process_definition_key": self._process_id, "task_definition_key": _MANUFACTURE}
        making = [task.instance_id for task in self._client.tasks.find(**query)]
        return [p for part in in_parts(making, 100) for p in self._promises_of(part)]

    def _promises_of(self, instance_ids: Sequence[str]) -> list[Promise]:
        wanted: dict[str, dict[str, str]] = {instance_id: {} for instance_id in instance_ids}
        for name in ("readyBy", "lateFlags", "lateReminder"):
            for found in self._client.history.variables(processInstanceIdIn=list(instance_ids), variableName=name):
                if found.execution_id == found.instance_id and isinstance(found.value, str):
                    wanted[found.instance_id][name] = found.value
        return [
            Promise(instance_id, values["readyBy"], values.get("lateFlags"), values.get("lateReminder"))
            for instance_id, values in wanted.items()
            if "readyBy" in values
        ]

    def step_log(self, instance_id: str) -> StepLog:
        """Return who took an order's steps when, and when the order was suspended; one request."""
        return register.step_log(self._client, instance_id)

    def entries(self, key: str) -> list[str]:
        """Return the ids of the entries of the register under a key, oldest first, ended ones included."""
        return register.entries(self._client, key)

    def propose(self, key: str, values: Mapping[str, Scalar]) -> None:
        """Begin an entry of the register; nothing happens in an engine that does not keep one."""
        register.propose(self._client, key, values)

    def _read(self, instance_ids: Sequence[str]) -> list[OrderSnapshot]:
        found: dict[str, OrderSnapshot] = {}
        moving = list(instance_ids)
        for _ in range(_MOST_LOOKS):
            looked = self._look(moving)
            found |= {snapshot.instance_id: snapshot for snapshot, _ in looked}
            moving = [snapshot.instance_id for snapshot, settled in looked if not settled]
            if not moving:
                break
        return [found[i] for i in instance_ids if i in found]

    def _look(self, instance_ids: Sequence[str]) -> list[tuple[OrderSnapshot, bool]]:
        """Read once; tell of each whether nothing moved meanwhile.

        What is open now is read before the history of tasks: a step that was closed or opened in between then shows
        as a difference of the two.
        """
        instances = self._client.history.find(processInstanceIds=list(instance_ids))
        if not instances:
            return []
        now = self._now([i.id for i in instances if i.ended is None])
        known = [i.id for i in instances]
        many = self._client.history.of_many(known, sorted({i.business_key for i in instances}))
        ended = self._client.steps.of_many([i.id for i in instances if i.ended is not None])
        facts = [
            Facts(
                each,
                self._routes(each.definition_id),
                many.tasks[each.id],
                many.updates[each.id],
                own_variables(many.variables[each.id], each.id),
                now[each.id].paused if each.id in now else ended.pauses.get(each.id, ()),
            )
            for each in instances
        ]
        estimates = {f.instance.id: f.text("estimateSum") for f in facts if f.instance.ended is not None}
        later = records.after_shipping(self._client, estimates)
        return [
            look(f, now.get(f.instance.id), ended.ends.get(f.instance.id, ()), later.get(f.instance.id, ()))
            for f in facts
        ]

    def _now(self, instance_ids: Sequence[str]) -> dict[str, Now]:
        if not instance_ids:
            return {}
        tasks, waiting = self._client.tasks.of_many(instance_ids), self._client.external.of_many(instance_ids)
        steps = self._client.steps.of_many(instance_ids)
        return {
            i: Now(
                tasks=[task for task in tasks if task.instance_id == i],
                waiting=[task for task in waiting if task.instance_id == i],
                candidates=steps.candidates,
                incidents=steps.incidents.get(i, 0),
                paused=steps.pauses.get(i, ()),
            )
            for i in instance_ids
        }


def _fulfils_the_port(reader: SnapshotReader) -> Engine:
    """Let the type checker compare the reader with what handlers ask for."""
    return reader
