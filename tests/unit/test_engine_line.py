"""A kept line reads every form of answer that HTTP allows, notices every cut, and sends nothing that is no request."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from engine.line import BROKEN, Answer, Line, request_bytes

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: Application/JSON; charset=utf-8\r\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

Say = Callable[..., Line]


@pytest.fixture
def say() -> Iterator[Say]:
    """Connect to somebody who answers the first request with these pieces, one after the other, then closes or not."""
    opened: list[socket.socket | Line] = []

    def start(*pieces: bytes, close: bool = True) -> Line:
        server = socket.create_server(("127.0.0.1", 0))
        opened.append(server)

        def answer() -> None:
            other, _ = server.accept()
            opened.append(other)
            other.recv(65536)
            for piece in pieces:
                other.sendall(piece)
            if close:
                other.close()

        threading.Thread(target=answer, daemon=True).start()
        line = Line("127.0.0.1", server.getsockname()[1], tls=False, connect=2.0)
        opened.append(line)
        return line

    yield start
    for one in opened:
        one.close()


@pytest.mark.parametrize(
    ("pieces", "body", "kept"),
    [
        ((HEAD + b"Content-Length: 2\r\n\r\n{}",), b"{}", True),
        ((HEAD + b"Content-Length: 2\r\n", b"\r\n{", b"}"), b"{}", True),
        ((HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"1\r\n}\r\n0\r\n\r\n"), b"{}", True),
        ((HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}",), b"{}", False),
        ((HEAD.replace(b"1.1", b"1.0") + b"Content-Length: 2\r\n\r\n{}",), b"{}", False),
        ((HEAD + b"\r\n{", b"}"), b"{}", False),  # its end is the end of the connection
        ((b"HTTP/1.1 100 Continue\r\n\r\n", HEAD + b"Content-Length: 2\r\n\r\n{}"), b"{}", True),
        ((b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 0\r\n\r\n",), b"", True),
    ],
)
def test_every_form_of_answer_is_read(pieces: tuple[bytes, ...], body: bytes, kept: bool, say: Say) -> None:
    answer, keep = say(*pieces).ask(REQUEST, 2.0)
    assert (answer, keep) == (Answer(200, body, "application/json"), kept)


def test_no_content_has_no_body_and_the_line_stays(say: Say) -> None:
    """As the engine says it, without a reason."""
    answer, keep = say(b"HTTP/1.1 204 \r\nKeep-Alive: timeout=60\r\nConnection: keep-alive\r\n\r\n", close=False).ask(
        REQUEST, 2.0
    )
    assert (answer, keep) == (Answer(204, b"", ""), True)


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (HEAD,),
        (HEAD + b"Content-Length: 3\r\n\r\n{}",),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",),
        (b"SSH-2.0-OpenSSH_9.2\r\n",),
        (b"HTTP/1.1 100 Continue\r\n\r\n",),
    ],
)
def test_a_cut_answer_and_one_that_is_no_http_break_the_line(pieces: tuple[bytes, ...], say: Say) -> None:
    with pytest.raises(BROKEN):
        say(*pieces).ask(REQUEST, 2.0)


def test_silence_ends_at_the_limit(say: Say) -> None:
    with pytest.raises(TimeoutError):
        say(HEAD, close=False).ask(REQUEST, 0.1)


def test_a_line_that_has_something_to_read_is_stale(say: Say) -> None:
    line = say(HEAD + b"Content-Length: 0\r\n\r\n", close=True)
    line.ask(REQUEST, 2.0)
    assert line.stale(0.0, sure=False)  # too long ago
    for _ in range(1000):  # the close arrives a moment after the answer
        if line.stale(60.0, sure=True):
            return
        threading.Event().wait(0.005)
    raise AssertionError("the other side has closed and nobody noticed")


def test_a_request_goes_as_one_piece() -> None:
    sent = request_bytes("POST", "/a?b=1", "Host: h\r\n", {"X-On-Behalf-Of": "ivanov"}, '{"a":"я"}'.encode())
    assert sent == (
        b'POST /a?b=1 HTTP/1.1\r\nX-On-Behalf-Of: ivanov\r\nContent-Length: 10\r\nHost: h\r\n\r\n{"a":"\xd1\x8f"}'
    )
    assert b"Content-Length" not in request_bytes("GET", "/", "", {}, None)
    assert b"Content-Length: 0\r\n" in request_bytes("POST", "/", "", {}, None)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/a b", {}),
        ("/a\r\nX: y", {}),
        ("/a\tb", {}),
        ("/a", {"X": "a\nb"}),
        ("/a", {"X\r\nY": "a"}),
        ("/заказ", {}),
        ("/a", {"X": "я"}),
    ],
)
def test_nothing_leaves_its_own_line(path: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        request_bytes("GET", path, "", headers, None)


def test_a_request_that_nobody_reads_ends_at_the_limit(say: Say) -> None:
    line = say(close=False)
    with pytest.raises(TimeoutError):
        line.ask(REQUEST + bytes(50_000_000), 0.1)
