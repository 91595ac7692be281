"""The wire: HTTP to the engine's REST interface with a time limit on every call and kept connections.

It is a small pool of our own lines (`engine.line`), because the worker answers every task over it: `requests` costs
several times the CPU. `Transport.session()` is what pycamunda's request objects take as their `.session`, so their
calls get the same limits, account and errors. Answers of 300 and above never reach pycamunda: they are raised here.
"""

from __future__ import annotations

import base64
import json
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from pydantic import SecretStr
from urllib3.filepost import encode_multipart_formdata

from engine.errors import EngineDown, ServerError, from_answer
from engine.line import BROKEN, Answer, Line, request_bytes

CONNECT_SECONDS = 3.0
READ_SECONDS = 30.0
_IDLE_SECONDS = 30.0  # the engine's Tomcat drops an idle connection after 60 s
_FRESH_SECONDS = 5.0  # a call that must not be sent twice takes only a connection used this lately
_POOL = 64


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. True, as pycamunda wants it, while the status is below 400."""

    status_code: int
    content: bytes
    content_type: str = ""

    def __bool__(self) -> bool:
        return self.status_code < 400

    @property
    def text(self) -> str:
        """Return the body as text; what is not UTF-8 is replaced."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the parsed body; raises ServerError where it is no JSON or nested beyond reading."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            shown = " ".join(self.text.split())[:120]
            raise ServerError(
                f"the answer is not JSON ({type(error).__name__}): {shown}", status=self.status_code
            ) from None


class Transport:
    """HTTP calls to one base URL as one account. Safe to use from many threads.

    `base_url` ends in `/engine-rest`; without a `user` no account is sent. Limits are seconds: one for the connection,
    one for each wait for the answer.
    """

    def __init__(
        self,
        base_url: str,
        user: str,
        password: SecretStr,
        *,
        connect: float = CONNECT_SECONDS,
        timeout: float = READ_SECONDS,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "{" in base_url:
            raise ValueError("the engine's address must be http://host[:port]/engine-rest")
        self.base_url = base_url.rstrip("/")
        self.user = user
        self.password = password
        self.timeout = timeout
        self._connect = connect
        self._host, self._tls = parts.hostname, parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._fixed = f"Host: {parts.netloc.rpartition('@')[2]}\r\nAccept: application/json, */*\r\n"
        if user:
            token = base64.b64encode(f"{user}:{password.get_secret_value()}".encode()).decode("ascii")
            self._fixed += f"Authorization: Basic {token}\r\n"
        self._idle: deque[Line] = deque()
        self._all: weakref.WeakSet[Line] = weakref.WeakSet()
        self._guard = threading.Lock()

    def __repr__(self) -> str:
        return f"Transport({self.base_url!r}, {self.user!r})"

    def session(self, *, on_behalf_of: str | None = None, timeout: float | None = None, once: bool = False) -> Session:
        """Return what pycamunda takes as `.session`. `once`: never send twice, not even over a dropped connection."""
        return Session(self, on_behalf_of, timeout if timeout is not None else self.timeout, once)

    def close(self) -> None:
        """Close all connections; a later call opens new ones."""
        with self._guard:
            self._idle.clear()
            lines = list(self._all)
        for line in lines:
            line.close()

    def send(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, timeout: float, once: bool
    ) -> Response:
        """Send one request and read the whole answer.

        A kept connection that turns out to be closed is replaced silently, once. Raises EngineDown, whose
        `maybe_done` is true when the request had left us, and the errors of `engine.errors` for 300 and above.
        """
        target = url[len(f"{'https' if self._tls else 'http'}://") :]
        path = "/" + target.split("/", 1)[1]
        request = request_bytes(method, path, self._fixed, headers, body)
        kept = self._kept(once)
        if kept is not None:
            try:
                return _checked(self._exchange(kept, request, timeout))
            except TimeoutError as error:
                raise _silent(method, path, timeout) from error
            except BROKEN as error:
                if once and kept.sent:
                    raise _broken(kept, error) from error
        line = self._dial()
        try:
            return _checked(self._exchange(line, request, timeout))
        except TimeoutError as error:
            raise _silent(method, path, timeout) from error
        except BROKEN as error:
            raise _broken(line, error) from error

    def _kept(self, once: bool) -> Line | None:
        max_idle = _FRESH_SECONDS if once else _IDLE_SECONDS
        while True:
            try:
                line = self._idle.pop()
            except IndexError:
                return None
            if not line.stale(max_idle, sure=once):
                return line
            line.close()

    def _dial(self) -> Line:
        try:
            line = Line(self._host, self._port, tls=self._tls, connect=self._connect)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise EngineDown(f"no connection to {self._host}:{self._port}: {reason}") from error
        with self._guard:
            self._all.add(line)
        return line

    def _exchange(self, line: Line, request: bytes, timeout: float) -> Answer:
        line.sent = False
        keep = False
        try:
            answer, keep = line.ask(request, timeout)
        finally:
            if keep and len(self._idle) < _POOL:
                self._idle.append(line)
            else:
                line.close()
        return answer


def _silent(method: str, path: str, timeout: float) -> EngineDown:
    return EngineDown(f"no answer within {timeout:g} s: {method} {path.split('?')[0]}", maybe_done=True)


def _broken(line: Line, error: Exception) -> EngineDown:
    return EngineDown(f"the connection broke: {type(error).__name__}", maybe_done=line.sent)


def _checked(answer: Answer) -> Response:
    response = Response(answer.status, answer.content, answer.content_type)
    if response.status_code < 300:
        return response
    body = None
    if response.content_type == "application/json":
        try:
            body = json.loads(response.content)
        except (ValueError, RecursionError):
            body = None
    raise from_answer(response.status_code, body, response.text)


@dataclass(frozen=True, slots=True)
class Session:
    """One way to call the engine: account, person acted for, time limit. Stands in for `requests.Session`."""

    transport: Transport
    on_behalf_of: str | None = None
    timeout: float = READ_SECONDS
    once: bool = False

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        **_: Any,
    ) -> Response:
        """Send one call the way pycamunda asks for it; `files` makes a multipart body of `json` and the files."""
        headers: dict[str, str] = {}
        if self.on_behalf_of is not None:
            headers["X-On-Behalf-Of"] = self.on_behalf_of
        body, kind = _body(method, json, files)
        if kind:
            headers["Content-Type"] = kind
        query = urlencode({k: _query(v) for k, v in (params or {}).items() if v is not None})
        return self.transport.send(
            method, f"{url}?{query}" if query else url, body, headers, timeout=self.timeout, once=self.once
        )


def _body(
    method: str, data: Any, files: Mapping[str, tuple[str, bytes, str]] | None
) -> tuple[bytes | None, str | None]:
    if files:
        fields: dict[str, Any] = {k: _query(v) for k, v in (data or {}).items()}
        return encode_multipart_formdata({**fields, **files})
    if data is None or (method in ("GET", "DELETE") and not data):
        return None, None  # pycamunda sends `{}` with every GET; some proxies refuse that
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode(), "application/json"


def _query(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ",".join(map(str, value))
    return str(value)


def path_id(value: str) -> str:
    """Quote one path segment; pycamunda puts ids into the URL as they are."""
    return quote(value, safe="")
