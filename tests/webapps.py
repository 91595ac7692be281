"""The engine's own pages in a real browser: sign in as a person and open a place in them."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from shop import Shop

MILLISECONDS = 60_000  # a machine that does many things at once
_QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
_PICTURES = os.environ.get("WEBAPP_PICTURES")  # a folder, when somebody wants to look at the pages


@contextlib.contextmanager
def open_browser() -> Iterator[Browser]:
    """Start the system's Chromium; where there is none the test fails in one sentence."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("chromium is missing: install the package chromium", pytrace=False)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=_QUIET)
        yield opened
        opened.close()


@contextlib.contextmanager
def signed_in(shop: Shop, browser: Browser, app: str, person: str) -> Iterator[Page]:
    """Sign in to `tasklist` or `cockpit` as a person, in Moscow, with a window of their own."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 1400}, locale="ru-RU", timezone_id="Europe/Moscow", accept_downloads=True
    )
    page = context.new_page()
    page.set_default_timeout(MILLISECONDS)
    page.goto(shop.url.removesuffix("/engine-rest") + f"/operaton/app/{app}/default/")
    page.locator("input[type=text]").first.fill(person)
    page.locator("input[type=password]").fill(shop.passwords[person].get_secret_value())
    page.locator("button[type=submit]").click()
    page.wait_for_selector("input[type=password]", state="detached")
    yield page
    context.close()


def go(page: Page, place: str) -> None:
    """Open a place of the page that is open, such as `#/orders`."""
    page.goto(page.url.split("#")[0] + place)


def picture(page: Page, name: str) -> None:
    """Keep a picture of the page where somebody asked for it."""
    if _PICTURES:
        page.screenshot(path=Path(_PICTURES) / f"{name}.png", full_page=True)
