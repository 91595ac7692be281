"""The long-running programs: engine, worker and web sites together (`up`), or one of them."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import structlog
from flask import Flask
from pydantic import SecretStr

from app.board.keeper import Keeper
from app.board.site import add_board
from app.door.step import add_step_page
from app.errors import CommandError
from app.hooks import add_hooks, into_inbox
from app.logins import keep_logins
from app.paths import SERVER_JAR
from app.settings import Settings
from app.setup import furnish, wait_for_rest
from app.track.shop import open_track
from app.watching import WatchLoop
from app.web import ListenError, Site, inside_site, public_site, serve
from app.wiring import ROUTE, Parts
from engine.about import WrongEngine
from engine.embedded import EmbeddedEngine
from engine.errors import EngineError
from ledger import ForeignLedger, LedgerError
from workers.handlers import registry
from workers.runtime import Worker

log = structlog.get_logger()
_ENGINE_WAIT_SECONDS = 300.0


@contextmanager
def stop_signal() -> Iterator[threading.Event]:
    """Give an event that SIGTERM or SIGINT sets; the handlers of before come back at the end."""
    stop = threading.Event()
    before = {s: signal.signal(s, lambda *_: stop.set()) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def embedded(
    settings: Settings, parts: Parts, *, port: int = 0, profile: str | None = None, java_options: Sequence[str] = ()
) -> EmbeddedEngine:
    """Return the engine of this data folder, not started yet."""
    return EmbeddedEngine(
        settings.server_jar or SERVER_JAR,
        settings.data_dir,
        port=port,
        admin_user=parts.accounts.admin.user,
        admin_password=parts.accounts.admin.password,
        profile=profile,
        reconcile_seconds=settings.reconcile_seconds,
        time_zone=settings.time_zone,
        language=settings.language,
        java_options=java_options,
    )


def wait_for_engine(parts: Parts, stop: threading.Event, seconds: float = _ENGINE_WAIT_SECONDS) -> None:
    """Return when the ledger opens, the engine answers and the route is deployed: each program waits by itself."""
    deadline, said = time.monotonic() + seconds, ""
    while not stop.is_set():
        try:
            parts.prove_engine()
            parts.integration.processes.newest(ROUTE)
            return
        except (WrongEngine, ForeignLedger):
            raise
        except (EngineError, LedgerError) as error:
            if time.monotonic() > deadline:
                raise
            if str(error) != said:
                said = str(error)
                what = "waiting_for_ledger" if isinstance(error, LedgerError) else "waiting_for_engine"
                log.info(what, url=parts.engine_url, error=said)
            stop.wait(0.5)


def run_worker(parts: Parts, topics: Iterable[str] | None, stop: threading.Event, slots: int | None = None) -> None:
    """Work until stopped; health and metrics on `BOARD_LISTEN` where that address is free."""
    if topics is not None:
        registry().only(topics)  # a wrong name is said at once, not after the engine has come up
    wait_for_engine(parts, stop)
    if stop.is_set():
        return
    worker = parts.worker(topics, slots)
    watch = parts.watch() if topics is None or "reconcile-portal" in topics else None
    site: Site | None = None
    with contextlib.suppress(ListenError):  # `web` or another worker of this host has it: the work matters more
        site = serve(
            inside_site(lambda: worker_problems(worker, watch)() + ledger_problems(parts)),
            parts.settings.board_listen,
            "ORDER_ROUTE_BOARD_LISTEN",
        )
    try:
        with at_work(worker, watch):
            stop.wait()
    finally:
        if site is not None:
            site.close()


@contextmanager
def at_work(worker: Worker, watch: WatchLoop | None) -> Iterator[None]:
    """Carry out tasks and look at what people do in the portal while the block runs.

    Both are asked to end before either is waited for: together they have to be gone before a supervisor kills.
    """
    worker.start()
    if watch is not None:
        watch.start()
    try:
        yield
    finally:
        if watch is not None:
            watch.end()
        worker.stop()
        if watch is not None:
            watch.stop()


def run_web(parts: Parts, stop: threading.Event, health: Callable[[], list[str]] | None = None) -> None:
    """Serve both sites until stopped. Raises ListenError for a taken address."""
    ready = _engine_problems(parts)
    keeper = Keeper(parts)
    sites: list[Site] = []
    keeper.start()
    try:
        board = partial(add_board, parts=parts, keeper=keeper)
        public = public_site(health or ready, *_doors(parts))
        sites.append(serve(public, parts.settings.web_listen, "ORDER_ROUTE_WEB_LISTEN"))
        sites.append(
            serve(
                inside_site(lambda: ready() + (health() + ledger_problems(parts) if health else []), board),
                parts.settings.board_listen,
                "ORDER_ROUTE_BOARD_LISTEN",
            )
        )
        stop.wait()
    finally:
        for site in sites:
            site.close()
        keeper.stop()


def _doors(parts: Parts) -> list[Callable[[Flask], None]]:
    """Return what the public site offers besides its health: customers' pages; events and the step page, where set."""
    doors: list[Callable[[Flask], None]] = [partial(open_track, parts=parts)]
    if tokens := parts.settings.application_tokens:
        doors.append(lambda site: add_hooks(site, tokens, into_inbox(parts.ledger)))
    if (step := parts.step_door()) is not None:
        doors.append(lambda site: add_step_page(site, step))
    return doors


