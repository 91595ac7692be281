"""The wire keeps its promises: limits on every call, kept connections, silent redial, nothing sent twice unasked."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from engine.client import EngineClient
from engine.errors import EngineDown, EngineError, NotFound, ServerError
from engine.external import Topic
from engine.rest import Transport, path_id

Answer = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json"}


class CountingServer(ThreadingHTTPServer):
    """Answers what the test says and counts connections and requests."""

    daemon_threads = True

    def __init__(self, answer: Callable[[int, Any], Answer]) -> None:
        self.answer = answer
        self.connections = 0
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/engine-rest"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: CountingServer

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.path, dict(self.headers), body))
        status, headers, content = self.server.answer(len(self.server.requests), self)
        if status == 0:  # drop the line without an answer
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def ok(_: int = 0, __: Any = None) -> Answer:
    return 200, JSON, b'{"version":"1.0.3"}'


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[int, Any], Answer]], CountingServer]]:
    opened: list[CountingServer] = []

    def start(answer: Callable[[int, Any], Answer]) -> CountingServer:
        server = CountingServer(answer)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        opened.append(server)
        return server

    yield start
    for server in opened:
        server.shutdown()
        server.server_close()


@pytest.fixture
def client_of() -> Iterator[Callable[..., EngineClient]]:
    opened: list[EngineClient] = []

    def make(url: str, **options: Any) -> EngineClient:
        opened.append(EngineClient(url, "worker", SecretStr("тайна"), **options))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


def test_many_calls_share_one_connection(serve: Any, client_of: Any) -> None:
    server = serve(ok)
    client = client_of(server.url)
    for _ in range(150):
        assert client.version() == "1.0.3"
    assert (server.connections, len(server.requests)) == (1, 150)


def test_a_closed_connection_is_replaced_silently(serve: Any, client_of: Any) -> None:
    """Tomcat closes after the 100th answer; the 101st request must not notice."""
    server = serve(lambda n, _: (200, {**JSON, "Connection": "close"} if n == 100 else JSON, b'{"version":"1"}'))
    client = client_of(server.url)
    for _ in range(101):
        client.version()
    assert (server.connections, len(server.requests)) == (2, 101)


def test_a_line_dropped_without_notice_is_dialled_again(serve: Any, client_of: Any) -> None:
    """An external task's answer may be sent twice, so the drop stays unseen."""
    server = serve(lambda n, _: (0, {}, b"") if n == 2 else (200, JSON, b"{}"))
    client = client_of(server.url)
    client.external.complete("t1", "w")
    client.external.complete("t1", "w", {"a": 1})
    assert [r[1] for r in server.requests] == ["/engine-rest/external-task/t1/complete"] * 3


def test_a_persons_answer_is_never_sent_twice(serve: Any, client_of: Any) -> None:
    server = serve(lambda n, _: (0, {}, b"") if n == 2 else ok())
    client = client_of(server.url)
    client.version()
    with pytest.raises(EngineDown) as caught:
        client.tasks.complete("t1", {})
    assert caught.value.maybe_done
    assert len(server.requests) == 2


def test_a_first_line_that_drops_is_the_engines_fault(serve: Any, client_of: Any) -> None:
    server = serve(lambda *_: (0, {}, b""))
    with pytest.raises(EngineDown) as caught:
        client_of(server.url).version()
    assert caught.value.maybe_done
    assert len(server.requests) == 1


