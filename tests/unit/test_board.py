"""Rule: the board says of every running order where it is, who holds it and how late it is, and shows each person only
what their role allows; a thousand orders stay a quick page of moderate size.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from mirrored import the_route, the_staff
from werkzeug.test import Client

from app.board.door import door
from app.board.pages import pages
from app.board.words import teach
from app.sessions import CHECK_SECONDS, IDLE_SECONDS, LONGEST_SECONDS, Sessions
from app.web import inside_site
from orders.calendar import WorkingCalendar
from orders.dates import parse_moment
from orders.snapshot import OpenVisit, OrderSnapshot, VisitDone
from reports.board import Board, Query, Risk, Viewer, counters, delays_for, loads_for, make_board, select
from reports.pace import Pace

NOW = parse_moment("2026-11-24T12:00+03:00")  # a Tuesday
CALENDAR, ROUTE, STAFF = WorkingCalendar(), the_route(), the_staff()
APPROVE, DESIGN, PRICE = "UserTask_ApproveOrder", "UserTask_PrepareDesign", "UserTask_AgreePrice"
_GROUPS = {APPROVE: "directors", DESIGN: "designers", PRICE: "commercial"}


def order(
    key: str, task: str = DESIGN, *, due: timedelta | None = timedelta(days=3), holder: str | None = None, **values: str
) -> OrderSnapshot:
    """Return an order that has stood at a step since the day before."""
    done = () if task == APPROVE else (VisitDone("v0", APPROVE, "orlov", "Виктор Орлов", NOW - timedelta(days=1)),)
    visit = OpenVisit(
        "v1", task, NOW - timedelta(days=1), f"t-{key}", holder, (_GROUPS[task],), due=NOW + due if due else None
    )
    variables = {"customerName": f"Заказчик {key}", "itemDescription": "Стол дубовый", **values}
    return OrderSnapshot(key, f"i-{key}", "d", NOW - timedelta(days=2), "sokolova", variables, done=done, open=(visit,))


def paused(made: OrderSnapshot, hours: float) -> OrderSnapshot:
    """Return the order as suspended so many hours ago."""
    return replace(made, paused=((NOW - timedelta(hours=hours), None),))


def board(*orders: OrderSnapshot, pace: Pace | None = None) -> Board:
    return make_board(orders, {"d": ROUTE}, ROUTE, STAFF, CALENDAR, NOW, pace)


def viewer(person_id: str) -> Viewer:
    person = STAFF.find(person_id)
    assert person is not None
    return Viewer(person)


def keys(shown: Board, who: str, query: Query) -> list[str]:
    return [tile.row.key for tile in select(shown, viewer(who), query)]


@pytest.mark.parametrize(
    ("made", "risk", "words"),
    [
        (order("A", due=timedelta(hours=-2)), Risk.LATE, "опоздание 2 ч"),
        (order("A", due=timedelta(hours=-70)), Risk.LATE, "опоздание 11 ч"),
        (order("A", due=timedelta(hours=3)), Risk.TODAY, "срок сегодня, 15:00"),
        (order("A", due=timedelta(days=2)), Risk.FINE, "осталось 2 дня"),
        (order("A", due=None), Risk.FINE, "без срока"),
        (order("A", PRICE, due=timedelta(hours=-2)), Risk.WAITS, "ждём заказчика 8 ч, срок прошёл"),
        (paused(order("A", due=timedelta(days=2)), 1), Risk.PAUSED, "приостановлен"),
        (paused(order("A", due=timedelta(hours=-2)), 1), Risk.PAUSED, "приостановлен, опоздание 1 ч"),
        (paused(order("A", PRICE, due=None), 1), Risk.PAUSED, "приостановлен"),
    ],
)
def test_risk_in_words(made: OrderSnapshot, risk: Risk, words: str) -> None:
    (tile,) = board(made).tiles
    assert (tile.risk, tile.words) == (risk, words)


def test_what_will_be_late_is_told_by_how_long_such_steps_took() -> None:
    slow = Pace({"design": (40.0,) * 20})
    (tile,) = board(order("A", due=timedelta(days=2)), pace=slow).tiles
    assert tile.risk is Risk.AT_RISK
    assert tile.remaining == 40 - tile.held == 32
    too_few = Pace({"design": (40.0,) * 3})
    assert board(order("A", due=timedelta(days=2)), pace=too_few).tiles[0].risk is Risk.FINE


def test_every_order_stands_in_exactly_one_column_and_columns_are_the_route() -> None:
    between = replace(order("C"), open=(), variables={"cardStage": "estimate"})
    new = replace(order("D"), open=(), done=(), variables={})
    shown = board(order("A"), order("B", APPROVE), between, new)
    titles = dict(shown.columns)
    assert [t.column for t in shown.tiles] == ["design", "approve", "estimate", ""]
    assert all(t.column in titles for t in shown.tiles)
    assert [code for code, _ in shown.columns if code] == [s.code for s in ROUTE.stages]
    assert [t.moving for t in shown.tiles] == [False, False, True, True]


def test_a_stranger_to_the_order_sees_neither_customer_nor_sum_nor_holder() -> None:
    shown = board(order("A", estimateSum="125000.00"), order("B", APPROVE, customerName="Ромашка"))
    workshop, director = viewer("stepanov"), viewer("orlov")
    assert [workshop.sees(t) for t in shown.tiles] == [False, False]
    assert keys(shown, "stepanov", Query(text="ромашка")) == []
    assert keys(shown, "orlov", Query(text="ромашка")) == ["B"]
    assert keys(shown, "stepanov", Query(text="b")) == ["B"]
    assert (counters(shown.tiles, workshop).total, counters(shown.tiles, workshop).unread) == (0, 2)
    assert (counters(shown.tiles, director).total, counters(shown.tiles, director).unread) == (125000, 0)
    holder = shown.tiles[0].row.holder_id or ""
    assert keys(shown, "stepanov", Query(person=holder)) == []


def test_order_of_the_list() -> None:
    shown = board(
        order("fine"),
        order("late", due=timedelta(hours=-1)),
        replace(order("old"), open=(replace(order("old").open[0], since=NOW - timedelta(days=9)),)),
        order("later", due=timedelta(hours=-3)),
    )
    assert keys(shown, "orlov", Query()) == ["later", "late", "fine", "old"]
    assert keys(shown, "orlov", Query(by_time=True))[0] == "old"
    assert keys(shown, "orlov", Query(late_only=True)) == ["later", "late"]


def test_load_and_delay_are_for_the_person_and_the_head() -> None:
    late = timedelta(hours=-2)
    shown = board(order("A", holder="volkov", due=late), order("B", holder="lebedeva", due=late), order("C", APPROVE))
    seen = {who: {x.person_id for x in loads_for(shown, viewer(who))} for who in ("orlov", "volkov", "lebedeva")}
    assert seen["lebedeva"] == {"lebedeva"}
    assert seen["volkov"] == {"volkov", "lebedeva"}, "volkov heads the designers"
    assert seen["orlov"] >= {"volkov", "lebedeva"}
    assert {d.person_id for d in delays_for(shown, viewer("lebedeva"), STAFF)} == {"lebedeva"}
    load = next(x for x in shown.loads if x.person_id == "volkov")
    assert (load.open, load.overdue, load.addressed) == (1, 1, 0)


class Hands:
    """A site with the board on given data, and a way in without the engine: the password is the name."""

    def __init__(self, shown: Board | None) -> None:
        self.now = 0.0
        self.there = True
        self.sessions = Sessions(lambda _person: self.there, lambda: self.now)
        self.keeper = SimpleNamespace(
            board=shown, trouble="", progress=(0, 0), watched=lambda: None, ended=lambda _: []
        )
        orders = SimpleNamespace(instances_of=lambda _key: [])
        self.parts = SimpleNamespace(staff=STAFF, orders=orders)

        def add(site: Flask) -> None:
            site.register_blueprint(door(self.sessions, STAFF, lambda n, p: n == p.get_secret_value()))
            site.register_blueprint(pages(self.parts, self.keeper))  # type: ignore[arg-type]
            teach(site, CALENDAR.zone)

        self.client = Client(inside_site(list, add))

    def sign_in(self, person: str, password: str | None = None, *, form: str | None = None, place: str = "/") -> int:
        page = self.client.get("/login")
        secret = page.text.split('name="form" value="')[1].split('"')[0]
        sent = {"name": person, "password": password or person, "form": form or secret, "next": place}
        answer = self.client.post("/login", data=sent)
        self.place = answer.headers.get("Location")
        return answer.status_code


@pytest.fixture
def hands() -> Iterator[Hands]:
    yield Hands(board(order("A"), order("B", APPROVE)))


def test_nobody_gets_in_without_an_account(hands: Hands) -> None:
    for path in ("/", "/people", "/order/A", "/order/A/file/orderFile"):
        answer = hands.client.get(path)
        assert answer.status_code in (303, 404)
        assert "Заказчик" not in answer.text
    assert hands.sign_in("orlov", "wrong") == 401
    assert hands.sign_in("nobody") == 401, "an account of the engine that is no member of staff"
    assert hands.sign_in("integration") == 401
    assert hands.sign_in("orlov") == 303
    assert "Заказчик A" in hands.client.get("/").text


def test_a_foreign_form_opens_and_closes_nothing(hands: Hands) -> None:
    assert hands.sign_in("orlov", form="forged") == 400
    assert hands.sign_in("orlov") == 303
    assert hands.client.post("/logout", data={"csrf": "forged"}).status_code == 400
    page = hands.client.get("/").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    assert hands.client.post("/logout", data={"csrf": csrf}).status_code == 303
    assert hands.client.get("/").status_code == 303


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_leads_to_no_foreign_place(hands: Hands, place: str) -> None:
    hands.sign_in("orlov", place=place)
    assert hands.place == "/"


def test_the_cookie_is_for_the_browser_alone(hands: Hands) -> None:
    hands.sign_in("orlov")
    cookie = hands.client.get_cookie("order_route_board")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert hands.client.get("/").headers["Cache-Control"] == "no-store"


def test_sessions_end() -> None:
    now, there = [0.0], [True]
    sessions = Sessions(lambda _person: there[0], lambda: now[0])
    token = sessions.begin("orlov")
    assert sessions.find(token) is not None
    assert sessions.find(token + "x") is None
    now[0] += IDLE_SECONDS + 1
    assert sessions.find(token) is None, "unused"
    token = sessions.begin("orlov")
    for _ in range(int(LONGEST_SECONDS // IDLE_SECONDS) + 1):
        now[0] += IDLE_SECONDS - 1
        sessions.find(token)
    now[0] += IDLE_SECONDS - 1
    assert sessions.find(token) is None, "old"
    token = sessions.begin("orlov")
    now[0] += CHECK_SECONDS + 1
    there[0] = False
    assert sessions.find(token) is None, "no account any more"


def test_what_customers_wrote_is_text() -> None:
    hands = Hands(board(order("A", customerName="<script>alert(1)</script>")))
    hands.sign_in("orlov")
    for page in ("/", "/?view=list", "/?q=<script>alert(1)</script>"):
        assert "<script>alert" not in hands.client.get(page).text
    policy = hands.client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy


def test_no_inline_script_or_style_and_no_english() -> None:
    folder = Path(__file__).parents[2] / "app" / "board" / "templates"
    for page in folder.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "style=" not in text, page
        assert "<script>" not in text, page
        assert "|safe" not in text, page
        assert "штраф" not in text.casefold(), page


def test_a_thousand_orders() -> None:
    many = [
        order(
            f"ORD-2026-{n:05d}", (APPROVE, DESIGN, PRICE)[n % 3], due=timedelta(hours=n % 90 - 30),
            holder="volkov" if n % 3 == 1 and n % 2 else None, estimateSum="125000.00",
            customerName="Архитектурное бюро «Линия и пространство», интерьеры", itemDescription="Шкаф-купе " * 6,
        )
        for n in range(1000)
    ]  # fmt: skip
    began = time.process_time()
    hands = Hands(board(*many))
    made = time.process_time() - began
    hands.sign_in("orlov")
    for page in ("/", "/?view=list&sort=time", "/?stage=design", "/people", "/?q=шкаф"):
        began = time.process_time()
        answer = hands.client.get(page)
        took = time.process_time() - began
        assert answer.status_code == 200
        told = f"{page}: {len(answer.data)} bytes, {took:.2f} s of processor; the board made in {made:.2f} s"
        assert len(answer.data) <= 300 * 1024, told
        assert took < 1, told
    assert hands.client.get("/?view=list&page=2").text.count('href="/order/') == 100
