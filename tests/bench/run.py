"""`make bench`: our worker beside its peers on one engine in one run, in random order; prints ratios.

Ours is `python -m workers.bench` with everything on. The peers are pycamunda's documented loop, the Python client of
the Camunda community (as its README shows, and tuned), and a bare `http.client` loop as the ceiling of Python. Peers
are installed into a throw-away environment. Absolute figures move with what else the machine does: ratios count.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import venv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from places import ADMIN, ROOT, Missing, clean_environment, open_engine

from engine.client import EngineClient
from engine.external import Topic
from engine.variables import from_instant
from workers.runtime import usual_slots

CLIENTS = Path(__file__).with_name("clients")
PEERS = ("pycamunda==0.6.1", "camunda-external-task-client-python3==4.5.0", "pydantic>=2", "requests>=2.32")
OURS, LOOP, README, TUNED = "ours", "pycamunda, documented loop", "camunda client, README", "camunda client, 100"
BARE = "bare http.client"
ONE_BY_ONE = (LOOP, README, TUNED)
SLOTS = usual_slots()  # of ours, and of the bare loop: as many requests at once
MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="http://order-route/bench">
  <bpmn:process id="{name}" isExecutable="true" camunda:historyTimeToLive="P1D">
    <bpmn:startEvent id="Start"/><bpmn:endEvent id="End"/>
    <bpmn:serviceTask id="Step" camunda:type="external" camunda:topic="{name}"/>
    <bpmn:sequenceFlow id="a" sourceRef="Start" targetRef="Step"/>
    <bpmn:sequenceFlow id="b" sourceRef="Step" targetRef="End"/>
  </bpmn:process>
</bpmn:definitions>"""


