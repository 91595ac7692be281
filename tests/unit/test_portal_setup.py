"""A portal is set up by codes, repeatably, completely or not at all; what is missing is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mirrored import the_route
from portal import LocalPortal
from pydantic import SecretStr

from bitrix_sync.client import PortalClient
from bitrix_sync.provision import provision
from bitrix_sync.read_schema import read_schema
from ledger import Ledger
from ledger.failpoints import reset_failpoints
from orders.errors import Permanent, Transient
from orders.stage import Route

ROUTE = the_route()


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[LocalPortal]:
    with LocalPortal(tmp_path / "portal") as opened:
        yield opened


@pytest.fixture
def client(portal: LocalPortal, tmp_path: Path) -> Iterator[PortalClient]:
    book = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield PortalClient(SecretStr(portal.webhook_url), book, rate=10_000, burst=10_000)
    book.close()


def written(portal: LocalPortal) -> list[str]:
    return [line["method"] for line in portal.log(applied=True)]


def test_a_second_set_up_writes_nothing_and_reads_the_same(portal: LocalPortal, client: PortalClient) -> None:
    schema = provision(client, ROUTE)
    before = len(written(portal))
    assert provision(client, ROUTE) == schema
    assert read_schema(client, ROUTE) == schema
    assert len(written(portal)) == before
    directory = {"ENTITY_ID": f"DYNAMIC_{schema.entity_type_id}_STAGE_{schema.category_id}"}
    rows = portal.call("crm.status.list", {"filter": directory, "order": {"SORT": "ASC"}})
    codes = [schema.column_code(row["STATUS_ID"]) for row in rows]
    assert codes == [*(stage.code for stage in ROUTE.stages), "delivered", "refused", "rejected", "cancelled"]
    assert rows[1]["NAME"] == "Согласование у директора"


def test_a_type_without_its_link_to_tasks_is_named_and_linked(portal: LocalPortal, client: PortalClient) -> None:
    schema = provision(client, ROUTE)
    assert "linkedUserFields" not in portal.call("crm.type.list")["types"][0], "the documents list it nowhere but alone"
    links = {"TASKS_TASK|UF_CRM_TASK": "false"}
    portal.call("crm.type.update", {"id": schema.type_id, "fields": {"linkedUserFields": links}})
    with pytest.raises(Permanent, match="привязка задач"):
        read_schema(client, ROUTE)
    assert provision(client, ROUTE) == schema


def test_renamed_things_are_found_by_their_codes(portal: LocalPortal, client: PortalClient) -> None:
    schema = provision(client, ROUTE)
    kind = {"id": schema.type_id, "fields": {"title": "Мебель на заказ"}}
    portal.call("crm.type.update", kind)
    assert read_schema(client, ROUTE, entity_type_id=schema.entity_type_id) == schema
    assert provision(client, ROUTE, entity_type_id=schema.entity_type_id) == schema
    assert len(portal.call("crm.type.list")["types"]) == 1


def test_an_interrupted_set_up_is_finished_not_doubled(portal: LocalPortal, client: PortalClient) -> None:
    reset_failpoints()
    for skip in (0, 5, 20):
        portal.faults({"kind": "lost_answer", "methods": ["*.add"], "skip": skip, "count": 1})
        with pytest.raises(Transient):
            provision(client, ROUTE)
    portal.faults()
    schema = provision(client, ROUTE)
    assert len(portal.call("crm.type.list")["types"]) == 1
    assert len(schema.columns) == len(ROUTE.stages) + 4


def test_without_rights_all_that_is_missing_is_named_and_nothing_is_made(portal: LocalPortal, tmp_path: Path) -> None:
    portal.set_users([{"id": 7, "name": "Ирина", "lastName": "Соколова", "active": True}])
    book = Ledger(f"sqlite:///{tmp_path / 'other.db'}")
    hook = SecretStr(portal.webhook_of(7, ["crm", "task"]))
    with pytest.raises(Permanent) as error:
        provision(PortalClient(hook, book, rate=10_000, burst=10_000), ROUTE)
    book.close()
    for word in ("администратор", "im", "disk", "userfieldconfig", "user", "Ничего не создано"):
        assert word in str(error.value)
    assert written(portal) == []


def test_a_choice_that_an_analyst_adds_comes_beside_the_old_ones(portal: LocalPortal, client: PortalClient) -> None:
    before = provision(client, ROUTE).fields["directorDecision"].choices
    after = provision(client, with_choice("defer", "Отложить")).fields["directorDecision"].choices
    assert after.keys() - before.keys() == {"defer"}
    assert {value: after[value] for value in before} == before


def with_choice(value: str, label: str) -> Route:
    """Return the route with one more answer for the director."""
    stages = []
    for stage in ROUTE.stages:
        more = [
            replace(f, choices=(*f.choices, (value, label))) if f.name == "directorDecision" else f
            for f in stage.fields
        ]
        stages.append(replace(stage, fields=tuple(more)))
    return replace(ROUTE, stages=tuple(stages))


def test_what_an_operator_took_away_is_named_and_made_again(portal: LocalPortal, client: PortalClient) -> None:
    schema = provision(client, ROUTE)
    listed = portal.call("userfieldconfig.list", {"moduleId": "crm", "filter": {"xmlId": "estimateSum"}})
    portal.call("userfieldconfig.delete", {"moduleId": "crm", "id": listed["fields"][0]["id"]})
    columns = portal.call("crm.status.list", {"filter": {"STATUS_ID": schema.columns["invoice"]}})
    portal.call("crm.status.delete", {"id": columns[0]["ID"]})
    with pytest.raises(Permanent) as error:
        read_schema(client, ROUTE)
    for word in ("estimateSum", "Выставление счёта", "bitrix setup"):
        assert word in str(error.value)
    assert provision(client, ROUTE).columns == schema.columns


def test_a_portal_that_was_never_set_up_says_what_to_run(client: PortalClient) -> None:
    with pytest.raises(Permanent, match="bitrix setup"):
        read_schema(client, ROUTE)
