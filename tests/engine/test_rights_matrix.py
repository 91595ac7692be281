"""Rule: each account may do what it needs and nothing else: every step by every department, every route by every kind.

With `-s` the matrices are printed: + may and can, . may not and cannot, anything else is a fault.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest
from gate_models import door, state
from rights_table import IN_PAGES, KINDS, PAGES, READS, SEES_ALL, STAGES, WRITES, Row
from rights_world import (
    CUSTOMER,
    INITIATOR,
    Caller,
    World,
    account,
    by_pages,
    by_rest,
    peopled,
    succeeded,
    users_of,
)
from shop import Shop, good_answer

from engine.processes import Instance
from engine.variables import all_to_engine
from orders.errors import BusinessError
from orders.persons import GROUPS

pytestmark = pytest.mark.engine
PROGRAMS = "wid"
MARKS = {(True, True): "+", (False, False): ".", (True, False): "TOO MUCH", (False, True): "TOO LITTLE"}


@pytest.fixture(scope="module")
def mine(shop: Shop) -> Iterator[Shop]:
    with peopled(shop) as opened:
        yield opened


@pytest.fixture
def world(mine: Shop) -> World:
    return World(mine)


class Matrix:
    """What was found, and what it should have been."""

    def __init__(self, title: str, columns: Iterable[str]) -> None:
        self.title, self.columns = title, list(columns)
        self.cells: dict[str, dict[str, str]] = {}
        self.faults: list[str] = []

    def note(self, row: str, column: str, found: bool | None, said: str = "", *, wanted: bool) -> None:
        """Note one cell; `found` None is an answer that is neither yes nor a clear no."""
        mark = "UNCLEAR" if found is None else MARKS[found, wanted]
        self.cells.setdefault(row, {})[column] = mark
        if mark not in "+.":
            self.faults.append(f"{row} as {column}: {mark} {said}")

    def show(self) -> None:
        """Print it; at its end the sum."""
        wide = max(map(len, self.cells))
        lines = ["", self.title, f"{'':{wide}} {' '.join(self.columns)}"]
        for row, cells in self.cells.items():
            lines.append(f"{row:{wide}} " + " ".join(f"{cells.get(c, ' '):^{len(c)}}" for c in self.columns))
        tried = [mark for cells in self.cells.values() for mark in cells.values()]
        lines.append(f"{len(tried)} tried: {tried.count('+')} may, {tried.count('.')} may not")
        sys.stdout.write("\n".join([*lines, *self.faults, ""]))


# (a) every step, every department


def test_each_step_by_each_department(mine: Shop) -> None:
    callers = {group: by_rest(mine, account(group)) for group in GROUPS} | {"initiator": by_rest(mine, INITIATOR)}
    matrix = Matrix("step by department: claim, complete, read, file of another order, comment", callers)
    foreign = others(mine)
    order = refused_at_the_start(mine)
    for step, owner in STAGES.items():
        task = mine.open_step(order).engine_task or ""
        owners = {owner or "initiator"}
        may = {
            "claim": owners,
            "complete": owners,
            "comment": owners,
            "read": SEES_ALL | owners,
            "file of another": SEES_ALL,
        }
        at = (task, step, order, foreign)
        before = state(door(mine, "admin"), order.id)
        for action, act in ACTIONS.items():
            for group in sorted(set(callers) - may[action]):
                matrix.note(
                    f"{step.removeprefix('UserTask_')}: {action}", group, act(callers[group], *at), wanted=False
                )
        if state(door(mine, "admin"), order.id) != before:
            matrix.faults.append(f"{step}: what was refused changed the order")
        for action, act in ACTIONS.items():
            for group in sorted(may[action]):
                matrix.note(f"{step.removeprefix('UserTask_')}: {action}", group, act(callers[group], *at), wanted=True)
        mine.drain(order)
    matrix.show()
    assert matrix.faults == []
    assert len(matrix.cells) == 5 * len(STAGES)


def others(shop: Shop) -> dict[str, Any]:
    """Return an order that no department but the directors has a step of, with the places where its file lies."""
    return World(shop).spare("UserTask_ApproveOrder")


def refused_at_the_start(shop: Shop) -> Instance:
    """Start an order as the initiator whose file the judge refused."""
    order = shop.start_order(INITIATOR, customerName=CUSTOMER)
    said = BusinessError("ATTACHMENT_REJECTED", "Файл пуст", {"orderFile": None, "refusal_UserTask_FixRequest": "Пуст"})
    shop.drain(order, {"validate-attachments": said})
    return order


def any_of(caller: Caller, rows: Iterable[Row], values: Mapping[str, Any]) -> bool | None:
    """Tell whether one of these ways leads in."""
    found = [succeeded(caller.call(row, values), row, values) for row in rows]
    return True if True in found else (None if None in found else False)


def read(caller: Caller, task: str, _step: str, order: Instance, _foreign: Mapping[str, Any]) -> bool | None:
    of = "processInstanceId={order}&maxResults=500"
    ways = [
        "/task/{task}/variables?deserializeValues=false",
        "/process-instance/{order}/variables?deserializeValues=false",
        f"/history/variable-instance?{of}",
        f"/history/detail?{of}",
        "/variable-instance?processInstanceIdIn={order}&maxResults=500",
    ]
    rows = [Row("GET", way, "", shows=CUSTOMER) for way in ways]
    return any_of(caller, rows, {"task": task, "order": order.id})


def read_foreign(caller: Caller, _task: str, _step: str, _order: Instance, foreign: Mapping[str, Any]) -> bool | None:
    ways = [
        "/task/{task}/variables/orderFile/data",
        "/process-instance/{order}/variables/orderFile/data",
        "/execution/{order}/localVariables/orderFile/data",
        "/history/variable-instance/{file}/data",
        "/history/detail/{update}/data",
    ]
    return any_of(caller, [Row("GET", way, "") for way in ways], foreign)


def comment(caller: Caller, task: str, *_: Any) -> bool | None:
    row = Row("POST", "/task/{task}/comment/create", "", {"message": "Вижу"})
    return any_of(caller, [row], {"task": task})


def claim(caller: Caller, task: str, *_: Any) -> bool | None:
    return any_of(caller, [Row("POST", "/task/{task}/claim", "", {"userId": "{me}"})], {"task": task})


def complete(caller: Caller, task: str, step: str, *_: Any) -> bool | None:
    row = Row("POST", "/task/{task}/complete", "", {"variables": all_to_engine(good_answer(step))})
    return any_of(caller, [row], {"task": task})


ACTIONS: Mapping[str, Callable[[Caller, str, str, Instance, Mapping[str, Any]], bool | None]] = {
    "read": read, "file of another": read_foreign, "comment": comment, "claim": claim, "complete": complete,
}  # fmt: skip


# (b) every route, every kind of account; (c) the same through the pages


def test_each_route_by_each_kind_of_account(mine: Shop, world: World) -> None:
    callers = {kind: by_rest(mine, user) for kind, user in users_of("".join(KINDS)).items()}
    matrix = Matrix("REST: " + ", ".join(f"{k} {name}" for k, name in KINDS.items()), callers)
    probe(matrix, world, callers, [*READS, *WRITES])
    tidy(mine)
    matrix.show()
    assert matrix.faults == []


def test_the_pages_own_interface_likewise(mine: Shop, world: World) -> None:
    users = users_of("".join(KINDS))
    callers = {}
    for kind, user in users.items():
        app = "tasklist" if kind in "-sch" + PROGRAMS else "cockpit"
        if kind in PROGRAMS:
            with pytest.raises(AssertionError):
                by_pages(mine, user, app)
            continue
        callers[kind] = by_pages(mine, user, app)
    elsewhere = ("/order/", "/external-task/fetchAndLock")  # REST has them, the pages' interface does not serve them
    engine = [in_pages(row) for row in [*READS, *WRITES] if not row.path.startswith(elsewhere)]
    matrix = Matrix("pages: " + ", ".join(f"{k} {KINDS[k]}" for k in callers), callers)
    probe(matrix, world, callers, [*engine, *PAGES])
    tidy(mine)
    matrix.show()
    assert matrix.faults == []


def in_pages(row: Row) -> Row:
    """Return the same call as Tasklist and Cockpit make it."""
    may = "".join(k for k in row.may if k in IN_PAGES)
    path = "/api/engine/engine/default" + row.path
    return Row(row.method, path, may, row.body, row.shows, row.spends, row.files)


UNJUDGED = {row.path for row in [*READS, *map(in_pages, READS)]}
"""The holder's own readings: the department of a present step may see the order by any way."""


