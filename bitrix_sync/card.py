"""The card that should be: computed from the order, the diagram and the staff; no portal, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from bitrix_sync import texts
from bitrix_sync.schema import NO_CARD, outcome_code
from orders.keys import late_key, reminder_key, visit_key
from orders.lateness import LateFlag, read_flags
from orders.norms import parse_norm
from orders.persons import Person, Staff
from orders.snapshot import FileRef, OpenVisit, OrderSnapshot, RecordKind, Scalar, VisitDone
from orders.stage import FieldKind, Route, Stage

Due = Callable[[OpenVisit, Stage], datetime | None]
"""When a step is due (UTC). While its sync-stage is open the engine does not know it yet."""

CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Note:
    """A comment or a log line in the timeline; `mark` ends its text and is never used twice."""

    mark: str  # "ORD-2026-00042/c7"
    text: str  # without the mark
    author: str | None = None  # person id; None = the integration user
    title: str = ""  # log lines only
    icon: str = "info"

    @property
    def is_log(self) -> bool:
        """Tell whether it is a log line."""
        return bool(self.title)

    @property
    def body(self) -> str:
        """Return the text as it is sent, ending with its mark."""
        return f"{self.text}\n· {self.mark}"


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one person, once per key."""

    key: str
    person: str
    text: str


@dataclass(frozen=True, slots=True)
class TaskWish:
    """The task in front of people for one open visit."""

    key: str  # effect key, also the mark in the description
    visit: OpenVisit
    stage: Stage
    title: str  # at most 60 characters
    description: str  # without link and mark
    due: datetime | None  # UTC

    def body(self, links: str) -> str:
        """Return the description as it is sent, with its links and ending with its mark."""
        return f"{self.description}\n\n{links}\n· {self.key}"


@dataclass(frozen=True, slots=True)
class DesiredCard:
    """What the portal should show of one order. `None` as stage: between two steps, leave the column alone."""

    key: str
    title: str
    stage: str | None  # column code
    fields: Mapping[str, Scalar] = field(default_factory=dict)  # variable -> the engine's value
    files: Mapping[str, tuple[FileRef, ...]] = field(default_factory=dict)  # file field -> files, in order
    reset: Mapping[str, Scalar] = field(default_factory=dict)  # set once when the visit opens: the person's draft after
    notes: tuple[Note, ...] = ()
    notices: tuple[Notice, ...] = ()
    task: TaskWish | None = None
    observers: tuple[str, ...] = ()  # person ids
    cancelled: str | None = None  # the reason, when the order was cancelled
    finished: bool = False  # nothing will change any more

    @property
    def xml_id(self) -> str:
        """Return the card's external key."""
        return f"order:{self.key}"


def has_card(order: OrderSnapshot) -> bool:
    """Tell whether an order has a card at all: a duplicate start never gets one, an erased order keeps what it has."""
    if order.ended is not None and not order.variables:
        return False
    return order.end_id != NO_CARD and bool(order.open or order.done or order.closing or order.end_id)


def desired(
    order: OrderSnapshot, route: Route, staff: Staff, zone: tzinfo, due: Due, now: datetime | None = None
) -> DesiredCard:
    """Compute the card of an order. Raises Permanent where the order's own variables cannot be read.

    With `now` people are reminded, once, of a step whose norm has passed; the promise of production has its own flag.
    """
    visit = max(order.open, key=lambda each: each.since, default=None)
    end = order.end_id or order.closing
    opened = with_people(visit, route.stage(visit.task_id), order) if visit else None
    stage = route.stage(opened.task_id) if opened else None
    when = due(opened, stage) if opened and stage else None
    flags = read_flags(_text(order.variables.get("lateFlags")))
    drafts = {f.name for f in stage.fields} if stage and not end else set()
    values = _values(order, route)
    facts: dict[str, Scalar] = {
        "orderKey": order.key,
        "stageDue": when.isoformat() if when and not end else None,
        "lateSince": flags[0].ready_by.isoformat() if flags else None,
        "refusal": opened.refusal if opened and not end else None,
    }
    wish = _task(order, opened, stage, zone, when) if opened and stage and not end else None
    return DesiredCard(
        key=order.key,
        title=texts.card_title(order),
        stage=outcome_code(end) if end else stage.code if stage else None,
        fields={**{name: value for name, value in values.items() if name not in drafts}, **facts},
        files={name: files for name, files in _files(order, route) if name not in drafts},
        reset=_reset(stage, order) if wish else {},
        notes=tuple(_notes(order, route, flags, zone)),
        notices=(*_notices(order, opened, flags, staff, zone), *_overdue(wish, order, staff, zone, now))
        if order.running and not end
        else (),
        task=wish,
        observers=_observers(order, opened, staff),
        cancelled=_cancelled(order, end),
        finished=order.ended is not None,
    )


def with_people(visit: OpenVisit, stage: Stage | None, order: OrderSnapshot) -> OpenVisit:
    """Fill in who a step is for while the engine's task does not exist yet: from the diagram."""
    if stage is None or visit.assignee or visit.groups or visit.users:
        return visit
    assignee = order.initiator if stage.assignee == "${initiator}" else None
    return OpenVisit(
        visit.visit, visit.task_id, visit.since, visit.engine_task, assignee, stage.groups, (), visit.due, visit.refusal
    )


def _values(order: OrderSnapshot, route: Route) -> dict[str, Scalar]:
    fields = (*route.start_fields, *(f for stage in route.stages for f in stage.fields))
    return {f.name: order.variables.get(f.name) for f in fields if not f.kind.holds_files}


