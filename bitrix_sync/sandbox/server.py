"""Starting and stopping the portal: in a thread of this process, or as a process of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from bitrix_sync.sandbox.control import control
from bitrix_sync.sandbox.pages import pages
from bitrix_sync.sandbox.portal import Portal, Settings
from bitrix_sync.sandbox.web import add_rest

LARGEST = 256 * 1024 * 1024  # bytes of one request


class Sandbox:
    """A running portal. `stop` may be called from any thread."""

    def __init__(self, portal: Portal, host: str, port: int) -> None:
        """Bind the port; raises OSError if it is taken."""
        self.portal = portal
        app = build(portal)
        self._server: Any = create_server(
            app,
            host=host,
            port=port,
            threads=8,
            max_request_body_size=LARGEST,
            clear_untrusted_proxy_headers=True,
            ident=None,
            channel_timeout=300,
            recv_bytes=262_144,
            inbuf_overflow=LARGEST // 4,
        )
        self.port = int(self._server.effective_port)
        self.url = f"http://{host}:{self.port}"
        portal.base = self.url
        portal.in_network = host not in ("127.0.0.1", "localhost", "::1")
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    @property
    def webhook_url(self) -> str:
        """Return the technical administrator's webhook: .../rest/1/TOKEN/"""
        return self.webhook_of(1)

    def webhook_of(self, user: int) -> str:
        """Return a person's webhook; made where there is none."""
        return f"{self.url}/rest/{user}/{self.portal.webhook(user)}/"

    def start(self) -> Sandbox:
        """Serve from a thread."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving, write the state, close everything."""
        if self._thread.is_alive():
            self._ending.set()
            self._server.trigger.pull_trigger()
            self._thread.join(timeout=10)
        self._server.task_dispatcher.shutdown()
        for held in list(self._server._map.values()):  # listener, connections, trigger; nobody polls them any more
            held.close()
        self.portal.close()

    def _run(self) -> None:
        """Poll until told to end; waitress' own `run` cannot be ended from another thread."""
        while not self._ending.is_set():
            wasyncore.loop(timeout=1.0, use_poll=True, map=self._server._map, count=1)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def build(portal: Portal) -> Flask:
    """Build the web application over a portal."""
    app = Flask(__name__, static_folder="static", template_folder="templates")
    app.json.sort_keys = False  # type: ignore[attr-defined]  # DefaultJSONProvider has it, its base does not
    add_rest(app, portal)
    app.register_blueprint(control(portal))
    app.register_blueprint(pages(portal))
    return app


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    state: Path | None = None,
    log: Path | None = None,
    rate: float = 50,
    drain: float = 2,
    offset: str = "+03:00",
    token: str | None = None,
    users: list[Mapping[str, Any]] | None = None,
) -> Sandbox:
    """Start a portal in a thread and return it. Raises OSError if the port is taken."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a full queue is part of what is being tried
    settings = Settings(state, log, rate, drain, offset, token=token, users=users or [])
    portal = Portal(settings)
    try:
        return Sandbox(portal, host, port).start()
    except OSError:
        portal.close()
        raise
