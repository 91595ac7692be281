"""Rule: an auditor reads in Cockpit who approved what, when, with which file, for any order, and can change nothing."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from shop import Shop, pdf, pdf_file
from webapps import DESK, ODD_CUSTOMER, ODD_FILES, fetched, go, picture, signed_in

from engine.external import Topic
from engine.processes import Instance
from engine.variables import FileValue

pytestmark = [pytest.mark.engine, pytest.mark.browser]
NASTY = "ИП Громов <script>document.title='взлом'</script>"


@pytest.fixture(scope="module")
def cockpit(shop: Shop, browser: Browser) -> Iterator[Page]:
    with signed_in(shop, browser, "cockpit", shop.member("auditors")) as page:
        yield page


@pytest.fixture
def auditor(cockpit: Page) -> Page:
    """The auditor's window, at a desk again."""
    cockpit.set_viewport_size(DESK)
    return cockpit


SECOND_DRAWING = pdf_file("чертёж второй.pdf")
REQUEST = pdf_file("заявка Ёлка.pdf")


def returned_once(shop: Shop) -> Instance:
    """Take an order through the design twice: the date was sent back with a reason."""
    order = shop.start_order(customerName="ООО «Дважды»")
    for _ in range(4):  # the director, the design, the estimate, the price
        shop.answer(order)
    shop.answer(order, readyDecision="return", readyComment="Нет фурнитуры <b>Blum</b>")
    shop.answer(order, designFile=SECOND_DRAWING)
    shop.open_step(order)
    return order


def row(page: Page, part: str, *texts: str) -> list[str]:
    """Return the cells of the first row of a part of the page that holds all the texts."""
    rows = page.locator("details", has=page.locator("h2", has_text=part)).locator("tbody tr")
    for text in texts:
        rows = rows.filter(has_text=text)
    expect(rows.first).to_be_visible()
    return rows.first.locator("td").all_inner_texts()


def test_who_approved_what_when_with_which_file(shop: Shop, auditor: Page) -> None:
    order = returned_once(shop)
    go(auditor, f"#/order?id={order.id}")
    expect(auditor.locator("h1")).to_have_text(f"Заказ {order.business_key}")
    step, who, came, _claimed, ended, _took, due, answer = row(auditor, "Шаги", "Согласование у директора")
    assert step == "Согласование у директора"
    assert "Виктор Орлов" in who
    assert "Решение: Согласовать" in answer
    assert all(re.fullmatch(r"\d\d\.\d\d\.20\d\d \d\d:\d\d", moment) for moment in (came, ended, due))
    returned = row(auditor, "Шаги", "Вернуть")
    assert "Нет фурнитуры <b>Blum</b>" in returned[-1]
    file = row(auditor, "Файлы", "чертёж второй.pdf")
    assert hashlib.sha256(SECOND_DRAWING.data or b"").hexdigest() in file[-1]
    assert "заменён новым" in row(auditor, "Файлы", "чертёж.pdf")[-2]
    picture(auditor, "cockpit-order")


def test_who_signs_in_comes_to_the_orders_and_reads_russian(shop: Shop, auditor: Page) -> None:
    """No word of the frame is English; who looks for something else is not sent back."""
    order = returned_once(shop)
    go(auditor, "#/dashboard")
    auditor.reload()
    expect(auditor).to_have_url(re.compile("#/orders$"))
    expect(auditor.locator(".orders tbody tr", has_text=order.business_key or "").first).to_be_visible()
    assert re.findall("[A-Za-z]{3,}", auditor.locator("header, [cam-widget-header]").first.inner_text()) == []
    go(auditor, "#/dashboard")
    expect(auditor.get_by_text("Открытые шаги людей")).to_be_visible()
    picture(auditor, "cockpit-dashboard")


def test_persons_are_named_whatever_they_did(shop: Shop, auditor: Page) -> None:
    """Who only took a step or started the order has a name, too; programs' work is said in the diagram's words."""
    order = shop.start_order("sokolova")
    step = shop.open_step(order)
    shop.signed_in("belova").tasks.claim(step.engine_task or "", "belova")
    go(auditor, f"#/order?id={order.id}")
    expect(auditor.locator(".orders-facts")).to_contain_text("Ирина Соколова")
    auditor.evaluate("document.querySelectorAll('.orders details').forEach(part => { part.open = true; })")
    assert "Наталья Белова (belova)" in row(auditor, "Кто что делал", "взял шаг")
    assert "Обновить карточку" in row(auditor, "Работа программ", "Согласование")[1]
    due = row(auditor, "Как менялись данные", "due_UserTask_ApproveOrder")
    assert due[1] == "Срок шага «Согласовать заказ»" and re.fullmatch(r"\d\d\.\d\d\.20\d\d \d\d:\d\d", due[3])
    assert row(auditor, "Как менялись данные", "portalPending")[3] == "нет"
    assert row(auditor, "Как менялись данные", "orderFileInfo")[3].startswith("заявка Ёлка.pdf, ")


