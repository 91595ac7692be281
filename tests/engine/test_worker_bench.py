"""Rule: `python -m workers.bench` works off any topic of any engine, says wrong settings at once, and loads no portal
or file library; and a due retry is found by the poll's own rhythm, with no new task to wake it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from shop import ROOT, Shop, wait_until
from workbench import Bench, counted, done, new_bench

from engine.client import EngineClient
from engine.external import Topic
from workers.runtime import Options

pytestmark = pytest.mark.engine

HEAVY = {"pikepdf", "ezdxf", "PIL", "pi_heif", "flask", "waitress", "reportlab", "typer", "bitrix_sync", "app"}


@pytest.fixture
def bench(shop: Shop, tmp_path: Path) -> Bench:
    """Deploy a process of one step."""
    return new_bench(shop, tmp_path)


def program(**settings: str) -> subprocess.CompletedProcess[str]:
    """Run the program with these settings and nothing else of ours."""
    inherited = {n: os.environ[n] for n in ("PATH", "HOME", "LANG", "TMPDIR") if n in os.environ}
    command = [sys.executable, "-m", "workers.bench"]
    return subprocess.run(
        command, cwd=ROOT, env=inherited | settings, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("suffix", ["", "/engine-rest"])
def test_a_topic_is_worked_off(bench: Bench, suffix: str) -> None:
    """Fifty tasks are complete, exit 0, one line of figures; the worker's account is enough, with or without path."""
    instances = [bench.start() for _ in range(50)]
    account = bench.shop.worker_credentials
    ended = program(
        ENGINE_URL=account.url.removesuffix("/engine-rest") + suffix,
        TOPIC=bench.topic,
        EXPECT_N="50",
        HANDLER_MS="5",
        ENGINE_USER=account.user,
        ENGINE_PASSWORD=account.password.get_secret_value(),
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    figures = json.loads(ended.stdout)
    assert (figures["completed"], figures["incidents"], figures["topic"]) == (50, 0, bench.topic)
    assert {i.id for i in instances} & bench.running() == set()
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert sum(line["event"] == "external_task_completed" for line in lines) == 50
    assert account.password.get_secret_value() not in ended.stderr


def test_wrong_settings_are_all_said_at_once() -> None:
    """One sentence each, exit 2."""
    ended = program(ENGINE_URL="engine", EXPECT_N="many", HANDLER_MS="-1", ENGINE_USER="worker")
    said = ended.stderr.splitlines()
    assert (ended.returncode, ended.stdout) == (2, "")
    names = ["ENGINE_URL", "TOPIC", "EXPECT_N", "HANDLER_MS", "ENGINE_USER"]
    assert [line.split(":")[0].split()[0] for line in said] == names


def test_an_engine_that_is_none_is_said_in_one_sentence(shop: Shop) -> None:
    """Nobody there, or somebody else: exit 2, no traceback."""
    job = {"TOPIC": "t", "EXPECT_N": "1", "HANDLER_MS": "0"}
    away = program(ENGINE_URL="http://127.0.0.1:1", **job)
    other = program(ENGINE_URL=shop.url.removesuffix("/engine-rest") + "/operaton/engine-rest", **job)
    stranger = program(ENGINE_URL=shop.url, ENGINE_USER="nobody", ENGINE_PASSWORD="wrong", **job)
    for ended in (away, other, stranger):
        assert ended.returncode == 2
        assert len(ended.stderr.splitlines()) == 1, ended.stderr
        assert "ENGINE_" in ended.stderr


def test_nothing_heavy_is_loaded() -> None:
    """What a worker of one topic does not need is not in its memory."""
    code = "import sys, workers.bench; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "workers" in loaded.split()
    assert HEAVY & set(loaded.split()) == set()


class Slow:
    """The engine, noting when each poll went out and what it brought."""

    def __init__(self, client: EngineClient) -> None:
        self._external = client.external
        self.polls: list[tuple[float, int]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._external, name)

    def fetch_and_lock(self, *args: object, **more: object) -> object:
        """Poll and note it."""
        begun = time.monotonic()
        found = self._external.fetch_and_lock(*args, **more)  # type: ignore[arg-type]
        self.polls.append((begun, len(found)))
        return found


def test_a_due_retry_needs_no_new_task_to_be_found(bench: Bench) -> None:
    """The end of a wait wakes no poll, so the poll that begins next after it has to bring the task."""
    seen: list[str] = []
    instance = bench.start()
    with EngineClient(*bench.shop.worker_credentials) as client:
        [task] = client.external.fetch_and_lock("other", [Topic(bench.topic, 30.0, ())], 1, poll_seconds=5)
        client.external.failure(task.id, "other", "later", retries=3, retry_seconds=2.5)
        due = time.monotonic() + 2.5
        engine = Slow(client)
        with bench.worker(done(bench, seen), options=Options(poll=1.0), engine=engine) as worker:  # type: ignore[arg-type]
            wait_until(lambda: seen, 60, "the retry")
            bench.ended(instance)
            wait_until(lambda: counted(worker, "completed", bench) == 1, 30, "the count of the completion")
    after = [count for begun, count in engine.polls if begun > due]
    during = [count for begun, count in engine.polls if begun <= due]
    assert sum(during) + sum(after[:1]) == 1, engine.polls
    assert Options().poll <= 5.0


def test_the_engine_is_asked_rarely_while_there_is_much(bench: Bench) -> None:
    """A backlog comes in large parts: the engine looks through all of it at each fetch."""
    seen: list[str] = []
    with EngineClient(*bench.shop.worker_credentials) as client:
        engine = Slow(client)
        instances = [bench.start() for _ in range(120)]
        with bench.worker(done(bench, seen), options=Options(), engine=engine):  # type: ignore[arg-type]
            wait_until(lambda: len(seen) == 120, 60, "all tasks")
    bench.ended(*instances)
    assert sum(1 for _, count in engine.polls if count) <= 15
    assert threading.active_count() < 200
