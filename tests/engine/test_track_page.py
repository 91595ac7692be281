"""Rule: a customer sees the own order by its link, in the customer's words, with the promise and its changes; nobody
inside is named, a guessed or revoked link shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command import run, settings_of
from shop import Shop
from werkzeug.test import Client, TestResponse

from app.settings import load
from app.track import page as track_page
from app.track.page import A_SECOND, Busy, Links
from app.track.shop import open_track
from app.web import public_site
from app.wiring import Parts
from engine.processes import Instance
from orders.tracking import MILESTONES

pytestmark = pytest.mark.engine
STEPS = ("ApproveOrder", "PrepareDesign", "PrepareEstimate", "AgreePrice", "SetReadyDate", "Manufacture",
         "TellCustomer", "IssueInvoice", "TakePayment", "Ship")  # fmt: skip


@pytest.fixture
def env(shop: Shop, tmp_path: Path) -> dict[str, str]:
    return settings_of(shop, tmp_path / "data") | {"ORDER_ROUTE_PUBLIC_URL": "https://orders.example"}


@pytest.fixture
def client(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The public site; answers are not kept, so that a test sees each change at once."""
    monkeypatch.setattr(track_page, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(track_page, "A_SECOND", 1000)
    with Parts(load(env, dotenv=None)) as parts:
        yield Client(public_site(list, lambda site: open_track(site, parts)))


def address(shop: Shop, order: Instance) -> str:
    return f"/track/{shop.reader.variables(order.id)['trackToken']}"


def insiders(shop: Shop) -> list[str]:
    """Return everything that must not be on the page: names, departments, groups, engine ids."""
    people = [word for p in shop.staff.persons for word in (p.name, p.id, p.phone, p.email) if word]
    return [*people, *shop.staff.groups, *shop.staff.groups.values(), "UserTask", "Супер заказ", "125", "ООО"]


def test_each_stage_in_the_customers_words_and_nobody_named(shop: Shop, client: Client) -> None:
    order = shop.start_order()
    said: list[str] = []
    for step in STEPS:
        shop.carry_to(order, f"UserTask_{step}")
        for language in ("ru", "en"):
            answer = client.get(address(shop, order), query_string={"lang": language})
            assert answer.status_code == 200
            assert [w for w in insiders(shop) if w in answer.text] == [], (step, language)
            assert all(title[language] in answer.text for title in MILESTONES.values())  # type: ignore[index]
        said.append(client.get(address(shop, order)).text.split("<h1>")[1].split("</h1>")[0])
    assert len(set(said)) == len(STEPS), said
    shop.carry_home(order)
    assert "Заказ отправлен" in client.get(address(shop, order)).text
    english = client.get(address(shop, order), headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert "has been shipped" in english.text


def test_a_moved_promise_is_told_and_a_broken_one_too(shop: Shop, client: Client) -> None:
    order = shop.start_order()
    shop.carry_to(order, "UserTask_Manufacture")
    assert "Обещаем готовность" in client.get(address(shop, order)).text
    assert "Срок изменился" not in client.get(address(shop, order)).text
    later = (datetime.now(UTC) + timedelta(days=40)).isoformat()
    moved = {"readyBy": later, "moveReason": "станок", "movedBy": "gromov"}
    shop.integration.processes.correlate("ReadyDateMoved", order.id, moved)
    text = client.get(address(shop, order)).text
    assert "Срок изменился" in text
    assert "станок" not in text


def test_a_guessed_link_and_a_revoked_one_show_nothing(shop: Shop, client: Client, env: dict[str, str]) -> None:
    order = shop.start_order()
    shop.carry_to(order, "UserTask_ApproveOrder")
    old = address(shop, order)

    def gone(path: str) -> TestResponse:
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert "Ссылка не действует" in answer.text
        assert order.business_key not in answer.text
        return answer

    headers = client.get(old).headers
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert "noindex" in headers["X-Robots-Tag"]
    for path in (old[:-1], old + "x", "/track/" + "a" * 32, "/track/%25", f"/track/{order.business_key}"):
        gone(path)
    said = run("track", order.business_key, "--renew", env=env)
    assert said.out.strip() == "https://orders.example" + address(shop, order) != "https://orders.example" + old
    gone(old)
    assert client.get(address(shop, order)).status_code == 200
    shop.carry_home(order)
    last = address(shop, order)
    assert client.get(last).status_code == 200
    assert "отозвана" in run("track", order.business_key, "--renew", env=env).out
    gone(last)
    assert run("conformance", order.business_key, env=env).code == 0, "a link that is taken back is no deviation"


def test_guessing_does_not_wear_the_engine_out() -> None:
    asked: list[str] = []
    links = Links(lambda token: asked.append(token), lambda: 100.0)  # type: ignore[func-returns-value,return-value]
    for n in range(A_SECOND):
        links.order(f"token-{n}")
    with pytest.raises(Busy):
        links.order("one more")
    links.order("token-1")  # kept: asks nobody
    assert len(asked) == A_SECOND
