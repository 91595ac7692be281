"""Rule: whichever way the portal's events come (copied, shuffled, late, never), each order ends the same.

The events are the portal's own, caught and delivered to the real door in an order that Hypothesis chooses, while people
answer: well, with a refusal, without a decision, or by dragging the card. Real engine, two workers.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from chain import Chain, open_chain
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from portaldesk import Desk
from pydantic import SecretStr
from shop import Shop

from app.hooks import PATH, add_hooks, into_inbox
from app.web import Site, public_site, serve
from orders import discussion

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
TOKEN = "events-of-this-test"
LOST, COPIED, HELD = 0.3, 0.3, 12  # of the events; so many at least wait before one of them is let through
SOKOLOVA = 103


@pytest.fixture(scope="module")
def chain(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with open_chain(shop, tmp_path_factory.mktemp("events") / "chain", lock_seconds=15, bitrix_poll_seconds=2) as it:
        it.work()
        it.wait(it.healthy, "the first worker up")
        it.work()
        yield it


@pytest.fixture(scope="module")
def door(chain: Chain) -> Iterator[Site]:
    """The door of events as the pages' program opens it, into the inbox that the workers read."""
    site = serve(
        public_site(list, lambda each: add_hooks(each, [SecretStr(TOKEN)], into_inbox(chain.parts.ledger))),
        "127.0.0.1:0",
        "ORDER_ROUTE_WEB_LISTEN",
    )
    yield site
    site.close()


class Post:
    """Catches the portal's events and lets them through in an order of its own; a context manager."""

    def __init__(self, chain: Chain, door: Site, seed: int) -> None:
        self._chain, self._door, self._chance = chain, f"http://127.0.0.1:{door.port}{PATH}", random.Random(seed)
        self._waiting: list[bytes] = []
        self._seen: list[bytes] = []
        self._over = threading.Event()
        self.caught = self.delivered = 0
        post = self

        class Catch(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                post._waiting.append(self.rfile.read(int(self.headers["Content-Length"])))
                post.caught += 1
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Catch)
        self._threads = [threading.Thread(target=run) for run in (self._server.serve_forever, self._deliver)]

    def __enter__(self) -> Post:
        for thread in self._threads:
            thread.start()
        self._chain.portal.events(f"http://127.0.0.1:{self._server.server_port}/", TOKEN)
        return self

    def __exit__(self, *_: object) -> None:
        self._chain.portal.events("")
        self._over.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()

    def _deliver(self) -> None:
        while not self._over.wait(0.05):
            while len(self._waiting) > HELD:
                self._one(self._waiting.pop(self._chance.randrange(len(self._waiting))))
        late = self._waiting + self._chance.sample(self._seen, len(self._seen) // 3)  # long after their time
        self._chance.shuffle(late)
        for body in late:
            self._one(body)

    def _one(self, body: bytes) -> None:
        self._seen.append(body)
        if self._chance.random() < LOST:
            return
        for _ in range(1 + (self._chance.random() < COPIED)):
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            assert requests.post(self._door, data=body, headers=headers, timeout=30).status_code == 200
            self.delivered += 1


def act(desk: Desk, n: int) -> None:
    """Let people do with the nth order what is expected of it, whatever comes of the events."""
    owner = {"ENTITY_ID": desk.book.card(desk.key)["id"], "ENTITY_TYPE": desk.book.schema.owner_type}
    said = {"fields": owner | {"COMMENT": f"Вопрос {n}"}}
    desk.book.portal.call("crm.timeline.comment.add", said, user=SOKOLOVA)
    who = ("belova", "orlov")[n % 2]
    if n % 4 == 3:
        desk.book.edit({"stageId": desk.book.schema.columns["payment"]}, key=desk.key, user=SOKOLOVA)
        return
    if n % 4 != 2:
        decision = ("approve", "reject")[n % 4]
        desk.fill(who, directorDecision=decision, directorComment=f"Ответ {n}")
    desk.finish("UserTask_ApproveOrder", who)


def state(desk: Desk) -> tuple[object, ...]:
    """Return what the order came to: its end or column, open tasks, answers, the kept words, moves back."""
    order = desk.chain.shop.reader.snapshot(desk.order.id)
    return (
        order.end_id,
        desk.book.column(desk.key),
        [task["description"].rpartition(":task:")[2].partition(":")[0] for task in desk.book.open_tasks(desk.key)],
        [(done.person, done.decision, done.comment) for done in order.done],
        [(said.person, said.text) for said in discussion.read(desk.chain.shop.reader.discussion(desk.order.id))],
        sum("передвинули" in line["title"] for line in desk.book.lines(desk.key)),
    )


def wanted(n: int) -> tuple[object, ...]:
    who, said = ("belova", "orlov")[n % 2], [("sokolova", f"Вопрос {n}")]
    if n % 4 == 0:
        return (None, "design", ["UserTask_PrepareDesign"], [(who, "approve", f"Ответ {n}")], said, 0)
    if n % 4 == 1:
        return ("End_RefusedByDirector", "refused", [], [(who, "reject", f"Ответ {n}")], said, 0)
    return (None, "approve", ["UserTask_ApproveOrder"], [], said, n % 4 == 3)


@pytest.mark.parametrize("orders", [4, pytest.param(60, marks=pytest.mark.soak)])
@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(arrival=st.integers(0, 2**32))
def test_every_order_of_arrival_ends_the_same(chain: Chain, door: Site, orders: int, arrival: int) -> None:
    chain.portal.set_users([{"id": SOKOLOVA, "mayMove": True}])
    with Post(chain, door, arrival) as post:
        desks = [Desk(chain, chain.shop.start_order()) for _ in range(orders)]
        for n, desk in enumerate(desks):
            desk.task("UserTask_ApproveOrder")
            act(desk, n)
        for n, desk in enumerate(desks):
            chain.wait(lambda d=desk, n=n: state(d) == wanted(n), f"{desk.key} to end as the people wanted")
    assert post.delivered >= 0.5 * post.caught >= 3 * orders, (post.caught, post.delivered)
    chain.wait(lambda: chain.parts.ledger.hints() == [], "the late ones worked off")
    assert [state(desk) for desk in desks] == [wanted(n) for n in range(orders)]
    for n, desk in enumerate(desks):
        assert len(desk.told(("belova", "orlov")[n % 2])) == (n % 4 == 2), "told once what is missing"
    chain.verdict(*(desk.order for desk in desks))