def run_setup(parts: Parts, stop: threading.Event, tell: Callable[[str], None], logins: Path | None) -> None:
    """Wait for a foreign engine and make it ready; first passwords go to a file or, without one, to the screen."""
    wait_for_rest(parts, stop)
    if not stop.is_set():
        left = furnish(parts, tell, lambda made: keep_logins(logins, made) if logins else _show(made, tell))
        if left:
            raise CommandError(left)
        tell("Готово к работе")


def run_up(parts: Parts, stop: threading.Event, tell: Callable[[str], None]) -> None:
    """Run everything: our own engine unless a URL is set, then deploy, bootstrap, worker and sites."""
    engine = None if parts.settings.engine_url else embedded(parts.settings, parts)
    try:
        if engine is not None:
            tell("Запускается движок…")
            engine.start()
        left = furnish(parts, tell, lambda made: _show(made, tell))
        if left:
            tell(left)
        tell(f"Tasklist и Cockpit: {parts.engine_url.removesuffix('/engine-rest')}/operaton/")
        tell(f"Состояние и показатели: http://{parts.settings.board_listen}/readyz")
        worker, watch = parts.worker(), parts.watch()
        with at_work(worker, watch):
            run_web(parts, stop, worker_problems(worker, watch))
    finally:
        if engine is not None:
            engine.stop()


def _show(passwords: Mapping[str, SecretStr], tell: Callable[[str], None]) -> None:
    for person, password in passwords.items():
        tell(f"{person}: пароль {password.get_secret_value()} (показан один раз)")


def worker_problems(worker: Worker, watch: WatchLoop | None = None) -> Callable[[], list[str]]:
    """Return the check behind the health pages: nothing, or what is wrong with a worker and its watch."""

    def problems() -> list[str]:
        found = [] if worker.healthy() else ["исполнитель внешних задач не отвечает"]
        if watch is not None and not watch.healthy():
            found.append("наблюдение за порталом не отвечает")
        return found

    return problems


def ledger_problems(parts: Parts) -> list[str]:
    """Return why the ledger cannot be written, if so: no new thing is done outside meanwhile."""
    why = parts.ledger.trouble()
    return [why] if why else []


def _engine_problems(parts: Parts) -> Callable[[], list[str]]:
    def problems() -> list[str]:
        try:
            parts.integration.processes.newest(ROUTE)
        except EngineError as error:
            return [f"движок: {error}"]
        return []

    return problems
