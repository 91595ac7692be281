"""Carry the orders of a history: a queue of moments, the clock set to each, every answer by a person's own account."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.demo.answers import Values, answer, cancel_values, move_values, start_values
from app.demo.past.plan import PastOrder, slowness
from app.demo.past.shop import PastShop
from app.demo.plan import DELIVERED, Story
from engine.client import EngineClient
from engine.rights import ROUTE
from engine.tasks import Task
from orders.stage import Route, Stage
from orders.worktime import WorkingCalendar


@dataclass(slots=True)
class Going:
    """One order on its way."""

    past: PastOrder
    instance_id: str = ""
    key: str = ""
    task: str | None = None  # the open step that has been seen
    visits: Counter[str] = field(default_factory=Counter)
    promised: datetime | None = None
    ended: str | None = None  # the end event that it reached


class PastCarrier:
    """Carries orders from `begin` to `end`; `tell` is called with the simulated moment after each event."""

    def __init__(self, shop: PastShop, begin: datetime, end: datetime, tell: Callable[[datetime], None]) -> None:
        self._shop, self._begin, self._end, self._tell = shop, begin, end, tell
        self._calendar: WorkingCalendar = shop.parts.calendar
        self._engine: EngineClient = shop.parts.integration
        self._queue: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.started = 0

    def at(self, moment: datetime, act: Callable[[], None]) -> None:
        """Do something at a moment; nothing where it lies behind the end."""
        if moment < self._end:
            heapq.heappush(self._queue, (moment, next(self._numbers), act))

    def carry(self, orders: list[Going]) -> None:
        """Carry all orders until the end of the time that is told of."""
        for order in orders:
            self.at(order.past.at, lambda order=order: self._start(order))  # type: ignore[misc]  # bound now
        while self._queue:
            moment, _, act = heapq.heappop(self._queue)
            self._shop.clock.advance(moment)
            act()
            self._tell(moment)
        self._shop.clock.advance(self._end)

    # steps of one order

    def _start(self, order: Going) -> None:
        plan = order.past.plan
        person = self._shop.people.pick("orderCreators", plan.rng("initiator")).id
        twice = plan.story is Story.TWIN_START
        for _ in range(2 if twice else 1):
            started = self._shop.people.start(person, ROUTE, start_values(plan), plan.key)
            order.instance_id = order.instance_id or started.id
        self.started += 1
        self._shop.drained()
        order.key = self._engine.processes.instance(order.instance_id).business_key or ""
        self._go_on(order)

    def _go_on(self, order: Going) -> None:
        """See what is open now and plan who does it when; an order that has ended may still be spoken of."""
        tasks = self._engine.tasks.of_instance(order.instance_id)
        if not tasks:
            self._over(order)
            return
        task = tasks[0]
        order.task = task.id
        stage = self._route(task).stage(task.element)
        assert stage is not None
        order.visits[stage.code] += 1
        self._plan_step(order, task, stage)

    def _plan_step(self, order: Going, task: Task, stage: Stage) -> None:
        past, visit = order.past, order.visits[stage.code]
        now = self._shop.clock.now
        slow = slowness(now, self._begin, self._end)
        person = task.assignee or self._person(order, stage, visit)
        wait, touch = past.pause(stage.code, visit, slow * _temper(person))
        if stage.code == "manufacture" and order.promised is not None:
            ready = self._calendar.add(past_promise(order), past.making_hours(slow))
            wait = min(wait, 8.0)
            touch = max(self._calendar.between(now, ready) - wait, 1.0)
        taken = self._calendar.add(now, max(wait, 0.05))
        done = self._calendar.add(taken, touch)
        claims = task.assignee is None and past.claims(stage.code, visit)
        if claims:
            self.at(taken, lambda: self._claim(order, task.id, person))
        if stage.code == "manufacture" and self._during(order, taken, done):
            return
        self.at(done, lambda: self._answer(order, task.id, stage, person, claimed=claims))

    def _claim(self, order: Going, task: str, person: str) -> None:
        if order.task == task:
            self._shop.people.client(person).tasks.claim(task, person)

    def _answer(self, order: Going, task: str, stage: Stage, person: str, *, claimed: bool) -> None:
        if order.task != task:
            return
        values = self._values(order, stage)
        people = self._shop.people
        if claimed:
            people.complete(person, task, values)
        else:
            people.finish(person, task, values)
        self._shop.drained()
        self._go_on(order)

    def _values(self, order: Going, stage: Stage) -> Values:
        past, now = order.past, self._shop.clock.now.astimezone(self._calendar.zone)
        values = answer(past.plan, stage.code, order.visits[stage.code], now)
        if values.get("directorDecision") == "reject":
            values["directorComment"] = past.refusal()
        if values.get("readyDecision") == "approve":
            by = self._calendar.end_of_day(self._calendar.today(self._calendar.add(now, past.promised_hours())))
            order.promised = now
            values["readyBy"] = by.astimezone(self._calendar.zone).isoformat()
        return values

    def _during(self, order: Going, taken: datetime, done: datetime) -> bool:
        """Plan what happens while it is being made; tell whether the order ends by it."""
        story, plan = order.past.plan.story, order.past.plan
        middle = taken + (done - taken) * 0.6
        if story is Story.MOVED:
            self.at(middle, lambda: self._move(order))
        elif story is Story.CANCELLED:
            self.at(middle, lambda: self._cancel(order, self._shop.people.pick("commercial", plan.rng("cancel")).id))
            return True
        return False

    def _move(self, order: Going) -> None:
        now = self._shop.clock.now.astimezone(self._calendar.zone)
        person = self._shop.people.pick("productionDirectors", order.past.plan.rng("move")).id
        by = self._calendar.end_of_day(self._calendar.today(self._calendar.add(now, order.past.promised_hours())))
        values = {**move_values(order.key, now), "newReadyBy": by.astimezone(self._calendar.zone).isoformat()}
        self._support(person, "move-ready-date", values)

    def _cancel(self, order: Going, person: str) -> None:
        order.task = None
        self._support(person, "cancel-order", {**cancel_values(order.key), "cancelReason": order.past.cancel_reason()})
        self._over(order)

    def _over(self, order: Going) -> None:
        """Remember how it ended; what was shipped may be complained about, and its cost becomes known."""
        order.task = None
        if order.past.plan.story.end != DELIVERED:
            return
        now, rng = self._shop.clock.now, order.past.plan.rng("after")
        if complaint := order.past.complaint(slowness(now, self._begin, self._end)):
            hours, text = complaint
            person = self._shop.people.pick("commercial", rng).id
            said = {"orderKey": order.key, "complaintText": text}
            self.at(self._calendar.add(now, hours), lambda: self._support(person, "record-complaint", said))
        if cost := order.past.cost():
            hours, total = cost
            who = self._shop.people.pick("accounting", rng).id
            spent = {"orderKey": order.key, "actualCost": f"{total:.2f}"}
            self.at(self._calendar.add(now, hours), lambda: self._support(who, "record-actual-cost", spent))

    def _support(self, person: str, process: str, values: Mapping[str, object]) -> None:
        self._shop.people.start(person, process, values)
        self._shop.drained()

    def _person(self, order: Going, stage: Stage, visit: int) -> str:
        return self._shop.people.pick(stage.groups[0], order.past.plan.rng(f"{stage.code}-{visit}")).id

    def _route(self, task: Task) -> Route:
        return self._shop.parts.route(task.definition_id)


def past_promise(order: Going) -> datetime:
    """Return when the ready date was given; called only after it was."""
    assert order.promised is not None
    return order.promised


def _temper(person: str) -> float:
    """Return how slow a person is: 0.75 … 1.35, always the same."""
    return 0.75 + (sum(map(ord, person)) % 13) / 20
