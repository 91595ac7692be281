"""The board's data, brought up to date in a thread, so that a page never waits for the engine."""

from __future__ import annotations

import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta

import structlog

from app.errors import CommandError
from app.paths import data_folder
from app.wiring import Parts
from engine.about import about
from engine.errors import EngineError
from engine.rights import ROUTE
from engine.running import RunningOrders
from engine.variables import to_instant
from orders.answers import END_DUPLICATE
from orders.snapshot import OrderSnapshot
from reports.board import Board, make_board
from reports.clock import WorkClock, ms
from reports.pace import Pace, pace_of
from reports.past import Past
from reports.source import EngineHistory
from reports.store import FILE, Store
from workers.loops import Loop
from workers.metrics import process_metrics

FRESH_SECONDS = 3.0  # between two looks while somebody watches
IDLE_SECONDS, WATCHED_SECONDS = 60.0, 120.0  # between two looks else; how long after a page somebody "watches"
PACE_SECONDS = 600.0
PACE_DAYS = 365
log = structlog.get_logger()


class Keeper:
    """Holds the newest board. `start` begins to look; `board` is None until the first look has ended."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._orders: RunningOrders | None = None
        self._loop = Loop("board", self._turn, process_metrics())
        self._wake = threading.Event()
        self._seen = time.monotonic()
        self._paced = float("-inf")
        self._pace = Pace()
        self.board: Board | None = None
        self.trouble = ""  # why the board is older than it should be, one Russian sentence
        self._origin: str | None = None  # the engine that the history store copies, once it was asked
        self.progress = (0, 0)  # orders read, orders to read, while there is no board yet

    def start(self) -> None:
        """Begin to look."""
        self._loop.start()

    def stop(self) -> None:
        """End after the present look."""
        self._loop.stop()
        self._wake.set()
        self._loop.join(10)

    def watched(self) -> None:
        """Note that somebody looks at the board now."""
        late = time.monotonic() - self._seen > WATCHED_SECONDS
        self._seen = time.monotonic()
        if late:
            self._wake.set()

    def ended(self, text: str) -> list[Past]:
        """Return the ended orders with these words, as the store knew them at its last look; none while it is away."""
        path = self._parts.settings.data_dir / FILE
        if not text or self._origin is None or not path.exists():
            return []
        try:
            with Store(path, self._origin) as store:
                return store.ended(text)
        except sqlite3.Error as error:
            log.warning("board_without_history", error=str(error))
            return []

    def _turn(self) -> None:
        try:
            self.board = self._look(datetime.now(UTC))
            self.trouble = ""
        except (EngineError, CommandError) as error:
            if not self.trouble:
                log.warning("board_stale", error=str(error))
            self.trouble = "Движок не отвечает: данные обновятся, когда связь вернётся"
        watched = time.monotonic() - self._seen < WATCHED_SECONDS
        self._wake.wait(FRESH_SECONDS if watched else IDLE_SECONDS)
        self._wake.clear()

    def _look(self, now: datetime) -> Board:
        if self._orders is None:
            self._orders = RunningOrders(self._parts.integration, self._parts.orders, self._count)
        snapshots = self._orders.refresh()
        board = board_of(self._parts, snapshots, now, self._pace)
        if self.board is None:
            self.board = board  # shown at once; how long steps take is known a little later
        if time.monotonic() - self._paced > PACE_SECONDS:
            self._paced = time.monotonic()
            self.look_back(now)
            board = board_of(self._parts, snapshots, now, self._pace)
        return board

    def look_back(self, now: datetime | None = None) -> None:
        """Bring the history store up to date: how long steps take, and which orders have ended."""
        try:
            self._pace = pace(self._parts, now or datetime.now(UTC))
            self._origin = about(self._parts.integration).id or self._parts.engine_url
        except (EngineError, CommandError, OSError, sqlite3.Error) as error:
            log.warning("board_without_pace", error=str(error))  # the board goes on, without "may be late"

    def _count(self, read: int, wanted: int) -> None:
        self.progress = (read, wanted)


def board_of(parts: Parts, snapshots: list[OrderSnapshot], now: datetime, known: Pace) -> Board:
    """Make the board of these orders, with what came in this month."""
    first = parts.calendar.today(now).replace(day=1)
    begin = datetime(first.year, first.month, 1, tzinfo=parts.settings.zone)
    started, duplicates = received_since(parts, begin)
    routes = {s.definition_id: parts.route(s.definition_id) for s in snapshots}
    return make_board(
        snapshots, routes, parts.current_route(), parts.staff, parts.calendar, now, known,
        received=started - duplicates, duplicates=duplicates,
    )  # fmt: skip


def received_since(parts: Parts, begin: datetime) -> tuple[int, int]:
    """Return (requests started since then, repeated ones among them), counted by the engine."""
    history, after = parts.integration.history, to_instant(begin)
    started = history.count("process-instance", processDefinitionKey=ROUTE, startedAfter=after)
    return started, history.count("activity-instance", activityId=END_DUPLICATE, startedAfter=after)


def pace(parts: Parts, now: datetime) -> Pace:
    """Bring the history store up to date and return how long steps took in the last year."""
    data_folder(parts.settings.data_dir)
    with Store(parts.settings.data_dir / FILE, about(parts.integration).id or parts.engine_url) as store:
        store.refresh(EngineHistory(parts.integration), parts.route)
        spans = store.finished_steps(ms(now - timedelta(days=PACE_DAYS)))
    return pace_of(spans, WorkClock(parts.calendar, years=(now.year - 1, now.year)))


def read_now(parts: Parts) -> Board:
    """Read the board anew, whole: for commands."""
    now = datetime.now(UTC)
    return board_of(parts, RunningOrders(parts.integration, parts.orders).refresh(), now, pace(parts, now))
