"""Rule: the step page lets exactly the entitled person answer, from any device, and loses nothing that was typed.

A link works once, only for who it was sent to; who is not signed in learns nothing; a refusal is one sentence on the
same page; a large body is taken from nobody but those who are signed in.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect
from samples import make_pdf
from shop import Shop
from steppage import StepPages, open_step_pages
from webapps import MILLISECONDS, picture

from app.door.session import COOKIE, LINKS_AN_HOUR
from app.web import LARGEST_BODY, ROOMY_BODY

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def pages(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StepPages]:
    with open_step_pages(shop, tmp_path_factory.mktemp("pages") / "chain") as opened:
        yield opened


def test_an_answer_with_files_goes_through_as_that_person(shop: Shop, pages: StepPages) -> None:
    order = shop.start_order()
    step = shop.carry_to(order, "UserTask_PrepareDesign")
    volkov = shop.staff.find("volkov")
    assert volkov is not None
    session = pages.signed_in(step.visit, volkov)
    text = session.get(pages.place(step.visit), timeout=30).text
    for words in ("Разработать документацию", "ООО «Ёлка и Ко»", "заявка Ёлка.pdf", "Супер заказ", "Документация"):
        assert words in text
    drawing = make_pdf("чертёж", 40)
    mark = pages.mark(session, step.visit)
    sent = [("designFile", ("чертёж №1.pdf", drawing)), ("designFile", ("вид.pdf", make_pdf("вид")))]
    answer = pages.answer(session, step.visit, {"designComment": " Учтена ниша\r\nи плинтус "}, sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/do/{step.visit}")
    shop.drain(order)
    found = shop.reader.snapshot(order.id)
    done = found.done[-1]
    assert (done.person, done.comment) == ("volkov", "Учтена ниша\nи плинтус")
    held = {f.variable: (f.name, f.sha256) for f in found.files}
    assert held["designFile"] == ("чертёж №1.pdf", hashlib.sha256(drawing).hexdigest())
    assert held["designFile_2"][0] == "вид.pdf"
    shown = session.get(pages.place(step.visit), timeout=30).text
    assert "Ответ принят: Дмитрий Волков" in shown and "Расчёт сметы у бухгалтера" in shown
    again = pages.answer(session, step.visit, {"mark": mark, "designComment": "другое"}, sent[:1], **JSON)
    assert again.json() == {"to": f"/do/{step.visit}"}, "the same person's repeat is no refusal, and changes nothing"
    assert shop.reader.snapshot(order.id).done == found.done
    file = session.get(f"{pages.place(step.visit)}/file/designFile", timeout=30)
    assert file.content == drawing and file.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")


def test_a_refusal_keeps_the_page_and_all_that_was_typed(shop: Shop, pages: StepPages) -> None:
    order = shop.start_order()
    step = shop.carry_to(order, "UserTask_SetReadyDate")
    gromov = shop.staff.find("gromov")
    assert gromov is not None
    session = pages.signed_in(step.visit, gromov)
    form = {
        "readyDecision": "approve",
        "readyBy.day": "2020-01-01",
        "readyBy.time": "17:30",
        "readyComment": "<b>как</b>",
    }
    refused = pages.answer(session, step.visit, form)
    assert refused.status_code == 400
    for words in ("Срок готовности", 'value="2020-01-01"', 'value="17:30"', "&lt;b&gt;как&lt;/b&gt;", "в будущем"):
        assert words in refused.text
    told = pages.answer(session, step.visit, {"readyDecision": "return"}, **JSON)
    assert (told.status_code, told.json()) == (400, {"text": "Не хватает: причина в поле «Комментарий»"})
    assert shop.reader.snapshot(order.id).open[0].visit == step.visit
    good = pages.answer(session, step.visit, form | {"readyBy.day": "2099-01-01"}, **JSON)
    assert good.json() == {"to": f"/do/{step.visit}"}
    assert shop.reader.snapshot(order.id).done[-1].values["readyBy"] == "2099-01-01T17:30:00+03:00"


def test_who_is_not_signed_in_or_not_entitled_learns_nothing(shop: Shop, pages: StepPages) -> None:
    order = shop.start_order()
    step = shop.open_step(order)
    there = requests.get(pages.place(step.visit), timeout=30)
    nowhere = requests.get(pages.place("Sync_Nothing:1"), timeout=30)
    assert there.text.replace(step.visit, "X") == nowhere.text.replace("Sync_Nothing:1", "X")
    assert "Ёлка" not in there.text and there.status_code == 200
    wrong = requests.get(f"{pages.url}/do/a%20b", timeout=30)
    assert wrong.status_code == 404 and "Такого шага нет" in wrong.text
    assert requests.get(f"{pages.place(step.visit)}/file/orderFile", timeout=30).text == there.text
    assert requests.post(pages.place(step.visit), data={"directorDecision": "approve"}, timeout=30).status_code == 401
    forged = {COOKIE: "WyJvcmxvdiIsMF0.aaaa.bbbb"}
    assert requests.get(pages.place(step.visit), cookies=forged, timeout=30).text == there.text
    stranger = shop.staff.find(shop.member("shipping"))
    director = shop.staff.find("belova")
    assert stranger is not None and director is not None
    outside = pages.signed_in(step.visit, stranger)
    refused = outside.get(pages.place(step.visit), timeout=30)
    assert refused.status_code == 403 and "другой отдел" in refused.text and "Ёлка" not in refused.text
    assert outside.get(f"{pages.place(step.visit)}/file/orderFile", timeout=30).status_code == 403
    session = pages.signed_in(step.visit, director)
    for bad in ({"mark": ""}, {"mark": "0" * 64}):
        answer = session.post(pages.place(step.visit), data={"directorDecision": "approve", **bad}, timeout=30)
        assert answer.status_code == 400, "a post without our mark is no answer"
    elsewhere = pages.answer(session, step.visit, {"directorDecision": "approve"}, Origin="https://evil.example")
    assert elsewhere.status_code == 403
    assert shop.reader.snapshot(order.id).done == ()
    out = session.post(f"{pages.url}/sign-out", data={"visit": step.visit}, timeout=30)
    assert out.text == there.text and COOKIE not in session.cookies


def test_a_link_works_once_for_its_person_and_no_more_than_three_an_hour(shop: Shop, pages: StepPages) -> None:
    step = shop.open_step(shop.start_order())
    orlov = shop.staff.find("orlov")
    assert orlov is not None
    place, secret = pages.link(step.visit, orlov)
    cookies = requests.post(f"{place}/sign-in", data={"token": secret}, timeout=30, allow_redirects=False)
    flags = cookies.headers["Set-Cookie"]
    assert "HttpOnly" in flags and "SameSite=Lax" in flags and "Max-Age=2592000" in flags
    for token in (secret, f"{place}#in={secret}", "forged", secret[:-1]):
        assert requests.post(f"{place}/sign-in", data={"token": token}, timeout=30).status_code == 400
    _, third = pages.link(step.visit, orlov)
    short = requests.post(f"{place}/sign-in", data={"token": third, "shared": "yes"}, timeout=30, allow_redirects=False)
    assert "Max-Age=900" in short.headers["Set-Cookie"]
    pages.link(step.visit, orlov)
    answers = {
        requests.post(f"{place}/sign-in", data={"name": name}, timeout=30).text
        for name in ("Виктор Орлов", "Никто Такой", "", "орлов", "x" * 5000)
    }
    assert len(answers) == 1, "one answer for everybody"
    assert len(pages.letters(orlov)) == LINKS_AN_HOUR


def test_two_colleagues_at_once_and_the_slower_is_told_who(shop: Shop, pages: StepPages) -> None:
    order = shop.start_order()
    step = shop.open_step(order)
    faster, slower = shop.staff.members("directors")[:2]
    session = pages.signed_in(step.visit, slower)
    mark = pages.mark(session, step.visit)
    shop.answer(order, faster.id)
    late = pages.answer(session, step.visit, {"directorDecision": "reject", "mark": mark}, **JSON)
    assert late.status_code == 409 and late.json()["text"].startswith(f"Шаг уже выполнен: {faster.name}, ")
    assert f"Уже выполнено: {faster.name}" in session.get(pages.place(step.visit), timeout=30).text


def test_a_large_body_is_taken_from_those_who_are_signed_in_only(shop: Shop, pages: StepPages) -> None:
    order = shop.start_order()
    step = shop.carry_to(order, "UserTask_PrepareDesign")
    lebedeva = shop.staff.find("lebedeva")
    assert lebedeva is not None
    session = pages.signed_in(step.visit, lebedeva)
    cookie = f"{COOKIE}={session.cookies[COOKIE]}"
    path = f"/do/{step.visit}"
    assert head(pages, path, LARGEST_BODY, "") == 413
    assert head(pages, path, LARGEST_BODY, f"{COOKIE}=forged") == 413
    assert head(pages, "/hooks/bitrix24", LARGEST_BODY, cookie) == 413
    assert head(pages, path, ROOMY_BODY, cookie) == 413
    big = make_pdf("большой") + b"%" + b"x" * (3 << 20) + b"\n%%EOF\n"
    with ThreadPoolExecutor(4) as pool:
        sent = [
            pool.submit(pages.answer, session, step.visit, {}, [("designFile", (f"{n}.pdf", big))], **JSON)
            for n in range(4)
        ]
        assert {each.result().status_code for each in sent} <= {200, 400, 409, 503}
    assert len([v for v in shop.reader.snapshot(order.id).done if v.task_id == "UserTask_PrepareDesign"]) <= 1


def head(pages: StepPages, path: str, length: int, cookie: str) -> int:
    """Send the head of a large request and none of its body; return the status that comes at once."""
    host, _, port = pages.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        lines = (f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", f"Cookie: {cookie}", "", "")
        line.sendall("\r\n".join(lines).encode())
        return int(line.recv(100).split()[1])


@pytest.mark.browser
def test_in_a_browser_typed_text_survives_everything(
    shop: Shop, pages: StepPages, browser: Browser, tmp_path: Path
) -> None:
    order = shop.start_order()
    step = shop.carry_to(order, "UserTask_PrepareEstimate")
    elena = shop.staff.find("elena")
    assert elena is not None
    context: BrowserContext = browser.new_context(locale="ru-RU", viewport={"width": 390, "height": 844})
    context.set_default_timeout(MILLISECONDS)
    page: Page = context.new_page()
    place, secret = pages.link(step.visit, elena)
    page.goto(f"{place}#in={secret}")
    assert shop.reader.snapshot(order.id).open[0].visit == step.visit
    expect(page.locator("#ask")).to_be_hidden()
    assert "#in=" not in page.url, "the secret does not stay in the address"
    page.click("#enter button")
    page.fill("#estimateSum", "125 000,5")
    page.fill("#estimateComment", "С доставкой")
    page.reload()
    assert page.input_value("#estimateSum") == "125 000,5"
    forged, good = tmp_path / "смета.pdf", tmp_path / "смета верная.pdf"
    forged.write_bytes(b"MZ program")
    good.write_bytes(make_pdf("Смета"))
    page.set_input_files("#estimateFile", forged)
    page.click(".buttons .main")
    expect(page.locator("#said")).to_contain_text("«смета.pdf»")
    assert page.input_value("#estimateComment") == "С доставкой"
    page.set_input_files("#estimateFile", good)
    context.clear_cookies()
    page.click(".buttons .main")
    expect(page.locator("#said")).to_contain_text("Сеанс закончился")
    assert page.input_value("#estimateSum") == "125 000,5"
    _, second = pages.link(step.visit, elena)
    other = context.new_page()
    other.goto(f"{place}#in={second}")
    other.click("#enter button")
    expect(other.locator("#answer")).to_be_visible()
    page.click(".buttons .main")
    expect(page.locator("[data-done]")).to_contain_text("Ответ принят: Елена Петровна Фёдорова")
    assert page.evaluate("localStorage.length") == 0
    assert shop.reader.snapshot(order.id).done[-1].values["estimateSum"] == "125000.50"
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390, "nothing scrolls sideways"
    context.close()


@pytest.mark.browser
def test_an_english_browser_offers_the_plants_dates_and_the_end_of_its_day(
    shop: Shop, pages: StepPages, browser: Browser
) -> None:
    """A short day ends earlier; dates are written the Russian way whatever language the browser has."""
    order = shop.start_order()
    step = shop.carry_to(order, "UserTask_SetReadyDate")
    gromov, workday = shop.staff.find("gromov"), pages.chain.parts.workday()
    assert gromov is not None
    short = next(day for day in sorted(workday.other) if day > date.today().isoformat())
    context: BrowserContext = browser.new_context(locale="en-US", viewport={"width": 390, "height": 844})
    context.set_default_timeout(MILLISECONDS)
    page: Page = context.new_page()
    place, secret = pages.link(step.visit, gromov)
    page.goto(f"{place}#in={secret}")
    page.click("#enter button")
    day, time = page.locator("#readyBy"), page.locator("[name='readyBy.time']")
    expect(time).to_have_value("18:00")
    expect(day).to_have_attribute("placeholder", "дд.мм.гггг")
    day.fill(".".join(reversed(short.split("-"))))
    expect(time).to_have_value(workday.other[short])
    picture(page, "step-promise-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click("button[value=approve]")
    expect(page.locator("[data-done]")).to_be_visible()
    promised = datetime.fromisoformat(str(shop.reader.snapshot(order.id).variables["readyBy"]))
    assert f"{promised:%Y-%m-%d %H:%M}" == f"{short} {workday.other[short]}"
    context.close()
