"""A person's answer is taken once, from the right person, at the open step; otherwise nothing changes."""

from __future__ import annotations

import threading

import pytest
from shop import Shop, good_answer, pdf_file

from engine.errors import EngineError, Forbidden, GateRefused, NotFound, NotYours, StaleVisit
from engine.submit import Submitted, submit
from orders.errors import Refused

pytestmark = pytest.mark.engine


def test_an_answer_claims_and_completes_as_that_person(shop: Shop) -> None:
    order = shop.start_order()
    step = shop.open_step(order)
    done = submit(shop.person("orlov"), step, good_answer(step.task_id))
    assert done == Submitted(step.engine_task or "", "UserTask_ApproveOrder", order.id, "orlov", claimed=True)
    (visit,) = shop.reader.snapshot(order.id).done
    assert (visit.person, visit.visit) == ("orlov", step.visit)
    people = {o["userId"] for o in shop.admin.history.operations(processInstanceId=order.id) if o["taskId"]}
    assert people == {"orlov"}, "the operation log must name the person, not the account"


def test_a_colleague_may_answer_a_claimed_step(shop: Shop) -> None:
    order = shop.start_order()
    step = shop.open_step(order)
    shop.person("orlov").tasks.claim(step.engine_task or "", "orlov")
    done = submit(shop.person("belova"), step, good_answer(step.task_id))
    assert not done.claimed


def test_the_wrong_person_is_refused_in_russian_and_by_the_engine(shop: Shop) -> None:
    order = shop.start_order()
    step = shop.open_step(order)
    stranger = shop.member("designers")
    with pytest.raises(NotYours, match="другой отдел") as caught:
        submit(shop.person(stranger), step, good_answer(step.task_id))
    assert isinstance(caught.value, Refused)
    own = shop.signed_in(stranger)
    with pytest.raises((NotFound, Forbidden)):
        own.tasks.get(step.engine_task or "")
    for call in (
        lambda: own.tasks.claim(step.engine_task or "", stranger),
        lambda: own.tasks.complete(step.engine_task or "", good_answer(step.task_id)),
    ):
        with pytest.raises((NotFound, Forbidden)):
            call()
    assert shop.reader.snapshot(order.id).open == (step,)


def test_an_answer_to_a_closed_step_is_stale(shop: Shop) -> None:
    order = shop.start_order()
    step = shop.open_step(order)
    shop.answer(order)
    with pytest.raises(StaleVisit, match="уже закрыт"):
        submit(shop.person("orlov"), step, good_answer(step.task_id))


def test_an_answer_to_an_earlier_visit_of_the_step_is_stale(shop: Shop) -> None:
    order = shop.start_order()
    first = shop.carry_to(order, "UserTask_PrepareDesign")
    shop.carry_to(order, "UserTask_SetReadyDate")
    shop.answer(order, readyDecision="return", readyComment="Переделать")
    second = shop.carry_to(order, "UserTask_PrepareDesign")
    designer = shop.person(shop.member("designers"))
    answer = {"designFile": pdf_file("новый.pdf")}
    with pytest.raises(StaleVisit):
        submit(designer, second.engine_task or "", answer, visit=first.visit)
    assert submit(designer, second.engine_task or "", answer, visit=second.visit).claimed


def test_an_answer_before_the_step_has_opened_waits(shop: Shop) -> None:
    order = shop.start_order()
    shop.open_step(order)
    shop.answer(order)
    (opening,) = shop.reader.snapshot(order.id).open
    with pytest.raises(StaleVisit, match="ещё открывается"):
        submit(shop.person(shop.member("designers")), opening, good_answer(opening.task_id))


def test_a_refusal_changes_nothing_not_even_the_claim(shop: Shop) -> None:
    order = shop.start_order()
    step = shop.carry_to(order, "UserTask_PrepareDesign")
    with pytest.raises(GateRefused) as caught:
        submit(shop.person(shop.member("designers")), step, {"designComment": "без файла"})
    said = str(caught.value)
    assert "окументац" in said and "Cannot" not in said and "task" not in said
    after = shop.reader.snapshot(order.id)
    assert after.open == (step,)
    assert "designComment" not in after.variables


def test_two_answers_at_once_make_one(shop: Shop) -> None:
    order = shop.start_order()
    step = shop.open_step(order)
    barrier = threading.Barrier(2)
    outcomes: list[Submitted | EngineError] = []

    def answer(person: str) -> None:
        barrier.wait(10)
        try:
            outcomes.append(submit(shop.person(person), step, good_answer(step.task_id)))
        except EngineError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=answer, args=(person,)) for person in ("orlov", "belova")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(o, Submitted) for o in outcomes) == 1
    assert len(shop.reader.snapshot(order.id).done) == 1
