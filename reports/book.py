"""All facts of a report at hand: orders, visits, working time, who is who, and the period that is asked about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from orders.persons import Staff
from orders.stage import Route, Stage
from orders.worktime import WorkingCalendar
from reports.clock import DAY, WorkClock, moment, overlap
from reports.facts import DUPLICATE, REMOVED, RUNNING, Checked, Ms, Order, OrderFacts, Record, Visit
from reports.period import Month
from reports.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class Times:
    """How one visit was spent, in working milliseconds. `wait` is None where nobody knows when it was taken up.

    wait + touch + away = total: `away` is the plant's working time on days when the person was absent.
    """

    total: Ms
    wait: Ms | None
    touch: Ms | None
    away: Ms | None


@dataclass
class Book:
    """The facts as they are known at `now` (milliseconds)."""

    facts: Sequence[OrderFacts]
    calendar: WorkingCalendar
    staff: Staff
    route: Route  # the newest one: order and names of the stages
    now: Ms
    records: Sequence[Record] = ()
    papers: Mapping[str, frozenset[str]] | None = None  # file variables by instance; None = not asked for
    verdicts: Mapping[str, Checked] = field(default_factory=dict)  # of ended orders, by instance
    upkeep: Upkeep | None = None  # of the month that is asked about; None = not asked for
    _persons: dict[str, WorkClock] = field(default_factory=dict)

    @cached_property
    def clock(self) -> WorkClock:
        """Return the plant's working time."""
        return WorkClock(self.calendar, years=self.years)

    @cached_property
    def years(self) -> tuple[int, int]:
        """Return the plant's years in which anything happened."""
        first = min((f.order.started for f in self.facts), default=self.now)
        return self.calendar.today(moment(first)).year, self.calendar.today(moment(self.now)).year

    @cached_property
    def orders(self) -> list[Order]:
        """Return all orders but repeated requests."""
        return [f.order for f in self.facts if f.order.outcome != DUPLICATE]

    @cached_property
    def duplicates(self) -> list[Order]:
        """Return the repeated requests."""
        return [f.order for f in self.facts if f.order.outcome == DUPLICATE]

    @cached_property
    def by_id(self) -> dict[str, OrderFacts]:
        """Return the facts by instance."""
        return {f.order.instance_id: f for f in self.facts}

    @cached_property
    def visits(self) -> list[Visit]:
        """Return all visits of all orders but repeated requests."""
        return [v for f in self.facts if f.order.outcome != DUPLICATE for v in f.visits]

    @cached_property
    def late_visits(self) -> list[Visit]:
        """Return the visits that are or were past their deadline, the customer's left out."""
        return [v for v in self.visits if v.due is not None and not v.customer and (v.ended or self.now) > v.due]

    @cached_property
    def stages(self) -> list[Stage]:
        """Return the stages in the order of the route; those of older versions only come last."""
        known = {s.code: s for s in self.route.stages}
        for visit in self.visits:
            if visit.stage not in known:
                groups = (visit.department,) if visit.department else ()
                known[visit.stage] = Stage(visit.element, visit.stage, visit.label, visit.label, "", groups)
        return list(known.values())

    def bounds(self, month: Month) -> tuple[Ms, Ms]:
        """Return the month as far as it has passed."""
        first, last = month.bounds(self.calendar.zone)
        return first, max(first, min(last, self.now))

    def key(self, visit: Visit) -> str:
        """Return the number of a visit's order."""
        return self.by_id[visit.instance_id].order.key

    def times(self, visit: Visit, until: Ms | None = None) -> Times:
        """Return how a visit was spent until its end (or until `until`)."""
        end = visit.ended if visit.ended is not None else (until or self.now)
        total = self.clock.worked(visit.created, end)
        if visit.claimed is None:
            return Times(total, None, None, None)
        wait = self.clock.worked(visit.created, visit.claimed)
        touch = self.person_clock(visit.person).worked(visit.claimed, end)
        return Times(total, wait, touch, total - wait - touch)

    def person_clock(self, person_id: str | None) -> WorkClock:
        """Return the working time of a person; the plant's for one who is not in the staff file."""
        person = self.staff.find(person_id)
        if person is None:
            return self.clock
        if person.id not in self._persons:
            self._persons[person.id] = WorkClock(self.calendar, person, self.years)
        return self._persons[person.id]

    def overdue(self, visit: Visit, first: Ms, last: Ms) -> Ms:
        """Return the working time past the deadline within [first, last], while the order was not suspended."""
        if visit.due is None:
            return 0
        late = overlap(visit.due, visit.ended if visit.ended is not None else self.now, first, last)
        paused = self.by_id[visit.instance_id].order.paused
        still = sum(self.clock.worked(*overlap(since, until or self.now, *late)) for since, until in paused)
        return self.clock.worked(*late) - still

    def suspended_at(self, visit: Visit, at: Ms) -> bool:
        """Tell whether the order of a visit was suspended at an instant."""
        paused = self.by_id[visit.instance_id].order.paused
        return any(since < at and (until is None or until >= at) for since, until in paused)

    def open_at(self, at: Ms) -> list[Order]:
        """Return the orders that ran at an instant."""
        return [o for o in self.orders if o.started < at and (o.ended is None or o.ended >= at)]

    def visits_open_at(self, at: Ms) -> list[Visit]:
        """Return the steps that were in front of people at an instant."""
        return [v for v in self.visits if v.created < at and (v.ended is None or v.ended >= at)]

    def customer_time(self, order: Order) -> Ms:
        """Return the working time of an order that was the customer's."""
        visits = self.by_id[order.instance_id].visits
        return sum(self.times(v).total for v in visits if v.customer)

    def days(self, order: Order, until: Ms) -> float:
        """Return the age of an order in working days."""
        return self.clock.worked(order.started, until) / DAY

    def ended_in(self, first: Ms, last: Ms) -> Iterator[Order]:
        """Return the orders that ended in a period."""
        return (o for o in self.orders if o.ended is not None and first <= o.ended < last)

    def department_name(self, group: str) -> str:
        """Return how people call a department."""
        return self.staff.title(group) if group else "инициатор заказа"


OUTCOMES = {
    "delivered": "отгружены",
    "refused": "отказ директора",
    "rejected": "цена не принята",
    "cancelled": "отменены",
    REMOVED: "прерваны вручную",
    RUNNING: "в работе",
}
"""Outcome -> how people call the orders that have it, in the plural."""
