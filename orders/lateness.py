"""Late orders: one flag per promise, reminders on working days, late against the first and the last promise.

Moving the promised date never takes a flag away: the order stays late against each promise that passed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime

from orders.dates import parse_moment, utc
from orders.errors import Permanent, Refused
from orders.keys import instant_text
from orders.norms import parse_norm
from orders.snapshot import OrderSnapshot, Promise
from orders.stage import Route, Stage
from orders.worktime import WorkingCalendar

ROOM = 4000  # characters that a text variable of the engine holds


@dataclass(frozen=True, slots=True)
class LateFlag:
    """One promise that passed before the order was ready; both instants in UTC."""

    ready_by: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class LateUpdate:
    """What `lateFlags` and `lateReminder` should hold now; `raised` and `remind` say what is new."""

    late_flags: str | None
    late_reminder: str | None
    raised: bool = False
    remind: bool = False

    @property
    def changed(self) -> bool:
        """Tell whether anything has to be written."""
        return self.raised or self.remind


def read_flags(text: str | None) -> tuple[LateFlag, ...]:
    """Read the variable `lateFlags`. Raises Permanent where it is not what we wrote."""
    if not text:
        return ()
    try:
        return tuple(LateFlag(parse_moment(f["readyBy"]), parse_moment(f["at"])) for f in json.loads(text))
    except (ValueError, TypeError, KeyError, Refused) as error:
        raise Permanent(f"Переменная lateFlags не читается: {error}") from None


def write_flags(flags: tuple[LateFlag, ...]) -> str:
    """Return the text of `lateFlags`; the oldest flags but the first give way when it would not fit."""
    kept = list(flags)
    while True:
        text = json.dumps(
            [{"readyBy": instant_text(f.ready_by), "at": instant_text(f.at)} for f in kept], separators=(",", ":")
        )
        if len(text) <= ROOM:
            return text
        del kept[1]


def late_update(promise: Promise, now: datetime, calendar: WorkingCalendar) -> LateUpdate:
    """Return the flags and the reminder day of an order that is in production at `now`.

    Before the promise nothing changes. The first time after it one flag is raised; on each later working day of the
    plant the day becomes the reminder. Asking twice on one day changes nothing.
    """
    same = LateUpdate(promise.late_flags, promise.late_reminder)
    ready_by, flags = parse_moment(promise.ready_by, calendar.zone), read_flags(promise.late_flags)
    if utc(now) < ready_by:
        return same
    flag = next((f for f in flags if instant_text(f.ready_by) == instant_text(ready_by)), None)
    if flag is None:
        flags = (*flags, LateFlag(ready_by, utc(now)))
        return LateUpdate(write_flags(flags), promise.late_reminder, raised=True)
    today = calendar.today(now)
    newest = date.fromisoformat(promise.late_reminder) if promise.late_reminder else calendar.today(flag.at)
    if not calendar.is_working(today) or today <= max(newest, calendar.today(flag.at)):
        return same
    return LateUpdate(promise.late_flags, today.isoformat(), remind=True)


@dataclass(frozen=True, slots=True)
class Lateness:
    """An order against its promises. Hours are working hours, negative before the date; None without a promise."""

    first: datetime | None
    last: datetime | None
    ready_at: datetime | None  # None while in production or before it
    hours_first: float | None = None
    hours_last: float | None = None
    late_first: bool = False
    late_last: bool = False  # this is what "late" means; also true past the date outside working hours


def production_stage(route: Route) -> Stage | None:
    """Return the stage that is due at the promise itself (its norm is `until:…`), or None."""
    return next((s for s in route.stages if s.norm and parse_norm(s.norm).until), None)


def lateness(order: OrderSnapshot, route: Route, calendar: WorkingCalendar, now: datetime) -> Lateness:
    """Compare an order with its first and last promise; one that ended unfinished is late against nothing more."""
    stage = production_stage(route)
    name = parse_norm(stage.norm).until if stage else None
    if stage is None or name is None:
        return Lateness(None, None, None)
    made = [v.values.get(name) for v in order.done if v.values.get(name)]
    texts = [str(t) for t in (made[0] if made else None, order.variables.get(name)) if t]
    if not texts:
        return Lateness(None, None, None)
    first, last = (parse_moment(t, calendar.zone) for t in (texts[0], texts[-1]))
    ready = next((utc(v.at) for v in reversed(order.done) if v.task_id == stage.task_id), None)
    until = ready or utc(order.ended or now)
    first_hours, last_hours = calendar.between(first, until), calendar.between(last, until)
    return Lateness(first, last, ready, first_hours, last_hours, late_first=until > first, late_last=until > last)
