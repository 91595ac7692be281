"""The seven questions of the case, answered from what the engine holds: received, what happens, who holds it,
by when, who delays, which stage, are all papers there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orders.dates import parse_moment, utc
from orders.errors import Refused
from orders.holder import addressee, holder_text, loads
from orders.lateness import Lateness, lateness
from orders.papers import missing_papers
from orders.persons import Staff
from orders.snapshot import OpenVisit, OrderSnapshot, Pause, VisitDone
from orders.stage import Route
from orders.worktime import WorkingCalendar

END_DUPLICATE = "End_Duplicate"


@dataclass(frozen=True, slots=True)
class Received:
    """How many orders came in: received = started - duplicates."""

    started: int
    duplicates: int

    @property
    def received(self) -> int:
        """Return the number of orders, each counted once."""
        return self.started - self.duplicates


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order. Instants in UTC; hours are working hours; None where a question does not arise."""

    key: str
    instance_id: str
    customer: str
    item: str
    running: bool
    stage_code: str | None  # None at an end or between two steps
    stage: str  # the column's title, or the outcome
    last_event: str
    last_at: datetime
    next_action: str  # what is expected of the holder; empty for an ended order
    holder: str
    holder_id: str | None  # the person who took the step, or whom it is addressed to
    department: str
    since: datetime | None
    due: datetime | None
    hours_left: float | None  # of the open step; negative = overdue, the time while the order was suspended left out
    suspended: bool
    promise: Lateness
    missing: tuple[str, ...]  # labels of papers that should be there
    incidents: int

    @property
    def overdue(self) -> bool:
        """Tell whether the open step is past its due date; nobody is late while the order is suspended."""
        return self.hours_left is not None and self.hours_left < 0 and not self.suspended


@dataclass(frozen=True, slots=True)
class DelayRow:
    """How much one person or department is or was late with their steps."""

    name: str
    department: str
    person_id: str | None
    open_overdue: int
    done_late: int
    hours: float  # working hours past the due dates
    orders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """All seven answers at one instant."""

    now: datetime
    received: Received
    orders: tuple[OrderRow, ...]
    by_person: tuple[DelayRow, ...]
    by_department: tuple[DelayRow, ...]

    @property
    def complete_papers(self) -> int:
        """Return the number of orders that lack no paper."""
        return sum(not row.missing for row in self.orders)

    def stages(self) -> list[tuple[str, int]]:
        """Return how many orders stand at each stage or outcome, in the order met."""
        counted: dict[str, int] = defaultdict(int)
        for row in self.orders:
            counted[row.stage] += 1
        return list(counted.items())


def answer(
    orders: Sequence[OrderSnapshot],
    routes: Mapping[str, Route],
    staff: Staff,
    calendar: WorkingCalendar,
    now: datetime,
) -> Answers:
    """Answer the seven questions from snapshots of all instances; `routes` is keyed by definition id."""
    real = [order for order in orders if order.end_id != END_DUPLICATE]
    load = loads(real)
    rows = tuple(_row(order, routes[order.definition_id], staff, calendar, now, load) for order in real)
    late = [d for order in real for d in _delays(order, routes[order.definition_id], staff, calendar, now, load)]
    return Answers(
        now=utc(now),
        received=Received(len(orders), len(orders) - len(real)),
        orders=tuple(sorted(rows, key=lambda row: (not row.running, row.key))),
        by_person=_summed(late, lambda d: (d.name, d.department, d.person_id)),
        by_department=_summed(late, lambda d: (d.department, d.department, None)),
    )


def _row(
    order: OrderSnapshot,
    route: Route,
    staff: Staff,
    calendar: WorkingCalendar,
    now: datetime,
    load: Mapping[str, int],
) -> OrderRow:
    visit = order.open[0] if order.running and order.open else None
    stage = route.stage(visit.task_id) if visit else None
    addressed = addressee(staff, visit, calendar.today(now), load) if visit else None
    last_event, last_at = _last(order, route)
    due = _due(order, visit) if visit else None
    return OrderRow(
        key=order.key,
        instance_id=order.instance_id,
        customer=str(order.variables.get("customerName") or "—"),
        item=str(order.variables.get("itemDescription") or "—"),
        running=order.running,
        stage_code=stage.code if stage else None,
        stage=stage.label if stage else _outcome(order, route),
        last_event=last_event,
        last_at=last_at,
        next_action=stage.name if stage else "",
        holder=holder_text(staff, visit, addressed) if visit else "—",
        holder_id=(visit.assignee or (addressed.id if addressed else None)) if visit else None,
        department=staff.department(visit.assignee, visit.groups) if visit else "—",
        since=utc(visit.since) if visit else None,
        due=due,
        hours_left=_hours_left(calendar, now, due, order.paused),
        suspended=order.suspended,
        promise=lateness(order, route, calendar, now),
        missing=missing_papers(order, route),
        incidents=order.incidents,
    )


