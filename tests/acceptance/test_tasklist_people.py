"""Rule: in the Tasklist nothing typed is lost, nobody works beside another unknowingly, and lists say what each holds:
a session that ended, a colleague who was quicker, a refusal of the gate, a head who hands out, columns and counts.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from shop import Shop, pdf, wait_until
from webapps import SignIn, enter, open_step, picture, starts

from engine.processes import Instance

pytestmark = [pytest.mark.engine, pytest.mark.browser]


def done_by(shop: Shop, order: Instance, element: str) -> str | None:
    """Wait until a step is done once and return by whom."""

    def visits() -> list[str | None]:
        return [v.person for v in shop.reader.snapshot(order.id).done if v.task_id == element]

    (person,) = wait_until(visits, 20, f"{element} done")
    return person


def test_a_session_that_ended_says_so_and_loses_no_text(shop: Shop, sign_in: SignIn, tmp_path: Path) -> None:
    """The login page says it; after signing in the text stands there, and the file to choose again is named."""
    order = shop.start_order()
    shop.carry_to(order, "UserTask_PrepareDesign")
    (tmp_path / "эскиз №1.pdf").write_bytes(pdf("sketch"))
    page = open_step(shop, sign_in, order, "volkov")
    text = "Дубовый шпон, фурнитура Blum. " * 100
    page.fill("#designComment", text)
    page.set_input_files("#designFile", [tmp_path / "эскиз №1.pdf"])
    page.context.clear_cookies()
    page.click("#stage-done")
    expect(page.locator("#session-ended")).to_contain_text("Вход закончился")
    picture(page, "session-ended")
    enter(shop, page, "volkov")
    expect(page.locator("#stage-draft")).to_contain_text("«эскиз №1.pdf»")
    expect(page.locator("#designComment")).to_have_value(text)
    picture(page, "session-back")
    page.click("#stage-done")
    expect(page.locator("#designFile-wrong")).to_have_text("Приложите файл")
    page.set_input_files("#designFile", [tmp_path / "эскиз №1.pdf"])
    page.click("#stage-done")
    assert done_by(shop, order, "UserTask_PrepareDesign") == "volkov"
    assert shop.reader.snapshot(order.id).variables["designComment"] == text.strip()
    assert page.evaluate("Object.keys(sessionStorage).filter(k => k.startsWith('order-route:'))") == []


def test_what_one_typed_is_not_sent_by_who_signs_in_next(shop: Shop, sign_in: SignIn) -> None:
    """The page's own store would put it under the next person's answer, unseen."""
    order = shop.start_order()
    step = shop.carry_to(order, "UserTask_ApproveOrder").engine_task or ""
    page = open_step(shop, sign_in, order, "orlov")
    page.fill("#directorComment", "Только между нами")
    page.context.clear_cookies()
    page.click("#directorDecision-approve")
    expect(page.locator("#session-ended")).to_be_visible()
    assert page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('camForm'))") == []
    shop.signed_in("orlov").tasks.unclaim(step)
    shop.signed_in("belova").tasks.claim(step, "belova")
    enter(shop, page, "belova")
    expect(page.locator("#directorComment")).to_have_value("")
    page.click("#directorDecision-approve")
    assert done_by(shop, order, "UserTask_ApproveOrder") == "belova"
    assert "directorComment" not in shop.reader.snapshot(order.id).variables


def test_who_comes_second_is_told_who_has_it(shop: Shop, sign_in: SignIn) -> None:
    """At the claim, at the form of a step that is held, and at sending from a page that was opened before."""
    order = shop.start_order()
    step = shop.carry_to(order, "UserTask_ApproveOrder")
    page = open_step(shop, sign_in, order, "orlov", claim=False)
    expect(page.locator("#stage-holder")).to_contain_text("Принять в работу")
    belova = shop.signed_in("belova").tasks
    belova.claim(step.engine_task or "", "belova")
    page.click("button.claim")
    expect(page.locator(".page-notifications")).to_contain_text("Шаг уже в работе у другого: Наталья Белова")
    expect(page.locator(".page-notifications")).not_to_contain_text("claimed")
    picture(page, "second")
    page.reload()
    expect(page.locator("#stage-holder")).to_contain_text("Шаг в работе у другого: Наталья Белова")
    belova.unclaim(step.engine_task or "")
    page.reload()
    page.click("button.claim")
    expect(page.locator("#stage-root .answers button").first).to_be_enabled()
    page.fill("#directorComment", "Берём")
    shop.signed_in("orlov").tasks.unclaim(step.engine_task or "")
    belova.claim(step.engine_task or "", "belova")
    page.dispatch_event("#directorDecision-approve", "click")  # the page may have seen it by itself, and bars the mouse
    expect(page.locator("#stage-summary")).to_contain_text("шаг теперь у другого, Наталья Белова")
    expect(page.locator("#directorComment")).to_have_value("Берём")
    assert shop.open_step(order).assignee == "belova"


def test_a_step_that_is_over_says_so_and_keeps_the_text(shop: Shop, sign_in: SignIn) -> None:
    order = shop.start_order()
    shop.carry_to(order, "UserTask_ApproveOrder")
    page = open_step(shop, sign_in, order, "orlov")
    page.fill("#directorComment", "Берём, срок короткий")
    shop.answer(order, "belova")
    page.click("#directorDecision-approve")
    expect(page.locator("#stage-summary")).to_contain_text("Этого шага больше нет")
    expect(page.locator("#directorComment")).to_have_value("Берём, срок короткий")


def test_a_refusal_of_the_gate_stands_where_one_looks_and_the_file_stays(
    shop: Shop, sign_in: SignIn, tmp_path: Path
) -> None:
    """Only the server knows this mistake; the same page, mended, then sends again with the file chosen before."""
    (tmp_path / "ТЗ.pdf").write_bytes(pdf("start"))
    page = sign_in("sokolova", "#/")
    starts(page, "Заказ на нестандартную мебель")
    page.fill("#customerName", "Кафе «У моста»")
    page.fill("#customerContact", "+7 900 000-00-01")
    page.fill("#itemDescription", "Барная стойка, дуб")
    page.fill("#wishedBy", "2150-03-01")
    page.set_input_files("#orderFile", [tmp_path / "ТЗ.pdf"])
    before = {i.id for i in shop.admin.processes.instances()}
    start = page.locator(".modal-footer button.btn-primary").last
    start.click()
    expect(page.locator("#stage-summary")).to_contain_text("«Желаемый срок»: проверьте год")
    expect(page.locator("#itemDescription")).to_have_value("Барная стойка, дуб")
    picture(page, "gate-refusal")
    page.fill("#wishedBy", "2031-03-01")
    start.click()
    (new,) = wait_until(lambda: {i.id for i in shop.admin.processes.instances()} - before, 20, "an order started")
    assert shop.reader.file_names(new) == {"orderFile": "ТЗ.pdf"}


def test_after_a_return_text_and_sum_stand_there_and_files_are_chosen_anew(shop: Shop, sign_in: SignIn) -> None:
    order = shop.start_order()
    shop.carry_to(order, "UserTask_SetReadyDate")
    shop.answer(order, readyDecision="return", readyComment="Нет фурнитуры")
    page = open_step(shop, sign_in, order, "volkov")
    expect(page.locator("#designComment")).to_have_value("По эскизу")
    expect(page.locator("#stage-comments")).to_contain_text("Нет фурнитуры")
    page.click("#stage-done")
    expect(page.locator("#designFile-wrong")).to_have_text("Приложите файл")
    page.context.close()
    shop.answer(order)
    page = open_step(shop, sign_in, order, "elena")
    expect(page.locator("#estimateSum")).to_have_value("125000,00")


def test_a_head_hands_a_step_out_by_name(shop: Shop, sign_in: SignIn) -> None:
    """Also a free step, and of a department that the head does not belong to; a member is not offered it."""
    order = shop.start_order()
    shop.carry_to(order, "UserTask_Manufacture")
    head = open_step(shop, sign_in, order, "gromov", claim=False)
    expect(head.locator("#stage-member option")).to_have_count(4)  # the three of the workshop and the prompt
    head.select_option("#stage-member", label="Игорь Макаров")
    picture(head, "hand-out")
    head.click("#stage-give")
    expect(head.locator("#stage-holder")).to_contain_text("Шаг в работе у другого: Игорь Макаров")
    assert shop.open_step(order).assignee == "makarov"
    member = open_step(shop, sign_in, order, "stepanov", claim=False)
    expect(member.locator("#stage-holder")).to_contain_text("Игорь Макаров")
    expect(member.locator("#stage-member")).to_have_count(0)


def test_on_a_phone_who_picks_a_step_comes_to_it(shop: Shop, sign_in: SignIn) -> None:
    """It stands below all lists; the next one that is picked comes into view, too."""
    orders = [shop.start_order(customerName=f"ИП Сидоров №{n}") for n in range(3)]
    for order in orders:
        shop.carry_to(order, "UserTask_PrepareDesign")
    page = sign_in("lebedeva", "#/")
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("link", name="Мой отдел").click()
    cards = page.locator(".tasks-list li.task")
    expect(cards).to_have_count(3)
    for n, order in enumerate(orders[:2]):
        cards.filter(has_text=f"ИП Сидоров №{n}").locator("a").first.click()
        expect(page.locator("#stage-facts")).to_contain_text(order.business_key or "")
        expect(page.locator(".task-card")).to_be_in_viewport()
        expect(page.get_by_role("link", name="Мой отдел")).not_to_be_in_viewport()


PROCESSES = {
    "Заказ на нестандартную мебель", "Отмена заказа", "Исправление данных заказа", "Перенос срока готовности",
    "Фактическая себестоимость", "Рекламация",
}  # fmt: skip


@pytest.mark.parametrize(
    ("person", "offered"),
    [
        ("pavlova", set()),
        ("kuznetsova", PROCESSES - {"Перенос срока готовности", "Фактическая себестоимость"}),
        ("titov", {"Перенос срока готовности", "Фактическая себестоимость"}),
    ],
)
def test_each_is_offered_what_they_may_start(shop: Shop, sign_in: SignIn, person: str, offered: set[str]) -> None:
    """The support processes start here like an order does; the production director moves a promise."""
    order = shop.start_order()
    shop.carry_to(order, "UserTask_Manufacture")
    page = sign_in(person, "#/")
    page.locator(".start-process-action a").first.click()
    names = page.locator(".modal-body .processes li")
    expect(names).to_have_count(len(offered))
    if not offered:
        expect(page.locator(".modal-body .well")).to_be_visible()
    assert {name.strip() for name in names.all_inner_texts()} == offered
    if person == "titov":
        page.get_by_text("Перенос срока готовности", exact=True).first.click()
        page.fill("#orderKey", order.business_key or "")
        page.fill("#newReadyBy", "09.01.2031")
        page.fill("#moveReason", "Ждём фурнитуру")
        picture(page, "move-date")
        page.locator(".modal-footer button.btn-primary").last.click()
        wait_until(lambda: shop.admin.external.find(topicName="move-ready-date"), 20, "the request to move the date")


def counts(page: Page) -> dict[str, int]:
    """Return what stands in brackets behind each list."""
    texts = page.locator(".task-filter h4").all_inner_texts()
    found = [re.fullmatch(r"(.+?) \((\d+)\)", " ".join(text.split())) for text in texts]
    return {m[1]: int(m[2]) for m in found if m}


def test_lists_have_columns_and_counts(shop: Shop, sign_in: SignIn) -> None:
    """Number, customer, item and due date stand at each task of an ordinary member, every list with its count."""
    orders = [shop.start_order(customerName=f"ИП Сидоров №{n}", itemDescription=f"Шкаф №{n}, дуб") for n in range(3)]
    for order in orders:
        shop.carry_to(order, "UserTask_PrepareDesign")
    shop.signed_in("lebedeva").tasks.claim(shop.open_step(orders[0]).engine_task or "", "lebedeva")
    page = sign_in("lebedeva", "#/")
    wanted = {"Мои задачи": 1, "Мой отдел": 3, "Просрочено": 0}
    wait_until(lambda: wanted.items() <= counts(page).items() and "На сегодня" in counts(page), 20, "all counts")
    page.get_by_role("link", name="Мой отдел").click()
    cards = page.locator(".tasks-list li.task")
    expect(cards).to_have_count(3)
    for n, order in enumerate(orders):
        card = cards.filter(has_text=order.business_key or "")
        for said in (f"ИП Сидоров №{n}", f"Шкаф №{n}, дуб", "Срок"):
            expect(card).to_contain_text(said)
            expect(card.get_by_text(said).first).to_be_visible()
    picture(page, "lists")
