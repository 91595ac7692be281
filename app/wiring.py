"""The composition root: builds each part once, on first use, from the settings. The only place that knows all parts."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from app import noportal
from app.accounts import Account, Accounts, accounts
from app.errors import CommandError
from app.logs import mask
from app.mail import SmtpMail
from app.paths import BPMN, find
from app.plant import PlantDeadlines, SystemClock
from app.settings import Settings
from attachments.judge import Judge
from diagram.stages import read_route
from engine.client import EngineClient
from engine.embedded import leftover
from engine.identity import Technical
from engine.snapshot import SnapshotReader
from ledger import Ledger
from orders.calendar import WorkingCalendar, read_calendar
from orders.persons import Staff
from orders.staff import read_staff
from orders.stage import Route
from workers.handlers import registry
from workers.runtime import Options, Worker

ROUTE = "custom-furniture-order"


class Parts:
    """All parts of one program. `close` frees what was opened."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._opened: list[Callable[[], None]] = []
        self._routes: dict[str, Route] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close connections and databases."""
        for close in reversed(self._opened):
            close()
        self._opened.clear()

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # files

    @cached_property
    def staff(self) -> Staff:
        """Read the staff file. Raises StaffError with every problem."""
        return read_staff(find(self.settings.staff_file).read_text(encoding="utf-8"))

    @cached_property
    def calendar(self) -> WorkingCalendar:
        """Read the calendar file. Raises CalendarError with every problem."""
        text = find(self.settings.calendar_file).read_text(encoding="utf-8")
        return read_calendar(text, self.settings.time_zone)

    @cached_property
    def deadlines(self) -> PlantDeadlines:
        """Return the norms on the plant's calendar."""
        return PlantDeadlines(self.calendar)

    # engine

    @cached_property
    def accounts(self) -> Accounts:
        """Return the technical accounts."""
        return accounts(self.settings)

    @cached_property
    def technical(self) -> Technical:
        """Return the ids of the technical accounts, as bootstrap makes them."""
        s = self.settings
        return Technical(worker=s.engine_user, integration=s.integration_user, deployer=s.deploy_user)

    @cached_property
    def engine_url(self) -> str:
        """Return the engine's REST address: the setting, else the engine that `up` runs on this data folder."""
        if self.settings.engine_url:
            return self.settings.engine_url
        if leftover(self.settings.data_dir) is None:
            raise CommandError("Движок не запущен: запустите order-route up или задайте ORDER_ROUTE_ENGINE_URL")
        noted = json.loads((self.settings.data_dir / "engine.pid").read_text(encoding="utf-8"))
        return f"http://127.0.0.1:{noted['port']}/engine-rest"

    def engine_client(self, account: Account, timeout: float = 30.0) -> EngineClient:
        """Return a client for one account; it is closed with these parts."""
        client = EngineClient(self.engine_url, account.user, account.password, timeout=timeout)
        self._opened.append(client.close)
        return client

    @cached_property
    def integration(self) -> EngineClient:
        """Return the client that reads orders and acts for persons."""
        return self.engine_client(self.accounts.integration)

    @cached_property
    def admin(self) -> EngineClient:
        """Return the administrator's client."""
        return self.engine_client(self.accounts.admin)

    def route(self, definition_id: str) -> Route:
        """Read the deployed diagram of that version, once."""
        with self._lock:
            known = self._routes.get(definition_id)
        if known is None:
            known = read_route(self.integration.processes.xml(definition_id))
            with self._lock:
                self._routes[definition_id] = known
        return known

    @property
    def newest_route(self) -> Route:
        """Read the newest deployed version of the main route."""
        return self.route(self.integration.processes.newest(ROUTE).id)

    @cached_property
    def orders(self) -> SnapshotReader:
        """Return the reader of orders."""
        return SnapshotReader(self.integration, self.route)

    # ledger, portal, mirror

    @cached_property
    def ledger(self) -> Ledger:
        """Open the ledger."""
        if self.settings.ledger_url is None:
            self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        ledger = Ledger(self.settings.ledger)
        self._opened.append(ledger.close)
        return ledger

    @cached_property
    def judge(self) -> Judge:
        """Return the file judge."""
        types = self.settings.attachment_types
        chosen = tuple(t.strip().lower() for t in types.split(",") if t.strip()) if types else None
        judge = Judge(types=chosen, max_mib=self.settings.attachment_max_mib, clamd=self.settings.clamd)
        self._opened.append(judge.close)
        return judge

    def worker(self, topics: Iterable[str] | None = None) -> Worker:
        """Build a worker for these topics, or for all."""
        handlers = registry() if topics is None else registry().only(topics)
        s = self.settings
        world: dict[str, Any] = {
            "engine": self.orders,
            "mirror": self.mirror,
            "claims": self.ledger,
            "judge": self.judge,
            "deadlines": self.deadlines,
            "calendar": self.calendar,
            "staff": self.staff,
            "mail": SmtpMail(s.smtp_url) if s.smtp_url else None,
            "clock": SystemClock(),
            "new_token": lambda: secrets.token_urlsafe(24),
        }
        options = Options(lock=float(s.lock_seconds), patience=float(s.portal_patience_seconds))
        return Worker(
            self.engine_client(self.accounts.engine).external,
            handlers,
            world,
            attempts=self.ledger,
            routes=self.route,
            options=options,
            mask=mask,
            portal_down=self.portal_down,
        )

    @cached_property
    def mirror(self) -> Any:
        """Return the mirror, or one that does nothing where no portal is set."""
        return noportal.NoPortal()

    def portal_down(self) -> bool:
        """Tell whether the portal's client holds the portal to be away."""
        return False


__all__ = ["BPMN", "ROUTE", "Parts"]
