"""Rule: no step waits for somebody who is away or gone: substitutes, then the department; and history says for whom."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from gate_models import door
from shop import Shop, good_answer

from engine.deploy import deployed_starters
from engine.errors import Forbidden, NotFound
from engine.identity import BootstrapReport, bootstrap
from engine.processes import Instance
from orders.errors import BusinessError
from orders.persons import Period, Person, Staff, Substitute

pytestmark = pytest.mark.engine
TODAY = datetime.now(UTC).date()
AFTER = TODAY + timedelta(days=30)
STEP = "UserTask_PrepareDesign"


@pytest.fixture
def tidy(shop: Shop) -> Iterator[None]:
    """Put the people back: the engine is shared."""
    yield
    shop.end_everything()
    settle(shop, shop.staff)


def settle(shop: Shop, staff: Staff, day: date = TODAY) -> BootstrapReport:
    """Bring the engine's people up to a staff file."""
    return bootstrap(shop.admin, staff, deployed_starters(shop.admin), shop.passwords, today=day)


def away(staff: Staff, who: str, substitute: str) -> Staff:
    """Return the staff in which somebody is substituted for these days."""
    absence = (Substitute(substitute, Period(TODAY - timedelta(days=1), TODAY + timedelta(days=1))),)
    return Staff(tuple(replace(p, substitutes=absence) if p.id == who else p for p in staff.persons))


def design(shop: Shop) -> tuple[Instance, str]:
    """Return an order at the designers' step."""
    order = shop.start_order()
    return order, shop.carry_to(order, STEP).engine_task or ""


def done(shop: Shop, order: Instance, step: str = STEP) -> dict[str, str]:
    """Return the mark that the completion left."""
    written = shop.reader.snapshot(order.id).variables[f"done_{step}"]
    return dict(json.loads(str(written)))


def test_a_substitute_of_another_department_does_the_step_and_history_says_for_whom(shop: Shop, tidy: None) -> None:
    staff = away(shop.staff, "lebedeva", "egorov")
    order, task = design(shop)
    egorov = shop.signed_in("egorov")
    with pytest.raises((Forbidden, NotFound)):
        egorov.tasks.complete(task, good_answer(STEP))
    assert shop.reader.fit_stand_ins(staff, TODAY) == 1
    assert shop.reader.fit_stand_ins(staff, TODAY) == 0, "a second sweep finds nothing to do"
    egorov.tasks.claim(task, "egorov")
    assert shop.reader.fit_stand_ins(staff, TODAY) == 0
    egorov.tasks.complete(task, good_answer(STEP))
    mark = done(shop, order)
    assert (mark["person"], mark["for"], mark["forName"]) == ("egorov", "lebedeva", "Мария Лебедева")


def test_when_the_time_is_over_the_substitute_may_not_any_more(shop: Shop, tidy: None) -> None:
    staff = away(shop.staff, "lebedeva", "egorov")
    order, task = design(shop)
    shop.reader.fit_stand_ins(staff, TODAY)
    assert shop.reader.fit_stand_ins(staff, AFTER) == 1
    egorov = shop.signed_in("egorov")
    for call in (
        lambda: egorov.tasks.claim(task, "egorov"),
        lambda: egorov.tasks.complete(task, good_answer(STEP)),
        lambda: egorov.tasks.variables(task),
    ):
        with pytest.raises((Forbidden, NotFound)):
            call()
    assert shop.reader.snapshot(order.id).open[0].users == ()


def test_what_the_absent_holds_the_substitute_does_for_them(shop: Shop, tidy: None) -> None:
    staff = away(shop.staff, "lebedeva", "egorov")
    order, task = design(shop)
    shop.person("lebedeva").tasks.claim(task, "lebedeva")
    assert shop.reader.fit_stand_ins(staff, TODAY) == 1
    shop.signed_in("egorov").tasks.complete(task, good_answer(STEP))
    assert done(shop, order)["for"] == "lebedeva"


def test_who_does_their_own_step_does_it_for_nobody(shop: Shop, tidy: None) -> None:
    order, task = design(shop)
    shop.person("lebedeva").tasks.claim(task, "lebedeva")
    shop.signed_in("lebedeva").tasks.complete(task, good_answer(STEP))
    assert "for" not in done(shop, order)


def test_a_leavers_steps_go_to_the_substitute_or_the_department(shop: Shop, tidy: None) -> None:
    newcomer = Person("newcomer", "Пётр Новый", ("designers", "orderCreators"))
    grown = Staff((*shop.staff.persons, newcomer))
    settle(shop, grown)
    first, noted = design(shop)
    shop.person("newcomer").tasks.claim(noted, "newcomer")
    assert shop.reader.fit_stand_ins(away(grown, "newcomer", "egorov"), TODAY) == 1
    second, plain = design(shop)
    shop.person("newcomer").tasks.claim(plain, "newcomer")
    own = shop.start_order("newcomer")
    refusal = BusinessError("ATTACHMENT_REJECTED", "Пуст", {"orderFile": None, "refusal_UserTask_FixRequest": "Пуст"})
    shop.drain(own, {"validate-attachments": refusal})
    report = settle(shop, shop.staff)
    said = "\n".join(report.changes)
    assert "передано от newcomer заместителю egorov" in said
    assert said.count("возвращено от newcomer в отдел") == 2
    assert shop.open_step(first).assignee == "egorov"
    assert shop.open_step(second).assignee is None
    fix = shop.open_step(own)
    assert (fix.assignee, fix.groups) == (None, ("orderCreators",))
    shop.signed_in("egorov").tasks.complete(noted, good_answer(STEP))
    assert done(shop, first)["for"] == "newcomer"
    colleague = shop.member("orderCreators")
    shop.signed_in(colleague).tasks.complete(fix.engine_task or "", good_answer("UserTask_FixRequest"))
    assert settle(shop, shop.staff).changes == []


def test_who_changes_the_department_gives_its_steps_back(shop: Shop, tidy: None) -> None:
    order, task = design(shop)
    shop.person("lebedeva").tasks.claim(task, "lebedeva")
    moved = Staff(tuple(replace(p, groups=("shipping",)) if p.id == "lebedeva" else p for p in shop.staff.persons))
    report = settle(shop, moved)
    assert any("возвращено от lebedeva в отдел" in change for change in report.changes)
    assert shop.open_step(order).assignee is None
    with pytest.raises((Forbidden, NotFound)):
        shop.signed_in("lebedeva").tasks.complete(task, good_answer(STEP))


def test_what_the_file_names_no_more_is_taken_away(shop: Shop, tidy: None) -> None:
    grown = Staff((*shop.staff.persons, Person("techno", "Тина", ("technologists",))), {"technologists": "технологи"})
    assert settle(shop, grown).changed
    shop.admin.identity.create_filter("Старый фильтр", {"assigneeExpression": "${currentUser()}"}, {})
    report = settle(shop, shop.staff)
    said = "\n".join(report.changes)
    assert "Удалён techno" in said
    assert "Удалена группа technologists:" in said and "Удалена группа technologistsHeads:" in said
    assert "Удалён фильтр «Старый фильтр»" in said
    admin = door(shop, "admin")
    assert admin.rows("/authorization?groupIdIn=technologists,technologistsHeads") == []
    assert not [g for g in shop.admin.identity.groups() if g.id.startswith("technologists")]
    assert (settle(shop, shop.staff).changes, report.warnings) == ([], [])
