"""What the step page shows, computed from the order, its diagram and the staff; no requests, no clock of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import InvalidOperation

from orders import discussion
from orders.dates import at_local, local_day, long_moment, parse_day, parse_moment, short_moment
from orders.errors import Refused
from orders.money import format_sum
from orders.notices import value_text
from orders.papers import label_of
from orders.persons import Staff
from orders.plural import file_size
from orders.snapshot import OpenVisit, OrderSnapshot, Scalar, VisitDone
from orders.stage import Field, FieldKind, Route, Stage
from orders.workday import Workday

DAY, TIME = ".day", ".time"  # a moment is typed in two boxes
_REFILLED = (FieldKind.LINE, FieldKind.TEXT, FieldKind.SUM, FieldKind.DATE)


@dataclass(frozen=True, slots=True)
class Box:
    """One field of the form. `must`: when it is demanded, in words, "" for never."""

    field: Field
    value: str = ""
    time: str = ""
    must: str = ""
    least: str = ""
    most: str = ""
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """An earlier file of the order."""

    variable: str
    name: str
    about: str


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody did before, with their words."""

    who: str
    about: str
    comment: str


@dataclass(frozen=True, slots=True)
class StepPage:
    """All that the page of an open step shows."""

    order: str
    title: str
    what: str
    due: str
    late: bool
    held: str  # who took the step, when it is somebody else
    refusal: str
    facts: tuple[tuple[str, str], ...]
    papers: tuple[Paper, ...]
    said: tuple[Said, ...]
    talk: tuple[Said, ...]
    boxes: tuple[Box, ...]
    buttons: tuple[tuple[str, str], ...]  # (value, label); one without a value where there is nothing to decide
    decision: str  # the name of the field that the buttons fill
    opening: bool


@dataclass(frozen=True, slots=True)
class DonePage:
    """All that the page of a finished step shows."""

    order: str
    title: str
    done: str
    mine: bool
    about: tuple[tuple[str, str], ...]
    following: str


def step_page(
    order: OrderSnapshot,
    route: Route,
    stage: Stage,
    visit: OpenVisit,
    staff: Staff,
    person: str,
    zone: tzinfo,
    now: datetime,
    day: Workday,
    typed: Mapping[str, str] | None = None,
    refused: str = "",
    talk: Sequence[discussion.Said] = (),
) -> StepPage:
    """Return the page of an open step; `typed` is what the person had typed before a refusal."""
    choice = stage.buttons_field()
    fields = [f for f in stage.fields if f is not choice]
    labels = _labels(route)
    other = visit.assignee is not None and visit.assignee != person
    return StepPage(
        order=order.key,
        title=stage.name,
        what=stage.documentation,
        due=long_moment(visit.due, zone) if visit.due else "",
        late=visit.due is not None and visit.due < now,
        held=staff.name(visit.assignee) if other else "",
        refusal=visit.refusal or "",
        facts=tuple(_facts(order, zone)),
        papers=tuple(_papers(order, route, zone)),
        said=tuple(_said(order, route, zone)),
        talk=tuple(_talked(each, zone) for each in talk),
        boxes=tuple(_box(f, stage, order, zone, now, day, typed, refused, labels) for f in fields),
        buttons=choice.choices if choice else (("", "Готово, передать дальше"),),
        decision=choice.name if choice else "",
        opening=visit.engine_task is None,
    )


def done_page(
    order: OrderSnapshot, route: Route, stage: Stage, done: VisitDone, staff: Staff, person: str, zone: tzinfo
) -> DonePage:
    """Return the page of a step that somebody finished: who, when, what, and where the order is now."""
    about = [(f.label, shown(f, done.values.get(f.name), zone)) for f in stage.fields if not f.kind.holds_files]
    return DonePage(
        order=order.key,
        title=stage.name,
        done=f"{done.person_name}, {long_moment(done.at, zone)}",
        mine=done.person == person,
        about=tuple((label, text) for label, text in about if text),
        following=_following(order, route, staff),
    )


def texts(stage: Stage, form: Mapping[str, str], zone: tzinfo, day: Workday) -> dict[str, str]:
    """Return the form's texts as the engine takes them: a moment's two boxes are one instant in the plant's zone.

    A day alone means its end: a promise is kept by the end of the working day.
    Raises Refused for a time that nobody can read.
    """
    found: dict[str, str] = {}
    for each in stage.fields:
        if each.kind is FieldKind.MOMENT:
            found[each.name] = _moment(each, form, zone, day)
        elif each.kind is FieldKind.DATE:
            found[each.name] = _day(form.get(each.name, ""))
        elif not each.kind.holds_files:
            found[each.name] = form.get(each.name, "")
    return found


def shown(field: Field, value: Scalar, zone: tzinfo) -> str:
    """Return a value as people read it, "" for none."""
    if value in (None, ""):
        return ""
    if field.kind is not FieldKind.SUM:
        return value_text(value, field, zone)
    try:
        return format_sum(str(value))
    except (Refused, InvalidOperation):
        return str(value)


def _day(text: str) -> str:
    """Return a day as the engine takes it; what is no date goes on as it is, and the gate says so with its field."""
    try:
        return parse_day(text).isoformat()
    except Refused:
        return text


