"""The events' door: only a known token lets a hint in, limits come before reading, abuse keeps nobody out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
import pytest
import requests
from flask.testing import FlaskClient
from portal import wait_until
from ports import free_port
from pydantic import SecretStr

from app import web
from app.hooks import LARGEST, PATH, add_hooks, hint_of
from app.settings import SettingsError, load
from app.web import Site, public_site, serve
from bitrix_sync.hints import Hint
from ledger import Ledger
from ledger.errors import LedgerError

ROOT = Path(__file__).parent.parent.parent
TOKENS = [SecretStr("good-token-1"), SecretStr("good-token-2")]
EVENT = {
    "event": "ONCRMDYNAMICITEMUPDATE",
    "event_handler_id": "5",
    "data[FIELDS][ID]": "24",
    "data[FIELDS][ENTITY_TYPE_ID]": "1220",
    "ts": "1723538517",
    "auth[domain]": "some-domain.bitrix24.com",
    "auth[member_id]": "a223c6b3710f85df22e9377d6c4f7553",
    "auth[application_token]": "good-token-1",
}


class Door:
    """The public site with the events' door, and what came through it."""

    def __init__(self) -> None:
        self.came: list[Hint] = []
        self.broken = False
        self.site = public_site(list, lambda each: add_hooks(each, TOKENS, self.note))

    def note(self, hint: Hint) -> None:
        if self.broken:
            raise LedgerError("нет места")
        self.came.append(hint)

    @property
    def client(self) -> FlaskClient:
        return self.site.test_client()


@pytest.fixture
def door() -> Door:
    return Door()


def test_both_tokens_of_a_rotation_are_good_and_nothing_else(door: Door) -> None:
    for token in ("good-token-1", "good-token-2"):
        assert door.client.post(PATH, data=EVENT | {"auth[application_token]": token}).status_code == 200
    assert door.came == [Hint("item:1220", "24")] * 2
    answers, client = set(), door.client
    for token in (
        "",
        "good-token",
        "good-token-1 ",
        "good-token-1,good-token-2",
        "хорошо",
        "\ud800".encode("utf-8", "surrogatepass"),
    ):
        answer = door.client.post(PATH, data=EVENT | {"auth[application_token]": token})
        answers.add((answer.status_code, answer.data))
    without = {name: value for name, value in EVENT.items() if "token" not in name}
    for n in range(1000):
        answer = client.post(PATH, data=without | {"auth[application_token]": f"{n:x}", f"x[{n}]": "good-token-1"})
        answers.add((answer.status_code, answer.data))
    assert answers == {(403, b"")}, "no detail tells one refusal from another"
    assert len(door.came) == 2


@pytest.mark.parametrize(
    ("form", "hint"),
    [
        ({"event": "ONCRMDYNAMICITEMADD_1030", "data[FIELDS][ID]": "7"}, Hint("item:1030", "7")),
        ({"event": "onCrmDynamicItemDelete", "data[FIELDS][ID]": "7"}, Hint("item:", "7")),
        ({"event": "ONTASKUPDATE", "data[FIELDS_AFTER][ID]": "9", "data[FIELDS_BEFORE][ID]": "9"}, Hint("task", "9")),
        (
            {"event": "ONTASKDELETE", "data[FIELDS_BEFORE][ID]": "9", "data[FIELDS_AFTER]": "undefined"},
            Hint("task", "9"),
        ),
        (
            {"event": "ONTASKCOMMENTADD", "data[FIELDS_AFTER][ID]": "0", "data[FIELDS_AFTER][TASK_ID]": "5"},
            Hint("task", "5"),
        ),
        ({"event": "ONCRMDEALUPDATE", "data[FIELDS][ID]": "7"}, None),
        ({"event": "ONTASKUPDATE", "data[FIELDS_AFTER][ID]": "1 OR 1=1"}, None),
        ({"event": "ONCRMDYNAMICITEMUPDATE", "data[FIELDS][ID]": "٧"}, None),
        ({}, None),
    ],
)
def test_what_an_event_names(form: dict[str, str], hint: Hint | None) -> None:
    assert hint_of(form) == hint


def test_what_is_not_an_event_is_refused_before_it_is_read(door: Door) -> None:
    post = door.client.post
    form = "application/x-www-form-urlencoded"
    assert post(PATH, json=EVENT).status_code == 415
    assert post(PATH, data="x" * (LARGEST + 1), content_type=form).status_code == 413
    assert post(PATH, data="&".join(f"a{n}=1" for n in range(300)), content_type=form).status_code == 400
    assert post(PATH, data="a=\xff".encode("latin-1"), content_type=form).status_code == 400
    assert post(PATH, data="a[b]" * 5000, content_type=form).status_code == 403
    assert door.client.get(PATH).status_code == 405
    assert door.came == []


def test_a_full_disk_is_told_to_the_portal(door: Door) -> None:
    door.broken = True
    assert door.client.post(PATH, data=EVENT).status_code == 503


def test_without_a_token_there_is_no_door() -> None:
    assert public_site(list).test_client().post(PATH, data=EVENT).status_code == 404


