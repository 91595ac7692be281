"""`python -m workers.bench`: work off one topic with the full runtime, as fast as it goes, and say how fast it was.

Lock keeper, typed variables, logs, metrics and the ledger of attempts are on; the handler only waits. The engine may
be any Operaton with any model: nothing of our route, server, portal or settings is needed. From the environment:
ENGINE_URL, TOPIC, EXPECT_N, HANDLER_MS, where the engine asks for an account ENGINE_USER and ENGINE_PASSWORD too.
Standard output gets one line of JSON at the end, standard error the log. Exit 0: N tasks are complete; 1: they cannot
be, or it was interrupted; 2: wrong settings, or no engine that we can work with.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from engine.about import about
from engine.client import EngineClient
from engine.errors import EngineDown, EngineError, Forbidden, Unauthorized
from engine.external import ExternalTask, Topic
from ledger import Ledger
from orders.stage import Route
from workers.logs import configure, mask
from workers.ports import ExternalTasks
from workers.registry import Handler, Input, Output, Registry, topic
from workers.runtime import Options, Worker

_DAY_MS = 86_400_000
_LOOK_SECONDS = 0.2


class WrongSettings(ValueError):
    """Settings are wrong; `args` holds one Russian sentence for each."""


class Work(Input):
    """One optional variable: reading typed input is part of what is measured."""

    note: str | None = None


class Done(Output):
    """Nothing is written, so that any model can be worked off."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to work off. `expect` tasks, `handler` in seconds."""

    url: str
    topic: str
    expect: int
    handler: float
    user: str
    password: SecretStr


def read_job(environment: Mapping[str, str]) -> Job:
    """Read the settings. Raises WrongSettings with every problem."""
    problems: list[str] = []
    url, name = environment.get("ENGINE_URL", "").strip().rstrip("/"), environment.get("TOPIC", "").strip()
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and "{" not in url and parts.port != 0
    except ValueError:
        known = False
    if not known:
        problems.append("ENGINE_URL: нужен адрес движка, например http://127.0.0.1:8080/engine-rest")
    elif "engine-rest" not in parts.path.split("/"):
        url += "/engine-rest"
    if not name:
        problems.append("TOPIC: нужно имя темы внешних задач")
    expect = _whole(environment, "EXPECT_N", 1, 10**9, "сколько задач выполнить", problems)
    wait = _whole(environment, "HANDLER_MS", 0, _DAY_MS, "сколько миллисекунд длится одна задача", problems)
    user, password = environment.get("ENGINE_USER", ""), environment.get("ENGINE_PASSWORD", "")
    if bool(user) != bool(password):
        problems.append("ENGINE_USER и ENGINE_PASSWORD задаются вместе")
    if problems:
        raise WrongSettings(*problems)
    return Job(url, name, expect, wait / 1000, user, SecretStr(password))


def _whole(environment: Mapping[str, str], name: str, low: int, high: int, what: str, problems: list[str]) -> int:
    text = environment.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
        problems.append(f"{name}: нужно целое число от {low} до {high} ({what})")
        return low
    return int(text)


class Tally:
    """The engine's external tasks, counted as they go through.

    Once all expected tasks were seen, a poll no longer stays on the line: the end need not wait for it.
    """

    def __init__(self, engine: ExternalTasks, expect: int) -> None:
        self._engine = engine
        self._expect = expect
        self._seen: set[str] = set()
        self._mutex = threading.Lock()
        self.completed = 0
        self.put_aside = 0
        self.begun: float | None = None
        self.begun_cpu = 0.0
        self.ended = 0.0
        self.ended_cpu = 0.0
        self.over = threading.Event()

    def fetch_and_lock(
        self, worker_id: str, topics: Sequence[Topic], max_tasks: int, *, poll_seconds: float = 0.0
    ) -> list[ExternalTask]:
        """Fetch, and remember what came."""
        if len(self._seen) >= self._expect:
            self.over.wait(_LOOK_SECONDS)
            poll_seconds = 0.0
        found = self._engine.fetch_and_lock(worker_id, topics, max_tasks, poll_seconds=poll_seconds)
        if found and self.begun is None:
            self.begun, self.begun_cpu = time.monotonic(), _cpu()
        self._seen.update(task.id for task in found)
        return found

    def complete(self, task_id: str, worker_id: str, values: Mapping[str, object] | None = None) -> None:
        """Complete, and count it."""
        self._engine.complete(task_id, worker_id, values)
        self._count(completed=1)

    def failure(self, task_id: str, worker_id: str, message: str, *, retries: int, **more: Any) -> None:
        """Report a failure, and count a task that will not be complete."""
        self._engine.failure(task_id, worker_id, message, retries=retries, **more)
        if retries == 0:
            self._count(put_aside=1)

    def bpmn_error(self, task_id: str, worker_id: str, code: str, message: str, values: Any = None) -> None:
        """Raise a BPMN error; the handler of this program never does."""
        self._engine.bpmn_error(task_id, worker_id, code, message, values)

    def extend_lock(self, task_id: str, worker_id: str, seconds: float) -> None:
        """Keep a lock."""
        self._engine.extend_lock(task_id, worker_id, seconds)

    def unlock(self, task_id: str) -> None:
        """Give a task back."""
        self._engine.unlock(task_id)

    def _count(self, *, completed: int = 0, put_aside: int = 0) -> None:
        with self._mutex:
            self.completed += completed
            self.put_aside += put_aside
            if self.completed + self.put_aside >= self._expect:
                self.ended, self.ended_cpu = time.monotonic(), _cpu()
                self.over.set()


