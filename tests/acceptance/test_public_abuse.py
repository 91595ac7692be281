"""Rule: whoever abuses the public door harms nobody who works: events and the step page answer within a second."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psutil
import pytest
import requests
from chain import free_port
from pydantic import SecretStr
from shop import Shop
from steppage import StepPages, open_step_pages

from app.door.step import add_step_page
from app.hooks import PATH, add_hooks
from app.web import public_site, serve
from bitrix_sync.hints import Hint

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
FORM = "application/x-www-form-urlencoded"
EVENT = {
    "event": "ONCRMDYNAMICITEMUPDATE",
    "data[FIELDS][ID]": "24",
    "data[FIELDS][ENTITY_TYPE_ID]": "1220",
    "auth[application_token]": "good-token",
}
CONNECTIONS, CREEPING, FORGED, HUGE = 2000, 50, 1000, 100 << 20
MEMORY, SECONDS, TRIES = 50 << 20, 1.0, 9


@pytest.fixture(scope="module")
def pages(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StepPages]:
    with open_step_pages(shop, tmp_path_factory.mktemp("abuse") / "chain") as opened:
        yield opened


def test_people_answer_their_steps_while_the_door_is_abused(shop: Shop, pages: StepPages) -> None:
    """Idle and creeping connections, a huge body and a thousand forged tokens, all at once."""
    order = shop.start_order()
    step = shop.carry_to(order, "UserTask_ApproveOrder")
    director = shop.staff.find("belova")
    assert director is not None
    session = pages.signed_in(step.visit, director)
    came: list[Hint] = []
    port = free_port()
    tokens = [SecretStr("good-token")]
    both = public_site(list, lambda s: add_step_page(s, pages.door), lambda s: add_hooks(s, tokens, came.append))
    site = serve(both, f"127.0.0.1:{port}", "test")
    address = f"http://127.0.0.1:{port}"
    refused: list[int] = []

    def forge() -> None:
        with requests.Session() as forger:
            for n in range(FORGED):
                data = EVENT | {"auth[application_token]": f"good-token{n:x}"}
                refused.append(forger.post(f"{address}{PATH}", data=data, timeout=30).status_code)

    before = psutil.Process().memory_info().rss
    with ExitStack() as stack:
        stack.callback(site.close)

        def line() -> socket.socket:
            return stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))

        for _ in range(CONNECTIONS):
            line()
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n"
        for _ in range(CREEPING):
            line().sendall(f"{head}Content-Length: 500\r\n\r\na".encode())
        huge = line()
        huge.sendall(f"{head}Content-Length: {HUGE}\r\n\r\n".encode())
        threads = [threading.Thread(target=work, daemon=True) for work in (forge, lambda: _pour(huge))]
        for thread in threads:
            thread.start()
        place = f"{address}/do/{step.visit}"
        shown = [_seconds(lambda: session.get(place, timeout=30), 200) for _ in range(TRIES)]
        told = [_seconds(lambda: requests.post(f"{address}{PATH}", data=EVENT, timeout=30), 200) for _ in range(TRIES)]
        form = {"mark": pages.mark(session, step.visit), "directorDecision": "approve"}
        answered = _seconds(lambda: session.post(place, data=form, timeout=30, allow_redirects=False), 303)
        for thread in threads:
            thread.join(60)
        grown = psutil.Process().memory_info().rss - before
    assert (len(refused), set(refused)) == (FORGED, {403})
    assert set(came) == {Hint("item:1220", "24")} and len(came) == TRIES
    assert [v.person for v in shop.reader.snapshot(order.id).done] == ["belova"]
    assert grown <= MEMORY, f"{grown >> 20} MiB"
    slow = {"page": statistics.median(shown), "event": statistics.median(told)}
    assert max(slow.values()) <= SECONDS, f"{slow}, answer {answered:.2f}"


def _seconds(ask: Callable[[], requests.Response], status: int) -> float:
    begun = time.monotonic()
    assert ask().status_code == status
    return time.monotonic() - begun


def _pour(line: socket.socket) -> None:
    part = b"a" * 65536
    try:
        for _ in range(HUGE // len(part)):
            line.sendall(part)
    except OSError:
        return  # the door was shut
