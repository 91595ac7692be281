"""The shop of a made history: an engine whose clock is set, and the real worker, without a portal."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from app.demo.past.clock import EngineTime
from app.demo.people import People
from app.demo.shop import SHORT_RUN, scratch
from app.errors import CommandError
from app.logs import configure
from app.paths import BPMN
from app.programs import embedded
from app.settings import PREFIX, Settings, load
from app.wiring import Parts
from engine.deploy import deploy, folder_files
from workers.runtime import Worker

_TIMERS = ("reconcile-portal.bpmn", "send-digest.bpmn")  # no portal to look after, and nobody to tell
_DRAIN_SECONDS = 60.0
_PAUSE = 0.01  # in which the worker's poll brings what has just come
_LOCK_SECONDS = "3600"  # a lock must outlast the jumps of an hour, or the same worker fetches its own task again


class PastShop:
    """An engine, a worker and persons in a folder of their own; a context manager that stops them."""

    def __init__(self, settings: Settings) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="order-route-history-", dir=scratch()))
        self._log = (self.folder / "history.log").open("w", encoding="utf-8")
        configure("json", self._log)
        self._shown = settings.log_format
        self.settings = load(_environment(settings, self.folder), dotenv=None)
        self.parts = Parts(self.settings)
        self.engine = embedded(self.settings, self.parts, profile="demo", java_options=SHORT_RUN)
        self.clock: EngineTime
        self.people: People
        self._worker: Worker | None = None

    def __enter__(self) -> PastShop:
        try:
            self.engine.start()
            self.clock = EngineTime(self.engine, self.drained)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def open(self, diagrams: Sequence[Path]) -> None:
        """Deploy, bring the people in, start the worker."""
        from app.commands.operate import run_bootstrap

        report = run_bootstrap(self.parts)
        self.people = People(
            self.engine.url, self.parts.staff, {who: p.get_secret_value() for who, p in report.passwords.items()}
        )
        self.deploy(diagrams)
        run_bootstrap(self.parts)
        self._worker = self.parts.worker(slots=4)
        self._worker.start()

    def deploy(self, diagrams: Sequence[Path]) -> None:
        """Deploy these diagrams beside the shop's forms."""
        client = self.parts.engine_client(self.parts.accounts.deploy)
        forms = [f for f in folder_files(BPMN) if f.suffix == ".html"]
        deploy(client, [*diagrams, *forms], name="order-route", ttl_days=self.settings.history_days)

    def drained(self) -> None:
        """Return when the worker has nothing left to do. Raises CommandError where something is stuck."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        caller = self.parts.integration.caller
        while caller.rest("GET", "/external-task/count").json()["count"]:
            if time.monotonic() > deadline:
                incidents = self.parts.integration.processes.incidents()
                said = incidents[0].message if incidents else "исполнитель не отвечает"
                raise CommandError(f"История остановилась: {said}. Журнал: {self.folder / 'history.log'}")
            time.sleep(_PAUSE)
            if self._worker is not None:  # a question costs the engine as much as work: none while the worker is at it
                self._worker.wait_idle(_DRAIN_SECONDS)

    def stop(self) -> None:
        """Stop worker and engine; the folder stays."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None
            self.people.close()
            self.clock.close()
        self.parts.close()
        self.engine.stop()
        configure(self._shown)
        self._log.close()

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def shop_diagrams() -> list[Path]:
    """Return the analyst's diagrams without those that only timers start."""
    return [f for f in folder_files(BPMN) if f.suffix == ".bpmn" and f.name not in _TIMERS]


def _environment(settings: Settings, folder: Path) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    ours = {
        "DATA_DIR": str(folder),
        "STAFF_FILE": str(settings.staff_file),
        "CALENDAR_FILE": str(settings.calendar_file),
        "TARGETS_FILE": str(settings.targets_file),
        "TIME_ZONE": settings.time_zone,
        "LOCK_SECONDS": _LOCK_SECONDS,
        "HISTORY_DAYS": str(max(settings.history_days, 1095)),  # two years of it must not be cleaned up
        "SERVER_JAR": str(settings.server_jar or ""),
    }
    return plain | {PREFIX + name: value for name, value in ours.items() if value}
