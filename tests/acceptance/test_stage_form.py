"""Rule: in the real Tasklist one form serves every step and start: it shows what is known, asks what the diagram
demands, says in place what is missing, and sends nothing until that is there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect
from shop import Shop, pdf, pdf_file, wait_until
from webapps import ODD_CUSTOMER, ODD_FILES, SignIn, fetched, go, open_step, picture, signed_in, starts

from app.commands.operate import WORKDAY
from engine.deploy import publish
from engine.processes import Instance
from orders.errors import BusinessError

pytestmark = [pytest.mark.engine, pytest.mark.browser]


def moved_on(shop: Shop, order: Instance, task: str) -> dict[str, object]:
    """Wait until a step is done and return the order's variables."""

    def values() -> dict[str, object] | None:
        found = shop.reader.snapshot(order.id)
        return dict(found.variables) if any(v.task_id == task for v in found.done) else None

    return wait_until(values, 20, f"{task} done") or {}


def test_a_director_approves_with_one_click(shop: Shop, sign_in: SignIn) -> None:
    """The order's facts and its file stand above the buttons; the click completes the step as that person."""
    request = pdf_file("заявка Ёлка.pdf")
    order = shop.start_order(budget="128400.00", wishedBy="2027-03-01", orderFile=request)
    shop.carry_to(order, "UserTask_ApproveOrder")
    page = open_step(shop, sign_in, order, "orlov")
    facts = page.locator("#stage-facts")
    for said in ("ООО «Ёлка и Ко»", "Стол переговорный", "01.03.2027", "128\u202f400\u202f₽", order.business_key or ""):
        expect(facts).to_contain_text(said)
    link = page.locator("#stage-files a").first
    with page.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_bytes() == request.data
    assert link.bounding_box()["y"] < page.locator("#stage-root .answers").bounding_box()["y"]  # type: ignore[index]
    page.fill("#directorComment", "Супер заказ")
    picture(page, "approve")
    page.click("#directorDecision-approve")
    values = moved_on(shop, order, "UserTask_ApproveOrder")
    assert (values["directorDecision"], values["directorComment"]) == ("approve", "Супер заказ")
    assert shop.reader.snapshot(order.id).done[-1].person == "orlov"


def test_a_missing_reason_is_refused_in_place(shop: Shop, sign_in: SignIn) -> None:
    """«Отклонить» without a reason sends nothing and keeps the form; with the reason it goes."""
    order = shop.start_order()
    shop.carry_to(order, "UserTask_ApproveOrder")
    page = open_step(shop, sign_in, order, "orlov")
    page.click("#directorDecision-reject")
    expect(page.locator("#directorComment-wrong")).to_have_text("Напишите причину")
    expect(page.locator("#directorComment")).to_be_focused()
    picture(page, "reason")
    assert shop.open_step(order).task_id == "UserTask_ApproveOrder"
    page.fill("#directorComment", "Нет станка")
    page.click("#directorDecision-reject")
    assert moved_on(shop, order, "UserTask_ApproveOrder")["directorDecision"] == "reject"


