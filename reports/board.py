"""What the board shows: every running order with its holder, deadline and risk, in the columns of the kanban.

Made from the engine's snapshots, no requests here. What a person may not read is left out by `Viewer` before anything
is shown, searched or summed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from orders.access import SEE_ALL, Readers, readers
from orders.answers import Answers, DelayRow, OrderRow, answer
from orders.persons import Person, Staff
from orders.plural import late_by, working_time
from orders.snapshot import OrderSnapshot
from orders.stage import Route
from orders.worktime import WorkingCalendar
from reports.pace import Pace

NOT_YET = ""  # the column of orders that have not reached a stage yet
NOT_YET_LABEL = "Приём заявки"
NOBODY = "—"


class Risk(StrEnum):
    """How an order stands to its deadline; each has its colour and its words."""

    LATE = "late"
    TODAY = "today"
    AT_RISK = "risk"
    WAITS = "waits"
    PAUSED = "paused"
    FINE = "fine"


URGENCY = {risk: place for place, risk in enumerate(Risk)}


@dataclass(frozen=True, slots=True)
class Tile:
    """One running order. Hours are working hours, sums roubles, instants UTC."""

    row: OrderRow
    column: str  # stage code, NOT_YET before the first one
    moving: bool  # between two steps
    groups: tuple[str, ...]  # departments that may take the open step
    taken: bool  # somebody claimed it
    addressed: str  # the name of whom it is addressed to while nobody has taken it
    held: float  # hours since the step opened
    remaining: float | None  # hours that it still takes in 85 of 100 cases; None: too little history
    risk: Risk
    words: str
    amount: Decimal | None
    unpaid: bool  # ready and not paid
    refund: bool
    readers: Readers


@dataclass(frozen=True, slots=True)
class Load:
    """What one person has in front of them, taken or addressed to."""

    person_id: str
    name: str
    department: str
    groups: tuple[str, ...]
    open: int
    overdue: int
    today: int
    addressed: int  # of the open ones: not taken yet


@dataclass(frozen=True, slots=True)
class Board:
    """The board at one instant. `columns`: (stage code, title) in the order of the route."""

    now: datetime
    tiles: tuple[Tile, ...]
    columns: tuple[tuple[str, str], ...]
    loads: tuple[Load, ...]
    answers: Answers
    received: int = 0  # this month, repeated requests left out
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person in front of the board."""

    person: Person

    @property
    def sees_all(self) -> bool:
        """Tell whether every order's content may be read."""
        return bool(SEE_ALL & set(self.person.groups))

    def sees(self, tile: Tile) -> bool:
        """Tell whether the person may read this order's content."""
        return tile.readers.allow(self.person)

    def sees_person(self, person_id: str | None, groups: Iterable[str]) -> bool:
        """Tell whether a colleague's load is this person's business: the own one, or that of a headed department."""
        return self.sees_all or person_id == self.person.id or bool(set(groups) & set(self.person.heads))


@dataclass(frozen=True, slots=True)
class Query:
    """What a person asked the board for."""

    text: str = ""
    department: str = ""
    person: str = ""
    column: str | None = None
    late_only: bool = False
    by_time: bool = False  # longest at the holder first, else the most urgent first


@dataclass(frozen=True, slots=True)
class Counters:
    """The figures on top, of the orders that were asked for. Sums only of orders that the person may read."""

    working: int
    late: int
    today: int
    at_risk: int
    unpaid: int
    unpaid_sum: Decimal
    total: Decimal
    unread: int  # orders whose sums are left out


def make_board(
    orders: Sequence[OrderSnapshot],
    routes: Mapping[str, Route],
    newest: Route,
    staff: Staff,
    calendar: WorkingCalendar,
    now: datetime,
    pace: Pace | None = None,
    *,
    received: int = 0,
    duplicates: int = 0,
) -> Board:
    """Return the board of these running orders; `routes` is keyed by definition id, `newest` orders the columns."""
    running = [order for order in orders if order.running]
    answers = answer(running, routes, staff, calendar, now)
    rows = {row.instance_id: row for row in answers.orders}
    tiles = tuple(
        _tile(order, rows[order.instance_id], routes[order.definition_id], staff, calendar, now, pace or Pace())
        for order in running
        if order.instance_id in rows
    )
    return Board(
        now,
        tiles,
        _columns(newest, [routes[o.definition_id] for o in running], tiles),
        _loads(tiles, staff),
        answers,
        received,
        duplicates,
    )


def select(board: Board, viewer: Viewer, query: Query) -> list[Tile]:
    """Return the orders that were asked for, in the order asked for."""
    found = [tile for tile in board.tiles if _asked(tile, viewer, query)]
    if query.by_time:
        return sorted(found, key=lambda t: (-t.held, t.row.key))
    return sorted(found, key=lambda t: (URGENCY[t.risk], _left(t), t.row.key))


def counters(tiles: Sequence[Tile], viewer: Viewer) -> Counters:
    """Count the orders; sums only of those whose content the person may read."""
    read = [tile for tile in tiles if viewer.sees(tile)]
    return Counters(
        working=len(tiles),
        late=sum(t.risk is Risk.LATE for t in tiles),
        today=sum(t.risk is Risk.TODAY for t in tiles),
        at_risk=sum(t.risk is Risk.AT_RISK for t in tiles),
        unpaid=sum(t.unpaid for t in tiles),
        unpaid_sum=total(t for t in read if t.unpaid),
        total=total(read),
        unread=len(tiles) - len(read),
    )


