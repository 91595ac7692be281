"""The composition root: builds each part once, on first use, from the settings. The only place that knows all parts."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import Any

from app.accounts import Account, Accounts, accounts
from app.door.session import Sessions
from app.door.step import StepDoor
from app.errors import CommandError
from app.judging import StepJudge
from app.logs import mask
from app.mail import SmtpMail
from app.mirror import LazyMirror, ShownCard
from app.noportal import NoPortal
from app.paths import BPMN, data_folder, find
from app.plant import FreshStaff, PlantDeadlines, SystemClock
from app.settings import Settings
from app.watching import WatchLoop
from attachments.judge import Judge
from bitrix_sync.card import Notice
from bitrix_sync.client import PortalClient
from bitrix_sync.desk import Desk
from bitrix_sync.guard import Guarded
from bitrix_sync.notes import send
from bitrix_sync.reconcile import Reconciler
from bitrix_sync.schema import PortalSchema
from bitrix_sync.watch import Recent, Watch
from diagram.stages import read_route
from engine.about import About, about
from engine.client import EngineClient
from engine.embedded import leftover
from engine.identity import Technical
from engine.rights import ROUTE
from engine.snapshot import DeployedRoutes, SnapshotReader
from ledger import Ledger
from orders.calendar import WorkingCalendar, read_calendar
from orders.persons import Person, Staff
from orders.ports import Digests, held
from orders.staff import read_staff
from orders.stage import Route
from orders.workday import Workday, workday
from workers.handlers import registry
from workers.metrics import process_metrics
from workers.runtime import Options, Worker

_NEWEST_SECONDS = 5.0
LINK_PATIENCE = 30.0  # seconds that a sign-in link may wait for the portal


class Parts:
    """All parts of one program. `close` frees what was opened."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._opened: list[Callable[[], None]] = []
        self._newest: tuple[float, Route | None] = (0.0, None)
        self._engine: About | None = None

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

    def workday(self) -> Workday:
        """Return when the plant closes, from this year on."""
        return self._workday_from(self.calendar.today(datetime.now(UTC)).year)

    @cached_property
    def _workday_from(self) -> Callable[[int], Workday]:
        return cache(lambda year: workday(self.calendar, year))  # three years of days: not for each page anew

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

    @cached_property
    def route(self) -> DeployedRoutes:
        """Return the deployed diagrams by definition id, each read once."""
        return DeployedRoutes(self.integration, read_route)

    def newest_route(self) -> Route:
        """Read the newest deployed version of the main route."""
        return self.route(self.integration.processes.newest(ROUTE).id)

    def current_route(self) -> Route:
        """Return the newest route as seen at most a few seconds ago: asked for before each repair."""
        seen, route = self._newest
        if route is None or time.monotonic() - seen > _NEWEST_SECONDS:
            route = self.newest_route()
            self._newest = (time.monotonic(), route)
        return route

    def forget_route(self) -> None:
        """Look for a newer diagram at the next question."""
        self._newest = (0.0, None)

    @cached_property
    def orders(self) -> SnapshotReader:
        """Return the reader of orders."""
        return SnapshotReader(self.integration, self.route)

    def prove_engine(self) -> About:
        """Ask the engine who it is and make the ledger its own. Raises WrongEngine or ForeignLedger: nothing is done.

        Called before any work on orders; a stock engine has no id to compare.
        """
        if self._engine is None:
            found = about(self.integration)
            if found.id is not None:
                self.ledger.bind(found.id)
            self._engine = found
        return self._engine

    # ledger, portal, mirror

    @cached_property
    def ledger(self) -> Ledger:
        """Open the ledger."""
        if self.settings.ledger_url is None:
            data_folder(self.settings.data_dir)
        ledger = Ledger(self.settings.ledger)
        self._opened.append(ledger.close)
        return ledger

    @cached_property
    def judge(self) -> Judge:
        """Return the file judge."""
        types = self.settings.attachment_types
        chosen = tuple(t.strip().lower() for t in types.split(",") if t.strip()) if types else None
        return Judge(types=chosen, max_mib=self.settings.attachment_max_mib, clamd=self.settings.clamd)

    def worker(self, topics: Iterable[str] | None = None, slots: int | None = None) -> Worker:
        """Build a worker for these topics, or for all; `slots` is how many tasks it works on at once."""
        handlers = registry() if topics is None else registry().only(topics)
        s = self.settings
        world: dict[str, Any] = {
            "engine": self.orders,
            "mirror": self.mirror,
            "claims": self.ledger,
            "judge": StepJudge(self.judge),
            "deadlines": self.deadlines,
            "calendar": self.calendar,
            "staff": self.staff,
            "mail": SmtpMail(s.smtp_url) if s.smtp_url else None,
            "clock": SystemClock(),
            "digests": self._digests(),
            "bonus_act": s.bonus_act,
            "site": s.public_url,
            "new_token": lambda: secrets.token_urlsafe(24),
        }
        options = Options(
            lock=float(s.lock_seconds), patience=float(s.portal_patience_seconds), slots=slots or Options().slots
        )
        # A line that hangs may cost its own call, never the locks of all other work: they are kept each third.
        limit = max(10.0, options.lock / 3)
        return Worker(
            self.engine_client(self.accounts.engine, timeout=limit).external,
            handlers,
            world,
            attempts=self.ledger,
            routes=self.route,
            options=options,
            metrics=process_metrics(),
            mask=mask,
            portal_down=self.portal_down,
        )

    def _digests(self) -> Digests:
        from app.digests import ShopDigests  # it reads the shop through these parts

        return ShopDigests(self)

    @cached_property
    def portal(self) -> PortalClient | None:
        """Return the portal's client, None where no portal is set."""
        url, s = self.settings.bitrix_webhook_url, self.settings
        if url is None:
            return None
        return PortalClient(url, self.ledger, rate=s.bitrix_rate, burst=float(s.bitrix_burst))

    @cached_property
    def mirror(self) -> LazyMirror | NoPortal:
        """Return the mirror, or one that does nothing where no portal is set."""
        if self.portal is None:
            return NoPortal()
        entity = self.settings.bitrix_entity_type_id
        return LazyMirror(self.portal, entity, self.current_route, self._reconciler, self.forget_route)

    def cards(self) -> LazyMirror:
        """Return the mirror for commands that need a portal. Raises CommandError where none is set."""
        if isinstance(self.mirror, NoPortal):
            raise CommandError("Портал не задан: укажите ORDER_ROUTE_BITRIX_WEBHOOK_URL", 2)
        self.prove_engine()
        return self.mirror

    def portal_down(self) -> bool:
        """Tell whether the portal's client holds the portal to be away."""
        return self.portal is not None and self.portal.alarm is not None

    def recent_orders(self) -> list[str]:
        """Return the instances that a sweep would look at: running ones, and those that ended in the last week."""
        week_ago = datetime.now(UTC) - timedelta(days=7)
        return [*self.orders.open_orders(), *self.orders.ended_instances(ROUTE, week_ago)]

    def orphans(self) -> list[ShownCard]:
        """Return the cards whose order the engine does not know."""
        known = {i.business_key for i in self.integration.history.instances(processDefinitionKey=ROUTE)}
        return self.cards().orphans(known, datetime.now(UTC) - timedelta(days=self.settings.history_days))

    @cached_property
    def desk(self) -> Desk:
        """Return what takes people's answers from the portal."""
        s = self.settings
        lease = float(s.lock_seconds)
        judge = StepJudge(self.judge)
        return Desk(
            self.orders,
            self.integration,
            self.ledger,
            self.staff,
            judge,
            zone=s.zone,
            newest_route=self.current_route,
            lease_seconds=lease,
        )

    def step_door(self) -> StepDoor | None:
        """Return the step page's parts, None where no portal or no address for it is set."""
        portal, url = self.portal, self.settings.public_url
        if portal is None or url is None:
            return None

        def tell(person: Person, text: str, key: str) -> None:
            guard = Guarded(portal.bound(lane="people", deadline=time.monotonic() + LINK_PATIENCE), held)
            send(guard, self.ledger, Notice(key, person.id, text), person, person.bitrix_id)

        staff = FreshStaff(find(self.settings.staff_file), self.staff)
        sessions = Sessions(self.accounts.integration.password, self.ledger, staff)
        return StepDoor(self.desk, sessions, staff, tell, url, self.workday, self.judge.max_bytes)

    def _reconciler(self, schema: PortalSchema) -> Reconciler:
        assert self.portal is not None
        return Reconciler(
            self.orders,
            self.portal,
            self.ledger,
            self.staff,
            schema,
            zone=self.settings.zone,
            deadlines=self.deadlines,
            lease_seconds=float(self.settings.lock_seconds),
            touched=self.recent.note,
            public_url=self.settings.public_url,
            desk=self.desk,
        )

    @cached_property
    def recent(self) -> Recent:
        """Return the memory of which cards this process worked on lately."""
        return Recent()

    def watch(self) -> WatchLoop | None:
        """Return the loop that looks at what people do in the portal, None where no portal is set."""
        if not isinstance(self.mirror, LazyMirror):
            return None
        poll = float(self.settings.bitrix_poll_seconds)
        return WatchLoop(Watch(self.mirror.real, self.ledger, poll_seconds=poll, recent=self.recent))


__all__ = ["BPMN", "ROUTE", "Parts"]
