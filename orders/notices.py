"""Notices of the diagram: who is told (`to`) and what (`text`), both properties of a notify step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import tzinfo

from orders.dates import long_moment, parse_day, parse_moment, short_day
from orders.errors import Refused
from orders.money import plain
from orders.persons import Staff
from orders.snapshot import OrderSnapshot, Scalar
from orders.stage import Field, FieldKind, Route

_PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")


def recipients(to: str, order: OrderSnapshot, route: Route, staff: Staff) -> tuple[str, ...]:
    """Return the person ids that a comma list names, each once: initiator, holder, manager, heads, a group's id.

    holder: whom the step lies with (after a cancellation: lay with, variable heldBy); manager: who answers for that
    step's groups; heads: the heads of the groups of all finished stages.
    """
    words = [word.strip() for word in to.split(",") if word.strip()]
    return tuple(dict.fromkeys(person for word in words for person in _named(word, order, route, staff) if person))


def fill(text: str, order: OrderSnapshot, route: Route, zone: tzinfo) -> str:
    """Return the text with {key} and {variable} replaced; an absent value is «—».

    Choices are shown by their label, sums (without unit), dates and instants as people write them. A value is never
    read as a placeholder itself.
    """
    fields = {f.name: f for f in (*route.start_fields, *(f for s in route.stages for f in s.fields))}

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name == "key":
            return order.key
        return value_text(order.variables.get(name), fields.get(name), zone)

    return _PLACEHOLDER.sub(value, text)


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


def value_text(value: Scalar, field: Field | None, zone: tzinfo) -> str:
    """Return a value as people read it: a choice by its label, a sum without unit, days and instants; absent «—»."""
    if value is None or value == "":
        return "—"
    text = str(value)
    try:
        match field.kind if field else None:
            case FieldKind.CHOICE:
                return dict(field.choices).get(text, text) if field else text
            case FieldKind.SUM:
                return plain(text)
            case FieldKind.DATE:
                return short_day(parse_day(text))
            case FieldKind.MOMENT:
                return long_moment(parse_moment(text, zone), zone)
    except (Refused, ArithmeticError):  # kept as it was typed: a notice must not fail over a look
        return text
    return text