def _files(order: OrderSnapshot, route: Route) -> Iterator[tuple[str, tuple[FileRef, ...]]]:
    held = {file.variable: file for file in order.files}
    for each in (*route.start_fields, *(f for stage in route.stages for f in stage.fields)):
        if each.kind is FieldKind.FILE:
            yield each.name, tuple(held[name] for name in (each.name,) if name in held)
        elif each.kind is FieldKind.FILES:
            names = (each.name, *(f"{each.name}_{n}" for n in range(2, 21)))
            yield each.name, tuple(held[name] for name in names if name in held)


def _reset(stage: Stage | None, order: OrderSnapshot) -> dict[str, Scalar]:
    """Return what the open stage's fields start with: decisions, comments and files empty, the rest prefilled."""
    again = (FieldKind.LINE, FieldKind.SUM, FieldKind.DATE, FieldKind.MOMENT)
    return {f.name: order.variables.get(f.name) if f.kind in again else None for f in (stage.fields if stage else ())}


def _task(order: OrderSnapshot, visit: OpenVisit, stage: Stage, zone: tzinfo, due: datetime | None) -> TaskWish:
    return TaskWish(
        key=visit_key(order.key, stage.task_id, visit.visit),
        visit=visit,
        stage=stage,
        title=texts.task_title(order, stage),
        description=texts.task_description(order, stage, due, visit.refusal, zone),
        due=due,
    )


def _notes(order: OrderSnapshot, route: Route, flags: tuple[LateFlag, ...], zone: tzinfo) -> Iterator[Note]:
    for number, visit in enumerate(order.done, 1):
        yield _visit_note(order, route.stage(visit.task_id), visit, number, zone)
    for flag in flags:
        mark = late_key(order.key, flag.ready_by).replace(f"{order.key}:", f"{order.key}/", 1)
        yield Note(mark, texts.late_line(flag, zone), title="Срок изготовления прошёл", icon="attention")
    if order.variables.get("moveReason") and order.variables.get("readyBy"):
        text = texts.moved_line(order, zone)
        yield Note(f"{order.key}/moved:{order.variables['readyBy']}", text, title="Срок перенесён", icon="clock")
    for record in order.records:
        numbered = record.kind is not RecordKind.COMPLAINT
        mark = f"{record.kind}:{record.number}" if numbered else record.number
        yield Note(f"{order.key}/{mark}", texts.record_comment(record), record.person)
    if order.variables.get("cancelReason"):
        yield Note(f"{order.key}/cancelled", texts.cancel_comment(order), _text(order.variables.get("cancelledBy")))
    if order.variables.get("closingSummary"):
        yield Note(f"{order.key}/closing", str(order.variables["closingSummary"]))


def _visit_note(order: OrderSnapshot, stage: Stage | None, visit: VisitDone, number: int, zone: tzinfo) -> Note:
    """Return a person's words as a comment, a step without words as a log line: one request either way."""
    label = stage.label or stage.name if stage else visit.task_id
    decision = texts.decision_label(stage, visit.decision)
    if visit.comment:
        return Note(f"{order.key}/c{number}", texts.visit_comment(label, decision, visit.comment), visit.person)
    text = texts.visit_line(decision, visit.person_name, visit.at, zone)
    return Note(f"{order.key}/c{number}", text, title=label, icon="check")


def _notices(
    order: OrderSnapshot, visit: OpenVisit | None, flags: tuple[LateFlag, ...], staff: Staff, zone: tzinfo
) -> Iterator[Notice]:
    if not flags or visit is None:
        return
    newest, day = flags[-1], _text(order.variables.get("lateReminder"))
    keys = [(late_key(order.key, flag.ready_by), texts.late_notice(order, flag, zone)) for flag in flags]
    if day:
        key = reminder_key(order.key, newest.ready_by, datetime.fromisoformat(day).date())
        keys.append((key, texts.late_reminder(order, newest, zone)))
    for key, text in keys:
        for person in _concerned(visit, staff):
            yield Notice(f"{key}:{person.id}", person.id, text)


def _overdue(
    wish: TaskWish | None, order: OrderSnapshot, staff: Staff, zone: tzinfo, now: datetime | None
) -> Iterator[Notice]:
    """Remind holder and manager of a step past its norm: once a visit, also when the deadline moves afterwards.

    Nobody is late while the order is suspended.
    """
    if order.suspended:
        return
    if wish is None or wish.due is None or now is None or now < wish.due or parse_norm(wish.stage.norm).until:
        return
    text = texts.overdue_notice(order, wish.stage, wish.due, zone)
    for person in _concerned(wish.visit, staff):
        yield Notice(f"{wish.key}:overdue:{person.id}", person.id, text)


def _concerned(visit: OpenVisit, staff: Staff) -> tuple[Person, ...]:
    """Return who hears of a late order: whoever holds it (else the department), and the manager."""
    holder = staff.find(visit.assignee)
    held = (holder,) if holder else staff.members(*visit.groups)
    return tuple(dict.fromkeys((*held, *staff.managers(visit.groups))))


def _observers(order: OrderSnapshot, visit: OpenVisit | None, staff: Staff) -> tuple[str, ...]:
    managers = [p.id for p in staff.managers(visit.groups)] if visit and visit.groups else []
    return tuple(dict.fromkeys(([order.initiator] if order.initiator else []) + managers))


def _cancelled(order: OrderSnapshot, end: str | None) -> str | None:
    if end is None or outcome_code(end) != CANCELLED:
        return None
    return _text(order.variables.get("cancelReason")) or "причина не указана"


def _text(value: Scalar) -> str | None:
    return None if value in (None, "") else str(value)