def total(tiles: Iterable[Tile]) -> Decimal:
    """Return the sum of the estimates; an order without one adds nothing."""
    return sum((t.amount for t in tiles if t.amount is not None), Decimal(0))


def loads_for(board: Board, viewer: Viewer) -> list[Load]:
    """Return the loads that are the person's business, the most overdue first."""
    return [load for load in board.loads if viewer.sees_person(load.person_id, load.groups)]


def delays_for(board: Board, viewer: Viewer, staff: Staff) -> list[DelayRow]:
    """Return who delays, of the persons that are the viewer's business."""
    found = []
    for row in board.answers.by_person:
        person = staff.find(row.person_id)
        if viewer.sees_person(row.person_id, person.groups if person else ()):
            found.append(row)
    return found


def sum_of(text: object) -> Decimal | None:
    """Read a sum as the engine stores it; None where there is none."""
    try:
        return Decimal(str(text)) if text else None
    except InvalidOperation:
        return None


def _tile(
    order: OrderSnapshot,
    row: OrderRow,
    route: Route,
    staff: Staff,
    calendar: WorkingCalendar,
    now: datetime,
    pace: Pace,
) -> Tile:
    visit = order.open[0] if order.open else None
    stage = route.stage(visit.task_id) if visit else None
    held = max(0.0, calendar.between(visit.since, now)) if visit else 0.0
    remaining = pace.remaining(stage.code, held) if stage else None
    risk, words = _risk(row, waits=bool(stage and stage.waits), held=held, remaining=remaining, at=(calendar, now))
    return Tile(
        row=row,
        column=stage.code if stage else str(order.variables.get("cardStage") or NOT_YET),
        moving=visit is None or visit.engine_task is None,
        groups=visit.groups if visit else (),
        taken=bool(visit and visit.assignee),
        addressed=staff.name(row.holder_id) if row.holder_id else "",
        held=held,
        remaining=remaining,
        risk=risk,
        words=words,
        amount=sum_of(order.variables.get("estimateSum")),
        unpaid=row.promise.ready_at is not None and not order.variables.get("paidSum"),
        refund=order.variables.get("refundDue") is True,
        readers=readers(order, route),
    )


def _risk(
    row: OrderRow, *, waits: bool, held: float, remaining: float | None, at: tuple[WorkingCalendar, datetime]
) -> tuple[Risk, str]:
    calendar, now = at
    left = row.hours_left
    if row.suspended:
        before = f", {late_by(left)}" if left is not None and left < 0 and _span(left) else ""
        return Risk.PAUSED, f"приостановлен{before}"
    if waits:
        past = ", срок прошёл" if row.overdue else ""
        return Risk.WAITS, f"ждём заказчика{_span(held)}{past}"
    if left is None or row.due is None:
        return Risk.FINE, "без срока"
    if row.overdue:
        return Risk.LATE, late_by(left) if _span(left) else "срок прошёл"
    if calendar.today(row.due) == calendar.today(now):
        return Risk.TODAY, f"срок сегодня, {row.due.astimezone(calendar.zone):%H:%M}"
    if remaining is not None and remaining > left:
        return Risk.AT_RISK, f"может опоздать, осталось {working_time(left)}"
    return Risk.FINE, f"осталось {working_time(left)}"


def _span(hours: float) -> str:
    """Return working time to add to a word; nothing where all of it lay outside working hours."""
    return f" {working_time(hours)}" if round(abs(hours) * 60) else ""


def _left(tile: Tile) -> float:
    return tile.row.hours_left if tile.row.hours_left is not None else 1e9


def _asked(tile: Tile, viewer: Viewer, query: Query) -> bool:
    sees = viewer.sees(tile)
    if query.late_only and tile.risk is not Risk.LATE:
        return False
    if query.column is not None and tile.column != query.column:
        return False
    if query.department and tile.row.department != query.department:
        return False
    if query.person and not (sees and tile.row.holder_id == query.person):
        return False
    if not query.text:
        return True
    texts = (tile.row.key, tile.row.customer, tile.row.item) if sees else (tile.row.key,)
    return any(query.text.casefold() in text.casefold() for text in texts)


def _columns(newest: Route, older: Iterable[Route], tiles: Sequence[Tile]) -> tuple[tuple[str, str], ...]:
    """Return the columns: those of the newest diagram, and of older ones where an order still stands there."""
    titles = {stage.code: stage.label for stage in newest.stages}
    used = {tile.column for tile in tiles}
    for route in older:
        for stage in route.stages:
            if stage.code in used:
                titles.setdefault(stage.code, stage.label)
    titles |= {code: code for code in sorted(used - set(titles) - {NOT_YET})}
    return ((NOT_YET, NOT_YET_LABEL), *titles.items()) if NOT_YET in used else tuple(titles.items())


def _loads(tiles: Iterable[Tile], staff: Staff) -> tuple[Load, ...]:
    held: dict[str, list[Tile]] = defaultdict(list)
    for tile in tiles:
        if tile.row.holder_id:
            held[tile.row.holder_id].append(tile)
    rows = [_load(person_id, theirs, staff) for person_id, theirs in held.items()]
    return tuple(sorted(rows, key=lambda load: (-load.overdue, -load.open, load.name)))


def _load(person_id: str, tiles: Sequence[Tile], staff: Staff) -> Load:
    person = staff.find(person_id)
    return Load(
        person_id,
        staff.name(person_id),
        tiles[0].row.department,
        person.groups if person else (),
        open=len(tiles),
        overdue=sum(t.row.overdue for t in tiles),
        today=sum(t.risk is Risk.TODAY for t in tiles),
        addressed=sum(not t.taken for t in tiles),
    )