def test_a_failure_stands_there_until_somebody_mends_it(shop: Shop, auditor: Page) -> None:
    order, worker = shop.start_order(), shop.signed_in("worker").external
    topic = Topic("register-order", 60, business_key=order.business_key)
    (task,) = worker.fetch_and_lock("failing", [topic], 1)
    worker.failure(task.id, "failing", "Нет <b>связи</b> с порталом", retries=0)
    go(auditor, f"#/order?id={order.id}")
    what = row(auditor, "Сбои", "Нет <b>связи</b> с порталом")
    assert what[1:] == ["Учесть заказ", "Нет <b>связи</b> с порталом", "ждёт человека"]
    auditor.evaluate("document.querySelectorAll('.orders details').forEach(part => { part.open = true; })")
    assert "Нет <b>связи</b> с порталом" in row(auditor, "Работа программ", "не вышло")
    shop.admin.external.set_retries(task.id)
    go(auditor, f"#/order?id={order.id}")
    assert row(auditor, "Сбои", "с порталом")[-1].startswith("устранён ")


def test_a_file_names_who_attached_it_though_nobody_had_taken_the_step(shop: Shop, auditor: Page) -> None:
    order = shop.start_order()
    shop.carry_to(order, "UserTask_PrepareEstimate")
    go(auditor, f"#/order?id={order.id}")
    assert "Дмитрий Волков (volkov)" in row(auditor, "Файлы", "чертёж.pdf")


def test_a_period_is_written_the_russian_way(shop: Shop, auditor: Page) -> None:
    """Whatever language the browser has; what is no date is said before anything is asked."""
    shop.open_step(shop.start_order())
    go(auditor, "#/orders")
    auditor.get_by_label("Начат с", exact=True).fill("31.02.2026")
    auditor.get_by_role("button", name="Найти").click()
    assert "25.12.2026" in auditor.get_by_label("Начат с", exact=True).evaluate("box => box.validationMessage")
    auditor.get_by_label("Начат с", exact=True).fill("01.02.2026")
    auditor.get_by_role("button", name="Найти").click()
    expect(auditor).to_have_url(re.compile("since=2026-02-01"))
    expect(auditor.get_by_label("Начат с", exact=True)).to_have_value("01.02.2026")
    expect(auditor.locator(".orders tbody tr").first).to_be_visible()
    auditor.get_by_label("по", exact=True).fill("2.02.2026")
    auditor.get_by_role("button", name="Найти").click()
    expect(auditor.get_by_text("Таких заказов нет")).to_be_visible()


def test_odd_names_are_found_and_files_come_as_they_were(shop: Shop, auditor: Page) -> None:
    """The signs of a search mean themselves, also typed as another program writes them; each file has its own name."""
    files = [FileValue(name, pdf(name), "application/pdf") for name in ODD_FILES]
    order = shop.start_order(customerName=ODD_CUSTOMER, orderFile=REQUEST)
    shop.start_order(customerName="ООО «Йод и Ёж» №3; 100 б")
    shop.carry_to(order, "UserTask_PrepareDesign")
    shop.answer(order, **{f"designFile_{n}" if n > 1 else "designFile": file for n, file in enumerate(files, 1)})
    shop.open_step(order)
    go(auditor, "#/orders?outcome=running")  # other tests have left such names in history
    rows = auditor.locator(".orders tbody tr")
    for asked in (ODD_CUSTOMER, "йод & ёж", "100%_<b>+", "'\"\\", unicodedata.normalize("NFD", "«Йод &")):
        auditor.get_by_label("Заказчик").fill(asked)
        with auditor.expect_response(lambda answer: "/history/process-instance/count" in answer.url):
            auditor.get_by_role("button", name="Найти").click()
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text(ODD_CUSTOMER)
    rows.get_by_role("link").first.click()
    expect(auditor.locator(".orders-facts")).to_contain_text(ODD_CUSTOMER)
    links = auditor.locator("details", has=auditor.locator("h2", has_text="Файлы")).locator("tbody a")
    expect(links).to_have_count(5)
    names = (*ODD_FILES.values(), REQUEST.name)
    sums = [hashlib.sha256(file.data or b"").hexdigest() for file in (*files, REQUEST)]
    wanted = list(zip(names, sums, strict=True))
    assert sorted(fetched(auditor, link) for link in links.all()) == sorted(wanted)
    assert sorted(links.all_inner_texts()) == sorted(kept for kept, _ in wanted)


