"""Rule: the board shows what the engine runs, order by order, to the persons of the engine and to nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command import run, settings_of
from pydantic import SecretStr
from shop import Shop, wait_until
from werkzeug.test import Client, TestResponse

from app.board.keeper import Keeper
from app.board.site import add_board
from app.settings import load
from app.web import inside_site
from app.wiring import Parts
from engine.accounts import User
from engine.processes import Instance

pytestmark = pytest.mark.engine
LOOKS = 60.0


class Page:
    """The board in one browser."""

    def __init__(self, parts: Parts, keeper: Keeper) -> None:
        self.parts, self.keeper = parts, keeper
        self.site = inside_site(list, lambda site: add_board(site, parts, keeper))
        self.client = Client(self.site)

    def sign_in(self, person: str, password: str) -> int:
        self.client = Client(self.site)
        form = re.search(r'name="form" value="([^"]+)', self.client.get("/login").text)
        assert form
        sent = {"form": form[1], "name": person, "password": password, "next": "/"}
        return self.client.post("/login", data=sent).status_code

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def keys(self, path: str = "/?view=list") -> set[str]:
        return set(re.findall(r'href="/order/([^"/]+)"', self.get(path).text))

    def until(self, words: str, path: str = "/?view=list") -> str:
        """Return the page as soon as it says the words."""
        return wait_until(lambda: (t := self.get(path).text) and words in t and t, LOOKS, f"«{words}» on {path}")


@pytest.fixture
def env(shop: Shop, tmp_path: Path) -> dict[str, str]:
    return settings_of(shop, tmp_path / "data")


@pytest.fixture
def page(shop: Shop, env: dict[str, str]) -> Iterator[Page]:
    with Parts(load(env, dotenv=None)) as parts:
        keeper = Keeper(parts)
        opened = Page(parts, keeper)
        keeper.start()
        yield opened
        keeper.stop()


def signed_in(shop: Shop, page: Page, person: str) -> None:
    assert page.sign_in(person, shop.passwords[person].get_secret_value()) == 303


def running(shop: Shop) -> set[str]:
    """Return the numbers of the running orders as Cockpit's own query tells them."""
    found = shop.admin.processes.instances(process_definition_key="custom-furniture-order")
    return {i.business_key for i in found}


def claim(shop: Shop, order: Instance, person: str) -> None:
    step = shop.open_step(order)
    assert step.engine_task
    shop.signed_in(person).tasks.claim(step.engine_task, person)


def test_board_equals_engine_and_follows_it(shop: Shop, page: Page) -> None:
    first, second = shop.start_order(customerName="Ромашка"), shop.start_order()
    shop.carry_to(second, "UserTask_PrepareEstimate")
    shop.drain(first)
    signed_in(shop, page, "orlov")
    page.until(second.business_key)
    wait_until(lambda: page.keys() == running(shop), LOOKS, "the board's orders to be the engine's")
    claim(shop, second, "zaitseva")
    page.until("Светлана Зайцева", "/?q=" + second.business_key)
    assert "срок" in page.get("/?q=" + second.business_key).text
    (task,) = shop.integration.tasks.of_instance(second.id)
    shop.integration.tasks.set_due(task.id, datetime.now(UTC) - timedelta(days=10))
    page.until("опоздание", "/?view=list&only=late")
    assert page.keys("/?view=list&only=late") == {second.business_key}
    shop.admin.processes.set_suspended([second.id], True)
    page.until("приостановлен", "/?q=" + second.business_key)
    assert page.keys("/?view=list&only=late") == set()
    shop.admin.processes.set_suspended([second.id], False)
    page.until(second.business_key, "/?view=list&only=late")
    assert page.keys("/?q=ромашка&view=list") == {first.business_key}
    assert page.keys("/?stage=estimate") == {second.business_key}
    assert "Светлана Зайцева" in page.get("/people").text
    shop.answer(second, "zaitseva")
    shop.drain(second)
    page.until(second.business_key, "/?stage=price")
    shop.carry_home(second)
    wait_until(lambda: page.keys() == running(shop) == {first.business_key}, LOOKS, "the shipped order to leave")
    ended = page.get(f"/?q={second.business_key}")
    assert "Уже закончены" in ended.text and f"/order/{second.business_key}" in ended.text


