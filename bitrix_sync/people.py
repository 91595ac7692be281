"""Whom a step is addressed to in the portal (design.md 6, "Who")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from orders.persons import Person, Staff
from orders.snapshot import OpenVisit


@dataclass(frozen=True, slots=True)
class Addressed:
    """RESPONSIBLE and ACCOMPLICES of a task; without a responsible there is nobody whom the portal could tell."""

    responsible: Person | None
    accomplices: tuple[Person, ...] = ()


def candidates(staff: Staff, visit: OpenVisit, day: date, usable: Callable[[Person], bool]) -> tuple[Person, ...]:
    """Return who may be responsible, best first: only persons whom the portal knows as working there."""
    ranked = list(staff.holder_candidates(visit.groups, day, users=visit.users, assignee=visit.assignee))
    if visit.assignee and not any(usable(p) for p in ranked):  # the assignee has left: substitutes, then the others
        ranked = [
            *staff.substitutes(visit.assignee, day),
            *staff.holder_candidates(visit.groups, day, users=visit.users),
        ]
    known = [p for p in dict.fromkeys(ranked) if usable(p)]
    return tuple([p for p in known if p.present(day)] or known)


def address(
    staff: Staff,
    visit: OpenVisit,
    day: date,
    usable: Callable[[Person], bool],
    load: Mapping[str, int],
    current: str | None = None,
) -> Addressed:
    """Choose the responsible: the assignee, else the one addressed before, else the one with the fewest open tasks.

    `load` counts open tasks by person id; `current` is who has the task now and keeps it while entitled and present.
    """
    ranked = candidates(staff, visit, day, usable)
    if visit.assignee:
        choice = ranked[0] if ranked else None
    elif any(p.id == current for p in ranked):
        choice = staff.find(current)
    else:
        choice = min(ranked, key=lambda p: load.get(p.id, 0), default=None)
    users = (p for user in visit.users if (p := staff.find(user)))
    others = dict.fromkeys((*staff.members(*visit.groups), *users, *ranked))
    return Addressed(choice, tuple(p for p in others if p != choice and usable(p)))
