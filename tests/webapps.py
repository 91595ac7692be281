"""The engine's own pages in a real browser: sign in as a person and open a place in them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Response, ViewportSize, expect, sync_playwright
from playwright.sync_api import TimeoutError as PageTimeout
from shop import Shop

from engine.processes import Instance

MILLISECONDS = 60_000  # a machine that does many things at once
_ENTRIES = 3  # one less than the engine lets pass without a wait
LOGIN = ".form-signin input[type=password]"
DESK: ViewportSize = {"width": 1440, "height": 1400}
SignIn = Callable[[str, str], Page]
expect.set_options(timeout=MILLISECONDS)
_QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
ODD_NAME = "Шкаф-купе №3 — «эскиз»; финал (ё, й).pdf"
ODD_FILES = {
    ODD_NAME: ODD_NAME,
    unicodedata.normalize("NFD", ODD_NAME): ODD_NAME,
    "скидка %41 + доставка.pdf": "скидка %41 + доставка.pdf",
    "я" * 240 + ".pdf": "я" * 200 + ".pdf",
}
"""Names as people send them -> as they are kept; two files of one name stay two."""
ODD_CUSTOMER = "ООО «Йод & Ёж» №3; 100%_<b>+'\"\\"
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
def signed_in(shop: Shop, browser: Browser, app: str, person: str, locale: str = "ru-RU") -> Iterator[Page]:
    """Open `tasklist` or `cockpit` for who is signed in: in a window of their own, in Moscow, in that language."""
    context = browser.new_context(viewport=DESK, locale=locale, timezone_id="Europe/Moscow", accept_downloads=True)
    context.set_default_timeout(MILLISECONDS)
    page_of_app = shop.url.removesuffix("/engine-rest") + f"/operaton/app/{app}/default/"
    _let_in(shop, context, page_of_app, person)
    page = context.new_page()
    page.goto(page_of_app)
    yield page
    context.close()


def _let_in(shop: Shop, context: BrowserContext, page: str, person: str) -> None:
    """Sign in as the login page does, without drawing it: `enter` fills in the page itself where that is the matter."""
    root, _, rest = page.partition("/app/")
    context.request.get(page)
    mark = next(c["value"] for c in context.cookies() if c["name"].startswith("XSRF-TOKEN_"))
    told = context.request.post(
        f"{root}/api/admin/auth/user/default/login/{rest.partition('/')[0]}",
        form={"username": person, "password": shop.passwords[person].get_secret_value()},
        headers={"X-XSRF-TOKEN": mark},
    )
    assert told.ok, told.text()


def enter(shop: Shop, page: Page, person: str) -> None:
    """Fill in the login page that is open.

    The page draws its form anew once it knows that nobody is signed in, and on a busy machine takes half of what was
    typed with it: then it is typed again.
    """
    page.wait_for_load_state("networkidle")
    for _ in range(_ENTRIES):
        page.locator("input[type=text]").first.fill(person)
        page.locator(LOGIN).fill(shop.passwords[person].get_secret_value())
        with contextlib.suppress(PageTimeout):
            with page.expect_response(_is_login, timeout=MILLISECONDS / 4) as told:
                page.locator("button[type=submit]").click()
            if told.value.ok:
                break
    page.wait_for_selector(LOGIN, state="detached")


def _is_login(answer: Response) -> bool:
    return "/login/" in answer.url and answer.request.method == "POST"


def open_step(shop: Shop, sign_in: SignIn, order: Instance, person: str, *, claim: bool = True) -> Page:
    """Open the form of an order's open step as a person, claimed by that person unless told otherwise."""
    step = shop.open_step(order)
    assert step.engine_task
    if claim and step.assignee != person:
        shop.signed_in(person).tasks.claim(step.engine_task, person)
    page = sign_in(person, f"#/?task={step.engine_task}")
    page.wait_for_selector("#stage-root .answers")
    return page


def starts(page: Page, process: str) -> None:
    """Open the start form of a process in the Tasklist."""
    page.locator(".start-process-action a").first.click()
    page.get_by_text(process, exact=True).first.click()
    page.wait_for_selector("#stage-root .answers", state="attached")


def go(page: Page, place: str) -> None:
    """Open a place of the page that is open, such as `#/orders`, anew where it is open already."""
    target = page.url.split("#")[0] + place
    if page.url == target:
        page.reload()
    else:
        page.goto(target)


def fetched(page: Page, link: Locator) -> tuple[str, str]:
    """Download what a link leads to as a person does; return its name and its SHA-256."""
    with page.expect_download() as download:
        link.click()
    data = Path(download.value.path()).read_bytes()
    return download.value.suggested_filename, hashlib.sha256(data).hexdigest()


def picture(page: Page, name: str) -> None:
    """Keep a picture of the page where somebody asked for it."""
    if _PICTURES:
        page.screenshot(path=Path(_PICTURES) / f"{name}.png", full_page=True)
