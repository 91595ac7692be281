"""One kept HTTP connection: a request goes out in one piece, its answer is read by httptools.

The worker answers every task over such a line. `http.client` reads each answer's headers with the parser for mail and
sends head and body apart: with it an answer costs twice the processor time, and each piece sent is one more turn that
all threads wait for.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from httptools import HttpParserError, HttpResponseParser
from urllib3.util.wait import wait_for_read

BROKEN = (OSError, HttpParserError)  # what a line raises that is of no use any more; TimeoutError is one of them
_SURELY_OPEN_SECONDS = 1.0
_CHUNK = 65536
_ALWAYS_SIZED = ("POST", "PUT", "PATCH")  # their length is named even where there is no body


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, body, the bare content type in small letters, "" where none is named."""

    status: int
    content: bytes
    content_type: str


class _Reading:
    """Collects what the parser reports of one answer."""

    def __init__(self) -> None:
        self.on_message_begin()

    def on_message_begin(self) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.body: list[bytes] = []
        self.begun = False
        self.whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self.begun = True

    def on_body(self, body: bytes) -> None:
        self.body.append(body)

    def on_message_complete(self) -> None:
        self.whole = True

    def ends_with_the_line(self) -> bool:
        """Tell whether the body has no stated length, so that its end is the end of the connection."""
        stated = b"content-length" in self.headers or b"transfer-encoding" in self.headers
        return self.begun and not self.whole and not stated

    def last(self, version: str) -> bool:
        """Tell whether the other side closes the connection after this answer."""
        return version == "1.0" or b"close" in self.headers.get(b"connection", b"").lower()


class Line:
    """A connection that is kept. It closes itself when dropped, so a finished thread leaves no open socket."""

    def __init__(self, host: str, port: int, *, tls: bool, connect: float) -> None:
        """Connect within `connect` seconds. Raises OSError."""
        self._socket = socket.create_connection((host, port), timeout=connect)
        self._limit = 0.0  # of the latest request, seconds
        self.used = 0.0  # monotonic seconds of the last whole answer; 0 = never
        self.sent = False  # bytes of the latest request may be with the other side
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=host)
        except OSError:
            self.close()
            raise

    def stale(self, max_idle: float, *, sure: bool) -> bool:
        """Tell whether the other side has closed or is about to: an idle line must have nothing to read.

        A line used a moment ago is only looked at when it has to be `sure`: looking costs a turn of all threads.
        """
        idle = time.monotonic() - self.used
        if self._socket.fileno() < 0 or idle > max_idle:
            return True
        return (sure or idle > _SURELY_OPEN_SECONDS) and wait_for_read(self._socket, timeout=0)

    def ask(self, request: bytes, timeout: float) -> tuple[Answer, bool]:
        """Send a request and read the whole answer; tell as well whether the line may be kept.

        `timeout` is the longest single wait in seconds. Raises TimeoutError and the others of BROKEN.
        """
        self._wait_at_most(timeout)
        self.sent = True
        try:
            return self._exchange(request)
        except BlockingIOError as error:  # how the kernel tells that its limit is over
            raise TimeoutError("timed out") from error

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def __del__(self) -> None:
        if hasattr(self, "_socket"):
            self.close()

    def _exchange(self, request: bytes) -> tuple[Answer, bool]:
        self._socket.sendall(request)
        reading = _Reading()
        parser = HttpResponseParser(reading)
        while not reading.whole or parser.get_status_code() < HTTPStatus.OK:  # below: a mere "go on"
            data = self._socket.recv(_CHUNK)
            if not data:
                if reading.ends_with_the_line():
                    break
                raise ConnectionResetError("closed before the answer was whole")
            parser.feed_data(data)
        self.used = time.monotonic()
        kind = reading.headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
        answer = Answer(parser.get_status_code(), b"".join(reading.body), kind)
        return answer, reading.whole and not reading.last(parser.get_http_version())

    def _wait_at_most(self, seconds: float) -> None:
        """Let the kernel limit each wait: Python's own limit costs a second call, and a turn of all threads, each time.

        TLS reads ahead by itself and needs Python's.
        """
        if seconds == self._limit:
            return
        self._limit = seconds
        if isinstance(self._socket, ssl.SSLSocket):
            self._socket.settimeout(seconds)
            return
        self._socket.settimeout(None)
        limit = struct.pack("ll", *divmod(max(round(seconds * 1e6), 1), 1_000_000))  # 0 would mean: for ever
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def request_bytes(method: str, path: str, fixed: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """Return one request as it goes over the line. `fixed` are whole header lines that are always the same.

    Raises ValueError for anything that would not stay within its own line.
    """
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None or method in _ALWAYS_SIZED:
        lines.append(f"Content-Length: {len(body or b'')}")
    if not all(line.isprintable() for line in lines) or " " in path:
        raise ValueError("a request's address and headers are printable and the address has no spaces")
    head = "\r\n".join(lines) + "\r\n" + fixed + "\r\n"
    return head.encode("ascii") + (body or b"")