def test_nobody_listening_is_engine_down_and_surely_not_done(client_of: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/engine-rest"
    with pytest.raises(EngineDown) as caught:
        client_of(url).tasks.complete("t1", {})
    assert not caught.value.maybe_done


def test_a_hanging_line_ends_at_the_limit(client_of: Any) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = client_of(f"http://127.0.0.1:{silent.getsockname()[1]}/engine-rest", timeout=0.2)
        began = time.monotonic()
        with pytest.raises(EngineDown) as caught:
            client.processes.start("order", {})
        assert time.monotonic() - began < 2
        assert caught.value.maybe_done


def test_a_poll_waits_longer_than_other_calls(serve: Any, client_of: Any) -> None:
    def slow(_: int, handler: Any) -> Answer:
        return threading.Event().wait(0.4) or (200, JSON, b"[]")

    client = client_of(serve(slow).url, timeout=0.1)
    assert client.external.fetch_and_lock("w", [Topic("notify", 30)], 1, poll_seconds=0.4) == []
    with pytest.raises(EngineDown):
        client.version()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(status: int, serve: Any, client_of: Any) -> None:
    server = serve(lambda *_: (status, {"Location": "/elsewhere"}, b""))
    with pytest.raises(ServerError):
        client_of(server.url).version()
    assert len(server.requests) == 1


def test_account_person_and_body_travel(serve: Any, client_of: Any) -> None:
    server = serve(lambda *_: (204, {}, b""))
    client = client_of(server.url).as_person("ivanov")
    client.tasks.claim("a/b?c", "ivanov")
    method, path, headers, body = server.requests[0]
    assert (method, path) == ("POST", "/engine-rest/task/a%2Fb%3Fc/claim")
    assert headers["Authorization"] == "Basic d29ya2VyOtGC0LDQudC90LA="
    assert headers["X-On-Behalf-Of"] == "ivanov"
    assert json.loads(body) == {"userId": "ivanov"}


def test_a_get_has_no_body(serve: Any, client_of: Any) -> None:
    server = serve(lambda *_: (200, JSON, b"[]"))
    client_of(server.url).tasks.of_instance("i1")
    _, path, headers, body = server.requests[0]
    assert body == b"" and "Content-Type" not in headers
    assert "processInstanceId=i1" in path and "maxResults=1000" in path


def test_cyrillic_goes_as_utf8(serve: Any, client_of: Any) -> None:
    server = serve(lambda *_: (204, {}, b""))
    client_of(server.url).tasks.complete("t", {"designComment": "Дуб, ёлка"})
    assert json.loads(server.requests[0][3])["variables"]["designComment"]["value"] == "Дуб, ёлка"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<html>gateway</html>", "text/html"),
        (b"{broken", "application/json"),
        (b"[" * 100_000, "application/json"),
    ],
)
def test_an_answer_that_is_no_json_is_a_server_error(content: bytes, kind: str, serve: Any, client_of: Any) -> None:
    for status in (200, 500):
        server = serve(lambda *_, s=status: (s, {"Content-Type": kind}, content))
        with pytest.raises(ServerError):
            client_of(server.url).version()


def test_a_proxys_page_keeps_its_meaning(serve: Any, client_of: Any) -> None:
    server = serve(lambda *_: (404, {"Content-Type": "text/html"}, b"<h1>not here</h1>"))
    with pytest.raises(NotFound, match="not here"):
        client_of(server.url).version()
    server = serve(lambda *_: (502, {"Content-Type": "text/html"}, b"<h1>bad gateway</h1>"))
    with pytest.raises(EngineDown) as caught:
        client_of(server.url).version()
    assert caught.value.maybe_done


def test_lists_are_read_to_their_end(serve: Any, client_of: Any) -> None:
    def page(_: int, handler: Any) -> Answer:
        size = 1000 if "firstResult=0" in handler.path else 3
        row = {"id": "o", "processDefinitionId": "d", "processDefinitionKey": "k", "businessKey": None, "state": "X"}
        row |= {"startTime": "2026-01-01T00:00:00.000+0000", "endTime": None, "startUserId": None, "deleteReason": None}
        return 200, JSON, json.dumps([row] * size).encode()

    server = serve(page)
    assert len(list(client_of(server.url).history.instances(unfinished=True))) == 1003
    assert len(server.requests) == 2


def test_threads_get_lines_of_their_own(serve: Any, client_of: Any) -> None:
    barrier = threading.Barrier(4, timeout=5)

    def together(*_: Any) -> Answer:
        barrier.wait()
        return ok()

    server = serve(together)
    client = client_of(server.url)
    failed: list[Exception] = []

    def call() -> None:
        try:
            client.version()
        except EngineError as error:
            failed.append(error)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and server.connections == 4


def test_secrets_stay_out_of_sight(client_of: Any) -> None:
    client = client_of("http://127.0.0.1:1/engine-rest")
    with pytest.raises(EngineDown) as caught:
        client.version()
    shown = f"{client!r} {client.caller.transport!r} {caught.value}"
    assert "тайна" not in shown and "Basic" not in shown


@pytest.mark.parametrize("url", ["ftp://x/engine-rest", "engine-rest", "http://x/{id}"])
def test_a_wrong_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="http://"):
        Transport(url, "u", SecretStr("p"))


@pytest.mark.parametrize("person", ["iva nov", "ivanov\r\nX: y", "иванов", ""])
def test_a_persons_id_cannot_forge_a_header(person: str, client_of: Any) -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        client_of("http://127.0.0.1:1/engine-rest").as_person(person)


def test_ids_are_quoted() -> None:
    assert path_id("a/../b?x=1") == "a%2F..%2Fb%3Fx%3D1"
