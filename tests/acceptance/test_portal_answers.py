"""Rule: a task that somebody finishes in the portal completes the step as that person, or comes back with the reason.

The answer stands in the card's fields or in the task's results; it is found without any event; a foreign, forged,
incomplete, early or late one changes nothing in the engine.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from chain import Chain, open_chain
from ownshop import open_own
from portaldesk import Desk, file, notices
from samples import make_pdf

from orders import discussion

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """One worker that looks at the portal every two seconds; no events come.

    The engine is its own: the round over all cards looks at orders of other tests too, whose cards are elsewhere.
    """
    folder = tmp_path_factory.mktemp("answers")
    with (
        open_own(folder / "engine") as shop,
        open_chain(shop, folder / "chain", lock_seconds=15, bitrix_poll_seconds=2) as opened,
    ):
        opened.work()
        yield opened


def test_a_route_is_answered_in_cards_and_tasks(chain: Chain) -> None:
    desk = Desk(chain, chain.shop.start_order())
    task = desk.finish("UserTask_ApproveOrder", "belova")
    assert desk.refused(task, "belova").startswith(
        f"Заказ {desk.key}, «Согласовать заказ»: ответ не принят. Не хватает: «Решение». "
    )
    desk.fill("belova", directorDecision="approve", directorComment="Берём [B]сразу[/B]")
    desk.finish("UserTask_ApproveOrder", "belova")
    done = desk.wait_done("UserTask_ApproveOrder")
    assert (done.person, done.decision, done.comment) == ("belova", "approve", "Берём [B]сразу[/B]")

    desk.task("UserTask_PrepareDesign")
    desk.fill("volkov", designFile=[file("Чертёж №1.pdf", make_pdf("a")), file("план.pdf", b"MZ\x90 a program")])
    task = desk.finish("UserTask_PrepareDesign", "volkov")
    assert "«план.pdf»" in desk.refused(task, "volkov")
    assert desk.done("UserTask_PrepareDesign") == []
    desk.fill("volkov", designFile=[file("Чертёж №1.pdf", make_pdf("a")), file("план.pdf", make_pdf("b"))])
    desk.finish("UserTask_PrepareDesign", "volkov")
    desk.wait_done("UserTask_PrepareDesign")

    task = desk.task("UserTask_PrepareEstimate")
    desk.fill("elena", estimateSum="125000.50|RUB")
    chain.portal.result(task["id"], desk.user("elena"), "С доставкой", {"Смета.pdf": make_pdf("смета")})
    desk.finish("UserTask_PrepareEstimate", "elena")
    done = desk.wait_done("UserTask_PrepareEstimate")
    assert (done.person, done.values["estimateSum"], done.comment) == ("elena", "125000.50", "С доставкой")

    task = desk.task("UserTask_AgreePrice")
    chain.portal.result(task["id"], desk.user("sokolova"), "Согласен. Ждут к Новому году")
    desk.finish("UserTask_AgreePrice", "sokolova")
    done = desk.wait_done("UserTask_AgreePrice")
    assert (done.person, done.decision, done.comment) == ("sokolova", "approve", "Ждут к Новому году")

    desk.task("UserTask_SetReadyDate")
    desk.fill("gromov", readyDecision="approve", readyBy="2099-03-01T18:00:00+03:00")
    desk.finish("UserTask_SetReadyDate", "gromov")
    assert desk.wait_done("UserTask_SetReadyDate").values["readyBy"] == "2099-03-01T18:00:00+03:00"
    desk.finish("UserTask_Manufacture", chain.shop.member("workshop"))
    desk.wait_done("UserTask_Manufacture")
    desk.task("UserTask_TellCustomer")

    files = {f.variable: f.name for f in chain.shop.reader.snapshot(desk.order.id).files}
    assert files["designFile"] == "Чертёж №1.pdf" and files["estimateFile"] == "Смета.pdf"
    chain.verdict(desk.order)


def test_who_starts_or_gets_a_task_holds_the_step_and_nobody_else_does(chain: Chain) -> None:
    """Started is claimed; given to a colleague it is theirs; given to another department it comes back with a word."""
    desk = Desk(chain, chain.shop.start_order())
    chain.carry(desk.order, "ApproveOrder")
    task, staff = desk.task("UserTask_PrepareDesign"), chain.shop.staff
    first = staff.of_bitrix(int(task["responsibleId"]))
    assert first is not None
    second, third = [p for p in staff.members("designers") if p.id != first.id][:2]

    def call(method: str, person: str, **more: Any) -> None:
        chain.portal.call(f"tasks.task.{method}", {"taskId": task["id"], **more}, user=desk.user(person))

    def held_by(person: str) -> bool:
        shown = next(t for t in chain.book.open_tasks(desk.key) if t["id"] == task["id"])
        held = chain.step(desk.order, "UserTask_PrepareDesign").assignee
        return held == person and shown["responsibleId"] == str(desk.user(person))

    call("start", second.id)
    chain.wait(lambda: held_by(second.id), "the starter holds the step")
    call("delegate", second.id, userId=desk.user(third.id))
    chain.wait(lambda: held_by(third.id), "the colleague holds the step")
    call("delegate", third.id, userId=desk.user("elena"))
    told = chain.wait(lambda: _told(chain, desk, third.id, "нельзя передать"), "told that it cannot be given")
    begins = f"Заказ {desk.key}, «Разработать документацию»: задачу нельзя передать: "
    assert told == [f"{begins}{staff.name('elena')} этот шаг не выполняет. Она возвращена: {third.name}."]
    chain.wait(lambda: held_by(third.id), "the task is back")
    assert chain.incidents(desk.order) == []


def _told(chain: Chain, desk: Desk, person: str, words: str) -> list[str]:
    sent = (line["params"] for line in chain.portal.log("im.notify.personal.add", applied=True))
    return [p["MESSAGE"] for p in sent if int(p["USER_ID"]) == desk.user(person) and words in p["MESSAGE"]]


def test_a_stranger_and_another_department_are_told_and_nothing_is_done(chain: Chain) -> None:
    desk = Desk(chain, chain.shop.start_order())
    task = desk.task("UserTask_ApproveOrder")
    chain.portal.set_users([{"id": 900, "name": "Чужой", "lastName": "Человек", "active": True, "admin": True}])
    for user, words in ((900, "нет в списке сотрудников"), (desk.user("volkov"), "другой отдел")):
        chain.portal.set_users([{"id": user, "admin": True}])
        chain.book.portal.call("tasks.task.complete", {"taskId": task["id"]}, user=user)

        def said(user: int = user) -> list[str]:
            held = chain.portal.log("im.notify.personal.add", applied=True)
            return [line["params"]["MESSAGE"] for line in held if int(line["params"]["USER_ID"]) == user]

        assert words in chain.wait(lambda: [t for t in said() if desk.key in t], f"{user} told")[-1]
        chain.wait(lambda: any(t["id"] == task["id"] for t in chain.book.open_tasks(desk.key)), "renewed")
        chain.portal.set_users([{"id": user, "admin": False}])
    assert desk.done("UserTask_ApproveOrder") == []


def test_what_was_done_in_tasklist_is_not_done_again(chain: Chain) -> None:
    desk = Desk(chain, chain.shop.start_order())
    task = desk.task("UserTask_ApproveOrder")
    desk.fill("belova", directorDecision="reject", directorComment="Нет")
    chain.answer(desk.order, "UserTask_ApproveOrder")
    chain.portal.call("tasks.task.get", {"taskId": task["id"]})
    desk.task("UserTask_PrepareDesign")
    chain.wait(lambda: all(t["id"] != task["id"] for t in chain.book.open_tasks(desk.key)), "the old task closed")
    (done,) = desk.done("UserTask_ApproveOrder")
    assert done.decision == "approve" and desk.told("belova") == []
    chain.verdict(desk.order)


def test_what_people_write_on_a_card_is_in_the_orders_history_once(chain: Chain) -> None:
    """Without any event the sweep finds it; our own comments never come back; a lost ledger repeats nothing."""
    desk = Desk(chain, chain.shop.start_order())
    desk.task("UserTask_ApproveOrder")
    card = int(chain.book.card(desk.key)["id"])
    owner = {"ENTITY_ID": card, "ENTITY_TYPE": chain.book.schema.owner_type}

    def say(user: int, text: str, **more: Any) -> None:
        chain.portal.call("crm.timeline.comment.add", {"fields": owner | {"COMMENT": text, **more}}, user=user)

    measured = make_pdf("замер")
    say(
        103,
        "Заказчик просит [B]дуб[/B], [USER=106]Дмитрий Волков[/USER], глянь",
        FILES=[file("фото.jpg", b"x"), file("замер.pdf", measured)],
    )
    say(106, "Гляну завтра")
    chain.answer(desk.order, "UserTask_ApproveOrder")
    desk.task("UserTask_PrepareDesign")

    def kept() -> list[tuple[str, str, tuple[str, ...]]]:
        return [(s.person, s.text, s.files) for s in discussion.read(chain.shop.reader.discussion(desk.order.id))]

    wanted = [
        ("sokolova", "Заказчик просит дуб, @Дмитрий Волков, глянь", ("фото.jpg", "замер.pdf")),
        ("volkov", "Гляну завтра", ()),
    ]
    chain.wait(lambda: kept() == wanted, "both comments kept")
    say(106, "Готово")
    chain.parts.mirror.sweep()
    assert kept() == [*wanted, ("volkov", "Готово", ())]
    for key in chain.parts.ledger.keys_of(desk.key):
        if ":talk:" in key:
            chain.parts.ledger.undo(key)
    chain.parts.mirror.sweep()
    written = [
        u for u in chain.shop.integration.history.updates(processInstanceId=desk.order.id) if u.name == "discussion"
    ]
    assert (len(kept()), len(written)) == (3, 3), "one write a comment, and no more"
    papers = [f for f in chain.shop.reader.snapshot(desk.order.id).files if f.variable.startswith("paper_")]
    assert [(f.name, f.by) for f in papers] == [("замер.pdf", "sokolova")], "what is no photo is not kept"
    assert chain.shop.reader.file_bytes(desk.order.id, papers[0].variable) == ("замер.pdf", measured)
    chain.verdict(desk.order)


@pytest.mark.parametrize("orders", [4, pytest.param(50, marks=pytest.mark.soak)])
def test_answers_are_taken_once_whatever_the_line_does(chain: Chain, orders: int) -> None:
    """A third of our requests loses its answer after it was done; copied, early, late and forged hints rain down."""
    chance = random.Random(orders)
    desks = [Desk(chain, chain.shop.start_order()) for _ in range(orders)]
    for desk in desks:
        desk.task("UserTask_ApproveOrder")
    ours = ["batch", "tasks.task.add", "tasks.task.result.list", "im.notify.personal.add", "crm.timeline.*"]
    chain.portal.faults({"kind": "lost_answer", "methods": ours, "fraction": 0.33}, seed=orders)
    stop = threading.Event()

    def rain() -> None:
        tasks = [str(n) for n in range(8000, 8000 + 4 * orders)]
        while not stop.wait(0.05):
            chain.parts.ledger.hint("task", chance.choice(tasks))
            chain.parts.ledger.hint(f"item:{chain.book.schema.entity_type_id}", str(chance.randint(1, 3 * orders)))
            chain.parts.ledger.hint("comment", str(chance.randint(300, 400)))

    falling = threading.Thread(target=rain)
    falling.start()
    try:
        for n, desk in enumerate(desks):
            who = ("belova", "orlov")[n % 2]
            if n % 4 == 3:
                desk.finish("UserTask_ApproveOrder", who)  # without a decision: told, and given again
                continue
            desk.fill(who, directorDecision="approve", directorComment=f"Ответ {n}")
            desk.finish("UserTask_ApproveOrder", who)
        for n, desk in enumerate(desks):
            who = ("belova", "orlov")[n % 2]
            if n % 4 == 3:
                assert len(desk.told(who)) or chain.wait(lambda d=desk, w=who: d.told(w), "told")
                assert desk.done("UserTask_ApproveOrder") == []
                continue
            done = desk.wait_done("UserTask_ApproveOrder")
            assert (done.person, done.comment) == (who, f"Ответ {n}")
    finally:
        stop.set()
        falling.join()
        cut = sum(line["fault"] == "lost_answer" for line in chain.portal.log())
        chain.portal.faults()
    for n, desk in enumerate(desks):
        desk.task("UserTask_ApproveOrder" if n % 4 == 3 else "UserTask_PrepareDesign")
        assert len(desk.done("UserTask_ApproveOrder")) == (0 if n % 4 == 3 else 1)
    chain.verdict(*(desk.order for desk in desks))
    assert cut >= orders, f"only {cut} answers were lost"


def make_card(chain: Chain, person: str | int, **values: Any) -> int:
    """Make a card by hand as a person does."""
    fields = chain.book.schema.fields
    named = {fields[n].name if n in fields else n: v for n, v in values.items()}
    staff = chain.shop.staff.find(person) if isinstance(person, str) else None
    user = staff.bitrix_id if staff else person
    params = {"entityTypeId": chain.book.schema.entity_type_id, "fields": {"title": "Новый заказ", **named}}
    return int(chain.portal.call("crm.item.add", params, user=int(str(user)))["item"]["id"])


def test_a_card_made_by_hand_starts_an_order_once_it_is_complete(chain: Chain) -> None:
    """The author is told once what is missing; the order is theirs and the card stays the same one."""
    card = make_card(chain, "sokolova", customerName="ООО «Вектор»")
    about = f"Карточка № {card}"
    told = chain.wait(lambda: notices(chain, 103, about), "the author told what is missing")
    assert "Не хватает: «Контакт заказчика», «Что изготовить», файл «Файл заказчика»" in told[0]
    key = f"{chain.book.schema.entity_type_id}-{card}"
    assert chain.shop.reader.instances_of(key) == []
    update = {
        chain.book.schema.fields[name].name: value
        for name, value in {
            "customerContact": "+7 900 111-22-33",
            "itemDescription": "Стеллаж",
            "orderFile": file("эскиз.pdf", make_pdf("эскиз")),
            "budget": "90000|RUB",
        }.items()
    }
    chain.portal.call(
        "crm.item.update",
        {"entityTypeId": chain.book.schema.entity_type_id, "id": card, "fields": update},
        user=103,
    )
    (instance,) = chain.wait(lambda: chain.shop.reader.instances_of(key), "the order started")
    chain.wait(lambda: chain.shop.integration.tasks.of_instance(instance), "its first step open")
    order = chain.shop.reader.snapshot(instance)
    assert (order.initiator, order.variables["budget"], order.files[0].name) == ("sokolova", "90000.00", "эскиз.pdf")
    mine = [row for row in chain.book.cards() if row["xmlId"] == f"order:{key}"]
    assert [int(row["id"]) for row in mine] == [card]
    assert chain.book.schema.column_code(mine[0]["stageId"]) == "approve"
    assert len(notices(chain, 103, about)) == 1
    chain.verdict(chain.shop.integration.processes.instance(instance))


def test_a_card_of_somebody_else_goes_to_the_lost_column_and_starts_nothing(chain: Chain) -> None:
    complete = {
        "customerName": "Сосед",
        "customerContact": "+7",
        "itemDescription": "Полка",
        "orderFile": file("эскиз.pdf", make_pdf("эскиз")),
    }
    card = make_card(chain, "volkov", **complete)
    told = chain.wait(lambda: notices(chain, 106, f"Карточка № {card}"), "the author told")
    assert "заказ не заведён. Заказы заводят только сотрудники, которым это разрешено" in told[0]
    (row,) = [row for row in chain.book.cards() if int(row["id"]) == card]
    assert chain.book.schema.column_code(row["stageId"]) == "cancelled"
    key = f"{chain.book.schema.entity_type_id}-{card}"
    assert chain.shop.reader.instances_of(key) == []
    owner = {"ENTITY_ID": card, "ENTITY_TYPE": chain.book.schema.owner_type}
    said = chain.portal.call("crm.timeline.comment.list", {"filter": owner})
    assert [line["COMMENT"].split("\n")[0] for line in said] == [
        "Заказ не заведён. Заказы заводят только сотрудники, которым это разрешено."
    ]