def test_tokens_and_the_public_address_are_settings() -> None:
    read = load({"ORDER_ROUTE_BITRIX_APPLICATION_TOKEN": " a , b,", "ORDER_ROUTE_PUBLIC_URL": "https://x.ru/"}, None)
    assert [each.get_secret_value() for each in read.application_tokens] == ["a", "b"]
    assert read.public_url == "https://x.ru" and "a , b" not in repr(read)
    for wrong in ("http://shop.example.ru", "https://shop.example.ru/orders", "https://shop.example.ru/?"):
        with pytest.raises(SettingsError, match="PUBLIC_URL"):
            load({"ORDER_ROUTE_PUBLIC_URL": wrong}, None)


@pytest.fixture
def served(door: Door, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(web, "REQUEST_SECONDS", 1.0)
    site = serve(door.site, "127.0.0.1:0", "ORDER_ROUTE_WEB_LISTEN")
    yield site
    site.close()


def test_a_hundred_copies_at_once_are_one_thing_to_look_at(tmp_path: Path) -> None:
    with closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger:

        def note(hint: Hint) -> None:
            ledger.hint(hint.kind, hint.number)

        site = serve(public_site(list, lambda each: add_hooks(each, TOKENS, note)), "127.0.0.1:0", "test")
        with closing(site), ThreadPoolExecutor(20) as pool:
            address = f"http://127.0.0.1:{site.port}{PATH}"
            answers = list(pool.map(lambda _: requests.post(address, data=EVENT, timeout=30).status_code, range(100)))
        assert answers == [200] * 100
        assert [(hint.kind, hint.number) for hint in ledger.hints()] == [("item:1220", "24")]


@pytest.mark.parametrize("times", [2, pytest.param(30, marks=pytest.mark.soak)])
def test_an_event_that_was_answered_outlives_a_killed_receiver(tmp_path: Path, times: int) -> None:
    """The installed pages' program, killed right after its answer: the hint is in the inbox, the work goes on."""
    port = free_port()
    settings = {"WEB_LISTEN": f"127.0.0.1:{port}", "BOARD_LISTEN": f"127.0.0.1:{free_port()}"}
    settings |= {"DATA_DIR": str(tmp_path), "ENGINE_URL": "http://127.0.0.1:9/engine-rest"}
    settings |= {"PUBLIC_URL": f"http://127.0.0.1:{port}", "BITRIX_APPLICATION_TOKEN": "good-token-1"}
    settings |= {"BITRIX_WEBHOOK_URL": "http://127.0.0.1:9/rest/1/token/"}
    env = {name: value for name, value in os.environ.items() if not name.startswith("ORDER_ROUTE_")}
    env |= {f"ORDER_ROUTE_{name}": value for name, value in settings.items()}
    for n in range(times):
        receiver = subprocess.Popen([sys.executable, "-m", "app", "web"], env=env, cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{port}{PATH}"
            answer = wait_until(
                "an answer", lambda n=n, a=address: posted(a, {**EVENT, "data[FIELDS][ID]": f"{n + 1}"}), 60
            )
        finally:
            receiver.kill()
            receiver.wait()
        assert answer == 200
    with closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger:
        assert sorted(int(hint.number) for hint in ledger.hints()) == list(range(1, times + 1))


def posted(address: str, event: dict[str, str]) -> int | None:
    """Return the status of the answer to an event, None while nobody listens."""
    try:
        return requests.post(address, data=event, timeout=30).status_code
    except requests.ConnectionError:
        return None


def test_abuse_keeps_nobody_out(door: Door, served: Site) -> None:
    """Two thousand open connections, creeping requests and a huge body; a good event passes meanwhile."""
    before = psutil.Process().memory_info().rss
    with ExitStack() as lines:

        def line() -> socket.socket:
            return lines.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=30))

        for _ in range(2000):
            line()
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        creeping = [line() for _ in range(50)]
        for each in creeping:
            each.sendall(f"{head}Content-Length: 500\r\n\r\na".encode())
        huge = line()
        huge.sendall(f"{head}Content-Length: {100 << 20}\r\n\r\n".encode())
        flood = threading.Thread(target=pour, args=(huge,), daemon=True)
        flood.start()
        begun = time.monotonic()
        answer = requests.post(f"http://127.0.0.1:{served.port}{PATH}", data=EVENT, timeout=30)
        assert time.monotonic() - begun <= 1.0
        assert (answer.status_code, door.came) == (200, [Hint("item:1220", "24")])
        flood.join(30)
        assert b" 413 " in told(huge)
        deadline = time.monotonic() + 30
        while any(open_still(each) for each in creeping) and time.monotonic() < deadline:
            for each in creeping:
                drip(each)
            time.sleep(0.2)
        assert not any(open_still(each) for each in creeping), "a byte now and then does not keep a request alive"
        assert psutil.Process().memory_info().rss - before < 50 << 20


def pour(line: socket.socket) -> None:
    with_body = b"a" * 65536
    try:
        for _ in range(1600):
            line.sendall(with_body)
    except OSError:
        return  # the door was shut


def told(line: socket.socket) -> bytes:
    try:
        return line.recv(200)
    except OSError:
        return b""


def drip(line: socket.socket) -> None:
    try:
        line.sendall(b"a")
    except OSError:
        return


def open_still(line: socket.socket) -> bool:
    line.setblocking(False)
    try:
        return line.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
