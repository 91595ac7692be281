"""The engine is killed with SIGKILL in mid-work and started again: nothing that it acknowledged is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from pydantic import SecretStr
from shop import SHORT_RUN, START_SECONDS, SWEEP_SECONDS, Shop, furnish, good_answer, server_jar, wait_until

from engine.client import EngineClient
from engine.embedded import EmbeddedEngine, leftover
from engine.errors import EngineDown, EngineError
from engine.java import StartError
from engine.processes import Instance
from engine.submit import submit

pytestmark = pytest.mark.engine
ADMIN = SecretStr("crash-test-admin")


@pytest.fixture(scope="module")
def own_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """An engine of its own: the shared one must not die under other tests."""
    engine = EmbeddedEngine(
        server_jar(),
        tmp_path_factory.mktemp("crash"),
        admin_user="admin",
        admin_password=ADMIN,
        reconcile_seconds=SWEEP_SECONDS,
        java_options=SHORT_RUN,
        start_seconds=START_SECONDS,
        language="en",
    )
    with engine:
        opened = furnish(engine, ADMIN)
        yield opened
        opened.close()


def again(shop: Shop) -> Shop:
    """Start the engine once more on the same folder; it may take another port."""
    shop.close()
    shop.engine.start()
    return furnish(shop.engine, ADMIN)


def test_the_setting_switches_the_tasklists_language(own_shop: Shop) -> None:
    """Here because this engine is one's own: the shared one speaks Russian."""
    page = own_shop.url.removesuffix("/engine-rest") + "/operaton/app/tasklist/scripts/config.js"
    assert "availableLocales: ['en']" in requests.get(page, timeout=30).text


def test_nothing_acknowledged_is_lost(own_shop: Shop) -> None:
    shop = own_shop
    first = [shop.start_order() for _ in range(3)]
    for order in first:
        shop.open_step(order)
    started: list[Instance] = []
    answered: list[Instance] = []

    def start() -> None:
        while True:
            try:
                started.append(shop.start_order())
            except EngineError:
                return

    def answer() -> None:
        for order in first:
            try:
                step = shop.reader.snapshot(order.id).open[0]
                submit(shop.person("orlov"), step, good_answer(step.task_id))
                answered.append(order)
            except EngineError:
                return

    threads = [threading.Thread(target=start), threading.Thread(target=answer)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(started) >= 3 and answered, 60, "some work acknowledged")
    shop.engine.kill()
    for thread in threads:
        thread.join(60)
    back = again(shop)
    try:
        there = {i.id for i in back.integration.history.instances(unfinished=True)}
        assert {i.id for i in started} | {i.id for i in first} <= there
        for order in answered:
            assert [v.task_id for v in back.reader.snapshot(order.id).done] == ["UserTask_ApproveOrder"]
        assert not back.deployed.new and not back.bootstrapped.changed
        back.carry_home(started[-1])
        assert back.reader.snapshot(started[-1].id).end_id == "End_Delivered"
    finally:
        back.close()


def test_calls_to_a_dead_engine_say_so_at_once(own_shop: Shop) -> None:
    client = EngineClient(own_shop.url, "admin", ADMIN)
    client.version()
    own_shop.engine.kill()
    began = time.monotonic()
    with pytest.raises(EngineDown):
        client.version()
    assert time.monotonic() - began < 5
    client.close()
    own_shop.engine.start()


def test_the_database_never_delays_a_write(own_shop: Shop) -> None:
    assert own_shop.engine.database_url.endswith(";WRITE_DELAY=0")


def test_a_second_engine_on_the_same_folder_is_refused(own_shop: Shop) -> None:
    second = EmbeddedEngine(server_jar(), own_shop.engine.data_dir, admin_user="admin", admin_password=ADMIN)
    with pytest.raises(StartError, match=f"процесс {own_shop.engine.pid}"):
        second.start()


def test_stop_leaves_nothing_behind(own_shop: Shop) -> None:
    pid = own_shop.engine.pid
    assert pid is not None and leftover(own_shop.engine.data_dir) == pid
    began = time.monotonic()
    own_shop.engine.stop()
    assert time.monotonic() - began < 15
    assert not psutil.pid_exists(pid) and leftover(own_shop.engine.data_dir) is None
    secret = Path(own_shop.engine.data_dir) / "h2.secret"
    assert secret.stat().st_mode & 0o777 == 0o600
