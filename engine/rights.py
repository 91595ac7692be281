"""Who may do what in the engine, as one table. Tasks need no rows: the engine grants them to their candidates.

Sources: operaton.md 5 (tried row by row), design.md 4 and 5 (accounts, who sees an order's content).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum

from engine.accounts import GLOBAL, Authorization
from orders.adjustment import PROCESS as REGISTER
from orders.persons import GROUPS

ROUTE = "custom-furniture-order"


class Resource(IntEnum):
    """Kinds of things that rights are given on, by the engine's numbers."""

    APPLICATION = 0
    USER = 1
    GROUP = 2
    FILTER = 5
    DEFINITION = 6
    INSTANCE = 8
    DEPLOYMENT = 9
    DECISION = 10
    OPERATION_LOG = 17
    HISTORIC_TASK = 19
    HISTORIC_INSTANCE = 20


WORKERS, INTEGRATION, DEPLOYERS = "workers", "integration", "deployers"
TECHNICAL = {
    WORKERS: "исполнители внешних задач",
    INTEGRATION: "связь с порталом",
    DEPLOYERS: "публикация диаграмм",
}
_SEES_ORDERS = ("directors", "productionDirectors")
_WATCHERS = ("auditors", "operators", "analysts")
_READ_ALL = ("READ", "READ_INSTANCE", "READ_TASK", "READ_HISTORY")
_REPAIRS = (*_READ_ALL, "UPDATE_INSTANCE", "RETRY_JOB", "SUSPEND_INSTANCE", "MIGRATE_INSTANCE")

_BY_GROUP: Mapping[str, Mapping[tuple[Resource, str], tuple[str, ...]]] = {
    "auditors": {
        (Resource.DEFINITION, "*"): _READ_ALL,
        (Resource.DEPLOYMENT, "*"): ("READ",),
        (Resource.OPERATION_LOG, "*"): ("READ",),
        (Resource.DECISION, "*"): ("READ", "READ_HISTORY"),
        (Resource.HISTORIC_TASK, "*"): ("READ",),
        (Resource.HISTORIC_INSTANCE, "*"): ("READ",),
    },
    "operators": {  # and what they do with each process but the register: entries are no business of theirs
        (Resource.DEPLOYMENT, "*"): ("READ",),
    },
    "analysts": {
        (Resource.DEFINITION, "*"): ("READ",),
        (Resource.DEPLOYMENT, "*"): ("READ",),
    },
    # external-task commands check these two; the server keeps this account to /external-task
    WORKERS: {(Resource.DEFINITION, "*"): ("READ_INSTANCE", "UPDATE_INSTANCE")},
    INTEGRATION: {
        (Resource.DEFINITION, "*"): (*_READ_ALL, "UPDATE_INSTANCE", "UPDATE_TASK"),
        (Resource.DEFINITION, REGISTER): ("CREATE_INSTANCE",),
        (Resource.INSTANCE, "*"): ("CREATE",),
        (Resource.DEPLOYMENT, "*"): ("READ",),
        (Resource.OPERATION_LOG, "*"): ("READ",),
        (Resource.HISTORIC_TASK, "*"): ("READ",),
        (Resource.HISTORIC_INSTANCE, "*"): ("READ",),
        (Resource.USER, "*"): ("READ",),
        (Resource.GROUP, "*"): ("READ",),
    },
    DEPLOYERS: {
        (Resource.DEPLOYMENT, "*"): ("READ", "CREATE"),
        (Resource.DEFINITION, "*"): ("READ", "READ_INSTANCE", "UPDATE", "MIGRATE_INSTANCE"),
    },
}


def rows(starters: Mapping[str, Iterable[str]], groups: Iterable[str] = GROUPS) -> list[Authorization]:
    """Return every row that should be there. `starters`: process id -> groups that may start it; `groups`: all."""
    table: dict[tuple[str, Resource, str], set[str]] = {}

    def give(group: str, resource: Resource, resource_id: str, *permissions: str) -> None:
        table.setdefault((group, resource, resource_id), set()).update(permissions)

    for group in groups:
        for application in ("welcome", "cockpit" if group in _WATCHERS else "tasklist"):
            give(group, Resource.APPLICATION, application, "ACCESS")
        give(group, Resource.DEFINITION, ROUTE, "READ")
        give(group, Resource.DEFINITION, REGISTER, "READ")  # its form; entries are seen by who has their task
    give("operators", Resource.APPLICATION, "tasklist", "ACCESS")
    for process in {ROUTE, *starters} - {REGISTER}:
        give("operators", Resource.DEFINITION, process, *_REPAIRS)
    for group in _SEES_ORDERS:
        give(group, Resource.DEFINITION, ROUTE, "READ_INSTANCE", "READ_TASK", "READ_HISTORY")
    for process, entitled in starters.items():
        for group in entitled:
            give(group, Resource.DEFINITION, process, "READ", "CREATE_INSTANCE")
            give(group, Resource.INSTANCE, "*", "CREATE")
    for group, given in _BY_GROUP.items():
        for (resource, resource_id), permissions in given.items():
            give(group, resource, resource_id, *permissions)
    return [
        Authorization(group, int(resource), resource_id, frozenset(permissions))
        for (group, resource, resource_id), permissions in table.items()
    ]


def filter_row(filter_id: str, group: str | None = None) -> Authorization:
    """Return the row that shows a filter to a group, to everybody without one."""
    if group is None:
        return Authorization("*", int(Resource.FILTER), filter_id, frozenset({"READ"}), kind=GLOBAL)
    return Authorization(group, int(Resource.FILTER), filter_id, frozenset({"READ"}))


def department_filter(group: str) -> Mapping[str, object]:
    """Return the tasks of a department, held ones included: what its head hands out, also as no member of it."""
    return {"candidateGroups": [group], "includeAssignedTasks": True}


FILTERS: Mapping[str, Mapping[str, object]] = {
    "Мои задачи": {"assigneeExpression": "${currentUser()}"},
    "Мой отдел": {"candidateGroupsExpression": "${currentUserGroups()}", "includeAssignedTasks": True},
    "Просрочено": {"dueBeforeExpression": "${now()}"},
    "На сегодня": {
        "dueAfterExpression": "${dateTime().withTimeAtStartOfDay()}",
        "dueBeforeExpression": "${dateTime().withTimeAtStartOfDay().plusDays(1)}",
    },
}
"""Filters of the Tasklist, in the order in which people see them; each shows only what its reader may see."""

FILTER_COLUMNS = (("orderKey", "Заказ"), ("customerName", "Заказчик"), ("itemDescription", "Изделие"))
"""Variables beside a task in the list; its name and its due date stand there anyway."""


# Where our rows are looked for: not among the engine's own, two for each open task.
MANAGED: tuple[Mapping[str, object], ...] = (
    {"resourceId": "*"},
    {"resourceType": int(Resource.APPLICATION)},
    {"resourceType": int(Resource.DEFINITION)},
)


def managed(row: Authorization) -> bool:
    """Tell whether a row is one that bootstrap may delete; the engine keeps its own rows for single tasks."""
    return row.resource_id == "*" or row.resource in (Resource.APPLICATION, Resource.DEFINITION)
