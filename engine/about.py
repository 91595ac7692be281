"""Which engine answers: its kind, version, id, database and clock. Asked before the first piece of work."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime

from engine.client import EngineClient
from engine.errors import EngineError, NotFound, ServerError

_KNOWN = re.compile(r"(1|7)\.\d+")  # Operaton 1.x, and Camunda 7.x, from which it comes


class WrongEngine(EngineError):
    """Something else than an engine we can work with answers; the text is one Russian sentence."""


@dataclass(frozen=True, slots=True)
class About:
    """What an engine says of itself; all but the version only where it is our own server.

    `id` was made together with the database: another id is another shop. Sizes in bytes. `ahead`: how far the
    server's clock runs before ours, seconds.
    """

    version: str
    id: str | None = None
    database: str | None = None
    database_version: str | None = None
    database_bytes: int | None = None
    java: str | None = None
    cleanup: tuple[str, str] | None = None
    ahead: float | None = None


def about(client: EngineClient) -> About:
    """Ask the engine who it is. Raises WrongEngine where no engine of a known kind answers."""
    try:
        version = client.version()
    except (NotFound, ServerError, KeyError) as error:
        if isinstance(error, ServerError) and (error.status or 0) >= 500:
            raise
        raise WrongEngine(
            f"По адресу {client.caller.url} отвечает не движок Operaton: проверьте ORDER_ROUTE_ENGINE_URL"
        ) from error
    if not _KNOWN.match(version):
        raise WrongEngine(
            f"По адресу {client.caller.url} движок версии {version}, а нужен Operaton 1.x: "
            "проверьте ORDER_ROUTE_ENGINE_URL или поставьте подходящий"
        )
    asked = time.time()
    try:
        told = client.caller.rest("GET", "/order/identity").json()
    except NotFound:
        return About(version)
    here = (asked + time.time()) / 2
    window = (told.get("cleanupFrom"), told.get("cleanupTo"))
    return About(
        version=version,
        id=told.get("id"),
        database=told.get("database"),
        database_version=told.get("databaseVersion"),
        database_bytes=told.get("databaseBytes"),
        java=told.get("java"),
        cleanup=(str(window[0]), str(window[1])) if all(window) else None,
        ahead=datetime.fromisoformat(told["now"]).timestamp() - here,
    )
