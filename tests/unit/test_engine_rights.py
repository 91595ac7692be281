"""The table of rights gives each group what its work needs and nothing that would open a side door."""

from __future__ import annotations

from engine.identity import HEADS, user_of, wanted_groups
from engine.rights import DEPLOYERS, INTEGRATION, ROUTE, WORKERS, Resource, managed, rows
from orders.adjustment import PROCESS as REGISTER
from orders.persons import GROUPS, Person

STARTERS = {
    ROUTE: ("orderCreators",),
    "cancel-order": ("directors", "commercial"),
    "reconcile-portal": (),
    REGISTER: (),
}
OVER_THE_REGISTER = {(Resource.DEFINITION, "*"), (Resource.DEFINITION, REGISTER)}
TABLE = {(r.who, r.resource, r.resource_id): r.permissions for r in rows(STARTERS)}


def who_has(permission: str) -> set[tuple[str, str]]:
    return {(who, resource_id) for (who, _, resource_id), held in TABLE.items() if permission in held}


def test_there_is_one_row_per_group_and_thing() -> None:
    assert len(TABLE) == len(rows(STARTERS))


def test_bootstrap_looks_where_its_rows_are() -> None:
    """It reads no rights of single tasks, of which a large shop has thousands: none may be among its own."""
    assert [row for row in rows(STARTERS) if not managed(row)] == []


def test_only_starters_start() -> None:
    assert who_has("CREATE_INSTANCE") == {
        ("orderCreators", ROUTE),
        ("directors", "cancel-order"),
        ("commercial", "cancel-order"),
        ("integration", "adjust-bonus"),
    }
    creators = {who for who, _ in who_has("CREATE")}
    assert creators == {"orderCreators", "directors", "commercial", DEPLOYERS, INTEGRATION}


def test_only_programs_and_operators_touch_instances() -> None:
    assert {who for who, _ in who_has("UPDATE_INSTANCE")} == {WORKERS, INTEGRATION, "operators"}
    assert {who for who, _ in who_has("UPDATE_TASK")} == {INTEGRATION}
    assert {who for who, _ in who_has("RETRY_JOB")} == {"operators"}


def test_nobody_deletes_or_owns() -> None:
    held = frozenset().union(*TABLE.values())
    assert not {p for p in held if p in ("ALL", "DELETE") or p.startswith("DELETE_")}


def test_order_contents_are_read_only_by_those_who_may() -> None:
    assert {who for who, _ in who_has("READ_HISTORY")} == {
        *("directors", "productionDirectors", "auditors", "operators", INTEGRATION),
    }


def test_the_auditor_cannot_write() -> None:
    held = frozenset().union(*(p for (who, _, _), p in TABLE.items() if who == "auditors"))
    assert held == {"ACCESS", "READ", "READ_INSTANCE", "READ_TASK", "READ_HISTORY"}


def test_technical_accounts_open_no_web_page() -> None:
    pages = {who for (who, resource, _) in TABLE if resource == Resource.APPLICATION}
    assert pages == set(GROUPS)


def test_every_department_has_a_group_of_its_heads() -> None:
    groups = {g.id: g.kind for g in wanted_groups()}
    assert all(groups[name] == "WORKFLOW" and groups[name + HEADS] == "HEADS" for name in GROUPS)
    assert {name for name, kind in groups.items() if kind == "SYSTEM"} == {WORKERS, INTEGRATION, DEPLOYERS}
    assert all(name.isalnum() for name in groups), "the engine refuses hyphens in ids"


def test_a_name_is_split_for_the_engine() -> None:
    user = user_of(Person("petrova", "Елена Петровна", email="e@x.example"))
    assert (user.first, user.last, user.email) == ("Елена", "Петровна", "e@x.example")
    assert user_of(Person("x", "Мастер")).last == ""


def test_entries_of_the_register_are_nobodys_but_the_auditors() -> None:
    """People see an entry by its task only; operators repair every other process."""
    readers = {
        who
        for (who, resource, thing), held in TABLE.items()
        if held & {"READ_INSTANCE", "READ_TASK", "READ_HISTORY"} and (resource, thing) in OVER_THE_REGISTER
    }
    assert readers == {"auditors", INTEGRATION, WORKERS, DEPLOYERS}, "programs are kept to their own calls besides"
    operators = {thing for (who, _, thing), held in TABLE.items() if who == "operators" and "RETRY_JOB" in held}
    assert operators == set(STARTERS) - {REGISTER}


def test_no_operator_reads_history_past_its_process() -> None:
    whole = (Resource.HISTORIC_TASK, Resource.HISTORIC_INSTANCE, Resource.OPERATION_LOG)
    assert {who for who, resource, _ in TABLE if resource in whole} == {"auditors", INTEGRATION}
