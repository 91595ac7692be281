"""A line that can go wrong: a TCP proxy before a server, with faults chosen by what the client sends.

Kinds: `lose` lets the request be done and throws its answer away; `cut` passes it on and drops the client; `refuse`
drops the client at once; `silent` never answers; `delay` waits `seconds`; `answer` gives `body` instead of the answer.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from dataclasses import dataclass

_CHUNK = 65536


@dataclass
class Fault:
    """One fault: strikes each `every`-th of what matches `pattern`, at most `count` times."""

    kind: str
    pattern: str = ""
    count: int | None = None
    every: int = 1
    seconds: float = 0.0
    body: bytes = b""
    seen: int = 0
    hits: int = 0


class Proxy:
    """Listens on a port of its own and passes everything on to `host:port`, as far as the faults let it."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._lines: list[socket.socket] = []
        self._ended = threading.Event()
        self._listener: socket.socket | None = None
        self.port = 0
        self.up()

    def up(self) -> None:
        """Listen, again on the same port after `down`."""
        listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self.port = int(listener.getsockname()[1])
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def down(self) -> None:
        """Refuse new lines and break those that are there, as when the server's host is gone."""
        with self._lock:
            listener, self._listener = self._listener, None
            lines, self._lines = self._lines, []
        for line in [listener, *lines] if listener else lines:
            _end(line)

    def close(self) -> None:
        """End everything."""
        self._ended.set()
        self.down()

    def faults(self, *faults: Fault) -> None:
        """Replace the faults; without any, nothing goes wrong any more (lines that are silent stay so)."""
        with self._lock:
            self._faults = list(faults)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target, timeout=10)
            server.settimeout(None)
        except OSError:
            _end(client)
            return
        with self._lock:
            self._lines += [client, server]
            late = self._listener is None  # `down` came between
        if late:
            _end(client)
        line = _Line(client, server)
        threading.Thread(target=line.answers, daemon=True).start()
        try:
            while data := client.recv(_CHUNK):
                fault = self._strike(data)
                if fault is not None and not self._apply(fault, line, data):
                    break
                if not line.silent:
                    server.sendall(data)
                if fault is not None and fault.kind == "cut":
                    _end(client)
                    self._ended.wait(1.0)  # let the server read the request before its line goes too
                    break
        except OSError:
            pass
        for end in (client, server):
            _end(end)

    def _strike(self, data: bytes) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.pattern and not re.search(fault.pattern.encode(), data[:4096]):
                    continue
                fault.seen += 1
                if fault.seen % fault.every == 0 and (fault.count is None or fault.hits < fault.count):
                    fault.hits += 1
                    return fault
        return None

    def _apply(self, fault: Fault, line: _Line, data: bytes) -> bool:
        """Prepare what the fault asks for; False where the line is to end without passing the request on."""
        if fault.kind == "delay":
            self._ended.wait(fault.seconds)
        line.instead = fault.body if fault.kind in ("lose", "answer") else line.instead
        line.silent = line.silent or fault.kind == "silent"
        return fault.kind != "refuse"


class _Line:
    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.instead: bytes | None = None  # given instead of the next answer; the line ends with it
        self.silent = False

    def answers(self) -> None:
        """Pass answers back until one is to be replaced."""
        with contextlib.suppress(OSError):
            while data := self.server.recv(_CHUNK):
                if self.instead is not None:
                    self.client.sendall(self.instead)
                    break
                self.client.sendall(data)
        if not self.silent:
            _end(self.client)
        _end(self.server)


def _end(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
