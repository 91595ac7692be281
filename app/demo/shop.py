"""The demo's shop: sandbox portal, real engine, worker, all in one temporary folder that goes away with them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

import requests

from app.children import Children
from app.demo.carry import STEP_SECONDS
from app.demo.foreign import ForeignPortal, prepare
from app.demo.people import People
from app.demo.portal import PortalPeople
from app.errors import CommandError
from app.logs import configure
from app.paths import BPMN, find
from app.programs import embedded
from app.sandbox import portal_people
from app.settings import PREFIX, Settings, load
from app.wiring import Parts
from engine.deploy import deploy, folder_files
from orders.errors import OrderRouteError
from orders.persons import Staff

SWEEP_SECONDS = 5  # a demo lasts a minute: the sweep must come by several times
POLL_SECONDS = 2
LOST = 0.1  # of the portal's events never come; of its answers are cut off after it has acted
PORTAL_RATE, PORTAL_BURST = 100, 2000  # a real portal allows 2 and 50; carrying 12 orders would take an hour
SHORT_RUN = ("-XX:TieredStopAtLevel=1",)  # in minutes the second compiler costs more than it brings
_ROOM = 4 << 30  # bytes: the engine's file grows by some 5 MB an order
FOREIGN_SECONDS = 24 * 3600.0
TOKEN = "demo"  # noqa: S105 - the webhook of a portal that lives on this machine for a minute


class DemoShop:
    """Everything the demo runs; a context manager that leaves nothing behind."""

    def __init__(self, tell: Callable[[str], None], portal: str | None = None) -> None:
        self._tell = tell
        self.foreign: ForeignPortal | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="order-route-demo-", dir=scratch()))
        self._log = (self.folder / "demo.log").open("w", encoding="utf-8")  # the terminal belongs to the progress view
        configure("json", self._log)
        self._children = Children()
        if portal is not None:
            self.foreign = self._foreign(portal)
        self._portal_port, self._web_port, self._board_port, self._inside_port = _free_ports(4)
        self.settings: Settings = load(self._environment(), dotenv=None)
        self.parts = Parts(self.settings)
        self.engine = embedded(self.settings, self.parts, java_options=SHORT_RUN)
        self.passwords: dict[str, str] = {}
        self._people: People | None = None

    # life

    def __enter__(self) -> DemoShop:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        staff = self.parts.staff
        if self.foreign is None:
            self._tell("Запускается портал-песочница (с широкими лимитами: 100 запросов в секунду вместо 2)…")
            self._start_portal(staff)
        self._tell("Запускается движок Operaton…")
        self.engine.start()
        self._tell("Заводятся сотрудники, публикуется диаграмма, готовится канбан…")
        self._prepare()
        self._children.start("worker", self._argv("worker"), self._environment(), self.folder / "worker.log")
        inside = {f"{PREFIX}BOARD_LISTEN": f"127.0.0.1:{self._inside_port}"}  # the worker has the other
        self._children.start("web", self._argv("web"), {**self._environment(), **inside}, self.folder / "web.log")
        self._wait("страница шага", f"{self.public_url}/healthz", "web")
        self._disturb({"drop": LOST}, [{"kind": "lost_answer", "fraction": LOST}])

    def _foreign(self, webhook: str) -> ForeignPortal:
        """Look the user's portal over before anything is started. Raises CommandError, one sentence."""
        try:
            own = load({**os.environ, f"{PREFIX}BITRIX_WEBHOOK_URL": webhook}, dotenv=None)
            hook = own.bitrix_webhook_url
            assert hook is not None  # it was just given
            return prepare(
                hook.get_secret_value(),
                find(own.staff_file),
                self.folder,
                self._tell,
                rate=own.bitrix_rate,
                burst=own.bitrix_burst,
            )
        except BaseException as error:
            configure("auto")
            self._log.close()
            shutil.rmtree(self.folder, ignore_errors=True)
            if isinstance(error, OrderRouteError) and not isinstance(error, CommandError):
                raise CommandError(f"Показ на своём портале не начат: {error}") from error
            raise

    @property
    def patience(self) -> float:
        """Return the seconds that a step may take: without a limit worth the name on a portal that counts requests."""
        return STEP_SECONDS if self.foreign is None else FOREIGN_SECONDS

    def calm(self) -> None:
        """Let the portal's line be whole again."""
        self._disturb({}, [])

    def _disturb(self, events: Mapping[str, float], faults: list[Mapping[str, object]]) -> None:
        """Send the portal's events to us, some of them lost; let some of its answers be cut off after it has acted."""
        if self.foreign is not None:
            return  # a portal of one's own is not disturbed
        target = {"url": f"{self.public_url}/hooks/bitrix24", "application_token": TOKEN, **events}
        for name, body in (("events", target), ("faults", {"rules": faults, "seed": 1})):
            requests.post(f"{self.portal_url}/sandbox/{name}", json=body, timeout=15).raise_for_status()

    def _start_portal(self, staff: Staff) -> None:
        users = self.folder / "users.json"
        users.write_text(json.dumps(portal_people(staff), ensure_ascii=False), encoding="utf-8")
        argv = [sys.executable, "-m", "bitrix_sync.sandbox", f"--port={self._portal_port}", f"--token={TOKEN}"]
        argv += [f"--state={self.folder / 'portal.db'}", f"--log={self.portal_log}", f"--users={users}"]
        argv += [f"--rate={PORTAL_BURST}", f"--drain={PORTAL_RATE}"]
        self._children.start("portal", argv, self._environment(), self.folder / "portal.out")
        self._wait("портал-песочница", f"{self.portal_url}/")

    def _prepare(self) -> None:
        from app.commands.operate import run_bootstrap

        report = run_bootstrap(self.parts)
        self.passwords = {person: p.get_secret_value() for person, p in report.passwords.items()}
        deployer = self.parts.engine_client(self.parts.accounts.deploy)
        deploy(deployer, folder_files(BPMN), name="order-route", ttl_days=self.settings.history_days)
        run_bootstrap(self.parts)
        if self.foreign is None:
            self.parts.cards().provision()

    def stop(self) -> None:
        """Stop everything at once and remove the folder; the whole takes less than 15 seconds."""
        if self._people is not None:
            self._people.close()
        self.parts.close()
        stopping = [threading.Thread(target=work) for work in (self._children.stop, self.engine.stop)]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        configure(self.settings.log_format)
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # what others need

    @property
    def portal_url(self) -> str:
        """Return the address of the portal's pages."""
        return f"http://127.0.0.1:{self._portal_port}"

    @property
    def public_url(self) -> str:
        """Return the address of the step page."""
        return f"http://127.0.0.1:{self._web_port}"

    @cached_property
    def portal_people(self) -> PortalPeople | None:
        """Return what persons do in the portal, None in a portal where nobody may act for them."""
        if self.foreign is not None:
            return None
        schema = self.parts.cards().real().schema
        return PortalPeople(self.portal_url, self.public_url, self.portal_log, schema, self.settings.zone)

    @property
    def portal_log(self) -> Path:
        """Return the portal's own call log."""
        return self.folder / "portal.jsonl"

    @property
    def board(self) -> str:
        """Return the address of the board, which the pages' program shows."""
        return f"http://127.0.0.1:{self._inside_port}"

    @property
    def metrics(self) -> str:
        """Return the address of the worker's metrics."""
        return f"http://127.0.0.1:{self._board_port}/metrics"

    @property
    def people(self) -> People:
        """Return the persons with their own accounts."""
        if self._people is None:
            self._people = People(self.engine.url, self.parts.staff, self.passwords)
        return self._people

    def dead(self) -> list[str]:
        """Return the names of programs that ended by themselves."""
        return self._children.dead() + ([] if self.engine.pid else ["engine"])

    def log_tail(self, name: str, lines: int = 15) -> str:
        """Return the last lines of a program's log."""
        path = self.folder / {"portal": "portal.out"}.get(name, f"{name}.log")
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    # own

    def _environment(self) -> Mapping[str, str]:
        """Return the environment of the demo's programs: the user's own, without the user's own shop."""
        plain = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
        kept = {k: v for k, v in os.environ.items() if k in (f"{PREFIX}LOG_FORMAT", f"{PREFIX}SERVER_JAR")}
        ours = {
            "DATA_DIR": str(self.folder),
            "BITRIX_WEBHOOK_URL": f"{self.portal_url}/rest/1/{TOKEN}/",
            "BITRIX_APPLICATION_TOKEN": TOKEN,
            "BITRIX_POLL_SECONDS": str(POLL_SECONDS),
            "PUBLIC_URL": self.public_url,
            "BITRIX_RATE": str(PORTAL_RATE),
            "BITRIX_BURST": str(PORTAL_BURST // 2),
            "RECONCILE_SECONDS": str(SWEEP_SECONDS),
            "WEB_LISTEN": f"127.0.0.1:{self._web_port}",
            "BOARD_LISTEN": f"127.0.0.1:{self._board_port}",
        }
        if self.foreign is not None:
            ours |= {
                "BITRIX_WEBHOOK_URL": self.foreign.webhook,
                "BITRIX_ENTITY_TYPE_ID": str(self.foreign.entity_type_id),
                "STAFF_FILE": str(self.foreign.staff_file),
                "RECONCILE_SECONDS": "30",
            }
            for name in (
                "BITRIX_APPLICATION_TOKEN",
                "BITRIX_POLL_SECONDS",
                "PUBLIC_URL",
                "BITRIX_RATE",
                "BITRIX_BURST",
            ):
                del ours[name]
            kept |= {k: v for k, v in os.environ.items() if k in (f"{PREFIX}BITRIX_RATE", f"{PREFIX}BITRIX_BURST")}
        return plain | kept | {PREFIX + name: value for name, value in ours.items()}

    def _argv(self, *command: str) -> list[str]:
        return [sys.executable, "-m", "app", *command]

    def _wait(self, what: str, url: str, name: str = "portal", seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._children.dead():
                break
            try:
                requests.get(url, timeout=2)
                return
            except requests.RequestException:
                time.sleep(0.1)
        raise CommandError(f"Не отвечает {what}:\n{self.log_tail(name)}")


def scratch() -> str | None:
    """Return a folder in memory where there is one: nothing here must outlive a power cut, and a disk is slow."""
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a private folder in it
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM
    return str(memory) if roomy and "TMPDIR" not in os.environ else None


def _free_ports(count: int) -> list[int]:
    """Return ports that are free now, each another."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
