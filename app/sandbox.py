"""The sandbox portal as a program: the staff file's persons work in it, and its kanban shows what a worker does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from app.web import ListenError
from orders.persons import Staff


def portal_people(staff: Staff) -> list[Mapping[str, object]]:
    """Return the staff file's persons as the sandbox portal takes them."""
    return [
        {"id": p.bitrix_id, "name": first, "lastName": last, "email": p.email, "active": True}
        for p in staff.persons
        for first, _, last in (p.name.partition(" "),)
        if p.bitrix_id is not None
    ]


def run_sandbox(
    state: Path,
    staff: Staff,
    stop: threading.Event,
    tell: Callable[[str], None],
    *,
    host: str,
    port: int,
    token: str | None,
    rate: float,
    drain: float,
) -> None:
    """Serve the sandbox portal until stopped. Raises ListenError for a taken port."""
    from bitrix_sync.sandbox import serve as serve_portal

    log = state.with_suffix(".jsonl")
    people = portal_people(staff)
    try:
        box = serve_portal(
            host=host, port=port, state=state, log=log, rate=rate, drain=drain, token=token, users=people
        )
    except OSError as error:
        raise ListenError(
            f"Адрес {host}:{port} занят или недоступен: освободите его или задайте --host и --port"
        ) from error
    try:
        tell(f"Портал: {box.url}/")
        tell(f"Вебхук: ORDER_ROUTE_BITRIX_WEBHOOK_URL={box.webhook_url}")
        stop.wait()
    finally:
        box.stop()
