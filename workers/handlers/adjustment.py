"""The register of bonus adjustments: an entry is proposed when a promise passes, explained, decided, told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orders.adjustment import (
    Proposal,
    Weight,
    asked_notice,
    decide_notice,
    decided_notice,
    falls_away,
    proposed,
    said,
    weighed,
)
from orders.dates import parse_moment
from orders.errors import BusinessError, Permanent
from orders.lateness import LateUpdate
from orders.norms import due
from orders.persons import Staff
from orders.ports import Claims, Engine, Mirror
from orders.snapshot import OrderSnapshot, Promise, Scalar
from orders.worktime import WorkingCalendar
from workers.registry import Input, Values, topic
from workers.task import Task

EXPLAIN, DECIDE, READ = "UserTask_ExplainDelay", "UserTask_DecideAdjustment", "UserTask_ReadDecision"


def propose(
    promise: Promise, update: LateUpdate, at: datetime, *, engine: Engine, staff: Staff, calendar: WorkingCalendar
) -> None:
    """Propose an entry about a promise that has just been flagged; before the flag, so that no kill loses it.

    Running twice leaves one entry: it has one key.
    """
    if not update.raised:
        return
    order = engine.snapshot(promise.instance_id)
    ready_by, log = parse_moment(promise.ready_by, calendar.zone), engine.step_log(promise.instance_id)
    found = proposed(order, engine.route(order.definition_id), log, staff, calendar, ready_by, at)
    if isinstance(found, Proposal) and not engine.entries(found.key):
        engine.propose(found.key, found.values())


class Entry(Input):
    """One entry: what it is about, who is asked, who decides, and what was decided so far."""

    order_key: str
    order_instance_id: str
    adjust_stage: str
    adjust_task: str
    adjust_promise: str
    adjust_late_at: str
    adjust_held_since: str
    adjust_person: str
    adjust_decider: str
    adjust_explanation: str | None = None
    adjust_decision: str | None = None
    adjust_reason: str | None = None

    def facts(self) -> dict[str, str]:
        """Return what the entry began with."""
        return {
            "stage": self.adjust_stage,
            "task": self.adjust_task,
            "held_since": self.adjust_held_since,
            "late_at": self.adjust_late_at,
            "person": self.adjust_person,
            "decider": self.adjust_decider,
        }


@dataclass(frozen=True, slots=True)
class Turn:
    """What a step of the register writes, and whom it tells what."""

    values: Values
    person: str
    text: str


def entry_untold(
    entry: Entry,
    task: Task,
    *,
    engine: Engine,
    claims: Claims,
    staff: Staff,
    calendar: WorkingCalendar,
    bonus_act: str | None,
) -> Values:
    """Go on without the portal: the step waits in the Tasklist all the same."""
    return Desk(engine, claims, staff, calendar, bonus_act).turn(entry, task).values


@topic("adjust-bonus", portal=True, patience=entry_untold)
def adjust_bonus(
    entry: Entry,
    task: Task,
    *,
    engine: Engine,
    claims: Claims,
    staff: Staff,
    calendar: WorkingCalendar,
    bonus_act: str | None,
    mirror: Mirror,
) -> Values:
    """Ask the person (mode ask), count anew and call the manager (weigh), or say what was decided (tell)."""
    turn = Desk(engine, claims, staff, calendar, bonus_act).turn(entry, task)
    mirror.tell(turn.person, turn.text, f"{task.business_key}:{task.activity_instance_id}:{turn.person}", task.hold)
    return turn.values


@dataclass(frozen=True, slots=True)
class Desk:
    """The three steps that the program does for an entry. Running one twice gives the same."""

    engine: Engine
    claims: Claims
    staff: Staff
    calendar: WorkingCalendar
    act: str | None

    def turn(self, entry: Entry, task: Task) -> Turn:
        """Do the step that the diagram asks for. Raises BusinessError for a second or an idle entry."""
        match mode := task.properties.get("mode"):
            case "ask":
                return self._ask(entry, task)
            case "weigh":
                return self._weigh(entry, task)
            case "tell":
                return self._tell(entry, task)
        raise Permanent(f"{task.activity_id}: свойство mode должно быть ask, weigh или tell, а не «{mode}»")

    def _ask(self, entry: Entry, task: Task) -> Turn:
        oldest = (self.engine.entries(task.business_key) or [task.instance_id])[0]
        if self.claims.claim(task.business_key, oldest) != task.instance_id:
            raise BusinessError("ENTRY_REPEATED", f"Запись {task.business_key} уже есть")
        values, _, _ = self._counted(entry, task)
        until, promise = self._until(EXPLAIN, task), parse_moment(entry.adjust_promise)
        text = asked_notice(entry.order_key, promise, until, self.calendar)
        return Turn({**values, "explainBy": until, f"due_{EXPLAIN}": until}, entry.adjust_person, text)

    def _weigh(self, entry: Entry, task: Task) -> Turn:
        values, order, weight = self._counted(entry, task)
        if (why := falls_away(order, weight)) is not None:
            raise BusinessError("ENTRY_WITHDRAWN", why, {**values, "adjustWithdrawn": why})
        explained = None if entry.adjust_explanation else "не дано в срок"
        more = {"adjustExplained": explained, "adjustAct": self.act or "", f"due_{DECIDE}": self._until(DECIDE, task)}
        text = decide_notice(entry.order_key, self.staff.name(entry.adjust_person), weight)
        return Turn({**values, **more}, entry.adjust_decider, text)

    def _tell(self, entry: Entry, task: Task) -> Turn:
        until, by = self._until(READ, task), self.staff.name(entry.adjust_decider)
        text = decided_notice(entry.order_key, entry.adjust_decision or "", entry.adjust_reason or "", by)
        return Turn({"appealBy": until, f"due_{READ}": until}, entry.adjust_person, text)

    def _counted(self, entry: Entry, task: Task) -> tuple[dict[str, Scalar], OrderSnapshot, Weight]:
        """Return what the entry shows of its order as it is at this step."""
        order = self.engine.snapshot(entry.order_instance_id)
        route, promise = self.engine.route(order.definition_id), parse_moment(entry.adjust_promise)
        weight = weighed(order, route, self.calendar, promise, task.create_time)
        return said(order, route, self.staff, self.calendar, entry.facts(), weight), order, weight

    def _until(self, step: str, task: Task) -> datetime:
        """Return when a person's step is due: its norm in working time of the plant."""
        norm = self.engine.route(task.definition_id).properties.get(step, {}).get("norm", "")
        until = due(self.calendar, task.create_time, norm)
        if until is None:
            raise Permanent(f"{step}: у шага нет нормы времени. Задайте norm в схеме")
        return until
