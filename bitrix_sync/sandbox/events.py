"""Outgoing events: form-encoded, unsigned, told once and never again; with switches for the ways they go wrong."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

TIMEOUT = (3.05, 5.0)  # seconds; a slower handler has lost the event


@dataclass(slots=True)
class EventSettings:
    """Where events go and how badly. `drop` and `duplicate` are fractions, `shuffle` is a window of events."""

    url: str = ""
    application_token: str = ""
    drop: float = 0.0
    duplicate: float = 0.0
    shuffle: int = 0
    delay: float = 0.0  # seconds


class EventSender:
    """Sends events from a thread of its own, in the order in which they came unless told to shuffle."""

    def __init__(self, seed: int = 1) -> None:
        self.settings = EventSettings()
        self.sent: list[dict[str, Any]] = []
        self._random = random.Random(seed)  # noqa: S311 - chance for tests, not for secrets
        self._queue: queue.Queue[dict[str, str] | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    def send(self, name: str, data: Mapping[str, str], base: str) -> None:
        """Queue one event; `data` holds the form fields inside `data`. Nothing happens without a subscriber."""
        if not self.settings.url:
            return
        form = {"event": name, "event_handler_id": "1", "ts": str(int(time.time()))}
        form |= {f"data{key}": value for key, value in data.items()}
        form |= {
            "auth[domain]": base.partition("://")[2],
            "auth[client_endpoint]": f"{base}/rest/",
            "auth[server_endpoint]": f"{base}/rest/",
            "auth[member_id]": "sandbox",
            "auth[application_token]": self.settings.application_token,
        }
        if self._random.random() < self.settings.drop:
            return
        for _ in range(2 if self._random.random() < self.settings.duplicate else 1):
            self._queue.put(form)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sandbox-events", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (form := self._queue.get()) is not None:
            held = [form]
            while len(held) < self.settings.shuffle:
                try:
                    more = self._queue.get(timeout=0.5)
                except queue.Empty:
                    break
                if more is None:
                    return
                held.append(more)
            if self.settings.shuffle:
                self._random.shuffle(held)
            for item in held:
                self._post(item)

    def _post(self, form: dict[str, str]) -> None:
        time.sleep(self.settings.delay)
        try:
            answer = requests.post(self.settings.url, data=form, timeout=TIMEOUT, allow_redirects=False)
            self.sent.append({"form": form, "status": answer.status_code})
        except requests.RequestException as error:
            self.sent.append({"form": form, "error": type(error).__name__})  # lost: nobody tries again

    def close(self) -> None:
        """Stop the thread; events that wait are lost, as on the real portal."""
        self._queue.put(None)
        if self._thread:
            self._thread.join(timeout=10)
