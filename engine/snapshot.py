"""Read one order whole, in few requests: eight for a running one, five for an ended one.

Everything comes from history, which holds running and ended instances alike; only what is open now (tasks, waiting
external tasks, incidents) is asked of the runtime. A completion's values are the variable writes that carry the
user task's own activityInstanceId, so a loop's earlier answers stay apart from its later ones.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.client import EngineClient
from engine.errors import NotFound, NothingWaits, ServerError
from engine.external import ExternalTask
from engine.history import PastInstance, PastTask, PastVariable, Update
from engine.rights import ROUTE
from engine.tasks import Candidates, Task
from engine.variables import FileValue, from_instant
from orders.ports import Engine
from orders.snapshot import FileRef, OpenVisit, OrderSnapshot, Promise, Scalar, VisitDone
from orders.stage import Route, Stage

_INFO = "Info"
_MANUFACTURE = "UserTask_Manufacture"
_COMPLETED = "completed"
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
        """Read one order, running or ended; raises NotFound.

        An order that moved while it was read is read again, so that open and done steps are of one moment.
        """
        for _ in range(_MOST_LOOKS):
            found, settled = self._look(instance_id)
            if settled:
                break
        return found

    def variables(self, instance_id: str) -> Mapping[str, Scalar]:
        """Read the variables of one order, running or ended, files left out; one request."""
        return plain_values(_of_instance(self._client.history.variables(processInstanceId=instance_id), instance_id))

    def file_bytes(self, instance_id: str, variable: str) -> tuple[str, bytes]:
        """Return (name as uploaded, bytes) of a file variable of a running or ended order; raises NotFound."""
        found = self._client.history.file(instance_id, variable)
        return found.name, found.data or b""

    def file_names(self, instance_id: str) -> Mapping[str, str]:
        """Return the names, as uploaded, of all files that the instance holds now, judged or not, by variable."""
        present = _of_instance(self._client.history.variables(processInstanceId=instance_id), instance_id)
        return {name: v.value.name for name, v in present.items() if isinstance(v.value, FileValue)}

    def correlate(self, message: str, instance_id: str, variables: Mapping[str, Scalar]) -> bool:
        """Send a message to one instance; False where nothing waits for it any more."""
        try:
            self._client.processes.correlate(message, instance_id, variables)
        except (NothingWaits, NotFound):
            return False
        return True

    def instances_of(self, business_key: str) -> list[str]:
        """Return the ids of all instances of the route with that key, oldest first, ended ones included."""
        query = {"processInstanceBusinessKey": business_key, "processDefinitionKey": self._process_id}
        return [i.id for i in self._client.history.instances(**query)]

    def running_instances(self, process_id: str) -> list[str]:
        """Return the ids of the running instances of a process (any version), oldest first."""
        return [i.id for i in self._client.history.instances(processDefinitionKey=process_id, unfinished=True)]

    def ended_instances(self, process_id: str, since: datetime) -> list[str]:
        """Return the ids of the instances of a process that ended at or after `since` (aware), oldest first."""
        moment = since.strftime("%Y-%m-%dT%H:%M:%S.000%z")  # the engine's own notation
        query = {"processDefinitionKey": process_id, "finishedAfter": moment}
        return [i.id for i in self._client.history.instances(**query)]

    def open_orders(self) -> list[str]:
        """Return the ids of all running orders, oldest first."""
        return self.running_instances(self._process_id)

    def set_variables(self, instance_id: str, variables: Mapping[str, Scalar]) -> None:
        """Write variables of a running instance; only those that the integration account may write."""
        for name, value in variables.items():
            self._client.processes.set_variable(instance_id, name, value)

    def promises(self) -> list[Promise]:
        """Return the promised dates of all orders that are in production now, in two requests."""
        query = {"process_definition_key": self._process_id, "task_definition_key": _MANUFACTURE}
        making = [task.instance_id for task in self._client.tasks.find(**query)]
        return [p for part in _parts(making, 100) for p in self._promises_of(part)]

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

    def _look(self, instance_id: str) -> tuple[OrderSnapshot, bool]:
        """Read once; tell whether nothing moved meanwhile.

        What is open now is read before the history of tasks: a step that was closed or opened in between then shows
        as a difference of the two. The writes are read last, so a step that counts as done has all its values.
        """
        instance = self._client.history.instance(instance_id)
        now = None if instance.ended else self._now(instance_id)
        present = _of_instance(self._client.history.variables(processInstanceId=instance_id), instance_id)
        past = list(self._client.history.tasks(processInstanceId=instance_id))
        updates = self._client.history.updates(processInstanceId=instance_id)
        facts = _Facts(instance, self._routes(instance.definition_id), past, updates, present)
        if now is None:
            return facts.snapshot(end_id=self._end_of(instance, facts.route)), True
        open_in_history = {task.id for task in past if task.ended is None}
        settled = open_in_history == {task.id for task in now.tasks} and bool(now.tasks or now.waiting)
        return _running(facts, now, open_in_history), settled

    def _now(self, instance_id: str) -> _Now:
        tasks = self._client.tasks.of_instance(instance_id)
        return _Now(
            tasks=tasks,
            waiting=self._client.external.find(processInstanceId=instance_id),
            candidates={task.id: self._candidates(task) for task in tasks},
            incidents=len(self._client.processes.incidents(processInstanceId=instance_id)),
        )

    def _candidates(self, task: Task) -> Candidates:
        try:
            return self._client.tasks.candidates(task.id)
        except NotFound:  # completed since the list was read; the history of tasks will show it
            return Candidates((), ())
        except ServerError:  # the engine stumbles when the step is completed in the middle of this very read
            if any(open_task.id == task.id for open_task in self._client.tasks.of_instance(task.instance_id)):
                raise
            return Candidates((), ())

    def _end_of(self, instance: PastInstance, route: Route) -> str | None:
        """Return the outcome end that was reached last; ends inside a stage are no outcomes."""
        ends = self._client.history.activities(processInstanceId=instance.id, finished=True)
        reached = [a for a in ends if a.kind.endswith("EndEvent") and a.element in route.ends and not a.canceled]
        return reached[-1].element if reached else None


@dataclass(frozen=True, slots=True)
class _Now:
    """What the runtime says of a running order."""

    tasks: Sequence[Task]
    waiting: Sequence[ExternalTask]
    candidates: Mapping[str, Candidates]
    incidents: int


@dataclass(frozen=True, slots=True)
class _Facts:
    """What history says of one order, before it is put into shape."""

    instance: PastInstance
    route: Route
    past: Sequence[PastTask]
    updates: Sequence[Update]
    present: Mapping[str, PastVariable]

    def text(self, name: str) -> str | None:
        """Return a present text variable, or None."""
        found = self.present.get(name)
        return found.value if found is not None and isinstance(found.value, str) else None

    def opening(self, stage: Stage, sync: ExternalTask) -> OpenVisit:
        """Return the visit of a step whose sync-stage is still open: its key is that task's, not the variable's."""
        return OpenVisit(
            visit=sync.activity_instance_id,
            task_id=stage.task_id,
            since=sync.created or self._last_answer() or self.instance.started,
            assignee=self.text("initiator") if stage.assignee else None,
            groups=stage.groups,
            refusal=self.text(f"refusal_{stage.task_id}"),
        )

    def open(self, task: Task, candidates: Candidates) -> OpenVisit:
        """Return the visit of a step that is in front of people."""
        past = next((p for p in self.past if p.id == task.id), None)
        return OpenVisit(
            visit=self.text(f"visit_{task.element}") or (past.activity_instance_id if past else task.id),
            task_id=task.element,
            since=task.created or self.instance.started,
            engine_task=task.id,
            assignee=task.assignee,
            groups=candidates.groups,
            users=tuple(user for user in candidates.users if user != task.assignee),
            due=task.due,
            refusal=self.text(f"refusal_{task.element}"),
        )

    def snapshot(
        self,
        *,
        open_visits: tuple[OpenVisit, ...] = (),
        closing: str | None = None,
        incidents: int = 0,
        end_id: str | None = None,
    ) -> OrderSnapshot:
        """Put the facts into shape."""
        return OrderSnapshot(
            key=self.instance.business_key,
            instance_id=self.instance.id,
            definition_id=self.instance.definition_id,
            started=self.instance.started,
            initiator=self.text("initiator") or self.instance.start_user,
            variables=plain_values(self.present),
            files=tuple(self._files()),
            done=tuple(self._done()),
            open=open_visits,
            ended=self.instance.ended,
            end_id=end_id,
            closing=closing,
            incidents=incidents,
        )

    def answered_visits(self) -> frozenset[str]:
        """Return the keys of the visits that have an answer."""
        return frozenset(self._visit_of(task) for task in self.past if task.ended is not None)

    def _last_answer(self) -> datetime | None:
        ends = [task.ended for task in self.past if task.ended is not None]
        return max(ends) if ends else None

    def _files(self) -> list[FileRef]:
        found = []
        for name, variable in self.present.items():
            info = read_info(self.text(name + _INFO)) if isinstance(variable.value, FileValue) else None
            if info is not None:
                found.append(FileRef(variable=name, **info))
        return sorted(found, key=lambda ref: (ref.at, ref.variable))

    def _done(self) -> list[VisitDone]:
        closed = [t for t in self.past if t.reason == _COMPLETED and t.ended and self.route.stage(t.element)]
        written: dict[str, list[Update]] = {}
        for update in self.updates:
            written.setdefault(update.activity_instance_id or "", []).append(update)
        return [
            self._visit_done(task, written.get(task.activity_instance_id, []))
            for task in sorted(closed, key=lambda t: (t.ended or t.started, t.started))
        ]

    def _visit_done(self, task: PastTask, written: Sequence[Update]) -> VisitDone:
        stage = self.route.stage(task.element)
        assert stage is not None and task.ended is not None
        plain = {f.name for f in stage.fields if not f.kind.holds_files}
        values = {u.name: scalar(u.value) for u in written if u.name in plain and u.value is not None}
        signed = next((read_done(u.value) for u in reversed(written) if u.name == f"done_{task.element}"), None) or {}
        decision, comment = stage.decision_field(), stage.comment_field()
        return VisitDone(
            visit=self._visit_of(task),
            task_id=task.element,
            person=signed.get("person") or task.assignee or "",
            person_name=signed.get("name") or task.assignee or "",
            at=task.ended,
            decision=_text(values.get(decision.name)) if decision else None,
            comment=_text(values.get(comment.name)) if comment else None,
            values=values,
            duration=task.duration,
        )

    def _visit_of(self, task: PastTask) -> str:
        """Return the visit key that stood when the task was created: the newest one not written after it."""
        name = f"visit_{task.element}"
        keys = [(u.at, u.value) for u in self.updates if u.name == name and isinstance(u.value, str)]
        place = bisect_right([at for at, _ in keys], task.started)
        return keys[place - 1][1] if place else task.activity_instance_id


def _running(facts: _Facts, now: _Now, open_in_history: Set[str]) -> OrderSnapshot:
    targets = facts.route.sync_targets
    answered = facts.answered_visits()
    syncs = {
        targets[task.activity_id]: task
        for task in now.waiting
        if task.activity_id in targets and task.activity_instance_id not in answered
    }
    visits = [facts.opening(stage, syncs[stage.task_id]) for stage in facts.route.stages if stage.task_id in syncs]
    visits += [
        facts.open(task, now.candidates[task.id])
        for task in now.tasks
        if task.id in open_in_history and facts.route.stage(task.element) is not None and task.element not in syncs
    ]
    closing = next((target for target in syncs if target in facts.route.ends), None)
    return facts.snapshot(open_visits=tuple(visits), closing=closing, incidents=now.incidents)


def _fulfils_the_port(reader: SnapshotReader) -> Engine:
    """Let the type checker compare the reader with what handlers ask for."""
    return reader


def plain_values(present: Mapping[str, PastVariable]) -> dict[str, Scalar]:
    """Return the values that are no files."""
    return {name: scalar(v.value) for name, v in present.items() if not isinstance(v.value, FileValue)}


def scalar(value: Any) -> Scalar:
    """Return a value that a snapshot holds; an instant becomes ISO 8601 in UTC."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) else None


def read_info(text: str | None) -> dict[str, Any] | None:
    """Read a `{file}Info` variable; None where it is not what validate-attachments writes."""
    try:
        info = json.loads(text or "")
        return {
            "name": str(info["name"]),
            "size": int(info["size"]),
            "sha256": str(info["sha256"]),
            "by": str(info["by"]),
            "at": from_instant(info["at"]),
        }
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def read_done(text: object) -> dict[str, str]:
    """Read a `done_{task}` variable: who answered; empty where it is not readable."""
    try:
        done = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    return {k: str(v) for k, v in done.items()} if isinstance(done, dict) else {}


def _of_instance(variables: Any, instance_id: str) -> dict[str, PastVariable]:
    """Keep the instance's own variables; those of inner scopes are nobody's business outside."""
    return {v.name: v for v in variables if v.execution_id == instance_id}


def _text(value: Scalar) -> str | None:
    return value if isinstance(value, str) and value else None


def _parts(values: Sequence[str], size: int) -> list[Sequence[str]]:
    return [values[i : i + size] for i in range(0, len(values), size)]
