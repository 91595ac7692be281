"""The register of bonus adjustments: when an entry is proposed, what it says, and when it falls away by itself.

An entry is a proposal about one order, one stage and one promise. It names the person who held the step, rests on what
the engine's history says, and nothing in it is money. It is not made where the delay is not that person's.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from orders.dates import long_moment, parse_moment, utc
from orders.keys import MAX_LENGTH, instant_text
from orders.lateness import lateness, production_stage
from orders.messages import one_line
from orders.norms import HOURS_A_DAY
from orders.persons import FALLBACK_MANAGERS, Person, Staff
from orders.plural import count, working_time
from orders.snapshot import OpenVisit, OrderSnapshot, Scalar
from orders.stage import Route
from orders.support import CANCELLED_END
from orders.worktime import WorkingCalendar

PROCESS = "adjust-bonus"
RULE = "late-ready/1"
MOST_POINTS = 10
RULE_TEXT = f"1 балл за каждый начатый рабочий день опоздания, не больше {MOST_POINTS} (правило {RULE})"
OUTAGE = timedelta(minutes=15)  # a promise whose passing the engine noticed later than this: it was away or suspended
_LONGEST = timedelta(days=400)  # a step is not looked back on further than this


class NotTheirs(StrEnum):
    """Why no entry is proposed."""

    MOVED_ON = "step not open"
    CUSTOMER = "customer's time"
    UNHELD = "nobody took the step"
    LEFT = "not in the staff file"
    CAME_LATE = "step came too late"
    STAND_IN = "held by a substitute"
    ABSENT = "person absent"
    SUSPENDED = "order suspended"
    OUTAGE = "engine was away"
    PORTAL = "portal was away"
    NO_MANAGER = "nobody to decide"


@dataclass(frozen=True, slots=True)
class StepLog:
    """What the engine noted about an order's open step: who took it and when, and when the order was suspended."""

    taken: tuple[tuple[datetime, str | None], ...] = ()  # oldest first; None = given back
    suspended: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """An entry to be made. Instants in UTC."""

    key: str  # the entry's business key, the same for one order, stage and promise
    order_key: str
    stage: str  # column code
    task: str  # engine task id: history/task?taskId=…
    promise: datetime
    late_at: datetime
    held_since: datetime
    person: str
    decider: str

    def values(self) -> dict[str, str]:
        """Return the variables that the process starts with."""
        return {
            "orderKey": self.order_key,
            "adjustStage": self.stage,
            "adjustTask": self.task,
            "adjustPromise": instant_text(self.promise),
            "adjustLateAt": instant_text(self.late_at),
            "adjustHeldSince": instant_text(self.held_since),
            "adjustPerson": self.person,
            "adjustDecider": self.decider,
        }


def entry_key(order_key: str, stage: str, promise: datetime) -> str:
    """Return the business key of the one entry about an order, a stage and a promise; at most 64 characters."""
    key = f"{order_key}.{stage}.{utc(promise):%Y%m%dT%H%M%SZ}"
    return key if len(key) <= MAX_LENGTH else f"adjust-{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def proposed(
    order: OrderSnapshot,
    route: Route,
    log: StepLog,
    staff: Staff,
    calendar: WorkingCalendar,
    promise: datetime,
    at: datetime,
) -> Proposal | NotTheirs:
    """Return the entry about a promise that passed unkept and was noticed `at`, or why there is none."""
    stage = production_stage(route)
    visit = next((v for v in order.open if stage and v.task_id == stage.task_id and v.engine_task), None)
    if not order.running or order.closing or stage is None or visit is None:
        return NotTheirs.MOVED_ON
    if stage.waits:
        return NotTheirs.CUSTOMER
    if visit.assignee is None:
        return NotTheirs.UNHELD
    person = staff.find(visit.assignee)
    if person is None:
        return NotTheirs.LEFT
    if not set(stage.groups) & set(person.groups):
        return NotTheirs.STAND_IN
    since = _held_since(visit, log)
    if (reason := _outside(order, visit, log, promise, at)) is not None:
        return reason
    if _waited(calendar, visit.since, since, promise):
        return NotTheirs.CAME_LATE
    if any(_away(person, day) for day in _days(calendar, since, promise)):
        return NotTheirs.ABSENT
    decider = decides(staff, person, stage.groups, calendar.today(at))
    if decider is None:
        return NotTheirs.NO_MANAGER
    key = entry_key(order.key, stage.code, promise)
    return Proposal(
        key, order.key, stage.code, visit.engine_task or "", promise, at, since, person.id, decider.id
    )  # fmt: skip


