"""The two small web sites: one that may face the internet, one for inside.

`WEB_LISTEN` answers ``GET /healthz``, the portal's events and the step page ``/do/…``; `BOARD_LISTEN` answers
``GET /readyz`` and ``GET /metrics`` (Prometheus), and shows the board. Both are served by waitress with narrow limits:
what is too large is refused before it is read, what creeps is dropped, and many idle connections keep nobody out.
"""

from __future__ import annotations

import resource
import socket
import threading
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Flask, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server

from app.settings import split_listen

Check = Callable[[], list[str]]
CONNECTIONS = 3000  # at once; an idle one costs a few KB
IDLE_SECONDS, REQUEST_SECONDS = 20, 8.0  # a kept connection without a request; a request that is still incomplete
LARGEST_BODY = 64 * 1024  # bytes
ROOMY_BODY, UPLOAD_SECONDS = 64 * 1024 * 1024, 900.0  # of those requests that a site lets be large: answers with files
ROOMY = "ROOMY"  # where a site says which requests these are, by path and Cookie header

Roomy = Callable[[str, str], bool]


class ListenError(Exception):
    """The address cannot be listened on; the message is one Russian sentence."""


def public_site(health: Check, *doors: Callable[[Flask], None]) -> Flask:
    """Return the site for `WEB_LISTEN`; `health` returns what is wrong, in words, or nothing; `doors` add to it."""
    site = Flask("order-route-public", static_folder=None)
    site.after_request(_harden)

    @site.get("/healthz")
    def healthz() -> tuple[Response, int]:
        # The reasons stay inside: this address may face the internet.
        bad = health()
        return jsonify(status="fault" if bad else "ok"), 503 if bad else 200

    for door in doors:
        door(site)
    return site


def inside_site(ready: Check, *doors: Callable[[Flask], None]) -> Flask:
    """Return the site for `BOARD_LISTEN`; `ready` returns what is wrong, in words, or nothing; `doors` add to it."""
    site = Flask("order-route-inside", static_folder=None)
    site.after_request(_harden)

    @site.get("/readyz")
    def readyz() -> tuple[Response, int]:
        bad = ready()
        return jsonify(status="fault" if bad else "ok", problems=bad), 503 if bad else 200

    @site.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)

    for door in doors:
        door(site)
    return site


def _harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    response.headers.setdefault("Referrer-Policy", "same-origin")  # a page whose address is a secret says less
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def _accept_many(accept_one: Callable[[], None]) -> None:
    """Take what waits at the door, not one a turn: else a crowd of silent callers keeps the next one waiting."""
    for _ in range(100):
        accept_one()


def _drop_what_creeps(server: Any, usual: Callable[[float], None], now: float) -> None:
    """Close connections whose request is not complete after its time: a byte now and then is no sign of life."""
    usual(now)
    for channel in list(server.active_channels.values()):
        begun = getattr(channel, "partial_since", None)
        seconds = UPLOAD_SECONDS if getattr(channel.request, "roomy", False) else REQUEST_SECONDS
        if channel.request is None and channel.requests:
            channel.partial_since = None
        elif begun is None:
            channel.partial_since = now
        elif now - begun > seconds:
            channel.will_close = True


def _channel(roomy: Roomy) -> type[HTTPChannel]:
    """Return the connections of a site: what is large is judged by its head, before any of its body is taken."""

    class Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
        roomy = False
        adj: Any

        def parse_header(self, header_plus: bytes) -> None:
            super().parse_header(header_plus)
            large = self.command == "POST" and self.content_length >= LARGEST_BODY
            if large and roomy(self.path, self.headers.get("COOKIE", "")):
                self.adj = copy(self.adj)
                self.adj.max_request_body_size = ROOMY_BODY
                self.roomy = True

    class Channel(HTTPChannel):  # type: ignore[misc]
        parser_class = Parser

    return Channel


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


@dataclass
class Site:
    """A site that is being served; `close` ends it."""

    server: Any
    thread: threading.Thread

    @property
    def port(self) -> int:
        """Return the port that was taken (useful where 0 was asked for)."""
        return int(self.server.effective_port)

    def close(self) -> None:
        """Stop listening, drop kept-alive connections and wait for the serving thread, at most five seconds."""
        wake_up = self.server.trigger.socket  # waitress forgets this end of its pipe
        self.server.close()
        wake_up.close()
        for channel in list(self.server.active_channels.values()):
            channel.handle_close()
        self.thread.join(5)


def serve(site: Flask, listen: str, setting: str) -> Site:
    """Serve in a thread. Raises ListenError that names the setting if the address is taken or not ours."""
    host, port = split_listen(listen)
    # Bound here and handed over: waitress leaks its socket when the address is taken.
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        taken = socket.create_server((host, port), family=family, backlog=CONNECTIONS)
    except OSError as error:
        raise ListenError(f"Адрес {listen} занят или недоступен: освободите его или задайте {setting}") from error
    _allow_files(CONNECTIONS + 512)
    server = create_server(
        site,
        sockets=[taken],
        threads=8 if ROOMY in site.config else 4,
        ident=None,
        max_request_header_size=16 * 1024,
        max_request_body_size=LARGEST_BODY,
        connection_limit=CONNECTIONS,
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=1,
        asyncore_use_poll=True,
    )
    if ROOMY in site.config:
        server.channel_class = _channel(site.config[ROOMY])
    server.maintenance = partial(_drop_what_creeps, server, server.maintenance)
    server.handle_accept = partial(_accept_many, server.handle_accept)
    thread = threading.Thread(target=server.run, name=f"web-{listen}", daemon=True)
    thread.start()
    return Site(server, thread)
