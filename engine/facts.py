"""What the engine says of one order, put into the shape of a snapshot; no requests here.

A completion's values are the variable writes that carry the user task's own activityInstanceId, so a loop's earlier
answers stay apart from its later ones.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.external import ExternalTask
from engine.history import PastInstance, PastTask, PastVariable, Update
from engine.records import corrections
from engine.tasks import Candidates, Task
from engine.variables import FileValue, from_instant
from orders.snapshot import FileRef, OpenVisit, OrderSnapshot, Pause, Record, Scalar, VisitDone
from orders.stage import Route, Stage

_INFO = "Info"
_COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Now:
    """What the runtime says of a running order."""

    tasks: Sequence[Task]
    waiting: Sequence[ExternalTask]
    candidates: Mapping[str, Candidates]
    incidents: int
    paused: Sequence[Pause] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What history says of one order, before it is put into shape."""

    instance: PastInstance
    route: Route
    past: Sequence[PastTask]
    updates: Sequence[Update]
    present: Mapping[str, PastVariable]
    paused: Sequence[Pause] = ()

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
        later: Sequence[Record] = (),
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
            records=(*corrections(self.updates), *later),
            paused=tuple(self.paused),
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
            due=task.due,
        )

    def _visit_of(self, task: PastTask) -> str:
        """Return the visit key that stood when the task was created: the newest one not written after it."""
        name = f"visit_{task.element}"
        keys = [(u.at, u.value) for u in self.updates if u.name == name and isinstance(u.value, str)]
        place = bisect_right([at for at, _ in keys], task.started)
        return keys[place - 1][1] if place else task.activity_instance_id


def look(
    facts: Facts, now: Now | None, ends: Sequence[str], later: Sequence[Record] = ()
) -> tuple[OrderSnapshot, bool]:
    """Return a snapshot, and whether nothing moved while it was read. `now` is None for an ended order.

    `ends`: the end events that it reached, in order; those inside a stage are no outcomes. `later`: what was recorded
    about it after its end.
    """
    if now is None:
        reached = [element for element in ends if element in facts.route.ends]
        return facts.snapshot(end_id=reached[-1] if reached else None, later=later), True
    open_in_history = {task.id for task in facts.past if task.ended is None}
    settled = open_in_history == {task.id for task in now.tasks} and bool(now.tasks or now.waiting)
    return _running(facts, now, open_in_history), settled


def _running(facts: Facts, now: Now, open_in_history: Set[str]) -> OrderSnapshot:
    targets = facts.route.sync_targets
    answered = facts.answered_visits()
    syncs = {
        targets[task.activity_id]: task
        for task in now.waiting
        if task.activity_id in targets and task.activity_instance_id not in answered
    }
    visits = [facts.opening(stage, syncs[stage.task_id]) for stage in facts.route.stages if stage.task_id in syncs]
    visits += [
        facts.open(task, now.candidates.get(task.id, Candidates((), ())))
        for task in now.tasks
        if task.id in open_in_history and facts.route.stage(task.element) is not None and task.element not in syncs
    ]
    closing = next((target for target in syncs if target in facts.route.ends), None)
    return facts.snapshot(open_visits=tuple(visits), closing=closing, incidents=now.incidents)


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


def own_variables(variables: Any, instance_id: str) -> dict[str, PastVariable]:
    """Keep the instance's own variables; those of inner scopes are nobody's business outside."""
    return {v.name: v for v in variables if v.execution_id == instance_id}


def _text(value: Scalar) -> str | None:
    return value if isinstance(value, str) and value else None
