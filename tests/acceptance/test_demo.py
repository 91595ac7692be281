"""The main job: the demo ends with every card equal to the engine, and whatever happens it leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from command import ORDER_ROUTE, ROOT, run
from shop import JAR_VARIABLE, server_jar

pytestmark = [pytest.mark.acceptance, pytest.mark.engine]

MARK = f"{tempfile.gettempdir()}/order-route-demo-"  # demos of other tests, which run meanwhile, lie elsewhere
MOST_MEMORY = 650_000_000  # bytes, of the server with its engine, at any time of a demo
QUESTIONS = ("Сколько заказов", "Что происходит", "У кого", "Какие сроки", "Кто задерживает", "стадии", "документы")


def changes() -> str:
    """Return what git says of the project's files."""
    git = ["git", "status", "--porcelain"]
    return subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def here() -> set[str]:
    """Return the folders that demos of this file have left."""
    return {str(folder) for folder in Path(tempfile.gettempdir()).glob(f"{Path(MARK).name}*")}


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No folder and no process of the demo outlives it, and no file of the project has changed."""
    before = changes()
    before_it = here()
    yield
    assert here() <= before_it
    left = [p for p in psutil.process_iter(["cmdline"]) if MARK in " ".join(p.info["cmdline"] or [])]
    assert [p for p in left if not any(f in " ".join(p.info["cmdline"]) for f in before_it)] == []
    assert changes() == before


def demo_env() -> dict[str, str]:
    return {JAR_VARIABLE: str(server_jar()), "TMPDIR": tempfile.gettempdir()}


@contextmanager
def server_watched() -> Iterator[list[int]]:
    """Note the memory of the demo's server in bytes, again and again, while the body runs."""
    seen: list[int] = []
    over = threading.Event()
    before = {process.pid for process in psutil.process_iter()}

    def look() -> None:
        server: psutil.Process | None = None
        while not over.wait(0.2):
            if server is None:
                fresh = (p for p in psutil.process_iter(["cmdline"]) if p.pid not in before)
                server = next((p for p in fresh if _is_server(p.info["cmdline"] or [])), None)
            else:
                with suppress(psutil.Error):
                    seen.append(server.memory_info().rss)

    watching = threading.Thread(target=look)
    watching.start()
    try:
        yield seen
    finally:
        over.set()
        watching.join()


def _is_server(command: list[str]) -> bool:
    return "-jar" in command and MARK in " ".join(command)


@pytest.mark.parametrize(("orders", "seed"), [(12, 3), pytest.param(40, 7, marks=pytest.mark.soak)])
def test_every_order_ends_as_planned(orders: int, seed: int) -> None:
    with server_watched() as memory:
        said = run("demo", "--orders", str(orders), "--seed", str(seed), env=demo_env(), seconds=480 + 30 * orders)
    assert said.code == 0, said.text[-6000:]
    assert memory and max(memory) <= MOST_MEMORY
    assert "Карточки = движок" in said.out
    assert said.out.count("✓") == orders
    flat = " ".join(said.out.split())
    doors = re.search(r"Ответы: в Tasklist (\d+), в карточке и задаче (\d+), на странице шага (\d+)\.", flat)
    assert doors is not None
    tasklist, card, page = map(int, doors.groups())
    assert min(card, page) >= 10 and card + page >= 0.4 * (tasklist + card + page)
    assert "Передвинуто карточек: 2, удалено задач: 1." in flat
    cost = re.search(r"на шаг ([\d,]+) \(норма 4\), на новый файл ещё ([\d,]+) \(норма 3\)\.", flat)
    assert cost is not None
    step, file = (float(shown.replace(",", ".")) for shown in cost.groups())
    assert 3 <= step <= 4 and 1 <= file <= 3, cost[0]
    cut = re.search(r"повторы после обрыва (\d+)", flat)
    assert cut is not None and int(cut[1]) >= 10
    counted = re.search(r"заявок (\d+), из них повторов (\d+)", flat)
    assert counted is not None
    started, doubles = map(int, counted.groups())
    assert (started - doubles, doubles >= 1) == (orders, True)
    for question in QUESTIONS:
        assert question in said.out


@pytest.mark.parametrize("moment", ["портал-песочница", "Запускается движок", "публикуется диаграмма", "ведут их"])
def test_ctrl_c_stops_everything_within_15_seconds(moment: str) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("ORDER_ROUTE_")} | demo_env()
    demo = subprocess.Popen([ORDER_ROUTE, "demo"], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    reached, output = threading.Event(), []

    def read() -> None:
        assert demo.stdout is not None
        for line in demo.stdout:
            output.append(line)
            if moment in " ".join(output).replace("\n", " "):
                reached.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert reached.wait(240), output
        demo.send_signal(signal.SIGINT)
        began = time.monotonic()
        demo.wait(60)
        seconds = time.monotonic() - began
        assert demo.returncode == 130
        assert seconds <= 15, f"stopped after {seconds:.1f} s at load {os.getloadavg()[0]:.1f}"
    finally:
        demo.kill()
        reader.join()
        demo.stdout.close()