def handler_of(job: Job) -> Handler[..., Any]:
    """Return the handler: it waits as long as the job says."""

    @topic(job.topic)
    def work(_: Work) -> Done:
        """Wait."""
        if job.handler:
            time.sleep(job.handler)
        return Done()

    return work


def run(job: Job, slots: int) -> Tally:
    """Work until the job is done, or a signal says stop. The ledger is a throw-away one."""
    with (
        tempfile.TemporaryDirectory(prefix="order-route-bench-") as folder,
        EngineClient(job.url, job.user, job.password, timeout=max(10.0, Options().lock / 3)) as client,
    ):
        ledger = Ledger(f"sqlite:///{Path(folder) / 'ledger.db'}")
        tally = Tally(client.external, job.expect)
        worker = Worker(
            tally,
            Registry([handler_of(job)]),
            {},
            attempts=ledger,
            routes=lambda _: Route(process_id="", stages=(), start_id=""),
            options=Options(slots=slots),
            mask=mask,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: tally.over.set())
        worker.run(tally.over)
        ledger.close()
        return tally


def check_engine(job: Job) -> None:
    """Return when an engine answers that we can work with. Raises EngineError with one Russian sentence."""
    try:
        with EngineClient(job.url, job.user, job.password) as client:
            about(client)
    except Forbidden:
        return  # an account that may do nothing but its tasks
    except Unauthorized as error:
        raise EngineError("Движок не принимает учётную запись: проверьте ENGINE_USER и ENGINE_PASSWORD") from error
    except EngineDown as error:
        raise EngineError(f"Движок по адресу {job.url} не отвечает: проверьте ENGINE_URL ({error})") from error


def figures(job: Job, tally: Tally, slots: int) -> dict[str, object]:
    """Return what was measured, from the first fetched task to the last answer; RSS at its top, CPU of the start apart.

    One process works off one job, so what it used is what the job took.
    """
    seconds = max((tally.ended or time.monotonic()) - (tally.begun or time.monotonic()), 1e-9)
    cpu = (tally.ended_cpu or _cpu()) - tally.begun_cpu
    return {
        "topic": job.topic,
        "completed": tally.completed,
        "incidents": tally.put_aside,
        "seconds": round(seconds, 3),
        "tasks_per_second": round(tally.completed / seconds, 1),
        "cpu_seconds_per_1000": round(cpu * 1000 / max(tally.completed, 1), 3),
        "cpu_seconds_to_start": round(tally.begun_cpu, 3),
        "rss_mb": round(_rss_kib() / 1024, 1),
        "slots": slots,
        "handler_ms": round(job.handler * 1000),
    }


def _rss_kib() -> int:
    """Return this program's own top: the kernel's other figure for it keeps that of whoever started us."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m workers.bench", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--slots", type=int, choices=range(1, 257), metavar="1..256", default=Options().slots)
    slots = int(parser.parse_args(arguments).slots)
    try:
        job = read_job(os.environ)
        check_engine(job)
    except (WrongSettings, EngineError) as error:
        print(*error.args, sep="\n", file=sys.stderr)  # noqa: T201 - a command's answer
        return 2
    configure("json")
    tally = run(job, slots)
    print(json.dumps(figures(job, tally, slots), ensure_ascii=False), flush=True)  # noqa: T201 - a command's answer
    if tally.completed >= job.expect:
        return 0
    missing = f"Выполнено {tally.completed} из {job.expect}, отложено с ошибкой: {tally.put_aside}"
    print(missing, file=sys.stderr)  # noqa: T201 - a command's answer
    return 1


if __name__ == "__main__":
    sys.exit(main())
