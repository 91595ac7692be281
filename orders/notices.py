"""Notices of the diagram: who is told (`to`) and what (`text`), both properties of a notify step."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orders.dates import parse_day, short_day
from orders.errors import Refused
from orders.money import plain
from orders.persons import Staff
from orders.snapshot import OrderSnapshot
from orders.stage import Field, FieldKind, Route

_PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")


def recipients(to: str, order: OrderSnapshot, route: Route, staff: Staff) -> tuple[str, ...]:
    """Return the person ids that a comma list names, each once: initiator, holder, manager, heads, a group's id.

    holder: whom the step lies with (after a cancellation: lay with, variable heldBy); manager: who answers for that
    step's groups; heads: the heads of the groups of all finished stages.
    """
    words = [word.strip() for word in to.split(",") if word.strip()]
    return tuple(dict.fromkeys(person for word in words for person in _named(word, order, route, staff) if person))


def fill(text: str, order: OrderSnapshot, route: Route) -> str:
    """Return the text with {key} and {variable} replaced; an absent value is «—».

    Choices are shown by their label, dates and sums as people write them.
    Values are never read as placeholders themselves.
    """
    fields = {f.name: f for f in (*route.start_fields, *(f for s in route.stages for f in s.fields))}
    return _PLACEHOLDER.sub(lambda found: _shown(found[1], order, fields.get(found[1])), text)


def held_by(order: OrderSnapshot) -> str:
    """Return who holds an order now, as a comma list of persons and groups: the assignee, else users and groups."""
    names = (n for o in order.open for n in ([o.assignee] if o.assignee else [*o.users, *o.groups]))
    return ",".join(dict.fromkeys(names))


def _named(word: str, order: OrderSnapshot, route: Route, staff: Staff) -> Iterator[str]:
    match word:
        case "initiator":
            yield order.initiator or ""
        case "holder":
            for name in (held_by(order) or str(order.variables.get("heldBy") or "")).split(","):
                members = [p.id for p in staff.members(name)]
                yield from members or [name]
        case "manager":
            yield from (p.id for o in order.open for p in staff.managers(o.groups))
        case "heads":
            stages = (route.stage(done.task_id) for done in order.done)
            yield from (p.id for p in staff.heads(*(g for s in stages if s for g in s.groups)))
        case _:
            yield from (p.id for p in staff.members(word))


def _shown(name: str, order: OrderSnapshot, field: Field | None) -> str:
    value = order.key if name == "key" else order.variables.get(name)
    if value is None or value == "":
        return "—"
    text = str(value)
    if field is None:
        return text
    if field.kind is FieldKind.CHOICE:
        return dict(field.choices).get(text, text)
    if field.kind is FieldKind.DATE:
        return _day(text)
    if field.kind is FieldKind.SUM:
        return _sum(text)
    return text


def _sum(text: str) -> str:
    try:
        return plain(text)
    except ArithmeticError:
        return text


def _day(text: str) -> str:
    try:
        return short_day(parse_day(text))
    except Refused:
        return text
