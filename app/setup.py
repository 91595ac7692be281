"""Make an engine ready: people, diagrams, rights, the portal's columns. Repeatable; `setup` and `up` share it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import structlog
from pydantic import SecretStr

from app.paths import BPMN
from app.wiring import Parts
from bitrix_sync.provision import provision
from diagram.stages import read_route
from engine.deploy import deploy, folder_files
from engine.errors import EngineDown, ServerError
from engine.rights import ROUTE
from orders.errors import Transient

log = structlog.get_logger()
_ENGINE_SECONDS = 300.0
_PAUSE_SECONDS = 0.5


def wait_for_rest(parts: Parts, stop: threading.Event, seconds: float = _ENGINE_SECONDS) -> None:
    """Return when the engine answers its administrator; a wrong password is said at once."""
    deadline, said = time.monotonic() + seconds, False
    while not stop.is_set():
        try:
            parts.admin.version()
            return
        except (EngineDown, ServerError) as error:
            if time.monotonic() > deadline:
                raise
            if not said:
                log.info("waiting_for_engine", url=parts.engine_url, error=str(error))
                said = True
            stop.wait(_PAUSE_SECONDS)


def furnish(parts: Parts, tell: Callable[[str], None], show: Callable[[Mapping[str, SecretStr]], None]) -> str | None:
    """Bring people, diagrams, rights and the portal up to the files; `show` gets the passwords that were made.

    Diagrams that demand less of orders than the deployed ones are left where they are: returned is the sentence that
    says so, None where all is done. Only a person's yes to `deploy` drops a demand.
    """
    from app.commands.operate import run_bootstrap
    from app.versions import compare_folder

    # The technical accounts exist only after the first bootstrap; rights need the diagrams, so it runs twice.
    show(run_bootstrap(parts).passwords)
    deployer = parts.engine_client(parts.accounts.deploy)
    lost = compare_folder(deployer, BPMN, parts.staff.groups).lost
    if lost:
        parts.prove_engine()
        return (
            f"Диаграммы не опубликованы, действуют прежние: по новым заказы лишатся требований ({'; '.join(lost)}). "
            "Если так и надо: order-route deploy"
        )
    # The portal comes before the diagrams: with them the sweep's timer is set, and it wants the cards' columns.
    _prepare_portal(parts, tell)
    done = deploy(deployer, folder_files(BPMN), name="order-route", ttl_days=parts.settings.history_days)
    run_bootstrap(parts)
    parts.prove_engine()
    tell("Диаграммы опубликованы" if done.new else "Диаграммы те же, что и были")
    return None


def fit_portal(parts: Parts, files: Iterable[Path]) -> None:
    """Give the portal, where one is set, the columns and fields of the route among these files. Raises Transient."""
    if parts.portal is None:
        return
    routes = [read_route(file.read_bytes()) for file in files if file.suffix == ".bpmn"]
    for route in (r for r in routes if r.process_id == ROUTE):
        provision(parts.portal, route, entity_type_id=parts.settings.bitrix_entity_type_id)


def _prepare_portal(parts: Parts, tell: Callable[[str], None]) -> None:
    """Make the portal's columns and fields fit the file's route; a portal that is away holds nobody up."""
    if parts.portal is None:
        tell("Портал не задан: шаги выполняются в Tasklist")
        return
    try:
        fit_portal(parts, folder_files(BPMN))
    except Transient as error:
        tell(f"Портал не отвечает ({error}): шаги идут, карточки догонят")