def test_the_path_is_drawn_with_repetitions(shop: Shop, auditor: Page) -> None:
    order = returned_once(shop)
    go(auditor, f"#/order?id={order.id}")
    design = auditor.locator('.orders-canvas [data-element-id="Stage_PrepareDesign"]')
    expect(design).to_be_visible()
    classes = design.get_attribute("class")
    assert classes and ("orders-reached" in classes or "orders-here" in classes)
    expect(auditor.locator(".orders-count", has_text="2 раза").first).to_be_visible()
    untouched = auditor.locator('.orders-canvas [data-element-id="Stage_Ship"]').get_attribute("class")
    assert untouched and "orders-reached" not in untouched
    auditor.get_by_role("button", name="Разработка документации").click()
    expect(auditor.locator('.orders-canvas [data-element-id="UserTask_PrepareDesign"]')).to_be_visible()
    expect(auditor.locator('.orders-canvas [data-element-id="Stage_Ship"]')).to_be_hidden()


def test_orders_are_searched_by_number_customer_and_outcome(shop: Shop, auditor: Page) -> None:
    order = shop.start_order(customerName=NASTY)
    shop.answer(order, directorDecision="reject", directorComment="Не наш профиль")
    shop.drain(order)
    shop.open_step(shop.start_order(customerName="ООО «Громов и сыновья»"))
    go(auditor, "#/orders?" + "outcome=End_RefusedByDirector&customer=%D0%B3%D1%80%D0%BE%D0%BC%D0%BE%D0%B2")
    rows = auditor.locator(".orders tbody tr")
    expect(rows.filter(has_text=str(order.business_key))).to_have_count(1)
    expect(rows.filter(has_text="сыновья")).to_have_count(0)
    expect(rows.filter(has_text=str(order.business_key))).to_contain_text("Отказ директора")
    expect(rows.filter(has_text=str(order.business_key))).to_contain_text(NASTY)
    assert auditor.title() != "взлом"
    auditor.get_by_label("Номер заказа").fill(str(order.business_key))
    auditor.get_by_label("Заказчик").fill("")
    auditor.get_by_role("button", name="Найти").click()
    expect(rows).to_have_count(1)
    picture(auditor, "cockpit-list")
    auditor.get_by_label("Номер заказа").fill("нет_такого%")
    auditor.get_by_role("button", name="Найти").click()
    expect(auditor.get_by_text("Таких заказов нет")).to_be_visible()


def test_a_foreign_number_is_one_sentence(auditor: Page) -> None:
    go(auditor, "#/order?id=no-such-order")
    expect(auditor.get_by_role("alert")).to_have_text("Такого заказа в журнале нет.")


def test_no_button_changes_anything(shop: Shop, auditor: Page) -> None:
    """Every button of both pages is pressed: all that was sent was reading, and the engine notes nothing of it."""
    order = returned_once(shop)
    auditor_id = shop.member("auditors")
    sent: list[tuple[str, str]] = []
    auditor.on("request", lambda request: sent.append((request.method, request.url.split("?")[0])))
    auditor.evaluate(
        "HTMLInputElement.prototype.showPicker = () => {}"
    )  # the browser's calendar is a window of its own
    for place, ready in (
        ("#/orders", ".orders tbody tr"),
        (f"#/order?id={order.id}", ".orders-canvas [data-element-id]"),
    ):
        go(auditor, place)
        expect(auditor.locator(ready).first).to_be_visible()
        buttons = auditor.locator(".orders button")
        for n in range(buttons.count()):
            if buttons.nth(n).is_visible():
                buttons.nth(n).click()
    writes = [(method, url) for method, url in sent if method != "GET"]
    assert writes, "the list searches by POST"
    assert all(method == "POST" and "/engine/default/history/" in url for method, url in writes), writes
    log = shop.admin.history.operations(processInstanceId=order.id)
    assert auditor_id not in {row["userId"] for row in log}


def test_the_pages_fit_a_phone_and_a_page_of_orders_is_asked_for(shop: Shop, auditor: Page) -> None:
    """Each row becomes a card with its heads; the server sends 25 orders, however many there are."""
    order = returned_once(shop)
    asked: list[str] = []
    auditor.on("request", lambda request: asked.append(request.url))
    auditor.set_viewport_size({"width": 390, "height": 844})
    go(auditor, "#/orders?from=0")  # who signs in stands in the list already
    row_of = auditor.locator(".orders tbody tr").filter(has_text=str(order.business_key))
    expect(row_of.locator("td").first).to_have_attribute("data-head", "Заказ")
    assert [url for url in asked if "/history/process-instance?firstResult=0&maxResults=25" in url]
    go(auditor, f"#/order?id={order.id}")
    expect(auditor.locator(".orders-canvas [data-element-id]").first).to_be_visible()
    auditor.evaluate("document.querySelectorAll('.orders details').forEach(part => { part.open = true; })")
    picture(auditor, "cockpit-order-phone")
    wide = "[document.documentElement, ...document.querySelectorAll('.orders table')].map(e => e.scrollWidth)"
    assert max(auditor.evaluate(wide)) <= 390
    expect(auditor.get_by_text("исполнитель: — → Виктор Орлов (orlov)")).to_be_visible()
    expect(auditor.locator(".orders").get_by_text("delete:")).to_have_count(0)