def test_ended_orders_are_found_by_customer_and_item_by_those_who_may(shop: Shop, page: Page) -> None:
    order = shop.start_order(customerName="ООО «Пион»", itemDescription="Стеллаж Ёжик")
    shop.answer(order, directorDecision="reject", directorComment="Нет станка")
    shop.drain(order)
    page.keeper.look_back()  # as the keeper does each ten minutes
    for person, sees in (("orlov", True), ("sokolova", True), ("egorov", False)):
        signed_in(shop, page, person)
        page.until("Показать", "/")
        for words in ("пион", "ЁЖИК"):
            text = page.get(f"/?q={words}").text
            assert (f"/order/{order.business_key}" in text) == sees, (person, words)
            assert ("Стеллаж" in text) == sees
    assert page.get("/?q=пион&view=list").status_code == 200


def test_one_order_on_one_screen_with_its_files(shop: Shop, page: Page) -> None:
    order = shop.start_order(customerName="Ромашка")
    shop.carry_to(order, "UserTask_PrepareEstimate")
    signed_in(shop, page, "orlov")
    seen = page.get(f"/order/{order.business_key}").text
    for words in ("Ромашка", "Расчёт сметы", "Рассчитать смету", "Супер заказ", "чертёж.pdf", "Дмитрий Волков"):
        assert words in seen, words
    file = page.get(f"/order/{order.business_key}/file/designFile")
    assert file.data == shop.reader.file_bytes(order.id, "designFile")[1]
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert page.get(f"/order/{order.business_key}/file/nothing").status_code == 404
    assert page.get("/order/NO-SUCH-ORDER").status_code == 404


def test_nobody_sees_what_their_role_does_not_allow(shop: Shop, page: Page) -> None:
    order = shop.start_order(customerName="Ромашка")
    shop.carry_to(order, "UserTask_PrepareDesign")
    signed_in(shop, page, "pavlova")  # shipping: has nothing to do with it yet
    page.until(order.business_key)
    for path in ("/", "/?view=list", f"/order/{order.business_key}", "/?q=Ромашка", "/people"):
        text = page.get(path).text
        assert "<b>0</b>" in text or "Ромашка" not in text.replace('value="Ромашка"', "")
        assert "чертёж" not in text
        assert "Дмитрий Волков" not in text
    assert page.get(f"/order/{order.business_key}/file/orderFile").status_code == 404
    assert "конструкторское бюро" in page.get(f"/order/{order.business_key}").text


def test_the_engine_judges_who_comes_in_and_slows_guessing_down(shop: Shop, page: Page) -> None:
    who = "boardGuest"
    shop.admin.identity.create_user(User(who, "Гость", "Гостев", "guest@mebel.example"), SecretStr("guest-password-1"))
    try:
        assert page.sign_in(who, "guest-password-1") == 401, "an account of the engine, but no member of staff"
        assert page.sign_in("integration", shop.passwords["integration"].get_secret_value()) == 401
        for n in range(6):
            assert page.sign_in("egorov", f"wrong {n}") == 401
        right = shop.passwords["egorov"].get_secret_value()
        assert page.sign_in("egorov", right) == 401, "the engine's own wait counts here too"
    finally:
        shop.admin.identity.delete_user(who)
        shop.admin.identity.set_password("egorov", shop.passwords["egorov"])


def test_command(shop: Shop, env: dict[str, str]) -> None:
    shop.drain(shop.start_order())
    said = run("board", env=env)
    assert said.code == 0, said.text
    assert re.search(r"Согласование у директора +1 ", said.out)
    assert "в работе 1" in said.out