def _moment(field: Field, form: Mapping[str, str], zone: tzinfo, workday: Workday) -> str:
    said, time = form.get(field.name + DAY, "").strip(), form.get(field.name + TIME, "").strip()
    if not said:
        return ""
    day = parse_day(said)
    try:
        at = datetime.strptime(time or workday.closing(day), "%H:%M").time()  # noqa: DTZ007 - a wall clock, no instant
    except ValueError:
        raise Refused(f"«{field.label}»: время «{time[:20]}» не понято, напишите его как 18:00") from None
    return at_local(day, at, zone).astimezone(zone).isoformat()


def _facts(order: OrderSnapshot, zone: tzinfo) -> Iterator[tuple[str, str]]:
    values = order.variables
    customer = ", ".join(str(values[n]) for n in ("customerName", "customerContact") if values.get(n))
    known = (
        ("Заказчик", customer, FieldKind.LINE),
        ("Что изготовить", values.get("itemDescription"), FieldKind.TEXT),
        ("Желаемый срок", values.get("wishedBy"), FieldKind.DATE),
        ("Бюджет", values.get("budget"), FieldKind.SUM),
        ("Смета", values.get("estimateSum"), FieldKind.SUM),
        ("Обещано к", values.get("readyBy"), FieldKind.MOMENT),
        ("Текст для заказчика", values.get("customerMessage"), FieldKind.TEXT),
    )
    for label, value, kind in known:
        if text := shown(Field("", kind, label), value, zone):
            yield label, text


def _papers(order: OrderSnapshot, route: Route, zone: tzinfo) -> Iterator[Paper]:
    for file in order.files:
        about = (label_of(file.variable, route), file_size(file.size), _unbroken(file.at, zone))
        yield Paper(file.variable, file.name, ", ".join(part for part in about if part))


def _said(order: OrderSnapshot, route: Route, zone: tzinfo) -> Iterator[Said]:
    for done in order.done:
        stage = route.stage(done.task_id)
        choice = stage.decision_field() if stage else None
        chosen = dict(choice.choices).get(done.decision or "", "") if choice else ""
        about = " · ".join(p for p in (_unbroken(done.at, zone), stage.name if stage else "", chosen) if p)
        yield Said(done.person_name, about, done.comment or "")


def _talked(each: discussion.Said, zone: tzinfo) -> Said:
    at = _unbroken(parse_moment(each.at), zone) if each.at else ""
    files = f"файлы на карточке: {', '.join(each.files)}" if each.files else ""
    return Said(each.name, " · ".join(part for part in (at, files) if part), each.text)


def _unbroken(at: datetime, zone: tzinfo) -> str:
    """Return a moment that no narrow line breaks in two."""
    return short_moment(at, zone).replace(" ", "\u00a0")


def _box(
    each: Field,
    stage: Stage,
    order: OrderSnapshot,
    zone: tzinfo,
    now: datetime,
    day: Workday,
    typed: Mapping[str, str] | None,
    refused: str,
    labels: Mapping[str, str],
) -> Box:
    value, time = _values(each, order, zone, typed)
    clock = now.astimezone(zone)
    today, past, future = local_day(now, zone).isoformat(), "past" in each.options, "future" in each.options
    if each.kind is FieldKind.MOMENT and not time:
        time = f"{clock:%H:%M}" if past else day.ends
    return Box(
        field=each,
        value=value,
        time=time,
        must=_must(each, stage, labels),
        least=today if future else "",
        most=today if past else "",
        wrong=refused if f"«{each.label}»" in refused else "",
    )


def _must(each: Field, stage: Stage, labels: Mapping[str, str]) -> str:
    """Say when a field is demanded."""
    said: list[str] = []
    choice = stage.decision_field()
    words = dict(choice.choices) if choice else {}
    for demand in (d for d in stage.required if d.field == each.name):
        if demand.differs is not None:
            said.append(f"если «{labels.get(demand.differs[0])}» и «{labels.get(demand.differs[1])}» не равны")
        elif demand.decision is not None:
            said.append(f"если «{words.get(demand.decision, demand.decision)}»")
        else:
            return "обязательно"
    if each is stage.comment_field():
        said += [f"если «{words.get(value, value)}»" for value in stage.comment_on if value in words]
    return f"обязательно, {' или '.join(said)}" if said else ""


def _labels(route: Route) -> dict[str, str]:
    return {f.name: f.label for f in (*route.start_fields, *(f for s in route.stages for f in s.fields))}


def _values(each: Field, order: OrderSnapshot, zone: tzinfo, typed: Mapping[str, str] | None) -> tuple[str, str]:
    """Return what stands in a field's box, and in the second one of a moment."""
    if typed is not None:
        name = each.name + DAY if each.kind is FieldKind.MOMENT else each.name
        return typed.get(name, ""), typed.get(each.name + TIME, "")
    held = str(order.variables.get(each.name) or "")
    if each.kind is FieldKind.MOMENT and held:
        try:
            at = parse_moment(held, zone).astimezone(zone)
        except Refused:
            return "", ""
        return at.date().isoformat(), f"{at:%H:%M}"
    return (held.replace(".", ",") if each.kind is FieldKind.SUM else held, "") if each.kind in _REFILLED else ("", "")


def _following(order: OrderSnapshot, route: Route, staff: Staff) -> str:
    if order.end_id or order.closing:
        return route.end_names.get(order.end_id or order.closing or "", "")
    visit = next(iter(order.open), None)
    stage = route.stage(visit.task_id) if visit else None
    if visit is None or stage is None:
        return "заказ переходит к следующему шагу"
    who = staff.name(visit.assignee) if visit.assignee else ", ".join(staff.title(g) for g in visit.groups)
    return f"{stage.label or stage.name}: {who}" if who else stage.label or stage.name
