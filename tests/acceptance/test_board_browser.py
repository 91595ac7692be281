"""Rule: in a real browser the board fits phone, desk and wall, brings itself up to date, and speaks Russian only."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from chain import free_port
from command import settings_of
from playwright.sync_api import Browser, Page, expect
from shop import Shop, wait_until
from webapps import MILLISECONDS, picture

from app.programs import run_web
from app.settings import load
from app.wiring import Parts

pytestmark = [pytest.mark.engine, pytest.mark.acceptance, pytest.mark.browser]
SIZES = ((390, 844), (1280, 900), (1920, 1080))
ALLOWED = {"Tasklist", "SHA"}  # words of other programs that people know


@dataclass
class Site:
    """Both sites of `order-route web`."""

    board: str
    public: str


@pytest.fixture
def site(shop: Shop, tmp_path: Path) -> Iterator[Site]:
    ports = {"BOARD": free_port(), "WEB": free_port()}
    env = settings_of(shop, tmp_path / "data")
    env |= {f"ORDER_ROUTE_{name}_LISTEN": f"127.0.0.1:{port}" for name, port in ports.items()}
    stop = threading.Event()
    with Parts(load(env, dotenv=None)) as parts:
        served = threading.Thread(target=run_web, args=(parts, stop))
        served.start()
        yield Site(*(f"http://127.0.0.1:{port}" for port in ports.values()))
        stop.set()
        served.join(30)


def signed_in(browser: Browser, site: Site, shop: Shop, size: tuple[int, int]) -> Page:
    page = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="ru-RU").new_page()
    page.set_default_timeout(MILLISECONDS)
    wait_until(lambda: _answers(page, site.board), 60, "the board's address")
    page.fill("input[name=name]", "orlov")
    page.fill("input[name=password]", shop.passwords["orlov"].get_secret_value())
    page.click("form.login button")
    page.wait_for_selector(".top")
    return page


def _answers(page: Page, address: str) -> bool:
    try:
        return page.goto(address) is not None
    except Exception:
        return False


def english(text: str) -> set[str]:
    return {word for word in re.findall(r"\b[A-Za-z]{3,}\b", text) if word not in ALLOWED}


def test_the_board_in_a_browser(shop: Shop, browser: Browser, site: Site) -> None:
    order = shop.start_order(key="9001", customerName="Архитектурное бюро «Линия», дизайн интерьеров и пространств")
    token = shop.drain(order) and shop.reader.variables(order.id)["trackToken"]
    for size in SIZES:
        page = signed_in(browser, site, shop, size)
        tile = page.locator("a.tile", has_text="9001")
        expect(tile).to_be_visible(timeout=MILLISECONDS)
        for path in ("/", "/?view=list&sort=time", "/people", "/order/9001"):
            page.goto(site.board + path)
            picture(page, f"board-{path.strip('/?').split('&')[0].replace('/', '-') or 'columns'}-{size[0]}")
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], (path, size)
            assert english(page.locator("main").inner_text()) <= {"pdf", "stand"}, path
        if size is SIZES[-1]:
            break
        page.context.close()
    page.goto(site.board + "/")
    column = page.locator(".column", has_text="Разработка документации")
    expect(column.locator(".tile")).to_have_count(0)
    shop.answer(order)
    shop.drain(order)
    expect(column.locator("a.tile", has_text="9001")).to_be_visible(timeout=MILLISECONDS)  # nobody reloaded the page
    page.locator("a.tile", has_text="9001").click()
    expect(page.locator("main")).to_contain_text("Супер заказ")
    page.get_by_role("button", name="Выйти").click()
    expect(page.locator("form.login")).to_be_visible()

    page.goto(f"{site.public}/track/{token}")
    expect(page.locator("h1")).to_have_text("Готовим чертежи")
    assert english(page.locator("main").inner_text()) == {"English"}
    page.get_by_role("link", name="In English").click()
    expect(page.locator("h1")).to_have_text("We are preparing the drawings")
    picture(page, "track")
