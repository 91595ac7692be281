"""Rule: an order's content is seen by those who have to do with it; the rest of the staff see only where it stands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orders.access import involved_groups, may_do, may_see_content
from orders.snapshot import OpenVisit, OrderSnapshot, VisitDone
from orders.staff import read_staff
from orders.stage import Route, Stage

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ROLES = {
    "creator": "orderCreators",
    "seller": "commercial",
    "director": "directors",
    "designer": "designers",
    "accountant": "accounting",
    "producer": "productionDirectors",
    "worker": "workshop",
    "driver": "shipping",
    "analyst": "analysts",
    "auditor": "auditors",
    "operator": "operators",
    "other": "orderCreators",
}
STAFF = read_staff("\n".join(f'[[person]]\nid = "{p}"\nname = "{p}"\ngroups = ["{g}"]' for p, g in ROLES.items()))
ROUTE = Route(
    "custom-furniture-order",
    (
        Stage("UserTask_ApproveOrder", "approve", "Согласовать", "Согласование", "8h", ("directors",)),
        Stage("UserTask_PrepareDesign", "design", "Разработать", "Разработка", "2d", ("designers",)),
        Stage("UserTask_PrepareEstimate", "estimate", "Рассчитать", "Смета", "2d", ("accounting",)),
    ),
    "StartEvent_OrderRequested",
)
OPEN = OpenVisit("v3", "UserTask_PrepareEstimate", NOW, "t", groups=("accounting",), users=("driver",))
ORDER = OrderSnapshot(
    "K",
    "i",
    "d",
    NOW,
    "creator",
    done=(
        VisitDone("v1", "UserTask_ApproveOrder", "director", "director", NOW),
        VisitDone("v2", "UserTask_PrepareDesign", "designer", "designer", NOW),
    ),
    open=(OPEN,),
)
SEES = {"creator", "director", "designer", "accountant", "producer", "auditor", "operator", "driver"}


@pytest.mark.parametrize("person", [*ROLES, "stranger"])
def test_who_sees_the_content(person: str) -> None:
    """Initiator, groups with a stage so far, a named substitute, directors, auditors, operators; nobody else."""
    assert may_see_content(ORDER, ROUTE, STAFF, person) is (person in SEES)


def test_a_later_department_sees_it_when_its_stage_opens() -> None:
    """Accounting has no part in an order that is still with the directors."""
    early = OrderSnapshot(
        "K", "i", "d", NOW, "creator", open=(OpenVisit("v", "UserTask_ApproveOrder", NOW, groups=("directors",)),)
    )
    assert involved_groups(early, ROUTE) == {"directors"}
    assert not may_see_content(early, ROUTE, STAFF, "accountant")


@pytest.mark.parametrize("person", [*ROLES, "stranger"])
def test_who_may_do_the_open_step(person: str) -> None:
    """The group's members and named candidates."""
    assert may_do(OPEN, STAFF, person) is (person in {"accountant", "driver"})