def probe(matrix: Matrix, world: World, callers: Mapping[str, Caller], rows: Iterable[Row]) -> None:
    """Let all try who may not, see that nothing changed, then those who may."""
    admin, order = world.admin, world.values["order"]
    before = state(admin, order)
    for row in rows:
        name = f"{row.method} {row.path.split('?')[0].removeprefix('/api/engine/engine/default')}"
        while name in matrix.cells:
            name += "'"
        for kind, caller in callers.items():
            if kind in row.may or (kind == "h" and row.path in UNJUDGED):
                continue
            matrix.note(name, kind, *outcome(caller, row, world.values), wanted=False)
        if row.method != "GET" and (after := state(admin, order)) != before:
            matrix.faults.append(f"{name}: what was refused changed the order")
            before = after
        for kind in (k for k in row.may if k in callers):
            values = world.values
            if row.spends:
                values = world.spare("UserTask_Manufacture" if kind == "h" else "UserTask_ApproveOrder")
            matrix.note(name, kind, *outcome(callers[kind], row, values), wanted=True)
        if row.method != "GET" and row.may and not row.spends:
            before = state(admin, order)


def outcome(caller: Caller, row: Row, values: Mapping[str, Any]) -> tuple[bool | None, str]:
    """Make a call; return whether it succeeded, and what was answered."""
    answer = caller.call(row, values)
    return succeeded(answer, row, values), f"{answer.status_code} {answer.text[:300]}"


def tidy(shop: Shop) -> None:
    """Take away what the permitted calls left: diagrams."""
    admin = door(shop, "admin")
    for row in admin.rows("/deployment?name=matrix"):
        assert admin.call("DELETE", f"/deployment/{row['id']}?cascade=true").status_code == 204
