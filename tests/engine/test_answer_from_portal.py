"""Rule: whatever door of the portal an answer came through, it completes the step once, as that person, or changes
nothing and says why in one sentence.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mirrored import ZONE, the_route
from proxy import Fault, Proxy
from samples import make_pdf
from shop import Shop

from app.judging import StepJudge
from attachments.judge import Judge
from bitrix_sync.desk import AlreadyDone, Desk
from diagram.stages import read_route
from engine.client import EngineClient
from engine.snapshot import DeployedRoutes, SnapshotReader
from ledger import Ledger
from orders.errors import Refused, Transient
from orders.reply import Reply, SentFile

pytestmark = pytest.mark.engine


@pytest.fixture
def desk(shop: Shop, tmp_path: Path) -> Iterator[Desk]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield new_desk(shop, ledger, shop.integration)
    ledger.close()


def new_desk(shop: Shop, ledger: Ledger, client: EngineClient) -> Desk:
    reader = SnapshotReader(client, DeployedRoutes(client, read_route))
    return Desk(reader, client, ledger, shop.staff, StepJudge(Judge()), zone=ZONE, newest_route=the_route)


def yes(comment: str = "Берём") -> Reply:
    return Reply({"directorDecision": "approve", "directorComment": comment})


def test_an_answer_is_the_persons_own_and_a_repeat_changes_nothing(shop: Shop, desk: Desk) -> None:
    order = shop.start_order()
    step = shop.open_step(order)
    directors = shop.staff.members("directors")
    accepted = desk.submit(step.visit, directors[0].id, yes())
    assert (accepted.person_name, accepted.repeated) == (directors[0].name, False)
    (done,) = shop.reader.snapshot(order.id).done
    assert (done.person, done.decision, done.comment) == (directors[0].id, "approve", "Берём")
    assert desk.submit(step.visit, directors[0].id, yes("другое")).repeated
    with pytest.raises(AlreadyDone, match=rf"^Шаг уже выполнен: {directors[0].name}, \w\w \d+ \w+, \d\d:\d\d$"):
        desk.submit(step.visit, shop.member("productionDirectors"), yes())
    assert shop.reader.snapshot(order.id).done == (done,)


def test_ten_at_once_complete_it_once(shop: Shop, desk: Desk) -> None:
    order = shop.start_order()
    step = shop.open_step(order)
    who = shop.member("directors")
    with ThreadPoolExecutor(10) as pool:
        taken = list(pool.map(lambda _: desk.submit(step.visit, who, yes()), range(10)))
    assert [each.repeated for each in taken].count(False) == 1
    assert len(shop.reader.snapshot(order.id).done) == 1


def test_refusals_are_sentences_and_nothing_has_changed(shop: Shop, desk: Desk) -> None:
    order = shop.start_order()
    step = shop.open_step(order)
    who = shop.member("directors")
    for person, reply, words in (
        (who, Reply({}), "Не хватает: «Решение»"),
        (who, Reply({"directorDecision": "reject"}), "Не хватает: причина в поле «Комментарий»"),
        (shop.member("designers"), yes(), "Этот шаг выполняет другой отдел: ответ не принят"),
        ("nobody", yes(), "Этот шаг выполняет другой отдел: ответ не принят"),
    ):
        with pytest.raises(Refused) as refused:
            desk.submit(step.visit, person, reply)
        assert str(refused.value) == words
    with pytest.raises(Refused, match="Такого шага нет"):
        desk.submit("Sync:never", who, yes())
    assert shop.reader.snapshot(order.id).done == ()
    (task,) = shop.integration.tasks.of_instance(order.id)
    assert task.assignee is None, "the claim was taken back"


def test_files_are_judged_before_anything_is_done(shop: Shop, desk: Desk) -> None:
    order = shop.start_order()
    step = shop.carry_to(order, "UserTask_PrepareDesign")
    who = shop.member("designers")
    forged = Reply({}, {"designFile": (SentFile("план.pdf", make_pdf()), SentFile("чертёж.pdf", b"MZ\x90 program"))})
    with pytest.raises(Refused, match=r"^«чертёж\.pdf»: "):
        desk.submit(step.visit, who, forged)
    assert "UserTask_PrepareDesign" not in [v.task_id for v in shop.reader.snapshot(order.id).done]
    good = Reply({}, {"designFile": (SentFile("план.pdf", make_pdf("a")), SentFile("вид.pdf", make_pdf("b")))})
    desk.submit(step.visit, who, good)
    shop.drain(order)
    held = {f.variable: f.name for f in shop.reader.snapshot(order.id).files}
    assert held["designFile"] == "план.pdf" and held["designFile_2"] == "вид.pdf"


def test_an_answer_of_an_earlier_visit_or_an_ended_order_is_not_taken(shop: Shop, desk: Desk) -> None:
    order = shop.start_order()
    first = shop.carry_to(order, "UserTask_PrepareDesign")
    shop.carry_to(order, "UserTask_SetReadyDate")
    who = shop.member("productionDirectors")
    desk.submit(shop.open_step(order).visit, who, Reply({"readyDecision": "return", "readyComment": "Нет размеров"}))
    second = shop.open_step(order)
    assert second.task_id == first.task_id and second.visit != first.visit
    with pytest.raises(AlreadyDone):
        desk.submit(first.visit, who, Reply())
    shop.admin.processes.delete(order.id)
    with pytest.raises(Refused, match="больше не нужен"):
        desk.submit(second.visit, shop.member("designers"), Reply({}, {"designFile": (SentFile("a.pdf", make_pdf()),)}))


def test_a_lost_receipt_loses_and_doubles_nothing(shop: Shop, desk: Desk, tmp_path: Path) -> None:
    """Each completion is done by the engine and its answer thrown away."""
    line = Proxy(shop.engine.port)
    cut = Fault("lose", r"POST \S+/complete ")
    line.faults(cut)
    ledger = Ledger(f"sqlite:///{tmp_path / 'second.db'}")
    account = shop.integration_credentials
    client = EngineClient(shop.url.replace(str(shop.engine.port), str(line.port)), account.user, account.password)
    try:
        there = new_desk(shop, ledger, client)
        for _ in range(4):
            order = shop.start_order()
            step = shop.open_step(order)
            with contextlib.suppress(Transient):
                there.submit(step.visit, shop.member("directors"), yes())
            assert desk.submit(step.visit, shop.member("directors"), yes()).repeated
            assert len(shop.reader.snapshot(order.id).done) == 1
        assert cut.hits == 4
    finally:
        client.close()
        ledger.close()
        line.close()