def decides(staff: Staff, person: Person, groups: Sequence[str], day: date) -> Person | None:
    """Return the manager who decides: a head of the department, else a production director, else a director.

    Nobody decides about themselves; who is here that day goes first.
    """
    ranked = [*staff.managers(groups), *staff.members(FALLBACK_MANAGERS), *staff.members("directors")]
    others = [each for each in ranked if each.id != person.id]
    return next((each for each in others if each.present(day)), next(iter(others), None))


def _outside(order: OrderSnapshot, visit: OpenVisit, log: StepLog, promise: datetime, at: datetime) -> NotTheirs | None:
    """Return what lay outside the department: suspension, an engine or a portal that was away."""
    if any(moment >= visit.since for moment in log.suspended):
        return NotTheirs.SUSPENDED
    if at - promise > OUTAGE:
        return NotTheirs.OUTAGE
    return NotTheirs.PORTAL if order.variables.get("portalPending") is True else None


def _held_since(visit: OpenVisit, log: StepLog) -> datetime:
    """Return since when the present holder has had the step."""
    since = visit.since
    for moment, who in log.taken:
        if who == visit.assignee and moment >= visit.since:
            since = moment
    return since


def _waited(calendar: WorkingCalendar, opened: datetime, since: datetime, promise: datetime) -> bool:
    """Tell whether the step lay elsewhere for more than half of its time: with somebody else, or with nobody."""
    if since >= promise:
        return True
    whole = calendar.between(opened, promise)
    if whole <= 0:  # outside working hours: by the clock
        return (promise - since) * 2 < (promise - opened)
    return calendar.between(since, promise) * 2 < whole


def _away(person: Person, day: date) -> bool:
    return any(day in period for period in person.away) or any(day in s.period for s in person.substitutes)


def _days(calendar: WorkingCalendar, since: datetime, promise: datetime) -> Iterator[date]:
    """Return the plant's working days from taking the step to the promise, and the day of the promise."""
    last = calendar.today(promise)
    day = max(calendar.today(since), last - _LONGEST)
    while day < last:
        if calendar.is_working(day):
            yield day
        day += timedelta(days=1)
    yield last


@dataclass(frozen=True, slots=True)
class Weight:
    """How late an order is, or was when it became ready. Hours are working hours."""

    hours: float
    points: int
    first: datetime | None
    hours_first: float
    ready: datetime | None


def weighed(order: OrderSnapshot, route: Route, calendar: WorkingCalendar, promise: datetime, now: datetime) -> Weight:
    """Weigh an order against one promise and the first one, up to its being ready, else up to `now`."""
    found = lateness(order, route, calendar, now)
    until = found.ready_at or utc(order.ended or now)
    hours = max(0.0, calendar.between(promise, until))
    first = found.first or promise
    return Weight(
        hours, points(hours), first, max(0.0, calendar.between(first, until)), found.ready_at
    )  # fmt: skip


def points(hours: float) -> int:
    """Return the points for so many overdue working hours: one for each day begun."""
    return min(MOST_POINTS, math.ceil(round(hours, 4) / HOURS_A_DAY))


def falls_away(order: OrderSnapshot, weight: Weight) -> str | None:
    """Say why there is nothing to decide any more, or None."""
    if CANCELLED_END in (order.end_id, order.closing):
        return "Заказ отменён"
    if order.ended is not None and weight.ready is None:
        return "Заказ закончился до изготовления"
    if weight.ready is not None and weight.points == 0:
        return "Изделие готово, рабочего времени не потеряно"
    return None


