"""Children never outlive their parent's wish: polite first, then killed, whole groups."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from app.children import Children

STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(60)"


def wait_for(path: Path, text: str) -> None:
    deadline = time.monotonic() + 10
    while text not in (path.read_text() if path.exists() else ""):
        assert time.monotonic() < deadline, f"{path} never said {text}"
        time.sleep(0.02)


def test_stubborn_child_is_killed_with_its_own_children(tmp_path: Path) -> None:
    log = tmp_path / "log"
    children = Children(grace=0.3)
    script = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {STUBBORN!r}])\n{STUBBORN}"
    child = children.start("stubborn", [sys.executable, "-c", script], os.environ, log)
    wait_for(log, "up\nup")
    family = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
    assert len(family) == 2
    children.stop()
    gone, alive = psutil.wait_procs(family, timeout=5)
    assert not alive
    assert len(gone) == 2


def test_a_child_is_noted_before_ctrl_c_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt in the middle of a start would leave a program that nobody stops."""
    children = Children(grace=0.3)
    real = subprocess.Popen.__init__

    def interrupted(self: subprocess.Popen[bytes], *args: object, **more: object) -> None:
        real(self, *args, **more)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess.Popen, "__init__", interrupted)
    before = set(psutil.Process().children())
    with pytest.raises(KeyboardInterrupt):
        children.start("slow", [sys.executable, "-c", "import time; time.sleep(60)"], os.environ, tmp_path / "log")
    [child] = set(psutil.Process().children()) - before
    children.stop()
    assert not child.is_running()


def test_a_child_that_ended_is_named(tmp_path: Path) -> None:
    children = Children()
    children.start("short", [sys.executable, "-c", "pass"], os.environ, tmp_path / "log").wait(10)
    assert children.dead() == ["short"]
    children.stop()