def test_a_designer_attaches_files_of_odd_names(shop: Shop, sign_in: SignIn, tmp_path: Path) -> None:
    """Without a file the step stays and says so; choosing again replaces; each arrives byte for byte under its name."""
    order = shop.start_order(customerName=ODD_CUSTOMER)
    shop.carry_to(order, "UserTask_PrepareDesign")
    page = open_step(shop, sign_in, order, "volkov")
    expect(page.locator("#stage-comments")).to_contain_text("Супер заказ")
    expect(page.locator("#stage-facts")).to_contain_text(order.business_key or "no number")
    expect(page.locator("#stage-facts")).to_contain_text(ODD_CUSTOMER)
    page.click("#stage-done")
    expect(page.locator("#designFile-wrong")).to_have_text("Приложите файл")
    (tmp_path / "пустой.pdf").touch()
    page.set_input_files("#designFile", [tmp_path / "пустой.pdf"])
    expect(page.locator("#designFile-wrong")).to_contain_text("пуст")
    shown = page.locator("#designFile + label + small")
    expect(shown).to_have_text("не больше 20 МиБ")
    files = [chosen(name) for name in ("лишний.pdf", *ODD_FILES)]
    page.set_input_files("#designFile", files)
    expect(shown).to_contain_text("лишний.pdf, 1 КБ · ")
    page.set_input_files("#designFile", files[1:])
    page.fill("#designComment", "<img src=x onerror=alert(1)>")
    picture(page, "files")
    page.click("#stage-done")
    moved_on(shop, order, "UserTask_PrepareDesign")
    shop.drain(order)
    held = {f.variable: (f.name, f.sha256) for f in shop.reader.snapshot(order.id).files if f.variable != "orderFile"}
    sums = [hashlib.sha256(file["buffer"]).hexdigest() for file in files[1:]]
    wanted = list(zip(ODD_FILES.values(), sums, strict=True))
    assert held == dict(zip(("designFile", "designFile_2", "designFile_3", "designFile_4"), wanted, strict=True))
    estimate = open_step(shop, sign_in, order, "elena")
    expect(estimate.locator("#stage-comments")).to_contain_text("<img src=x onerror=alert(1)>")  # text, never markup
    expect(estimate.locator("#stage-root img")).to_have_count(0)
    links = estimate.locator("#stage-files a[href*=designFile]")
    assert sorted(fetched(estimate, link) for link in links.all()) == sorted(wanted)
    assert sorted(links.all_inner_texts()) == sorted(kept for kept, _ in wanted)


def chosen(name: str) -> FilePayload:
    """Return a file as a browser hands it over, whatever a disk would say to its name."""
    return {"name": name, "mimeType": "application/pdf", "buffer": pdf(name)}


def test_a_promise_lies_in_the_future_and_only_its_decision_asks_for_it(shop: Shop, sign_in: SignIn) -> None:
    """A past date is refused in place; the end of the day is offered; the sum keeps its kopecks on the way."""
    order = shop.start_order()
    shop.carry_to(order, "UserTask_SetReadyDate")
    page = open_step(shop, sign_in, order, "gromov")
    page.click("#readyDecision-approve")
    expect(page.locator("#readyBy-wrong")).to_have_text("Заполните это поле")
    page.fill("#readyBy", "2020-01-09")
    page.click("#readyDecision-approve")
    expect(page.locator("#readyBy-wrong")).to_have_text("Срок должен быть в будущем")
    page.fill("#readyBy", "2031-01-09")
    expect(page.locator("#readyBy-time")).to_have_value("18:00")
    picture(page, "promise")
    page.click("#readyDecision-approve")
    assert moved_on(shop, order, "UserTask_SetReadyDate")["readyBy"] == "2031-01-09T18:00:00+03:00"


@pytest.fixture
def early_shop(shop: Shop) -> Iterator[Shop]:
    """A plant that closes at half past five, and an hour earlier on one day."""
    told = {"ends": "17:30", "other": {"2031-01-09": "16:30"}}
    publish(shop.admin, WORKDAY, f"{WORKDAY}.json", json.dumps(told).encode())
    yield shop
    shop.admin.deployments.delete(shop.admin.deployments.newest(WORKDAY) or "")


def test_an_english_browser_offers_the_plants_dates_and_the_end_of_its_day(early_shop: Shop, browser: Browser) -> None:
    """Dates are written the Russian way whatever it speaks; short days end earlier, a time of one's own stays."""
    order = early_shop.start_order()
    step = early_shop.carry_to(order, "UserTask_SetReadyDate").engine_task
    early_shop.signed_in("gromov").tasks.claim(step or "", "gromov")
    with signed_in(early_shop, browser, "tasklist", "gromov", "en-US") as page:
        go(page, f"#/?task={step}")
        date, time = page.locator("#readyBy"), page.locator("#readyBy-time")
        expect(time).to_have_value("17:30")
        date.fill("9.1.2031")
        expect(time).to_have_value("16:30")
        date.blur()
        expect(date).to_have_value("09.01.2031")
        for wrong, said in (("31.02.2031", "не понята"), ("03/04/2031", "не понята")):
            date.fill(wrong)
            page.click("#readyDecision-approve")
            expect(page.locator("#readyBy-wrong")).to_contain_text(said)
        pick(page, "2031-01-10")
        expect(date).to_have_value("10.01.2031")
        expect(time).to_have_value("17:30")
        time.fill("12.15")
        pick(page, "2031-01-09")
        expect(time).to_have_value("12.15")
        page.click("#readyDecision-approve")
        assert moved_on(early_shop, order, "UserTask_SetReadyDate")["readyBy"] == "2031-01-09T12:15:00+03:00"


