"""The engine's accounts and rights are the staff file's: repeatable, and nobody may more than the table says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr
from shop import Shop, good_answer, pdf_file

from engine.deploy import deployed_starters
from engine.errors import Forbidden, NotFound, Unauthorized
from engine.identity import bootstrap, reset_password
from engine.rights import FILTERS, ROUTE
from orders.persons import Person, Staff

pytestmark = pytest.mark.engine


def test_the_first_bootstrap_did_everything(shop: Shop) -> None:
    assert shop.bootstrapped.changed and not shop.bootstrapped.warnings
    assert {f["name"] for f in shop.admin.identity.filters()} >= set(FILTERS)


def test_a_second_bootstrap_changes_nothing(shop: Shop) -> None:
    report = bootstrap(shop.admin, shop.staff, deployed_starters(shop.admin), shop.passwords)
    assert (report.changes, report.warnings, report.passwords) == ([], [], {})


def test_who_leaves_is_deleted_and_the_work_goes_back(shop: Shop) -> None:
    starters = deployed_starters(shop.admin)
    newcomer = Person("newcomer", "Пётр Новый", ("directors",), heads=("designers",))
    grown = Staff((*shop.staff.persons, newcomer))
    report = bootstrap(shop.admin, grown, starters, shop.passwords)
    assert set(report.passwords) == {"newcomer"}
    order = shop.start_order()
    step = shop.open_step(order)
    shop.person("newcomer").tasks.claim(step.engine_task or "", "newcomer")
    assert "newcomer" in shop.admin.identity.members("designersHeads")
    report = bootstrap(shop.admin, shop.staff, starters, shop.passwords)
    assert any("Удалён newcomer" in change for change in report.changes)
    assert any("возвращено от newcomer в отдел" in change for change in report.changes)
    assert shop.admin.identity.users(id_="newcomer") == []
    assert shop.open_step(order).assignee is None


def test_groups_and_names_follow_the_file(shop: Shop) -> None:
    starters = deployed_starters(shop.admin)
    changed = Staff(tuple(replace(p, name="Вера Орлова") if p.id == "orlov" else p for p in shop.staff.persons))
    report = bootstrap(shop.admin, changed, starters, shop.passwords)
    assert report.changes == ["Обновлены данные orlov"]
    (user,) = shop.admin.identity.users(id_="orlov")
    assert (user.first, user.last) == ("Вера", "Орлова")
    assert bootstrap(shop.admin, shop.staff, starters, shop.passwords).changes == ["Обновлены данные orlov"]


def test_a_password_is_reset_and_put_back(shop: Shop) -> None:
    shop.signed_in("orlov").version()
    fresh = reset_password(shop.admin, "orlov")
    assert shop.admin.identity.password_is("orlov", fresh)
    with pytest.raises(Unauthorized):
        shop.signed_in("orlov").version()
    report = bootstrap(shop.admin, shop.staff, deployed_starters(shop.admin), shop.passwords)
    assert report.changes == ["Сменён пароль orlov"]
    shop.signed_in("orlov").version()


def test_a_rights_row_too_much_is_taken_away(shop: Shop) -> None:
    starters = deployed_starters(shop.admin)
    more = {**starters, ROUTE: (*starters[ROUTE], "designers")}
    assert bootstrap(shop.admin, shop.staff, more, shop.passwords).changed
    report = bootstrap(shop.admin, shop.staff, starters, shop.passwords)
    assert len(report.changes) == 2 and not [c for c in report.changes if "designers" not in c]


@pytest.mark.parametrize("group", ["designers", "accounting", "workshop", "shipping", "auditors", "analysts"])
def test_only_creators_start_orders(group: str, shop: Shop) -> None:
    outsiders = [p for p in shop.staff.members(group) if "orderCreators" not in p.groups]
    request = {"customerName": "x", "customerContact": "y", "itemDescription": "z", "orderFile": pdf_file("a.pdf")}
    with pytest.raises((Forbidden, NotFound)):
        shop.signed_in(outsiders[0].id).processes.start(ROUTE, request)


def test_staff_cannot_step_around_the_route(shop: Shop) -> None:
    order = shop.start_order()
    step = shop.open_step(order)
    director = shop.signed_in("orlov")
    for call in (
        lambda: director.processes.set_variable(order.id, "customerName", "другой"),
        lambda: director.processes.delete(order.id),
        lambda: director.deployments.create("x", {"a.bpmn": b"<x/>"}),
        lambda: director.identity.set_password("belova", SecretStr("x")),
        lambda: director.identity.delete_user("orlov"),
    ):
        with pytest.raises((Forbidden, NotFound)):
            call()
    assert shop.reader.snapshot(order.id).open == (step,)


def test_an_auditor_reads_history_and_writes_nothing(shop: Shop) -> None:
    order = shop.start_order()
    step = shop.open_step(order)
    auditor = shop.signed_in(shop.member("auditors"))
    assert auditor.history.instance(order.id).business_key == order.business_key
    assert auditor.history.updates(processInstanceId=order.id)
    with pytest.raises((Forbidden, NotFound)):
        auditor.tasks.complete(step.engine_task or "", good_answer(step.task_id))


def test_a_worker_reaches_external_tasks_only(shop: Shop) -> None:
    worker = shop.signed_in("worker")
    assert isinstance(worker.external.find(maxResults=1), list)
    order = shop.start_order()
    for call in (
        lambda: worker.tasks.of_instance(order.id),
        lambda: worker.processes.variables(order.id),
        lambda: worker.history.instance(order.id),
    ):
        with pytest.raises(Forbidden):
            call()