@dataclass(frozen=True)
class Client:
    """How one client is started."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def clients(peers: Path) -> dict[str, Client]:
    """Return all clients by the name under which they are shown."""
    ours, other = sys.executable, str(peers / "bin" / "python")
    return {
        OURS: Client((ours, "-m", "workers.bench", "--slots", str(SLOTS))),
        LOOP: Client((other, str(CLIENTS / "pycamunda_loop.py"))),
        README: Client((other, str(CLIENTS / "camunda_client.py"))),
        TUNED: Client((other, str(CLIENTS / "camunda_client.py")), {"MAX_TASKS": "100"}),
        BARE: Client((other, str(CLIENTS / "bare_http.py")), {"THREADS": str(SLOTS)}),
    }


class Place:
    """One engine under measurement."""

    def __init__(self, engine: EngineClient, jvm: int, log: Path) -> None:
        self.engine = engine
        self.jvm = psutil.Process(jvm)
        self.log = log

    def deploy(self) -> str:
        """Deploy a process of one step under a new name, which is its topic too."""
        name = f"bench-{uuid.uuid4().hex[:8]}"
        self.engine.deployments.create(name, {f"{name}.bpmn": MODEL.format(name=name).encode()})
        return name

    def fill(self, name: str, count: int) -> None:
        """Start instances, eight at a time."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: self.engine.processes.start(name, {}), range(count)))

    def engine_cpu(self) -> float:
        """Return the engine's CPU seconds so far."""
        used = self.jvm.cpu_times()
        return used.user + used.system

    def start(self, client: Client, name: str, count: int, handler_ms: int) -> subprocess.Popen[str]:
        """Start a client on a topic."""
        job = {"ENGINE_URL": self.engine.caller.url, "TOPIC": name, "EXPECT_N": str(count)}
        job |= {"HANDLER_MS": str(handler_ms), "ENGINE_USER": ADMIN}
        job["ENGINE_PASSWORD"] = self.engine.caller.transport.password.get_secret_value()
        with self.log.open("ab") as log:
            return subprocess.Popen(
                client.command,
                cwd=ROOT,
                env={**clean_environment(), **job, **client.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def durations(self, name: str) -> list[float]:
        """Return how long each finished instance took by the engine's clock, ms, oldest first."""
        rows = self.engine.caller.rows(
            "/history/process-instance", {"processDefinitionKey": name, "finished": "true"}, sort="startTime"
        )
        return [float(row["durationInMillis"]) for row in rows]


def finish(process: subprocess.Popen[str], seconds: float) -> dict[str, Any]:
    """Wait for a client's line of figures; a client that hangs is killed."""
    try:
        out, _ = process.communicate(timeout=seconds)
    finally:
        process.kill()
    if process.returncode != 0:
        raise Missing(f"{process.args} ended with {process.returncode}: {out[-300:]}")
    return dict(json.loads(out.splitlines()[-1]))


def work_off(place: Place, client: Client, count: int, handler_ms: int) -> dict[str, Any]:
    """Let a client work off a backlog."""
    name = place.deploy()
    place.fill(name, count)
    before = place.engine_cpu()
    told = finish(place.start(client, name, count, handler_ms), 300)
    told["engine_cpu_per_1000"] = (place.engine_cpu() - before) * 1000 / count
    return told


def latency(place: Place, client: Client, count: int) -> dict[str, Any]:
    """Start one instance each 100 ms and return how long they took; the first one only shows that the client is up."""
    name = place.deploy()
    process = place.start(client, name, count + 1, 0)
    try:
        place.engine.processes.start(name, {})
        deadline = time.monotonic() + 60
        while not place.durations(name) and time.monotonic() < deadline:
            time.sleep(0.1)
        following = time.monotonic()
        for _ in range(count):
            following += 0.1
            time.sleep(max(following - time.monotonic(), 0))
            place.engine.processes.start(name, {})
        told = finish(process, 60)
    finally:
        process.kill()
    took = sorted(place.durations(name)[1:])
    tail = {f"p{part}": took[len(took) * part // 100] for part in (95, 99)}
    return {"p50": statistics.median(took), **tail, **told}


def late_retries(place: Place, client: Client, count: int = 8) -> float:
    """Return how many seconds after it was due the slowest retry was done, with no new task to wake a poll."""
    name = place.deploy()
    place.fill(name, count)
    wait = 4.0
    due = {}
    for task in place.engine.external.fetch_and_lock("other", [Topic(name, 60.0, ())], count):
        wait += 0.7
        place.engine.external.failure(task.id, "other", "bench", retries=3, retry_seconds=wait)
        due[task.instance_id] = time.time() + wait
    finish(place.start(client, name, count, 0), 60)
    rows = place.engine.caller.rows("/history/process-instance", {"processDefinitionKey": name}, sort="startTime")
    return max(from_instant(row["endTime"]).timestamp() - due[row["id"]] for row in rows)


def growth(place: Place, client: Client, total: int, step: int) -> Iterator[tuple[int, float, float, float]]:
    """Give what ours does as finished instances pile up: their count, tasks per second, CPU s/1000 of ours and engine.

    A shared machine blurs the first figure, hardly the other two.
    """
    name, finished = place.deploy(), 0
    while finished < total:
        place.fill(name, step)
        before = place.engine_cpu()
        told = finish(place.start(client, name, step, 0), 600)
        finished += step
        spent = (place.engine_cpu() - before) * 1000 / step
        yield finished, told["tasks_per_second"], told["cpu_seconds_per_1000"], spent


def compare(
    place: Place, all_clients: Mapping[str, Client], names: Sequence[str], args: argparse.Namespace, handler_ms: int
) -> dict[str, dict[str, float]]:
    """Measure all in random order, round by round; return the medians."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for turn in range(args.rounds):
        for name in random.sample(list(names), len(names)):
            count = args.slow_n // 4 if handler_ms and name in ONE_BY_ONE else args.slow_n if handler_ms else args.n
            told = work_off(place, all_clients[name], count, handler_ms)
            found[name].append(told)
            say(f"    round {turn + 1} {name}: {told['tasks_per_second']}/s, load {os.getloadavg()[0]:.1f}")
    keys = ("tasks_per_second", "cpu_seconds_per_1000", "rss_mb", "engine_cpu_per_1000")
    return {
        name: {key: statistics.median(float(row[key]) for row in rows) for key in keys}
        | {"low": min(row["tasks_per_second"] for row in rows), "high": max(row["tasks_per_second"] for row in rows)}
        for name, rows in found.items()
    }


def show(title: str, medians: Mapping[str, Mapping[str, float]], ceiling: str) -> None:
    """Print a table, the fastest first; ratios to the ceiling and of ours to each."""
    say(f"\n{title}\n")
    say("| client | tasks/s (min–max) | of bare | ours is × | client CPU s/1000 | engine CPU s/1000 | RSS MB |")
    say("|---|---|---|---|---|---|---|")
    for name, row in sorted(medians.items(), key=lambda item: -item[1]["tasks_per_second"]):
        rate = row["tasks_per_second"]
        say(
            f"| {name} | {rate:.0f} ({row['low']:.0f}–{row['high']:.0f})"
            f" | {rate / medians[ceiling]['tasks_per_second']:.2f} | {medians[OURS]['tasks_per_second'] / rate:.2f}"
            f" | {row['cpu_seconds_per_1000']:.2f} | {row['engine_cpu_per_1000']:.2f} | {row['rss_mb']:.0f} |"
        )


def measure(database: str, all_clients: Mapping[str, Client], args: argparse.Namespace, folder: Path) -> None:
    """Do all measurements on one engine."""
    say(f"\n## {database}")
    (folder / database).mkdir()
    with open_engine(database, folder / database) as (engine, jvm):
        place = Place(engine, jvm, folder / f"{database}-clients.log")
        work_off(place, all_clients[BARE], args.n, 0)  # the JVM compiles what it runs often
        for handler_ms in args.handlers:
            names = [OURS, BARE, *ONE_BY_ONE]
            medians = compare(place, all_clients, names, args, handler_ms)
            show(f"handler {handler_ms} ms", medians, BARE)
            if handler_ms:
                most = SLOTS * 1000 / handler_ms
                say(f"\nours reaches {medians[OURS]['tasks_per_second'] / most:.2f} of {SLOTS} slots / {handler_ms} ms")
        if args.latency:
            say("\n| one task each 100 ms | p50 ms | p95 | p99 | client CPU s/1000 |\n|---|---|---|---|---|")
            for name in random.sample([OURS, BARE, LOOP], 3):
                row = latency(place, all_clients[name], args.latency)
                say(
                    f"| {name} | {row['p50']:.0f} | {row['p95']:.0f} | {row['p99']:.0f}"
                    f" | {row['cpu_seconds_per_1000']:.2f} |"
                )
            say(f"\nslowest due retry picked up after {late_retries(place, all_clients[OURS]):.1f} s")
        if args.grow and database == args.databases[-1]:
            say("\n| finished | tasks/s | client CPU s/1000 | engine CPU s/1000 | load |\n|---|---|---|---|---|")
            for finished, rate, cpu, engine_cpu in growth(place, all_clients[OURS], args.grow, 2500):
                say(f"| {finished} | {rate:.0f} | {cpu:.2f} | {engine_cpu:.1f} | {os.getloadavg()[0]:.1f} |")


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)  # noqa: T201 - a command's answer


def numbers(text: str) -> list[int]:
    """Read a comma-separated list."""
    return [int(part) for part in text.split(",")]


def main() -> int:
    """Run everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--n", type=int, default=1500, help="tasks per measurement with empty handlers")
    parser.add_argument("--slow-n", type=int, default=400, help="tasks with slow handlers; one by one a quarter")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--handlers", type=numbers, default=[0, 100], help="milliseconds, comma-separated")
    parser.add_argument("--databases", type=lambda text: text.split(","), default=["h2", "postgresql"])
    parser.add_argument("--latency", type=int, default=120, help="tasks of the latency measurement, 0: none")
    parser.add_argument("--grow", type=int, default=20_000, help="finished instances of the growth curve, 0: none")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--peers", type=Path, help="an environment with the peers installed; empty: a new one")
    args = parser.parse_args()
    random.seed(args.seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that engines and folders go as with Ctrl-C
    begun, watch = time.monotonic(), Load()
    say(f"seed {args.seed}, {os.cpu_count()} cores, {SLOTS} slots, load {os.getloadavg()[0]:.1f} at the start")
    try:
        with tempfile.TemporaryDirectory(prefix="order-route-bench-") as name:
            folder = Path(name)
            folder.chmod(0o755)  # PostgreSQL's account passes through it
            peers = args.peers or install(folder / "peers")
            for database in args.databases:
                measure(database, clients(peers), args, folder)
    except Missing as error:
        say(str(error))
        return 1
    say(f"\nload average over the run {watch.mean():.1f}, seed {args.seed}, {time.monotonic() - begun:.0f} s")
    return 0


def install(folder: Path) -> Path:
    """Make an environment with the peers."""
    venv.create(folder, with_pip=True)
    command = [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise Missing(f"Не удалось установить сравниваемые библиотеки: {done.stderr[-300:]}")
    return folder


class Load:
    """The machine's load, looked at every five seconds."""

    def __init__(self) -> None:
        self._seen: list[float] = []
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            self._seen.append(os.getloadavg()[0])
            time.sleep(5)

    def mean(self) -> float:
        """Return the mean of what was seen."""
        return statistics.mean(self._seen)


if __name__ == "__main__":
    sys.exit(main())
