"""Who holds an open step, and whom it is addressed to while nobody has taken it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from orders.persons import Person, Staff
from orders.snapshot import OpenVisit, OrderSnapshot


def loads(orders: Iterable[OrderSnapshot]) -> Counter[str]:
    """Return the number of taken open steps per person."""
    return Counter(v.assignee for order in orders if order.running for v in order.open if v.assignee)


def addressee(
    staff: Staff, visit: OpenVisit, day: date, load: Mapping[str, int], *, portal_only: bool = False
) -> Person | None:
    """Return the person a step is addressed to: its assignee, else the present one with the fewest open tasks.

    Ties go by file order; absent persons only where nobody is present. `portal_only` leaves out those without a
    Bitrix24 user. None where there is nobody at all: an operator has to look.
    """
    ranked = staff.holder_candidates(visit.groups, day, users=visit.users, assignee=visit.assignee)
    if portal_only:
        ranked = tuple(p for p in ranked if p.bitrix_id is not None)
        if not ranked and visit.assignee:
            ranked = tuple(p for p in staff.holder_candidates(visit.groups, day) if p.bitrix_id is not None)
    here = [p for p in ranked if p.present(day)]
    return min(here or ranked, key=lambda p: load.get(p.id, 0), default=None)


def holder_text(staff: Staff, visit: OpenVisit, addressed: Person | None) -> str:
    """Say who holds a step: the person who took it, else the department and whom it was addressed to."""
    if visit.assignee:
        return staff.name(visit.assignee)
    departments = ", ".join(staff.title(g) for g in visit.groups)
    if not departments:
        return addressed.name if addressed else "—"
    return f"{departments} (адресовано: {addressed.name})" if addressed else departments
