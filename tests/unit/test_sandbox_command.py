"""The sandbox as a process: one clear sentence where it cannot start, a clean stop on a signal."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from portal import LocalPortal


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bitrix_sync.sandbox", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_taken_port_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        ended = run(f"--port={held.getsockname()[1]}", f"--state={tmp_path / 's.db'}")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1 and "занят" in ended.stderr


def test_wrong_users_file_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    wrong = tmp_path / "users.json"
    wrong.write_text('{"id": 1}', encoding="utf-8")
    ended = run("--port=0", f"--users={wrong}")
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1 and "users.json" in ended.stderr


def test_state_of_a_running_portal_is_not_shared(tmp_path: Path) -> None:
    with LocalPortal(tmp_path):
        ended = run("--port=0", f"--state={tmp_path / 'portal.db'}")
    assert ended.returncode == 2 and "Файл состояния" in ended.stderr


def test_sigterm_stops_with_0(tmp_path: Path) -> None:
    portal = LocalPortal(tmp_path, process=True)
    process = portal._process
    assert process is not None
    portal.stop()
    assert process.returncode == 0
