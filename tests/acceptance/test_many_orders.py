"""Rule: the pages that people open all day are as quick in a shop of 1,000 open and 10,000 ended orders as in a small
one. The numbers are printed with the machine's load (`-s`); a busy machine makes them larger, the best of five counts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
from growth.rows import DATABASE, insert, orphans, plan, stage
from growth.templates import STAGES
from playwright.sync_api import Browser, Page, expect
from postgres import Postgres, engine_on
from rich.console import Console
from shop import Shop, open_shop
from webapps import go, picture, signed_in

pytestmark = [pytest.mark.engine, pytest.mark.browser, pytest.mark.containers, pytest.mark.soak]
SEED, OPEN, ENDED, ROUNDS = 1, 1000, 10_000, 5
CARD = ".tasks-list li.task"


@pytest.fixture(scope="module")
def crowd(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop on PostgreSQL: a real order before each department and one at its end, the others copied from them."""
    postgres.make(DATABASE)
    with open_shop(tmp_path_factory.mktemp("crowd"), engine_type=engine_on(postgres, DATABASE)) as opened:
        real = [opened.start_order(key=f"TPL-{n:05d}") for n in range(len(STAGES))]
        for order, code in zip(real[1:], STAGES[1:], strict=True):  # the first stage comes only after a refused file
            opened.carry_to(order, f"UserTask_{code}")
        opened.carry_home(real[0])
        stage(postgres, [(order.id, order.business_key or "") for order in real])
        running = plan(SEED, 1, range(1, len(real)), OPEN - len(real) + 1, 60)
        insert(postgres, running)
        insert(postgres, plan(SEED, len(running) + 1, [0], ENDED, 730))
        assert orphans(postgres) == []
        yield opened


def best(what: str, limit: float, act: Callable[[], object]) -> None:
    """Do it some times, print the seconds with the load, and hold the quickest to the limit."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - began)
    told = " ".join(f"{s:.2f}" for s in seconds)
    Console().print(f"{what}: {told} s, limit {limit:g}, load {os.getloadavg()[0]:.1f}", soft_wrap=True)
    assert min(seconds) <= limit, f"{what}: {told}"


def open_list(page: Page, name: str, first: str) -> None:
    """Open another list and then this one, until its tasks stand there with their columns."""
    page.get_by_role("link", name=name).click()
    expect(page.locator(CARD).first).to_contain_text(first)


def test_a_persons_lists_and_forms_in_a_crowd(crowd: Shop, browser: Browser) -> None:
    """An accountant, who has three of the ten steps before them: the list, then a step's form."""
    with signed_in(crowd, browser, "tasklist", crowd.member("accounting")) as page:
        cards = page.locator(CARD)
        page.get_by_role("link", name="Мой отдел").click()
        expect(cards.first).to_contain_text("Заказчик")

        def listed() -> None:
            page.get_by_role("link", name="Мои задачи").click()
            expect(cards).to_have_count(0)
            page.get_by_role("link", name="Мой отдел").click()
            expect(cards.first).to_contain_text("ООО «Ёлка и Ко»")

        best("Tasklist, two lists", 2.0, listed)  # one second each

        turn = iter(range(ROUNDS))

        def form() -> None:
            cards.nth(next(turn)).locator("a").first.click()
            page.wait_for_function("shown => document.querySelector('#stage-facts')?.dataset.seen !== 'yes'", arg=None)
            expect(page.locator("#stage-root .answers")).to_be_visible()
            page.evaluate("document.querySelector('#stage-facts').dataset.seen = 'yes'")

        best("Tasklist, form", 1.0, form)
        picture(page, "crowd-tasklist")


def test_the_auditors_first_page_in_a_crowd(crowd: Shop, browser: Browser) -> None:
    """25 rows of more than 10,000, counted and sorted by the server."""
    with signed_in(crowd, browser, "cockpit", crowd.member("auditors")) as page:
        rows = page.locator(".orders tbody tr")

        def first_page() -> None:
            go(page, "#/dashboard")
            expect(rows).to_have_count(0)
            go(page, "#/orders")
            expect(rows).to_have_count(25)

        first_page()
        expect(page.locator(".orders-pages")).to_contain_text(f"1–25 из {OPEN + ENDED + 1}")
        best("Cockpit, «Заказы»", 2.0, first_page)

        def found() -> None:
            go(page, "#/orders?outcome=End_Delivered&customer=" + "%D1%91%D0%BB%D0%BA%D0%B0")
            expect(page.locator(".orders-pages")).to_contain_text(f"из {ENDED + 1}")
            go(page, "#/dashboard")
            expect(rows).to_have_count(0)

        best("Cockpit, search by customer and outcome", 4.0, found)
        picture(page, "crowd-cockpit")