def pick(page: Page, day: str) -> None:
    """Choose a day in the browser's calendar, which is a window of its own: asked to open, it tells the box."""
    page.evaluate(
        """day => { HTMLInputElement.prototype.showPicker = function () {
            this.value = day;
            this.dispatchEvent(new Event('change'));
        }; }""",
        day,
    )
    page.get_by_role("button", name="календарь").click()


def test_a_payment_that_differs_asks_why(shop: Shop, sign_in: SignIn) -> None:
    """A sum with blanks and a comma is read; another sum than the estimate needs a comment."""
    order = shop.start_order()
    shop.carry_to(order, "UserTask_TakePayment")
    page = open_step(shop, sign_in, order, "elena")
    page.fill("#paidSum", "1.250")
    page.fill("#paidOn", "2026-01-12")
    page.click("#stage-done")
    expect(page.locator("#paidSum-wrong")).to_contain_text("цифрами")
    page.fill("#paidSum", "100 000,50 ₽")
    page.click("#stage-done")
    expect(page.locator("#paymentComment-wrong")).to_have_text("Заполните это поле")
    page.fill("#paymentComment", "Доплатят при отгрузке")
    page.click("#stage-done")
    assert moved_on(shop, order, "UserTask_TakePayment")["paidSum"] == "100000.50"


def test_a_start_form_starts_one_order(shop: Shop, sign_in: SignIn, tmp_path: Path) -> None:
    """Start stays shut until the demanded fields are there; the order begins with its file and its true initiator."""
    before = {i.id for i in shop.admin.processes.instances()}
    page = sign_in("sokolova", "#/")
    starts(page, "Заказ на нестандартную мебель")
    start = page.locator(".modal-footer button.btn-primary").last
    expect(start).to_be_disabled()
    expect(page.locator("#stage-summary")).to_contain_text("Заказчик")
    page.fill("#customerName", "Кафе «У моста»")
    page.fill("#customerContact", "+7 900 000-00-01")
    page.fill("#itemDescription", "Барная стойка, дуб")
    page.fill("#budget", "185 000,50")
    page.fill("#wishedBy", "2027-03-01")
    picture(page, "start")
    expect(start).to_be_disabled()
    (tmp_path / "ТЗ.pdf").write_bytes(pdf("start"))
    page.set_input_files("#orderFile", [tmp_path / "ТЗ.pdf"])
    expect(start).to_be_enabled()
    start.click()
    new = wait_until(lambda: {i.id for i in shop.admin.processes.instances()} - before, 20, "an order started")
    found = shop.reader.snapshot(new.pop())
    assert (found.initiator, found.variables["budget"], found.variables["wishedBy"]) == (
        "sokolova",
        "185000.50",
        "2027-03-01",
    )
    assert "startKey" not in found.variables


def test_a_refused_file_says_why_when_the_step_comes_back(shop: Shop, sign_in: SignIn) -> None:
    """The judge's sentence stands on top of the form that asks for the file again."""
    order = shop.start_order()
    said = "В файле есть макросы. Сохраните книгу как .xlsx без макросов и приложите снова."
    refused = BusinessError("ATTACHMENT_REJECTED", said, {"refusal_UserTask_PrepareDesign": said, "designFile": None})
    step = shop.carry_to(order, "UserTask_PrepareDesign")
    shop.signed_in("volkov").tasks.complete(step.engine_task or "", {"designFile": pdf_file("а.pdf")})
    tasks = wait_until(lambda: shop.integration.external.find(topicName="validate-attachments"), 20, "the judge")
    assert tasks
    shop.drain(order, {"validate-attachments": refused})
    page = open_step(shop, sign_in, order, "volkov")
    expect(page.locator("#stage-refusal")).to_have_text(said)
    picture(page, "refusal")