def _outcome(order: OrderSnapshot, route: Route) -> str:
    end = order.end_id or order.closing
    if end is None:
        return "между шагами" if order.running else "завершён"
    return route.end_names.get(end, end)


def _last(order: OrderSnapshot, route: Route) -> tuple[str, datetime]:
    """Return what happened last and when: the start, a finished step, or the end."""
    if order.ended is not None:
        return _outcome(order, route), utc(order.ended)
    if not order.done:
        return "Заказ заведён", utc(order.started)
    visit = order.done[-1]
    stage = route.stage(visit.task_id)
    return f"{stage.name if stage else visit.task_id}: {visit.person_name}", utc(visit.at)


def _due(order: OrderSnapshot, visit: OpenVisit | VisitDone) -> datetime | None:
    """Return the due date of a step: its own, else the variable that its sync-stage wrote."""
    if visit.due is not None:
        return utc(visit.due)
    text = order.variables.get(f"due_{visit.task_id}")
    try:
        return parse_moment(str(text)) if text else None
    except Refused:
        return None


def _hours_left(
    calendar: WorkingCalendar, now: datetime, due: datetime | None, paused: Sequence[Pause]
) -> float | None:
    if due is None:
        return None
    if utc(now) <= due:
        return calendar.between(now, due)
    return -overdue_hours(calendar, due, now, paused) or -0.001  # past due outside working hours is past due


def overdue_hours(calendar: WorkingCalendar, due: datetime, until: datetime, paused: Sequence[Pause]) -> float:
    """Return the working hours from a deadline until then, those left out while the order was suspended."""
    still = (calendar.between(max(since, due), min(end or until, until)) for since, end in paused)
    return max(0.0, calendar.between(due, until) - sum(hours for hours in still if hours > 0))


@dataclass(frozen=True, slots=True)
class _Delay:
    name: str
    department: str
    person_id: str | None
    open: bool  # and late now: the order is not suspended
    done: bool
    hours: float
    key: str


def _delays(
    order: OrderSnapshot,
    route: Route,
    staff: Staff,
    calendar: WorkingCalendar,
    now: datetime,
    load: Mapping[str, int],
) -> Iterable[_Delay]:
    """Yield the late steps of an order; a step that waits for the customer is nobody's delay.

    What a suspended order's step was late before counts; a step that came due meanwhile is not late.
    """
    newest = {visit.task_id: visit for visit in order.done}
    for visit in order.open if order.running else ():
        stage, due = route.stage(visit.task_id), _due(order, visit)
        newest.pop(visit.task_id, None)
        if stage is None or stage.waits or due is None or utc(now) <= due:
            continue
        hours = overdue_hours(calendar, due, now, order.paused)
        if order.suspended and not hours:
            continue
        addressed = addressee(staff, visit, calendar.today(now), load)
        person = visit.assignee or (addressed.id if addressed else None)
        yield _Delay(
            staff.name(person),
            staff.department(person, visit.groups),
            person,
            not order.suspended,
            False,
            hours,
            order.key,
        )
    for done in order.done:
        # The variable knows the last visit's due date only: it is overwritten.
        stage, due = route.stage(done.task_id), _due(order, done) if newest.get(done.task_id) is done else done.due
        if stage is None or stage.waits or due is None or utc(done.at) <= due:
            continue
        department = staff.department(done.person, stage.groups)
        hours = overdue_hours(calendar, due, done.at, order.paused)
        yield _Delay(done.person_name, department, done.person, False, True, hours, order.key)


def _summed(delays: list[_Delay], group: Callable[[_Delay], tuple[str, str, str | None]]) -> tuple[DelayRow, ...]:
    """Return the delays by person or by department, the longest first."""
    groups: dict[tuple[str, str, str | None], list[_Delay]] = defaultdict(list)
    for delay in delays:
        groups[group(delay)].append(delay)
    rows = [
        DelayRow(
            name,
            department,
            person_id,
            sum(d.open for d in found),
            sum(d.done for d in found),
            sum(d.hours for d in found),
            tuple(dict.fromkeys(d.key for d in found)),
        )
        for (name, department, person_id), found in groups.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.hours, row.name)))