def said(
    order: OrderSnapshot,
    route: Route,
    staff: Staff,
    calendar: WorkingCalendar,
    entry: Mapping[str, str],
    weight: Weight,
) -> dict[str, Scalar]:
    """Return what the entry shows to people, and the sources that an auditor finds it by.

    `entry`: the instants and ids that it began with, as texts.
    """
    stage = route.stage_of_code(entry["stage"])
    events = list(_evidence(order, route, staff, calendar.zone, entry))
    lines = [
        f"{long_moment(e.at, calendar.zone)} — {e.says}" if e.at else e.says[:1].upper() + e.says[1:] for e in events
    ]
    return {
        "adjustItem": one_line(order.variables.get("itemDescription")),
        "adjustPersonName": staff.name(entry["person"]),
        "adjustDeciderName": staff.name(entry["decider"]),
        "adjustStageName": stage.label if stage else entry["stage"],
        "adjustFirstPromise": instant_text(weight.first) if weight.first else None,
        "adjustReadyAt": instant_text(weight.ready) if weight.ready else None,
        "adjustHours": round(weight.hours, 2),
        "adjustHoursFirst": round(weight.hours_first, 2),
        "adjustOverdue": f"{working_time(weight.hours)} рабочего времени" + ("" if weight.ready else ", ещё не готово"),
        "adjustPoints": weight.points,
        "adjustRule": RULE,
        "adjustRuleText": RULE_TEXT,
        "adjustEvidence": "\n".join(lines),
        "adjustSources": "\n".join(e.found for e in events),
    }


@dataclass(frozen=True, slots=True)
class _Event:
    """One event of the engine's history: what people read of it, and where it is found."""

    at: datetime | None
    says: str
    found: str  # "history/task?taskId=…"


def _evidence(
    order: OrderSnapshot, route: Route, staff: Staff, zone: tzinfo, entry: Mapping[str, str]
) -> Iterator[_Event]:
    """Name each event that the entry rests on."""
    promised = [v for v in order.done if "readyBy" in v.values]
    for visit in promised[:1] + promised[1:][-1:]:
        yield _Event(visit.at, f"срок назначен: {visit.person_name}", f"history/activity-instance/{visit.visit}")
    if order.variables.get("moveReason"):
        moved = parse_moment(str(order.variables.get("readyBy")), zone)
        reason = one_line(order.variables.get("moveReason"), 80)
        text = f"срок перенесён на {long_moment(moved, zone)}: {reason}"
        yield _Event(None, text, f"history/detail?processInstanceId={order.instance_id} readyBy, moveReason")
    held = parse_moment(entry["held_since"])
    yield _Event(held, f"шаг у сотрудника: {staff.name(entry['person'])}", f"history/task?taskId={entry['task']}")
    noted = parse_moment(entry["late_at"])
    where = f"history/detail?processInstanceId={order.instance_id} lateFlags"
    yield _Event(noted, "срок прошёл, изделие не готово", where)
    stage = production_stage(route)
    made = next((v for v in reversed(order.done) if stage and v.task_id == stage.task_id), None)
    if made is not None:
        yield _Event(made.at, f"готово: {made.person_name}", f"history/activity-instance/{made.visit}")


def asked_notice(key: str, promise: datetime, until: datetime, calendar: WorkingCalendar) -> str:
    """Ask the person what hindered them."""
    zone = calendar.zone
    return (
        f"Заказ {key}: срок {long_moment(promise, zone)} прошёл. Напишите, что помешало, до "
        f"{long_moment(until, zone)}: Tasklist, «Объяснить задержку»."
    )


def decide_notice(key: str, name: str, weight: Weight) -> str:
    """Ask the manager to decide."""
    return (
        f"Заказ {key}, {name}: решите о корректировке премии, предложено "
        f"{count(weight.points, 'балл', 'балла', 'баллов')}. Tasklist, «Решить о корректировке»."
    )


def decided_notice(key: str, decision: str, reason: str, by: str) -> str:
    """Tell the person what was decided and why."""
    what = "корректировка премии подтверждена" if decision == "confirm" else "запись о корректировке премии отменена"
    return f"Заказ {key}: {what}, {by}. Причина: {one_line(reason)}"
