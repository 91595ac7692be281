"""Who sees what an order holds (customer, sums, files), and who may do a step.

All staff see number, stage, the holder's department and the due date; the rest is for those who have to do with it.
"""

from __future__ import annotations

from dataclasses import dataclass

from orders.persons import Person, Staff
from orders.snapshot import OpenVisit, OrderSnapshot
from orders.stage import Route

SEE_ALL = frozenset({"directors", "productionDirectors", "auditors", "operators"})


@dataclass(frozen=True, slots=True)
class Readers:
    """Who may read one order's content: these persons, and the members of these groups."""

    persons: frozenset[str]
    groups: frozenset[str]

    def allow(self, person: Person | None) -> bool:
        """Tell whether a person is among them; somebody who left the staff file (None) never is."""
        return person is not None and (person.id in self.persons or bool(self.groups & set(person.groups)))


def involved_groups(order: OrderSnapshot, route: Route) -> frozenset[str]:
    """Return the groups with a present or past stage of the order."""
    stages = [route.stage(visit.task_id) for visit in order.done]
    past = {group for stage in stages if stage for group in stage.groups}
    return frozenset(past | {group for visit in order.open for group in visit.groups})


def readers(order: OrderSnapshot, route: Route) -> Readers:
    """Return who may read the order's content."""
    named = {order.initiator, *(v.person for v in order.done)}
    named |= {u for v in order.open for u in (v.assignee, *v.users)}
    return Readers(frozenset(filter(None, named)), SEE_ALL | involved_groups(order, route))


def may_see_content(order: OrderSnapshot, route: Route, staff: Staff, person_id: str) -> bool:
    """Tell whether a person may read the order's content; somebody who left the staff file may not."""
    return readers(order, route).allow(staff.find(person_id))


def may_do(visit: OpenVisit, staff: Staff, person_id: str) -> bool:
    """Tell whether a person may complete an open step: its assignee or any candidate (colleagues need no claim)."""
    person = staff.find(person_id)
    if person is None:
        return False
    if person.id == visit.assignee or person.id in visit.users:
        return True
    return bool(set(person.groups) & set(visit.groups))
