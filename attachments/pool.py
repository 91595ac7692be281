"""Keeping warm child processes that judge files: starting one costs half a second, asking it a millisecond."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from attachments import child

SECONDS = float(child.SECONDS)
_STARVED_FACTOR = 6
_RECHECK_SECONDS = 0.25
_ROOT = str(Path(__file__).resolve().parent.parent)


class CheckFailed(Exception):
    """The file could not be judged; the text says why in Russian, for `sentences.CHECK_FAILED`."""


class Pool:
    """At most `size` child processes, started when needed, replaced when they die. Safe to share between threads."""

    def __init__(self, size: int = 2, seconds: float = SECONDS, command: Sequence[str] | None = None) -> None:
        """Take the number of processes, the time for one file in seconds, and the command (for tests)."""
        self._slots = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[subprocess.Popen[bytes]] = []
        self._seconds = seconds
        self._command = list(command or (sys.executable, "-P", "-X", "utf8", "-m", "attachments.child"))

    def ask(self, extension: str, allowed: Sequence[str], data: bytes) -> dict[str, str]:
        """Have one file judged. Raises CheckFailed when time or memory ran out or the process died twice."""
        with self._slots:
            answer = self._try(self._take(), extension, allowed, data)
            if answer is None:  # an idle process may have been killed by somebody else: that is not the file's fault
                answer = self._try(self._start(), extension, allowed, data)
        if answer is None:
            raise CheckFailed("программа проверки упала на нём")
        if "failure" in answer:
            raise CheckFailed(answer["failure"])
        return answer

    def close(self) -> None:
        """End the idle processes; the pool may be used again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            _end(process)

    def pids(self) -> list[int]:
        """Return the process ids of the idle children."""
        with self._lock:
            return [process.pid for process in self._idle]

    def _take(self) -> subprocess.Popen[bytes]:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.poll() is None:
                    return process
                _end(process)
        return self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {"PYTHONPATH": _ROOT, "PATH": os.defpath, "MALLOC_ARENA_MAX": "1"}
        return subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )

    def _try(
        self, process: subprocess.Popen[bytes], extension: str, allowed: Sequence[str], data: bytes
    ) -> dict[str, str] | None:
        """Return the answer, or None if the process died by itself."""
        done, overdue = threading.Event(), threading.Event()
        threading.Thread(target=_watch, args=(process.pid, self._seconds, done, overdue), daemon=True).start()
        try:
            line = _exchange(process, extension, allowed, data)
        finally:
            done.set()
        if not line.endswith(b"\n"):
            _end(process)
            if overdue.is_set():
                raise CheckFailed("проверка не уложилась в отведённое время")
            return None
        with self._lock:
            self._idle.append(process)
        answer: dict[str, str] = json.loads(line)
        return answer


def _exchange(process: subprocess.Popen[bytes], extension: str, allowed: Sequence[str], data: bytes) -> bytes:
    assert process.stdin and process.stdout
    request = json.dumps({"extension": extension, "allowed": list(allowed), "size": len(data)}).encode() + b"\n"
    try:
        process.stdin.write(request)
        process.stdin.write(data)
        process.stdin.flush()
    except OSError:
        return b""
    return process.stdout.readline()


def _watch(pid: int, seconds: float, done: threading.Event, overdue: threading.Event) -> None:
    """End a process that is not done in time; one that only waits for a processor gets more of it."""
    latest = time.monotonic() + seconds * _STARVED_FACTOR
    enough = _processor_seconds(pid)[1] + seconds
    wait = seconds
    while not done.wait(wait):
        wait = _RECHECK_SECONDS
        runnable, used = _processor_seconds(pid)
        if not runnable or used >= enough or time.monotonic() >= latest:
            overdue.set()
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            return


def _processor_seconds(pid: int) -> tuple[bool, float]:
    """Return (whether the process wants to run, the processor time it has had, in seconds)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False, 0.0
    return fields[0] in ("R", "D"), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()
