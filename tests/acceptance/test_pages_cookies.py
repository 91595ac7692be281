"""Rule: a browser that works with two engines on one host stays signed in at both, and each of the engine's pages takes
who signs in and lets go who leaves; an engine that is started again under an open form loses nothing that was typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from ownshop import open_own
from playwright.sync_api import Browser, BrowserContext, Page, expect
from shop import Shop, pdf
from webapps import LOGIN, MILLISECONDS, enter, go, picture

from engine.processes import Instance

pytestmark = [pytest.mark.engine, pytest.mark.browser]


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A second engine on this host, such as the one that is tried out before it is used."""
    with open_own(tmp_path_factory.mktemp("neighbour")) as opened:
        yield opened


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, locale="ru-RU")
    context.set_default_timeout(MILLISECONDS)
    yield context
    context.close()


def pages(shop: Shop) -> str:
    """Return the address of an engine's pages."""
    return shop.url.removesuffix("/engine-rest") + "/operaton"


def into(window: BrowserContext, shop: Shop, app: str, person: str) -> Page:
    """Sign in to an engine's page in a new tab of the window."""
    page = window.new_page()
    page.goto(f"{pages(shop)}/app/{app}/default/")
    enter(shop, page, person)
    return page


def approve(page: Page, shop: Shop, order: Instance) -> None:
    """Take the director's step over and approve it in the Tasklist that is open."""
    step = shop.open_step(order)
    page.bring_to_front()
    go(page, f"#/?task={step.engine_task}")
    page.locator("button.claim").click()
    page.locator("#directorDecision-approve").click()
    expect(page.locator("#stage-root")).to_have_count(0)
    (done,) = shop.reader.snapshot(order.id).done
    assert (done.task_id, done.person) == ("UserTask_ApproveOrder", "orlov")


def leave(page: Page) -> None:
    """Sign out of an engine's pages."""
    page.bring_to_front()
    page.locator(".account .dropdown-toggle").click()
    page.locator(".account .logout a").click()
    expect(page.locator(LOGIN)).to_be_visible()


def test_signing_in_at_one_engine_ends_no_session_at_another(
    shop: Shop, neighbour: Shop, window: BrowserContext
) -> None:
    """In both directions, and signing out of one leaves the other."""
    here, there = shop.start_order(), neighbour.start_order()
    first = into(window, shop, "tasklist", "orlov")
    second = into(window, neighbour, "tasklist", "orlov")
    approve(first, shop, here)
    approve(second, neighbour, there)
    leave(first)
    auditor = into(window, shop, "cockpit", shop.member("auditors"))
    go(auditor, "#/orders")
    expect(auditor.locator(".orders tbody tr", has_text=here.business_key or "").first).to_be_visible()
    approve(second, neighbour, neighbour.start_order())


def test_an_engine_that_is_started_again_loses_nothing_typed(
    neighbour: Shop, window: BrowserContext, tmp_path: Path
) -> None:
    """While it is away the page says so and keeps all; then one signs in again, and the step is done once."""
    drawing, text = tmp_path / "эскиз №1.pdf", "Дубовый шпон, фурнитура Blum. " * 100
    drawing.write_bytes(pdf("sketch"))
    order = neighbour.start_order()
    step = neighbour.carry_to(order, "UserTask_PrepareDesign")
    neighbour.signed_in("volkov").tasks.claim(step.engine_task or "", "volkov")
    page = into(window, neighbour, "tasklist", "volkov")
    go(page, f"#/?task={step.engine_task}")
    page.fill("#designComment", text)
    page.set_input_files("#designFile", [drawing])
    neighbour.engine.kill()
    page.click("#stage-done")
    expect(page.locator("#stage-summary")).to_contain_text("Не отправлено: сервер не отвечает. Всё, что вы заполнили")
    expect(page.locator("#designComment")).to_have_value(text)
    expect(page.locator("#designFile + label + small")).to_contain_text(drawing.name)
    picture(page, "engine-away")
    neighbour.engine.start()
    page.click("#stage-done")
    expect(page.locator("#session-ended")).to_contain_text("Вход закончился")
    enter(neighbour, page, "volkov")
    expect(page.locator("#stage-draft")).to_contain_text(f"«{drawing.name}»")
    expect(page.locator("#designComment")).to_have_value(text)
    picture(page, "engine-back")
    page.set_input_files("#designFile", [drawing])
    page.click("#stage-done")
    expect(page.locator("#stage-root")).to_have_count(0)
    found = neighbour.reader.snapshot(order.id)
    assert [(v.task_id, v.person) for v in found.done][1:] == [("UserTask_PrepareDesign", "volkov")]
    assert found.variables["designComment"] == text.strip()
    assert neighbour.reader.file_names(order.id)["designFile"] == drawing.name


def test_programs_written_for_the_plain_engine_find_their_mark(shop: Shop) -> None:
    told = requests.get(f"{pages(shop)}/api/admin/auth/user/default", timeout=30).cookies
    own = [name for name in told.keys() if name.startswith("XSRF-TOKEN_")]  # noqa: SIM118 - a jar gives cookies
    assert len(own) == 1 and told["XSRF-TOKEN"] == told[own[0]] != ""


@pytest.mark.parametrize("app", ["tasklist", "cockpit", "admin", "welcome"])
def test_each_page_lets_in_and_lets_go(shop: Shop, window: BrowserContext, app: str) -> None:
    """The engine's bare address leads to a page, too; who signs out is asked for a name again, in every tab."""
    page = into(window, shop, app, shop.engine.admin_user)
    leave(page)
    enter(shop, page, shop.engine.admin_user)
    other = window.new_page()
    other.goto(pages(shop))
    expect(other).to_have_url(re.compile("/operaton/app/(tasklist|welcome)/default/"))
    expect(other.locator(".account")).to_contain_text("Администратор")
    leave(page)
    for tab in (page, other):
        tab.bring_to_front()
        tab.reload()
        expect(tab.locator(LOGIN)).to_be_visible()
