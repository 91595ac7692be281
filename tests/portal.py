"""A running sandbox portal for tests: in a thread of the test, or as a process that can be killed."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from bitrix_sync.sandbox import Sandbox, serve

WAIT = 20.0  # seconds for a process to come up


class LocalPortal:
    """A portal with its own state and call log under `folder`.

    `process=True` runs it as a separate process: then `kill` is a SIGKILL and `restart` keeps port and state.
    """

    def __init__(
        self, folder: Path, *, process: bool = False, rate: float = 10_000, drain: float = 1_000, **more: Any
    ) -> None:
        self.folder, self._process_mode = folder, process
        self.rate, self.drain, self._more = rate, drain, more
        self.port = 0
        self._box: Sandbox | None = None
        self._process: subprocess.Popen[str] | None = None
        self._hook = ""
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    # --- life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it; the second time on the same port with the same state."""
        if self._process_mode:
            self._spawn()
        else:
            self._box = serve(
                port=self.port, state=self._state, log=self._log, rate=self.rate, drain=self.drain, **self._more
            )
            self.port, self._hook = self._box.port, self._box.webhook_url

    def _spawn(self) -> None:
        options = [f"--{key}={value}" for key, value in self._more.items()]
        command = [sys.executable, "-m", "bitrix_sync.sandbox", f"--port={self.port}", f"--state={self._state}"]
        command += [f"--log={self._log}", f"--rate={self.rate}", f"--drain={self.drain}", *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self._hook = line.rpartition(" ")[2].strip()
        assert self._hook.startswith("http"), f"the sandbox did not start: {line!r}"
        self.port = int(self._hook.split("/")[2].rpartition(":")[2])

    def stop(self) -> None:
        """Stop it cleanly."""
        if self._box is not None:
            self._box.stop()
            self._box = None
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._end_process()

    def kill(self) -> None:
        """Kill the process without warning."""
        assert self._process is not None, "only a portal in a process can be killed"
        self._process.kill()
        self._end_process()

    def _end_process(self) -> None:
        assert self._process is not None
        self._process.wait(timeout=WAIT)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def restart(self) -> None:
        """Stop (or, in a process, kill) and start again on the same port with the same state."""
        if self._process is not None:
            self.kill()
        else:
            self.stop()
        self.start()

    def __enter__(self) -> LocalPortal:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- addresses ----------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Return the address of its pages."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def webhook_url(self) -> str:
        """Return the technical administrator's webhook."""
        return self._hook

    def webhook_of(self, user: int, scopes: list[str] | None = None) -> str:
        """Return a person's webhook; made where there is none."""
        body: dict[str, Any] = {"user": user} | ({"scopes": scopes} if scopes else {})
        return str(self._control("POST", "webhooks", body)["url"])

    def revoke(self, user: int = 1) -> None:
        """Take a webhook away."""
        self._control("DELETE", "webhooks", {"user": user})

    # --- what is seen -------------------------------------------------------------------------------------------

    def notices_of(self, user: int) -> list[str]:
        """Return the texts of the notices that a user of the portal got, oldest first."""
        held = self.log("im.notify.personal.add", applied=True)
        return [line["params"]["MESSAGE"] for line in held if int(line["params"]["USER_ID"]) == user]

    def log(self, method: str | None = None, *, applied: bool | None = None, since: int = 0) -> list[dict[str, Any]]:
        """Return the call log, oldest first: n, time, method, params, user, batch, status, error, applied, fault.

        A batch is one line of its own (method `batch`), its calls are lines whose `batch` is their key. `since` is
        a `mark` from before: a long log is then not read as a whole.
        """
        with self._log.open("rb") as log:
            log.seek(since)
            lines = [json.loads(line) for line in log.read().splitlines() if line.strip()]
        if method is not None:
            lines = [line for line in lines if line["method"].lower() == method.lower()]
        return [line for line in lines if applied is None or line["applied"] == applied]

    def requests(self, *, since: int = 0) -> list[dict[str, Any]]:
        """Return the log lines that were HTTP requests of their own."""
        return [line for line in self.log(since=since) if line["batch"] is None]

    def mark(self) -> int:
        """Return where the call log ends now, in bytes."""
        return self._log.stat().st_size

    def call(self, method: str, params: Mapping[str, Any] | None = None, *, user: int | None = None) -> Any:
        """Call a method as a bystander would and return `result`; fails on any refusal."""
        hook = self.webhook_of(user) if user else self.webhook_url
        answer = requests.post(f"{hook}{method}", json=dict(params or {}), timeout=30)
        assert answer.status_code == 200, f"{method}: {answer.status_code} {answer.text[:500]}"
        return answer.json()["result"]

    # --- switches -----------------------------------------------------------------------------------------------

    def faults(self, *rules: Mapping[str, Any], seed: int | None = None) -> None:
        """Replace the fault switches; without rules nothing goes wrong any more. See sandbox/faults.py."""
        self._control("POST", "faults", {"rules": list(rules), "seed": seed})

    def set_users(self, users: list[Mapping[str, Any]]) -> None:
        """Make or change people: {id, name, lastName, email, active, admin}."""
        self._control("POST", "users", users)

    def events(self, url: str, application_token: str = "", **switches: Any) -> None:
        """Send events there; switches: drop, duplicate (fractions), shuffle (window), delay (seconds)."""
        self._control("POST", "events", {"url": url, "application_token": application_token, **switches})

    def result(self, task: int, user: int, text: str = "", files: Mapping[str, bytes] | None = None) -> None:
        """Write a result into a task as a person does on its page."""
        sent = [[name, base64.b64encode(data).decode()] for name, data in (files or {}).items()]
        self._control("POST", "results", {"user": user, "task": task, "text": text, "files": sent})

    def message(self, task: int, user: int, text: str = "", files: Mapping[str, bytes] | None = None) -> int:
        """Write into a task's chat as a person does on its page."""
        sent = [[name, base64.b64encode(data).decode()] for name, data in (files or {}).items()]
        return int(self._control("POST", "messages", {"user": user, "task": task, "text": text, "files": sent})["id"])

    def settings(self, **values: Any) -> None:
        """Change rate, drain, offset, operating_limit, authors or costs while it runs."""
        self._control("POST", "settings", values)

    def clock(self, to: str | None = None) -> None:
        """Set the portal's present, or set it back."""
        self._control("POST", "clock", {"to": to})

    def _control(self, verb: str, name: str, body: Any) -> Any:
        answer = requests.request(verb, f"{self.url}/sandbox/{name}", json=body, timeout=30)
        assert answer.status_code == 200, f"{name}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    @property
    def _state(self) -> Path:
        return self.folder / "portal.db"

    @property
    def _log(self) -> Path:
        return self.folder / "calls.jsonl"


def wait_until(what: str, check: Any, seconds: float = 10.0) -> Any:
    """Ask until the answer is true, and return it; fails with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = check()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")
