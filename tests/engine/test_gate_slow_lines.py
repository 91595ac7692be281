"""A slow line ends or is told why, keeps nobody else from working, and loses nothing of what it brings."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from gate_models import REFUSED, TIMEOUT, Door, door, file, process, refusal, stage, state, task_of, text
from shop import Shop, wait_until

pytestmark = pytest.mark.engine

PROCESS = "gate-slow"
MIB = 1 << 20
MOST_LINES = 30  # of the server: bodies on their way at once
STEP, EVERY = 4096, 0.1  # bytes and seconds: 40 KiB/s, a poor line; the server ends what is slower than 8
FIELDS = {"field.designFile": "files; Чертежи", "field.note": "text; Заметка"}


class Line:
    """A completion with a file, sent over a raw connection as slowly as the test wants."""

    def __init__(self, opened: Door, task: str, data: bytes) -> None:
        self._body = json.dumps({"variables": {"designFile": file("медленно.pdf", data)}}).encode()
        self._sent = 0
        host, _, port = opened.url.removeprefix("http://").partition("/")[0].partition(":")
        login = base64.b64encode(f"{opened.user}:{opened.password}".encode()).decode()
        head = (
            f"POST /engine-rest/task/{task}/complete HTTP/1.1\r\n"
            f"Host: {host}:{port}\r\nAuthorization: Basic {login}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self._body)}\r\nConnection: close\r\n\r\n"
        )
        self.socket = socket.create_connection((host, int(port)), timeout=TIMEOUT)
        self.socket.sendall(head.encode())

    def send(self, count: int) -> None:
        """Send some more of the body; a line that the server has ended sends nothing."""
        with contextlib.suppress(OSError):
            self.socket.sendall(self._body[self._sent : self._sent + count])
            self._sent += count

    def answered(self) -> bool:
        """Tell whether an answer has come, without waiting for it."""
        self.socket.setblocking(False)
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False
        finally:
            self.socket.settimeout(TIMEOUT)

    def answer(self) -> tuple[int, str]:
        """Return status and body of the answer, and hang up."""
        with self.socket, http.client.HTTPResponse(self.socket, method="POST") as answer:
            answer.begin()
            return answer.status, answer.read().decode()

    def finish(self) -> tuple[int, str]:
        """Send the rest and return the answer."""
        self.send(len(self._body))
        return self.answer()


class Lines:
    """Many slow lines, fed a little each, all the time."""

    def __init__(self) -> None:
        self.fed: list[Line] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._feed)

    def __enter__(self) -> Lines:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()
        for line in self.fed:
            line.socket.close()

    def rest(self) -> None:
        self._over.set()
        self._thread.join()

    def _feed(self) -> None:
        while not self._over.wait(EVERY):
            for line in list(self.fed):
                line.send(STEP)


@pytest.fixture(scope="module")
def admin(shop: Shop) -> Door:
    """The admin's door, with the diagram deployed; a second step keeps the instance open."""
    opened = door(shop, "admin")
    diagram = process(PROCESS, [stage("Design", FIELDS), stage("Later", {"field.note": "text; Заметка"})])
    assert opened.deploy(diagram).status_code == 200
    return opened


@pytest.fixture
def lines() -> Iterator[Lines]:
    with Lines() as opened:
        yield opened


def begin(admin: Door) -> str:
    return str(admin.start(PROCESS).json()["id"])


def creeping(line: Line) -> bool:
    """Send next to nothing; tell whether the server has answered."""
    line.send(20)
    return line.answered()


def test_slow_lines_hold_up_nobody(shop: Shop, admin: Door, lines: Lines) -> None:
    volkov, data = door(shop, "volkov"), os.urandom(5 * MIB)
    slow = [begin(admin) for _ in range(3)]
    lines.fed = [Line(volkov, task_of(admin, instance), data) for instance in slow]
    kept, dropped = lines.fed[:3], [Line(volkov, task_of(admin, slow[0]), data) for _ in range(MOST_LINES - 3)]
    lines.fed = kept + dropped
    other = begin(admin)

    def one_too_many() -> str:
        line = Line(volkov, task_of(admin, other), data)
        try:
            time.sleep(EVERY)
            return line.answer()[1] if line.answered() else ""
        finally:
            line.socket.close()

    said = wait_until(one_too_many, TIMEOUT, "the server has as many lines as it takes")
    assert "слишком много" in json.loads(said)["message"]
    small = begin(admin)
    assert volkov.complete(task_of(admin, small), {"note": text("без файла")}).status_code == 204
    for line in dropped:
        line.socket.close()
    lines.fed = kept

    def large() -> bool:
        answer = volkov.complete(task_of(admin, other), {"designFile": file("чертёж.pdf", data)})
        return answer.status_code == 204 or "слишком много" not in refusal(answer)

    wait_until(large, TIMEOUT, "room again after the others have hung up")
    assert [line.answered() for line in kept] == [False] * 3, "still on their way"
    lines.rest()
    for line, instance in zip(kept, slow, strict=True):
        assert line.finish() == (204, "")
        stored = admin.call("GET", f"/process-instance/{instance}/variables/designFile/data").content
        assert hashlib.sha256(stored).digest() == hashlib.sha256(data).digest()


def test_a_line_that_creeps_is_told_why(shop: Shop, admin: Door) -> None:
    instance = begin(admin)
    before = state(admin, instance)
    line = Line(door(shop, "volkov"), task_of(admin, instance), bytes(2 * MIB))
    wait_until(lambda: creeping(line), TIMEOUT, "the server has had enough")
    status, body = line.answer()
    assert (status, json.loads(body)["code"]) == (400, REFUSED)
    assert "слишком медленно" in json.loads(body)["message"]
    assert state(admin, instance) == before


@pytest.mark.soak
def test_a_line_that_stands_still_is_ended(shop: Shop, admin: Door) -> None:
    """After the server's connection-timeout, which no test shortens: kept connections of clients depend on it."""
    instance = begin(admin)
    before = state(admin, instance)
    line = Line(door(shop, "volkov"), task_of(admin, instance), bytes(2 * MIB))
    line.send(STEP)
    wait_until(line.answered, TIMEOUT, "the server has had enough")
    assert line.answer()[0] in (400, 408)
    assert state(admin, instance) == before
