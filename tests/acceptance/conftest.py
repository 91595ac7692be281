"""What the browser tests share: one Chromium a file, and windows that are signed in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from shop import Shop
from webapps import SignIn, go, open_browser, signed_in


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def sign_in(shop: Shop, browser: Browser) -> Iterator[SignIn]:
    """Sign in to the Tasklist as a person and open a place in it."""
    with contextlib.ExitStack() as windows:

        def opened(person: str, place: str) -> Page:
            page = windows.enter_context(signed_in(shop, browser, "tasklist", person))
            go(page, place)
            return page

        yield opened
