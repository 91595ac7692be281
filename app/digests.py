"""The morning's digest of this shop, for the command and for the worker's step."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import structlog

from app.board.keeper import read_now
from app.errors import CommandError
from app.monthly import monthly, targets_of
from app.wiring import Parts
from bitrix_sync.drift import CURSOR as DRIFT
from bitrix_sync.drift import lasting
from orders.errors import OrderRouteError
from orders.persons import Person
from reports.alerts import Alert, alerts, recipients, told
from reports.board import Board
from reports.digest import Digest, of_manager, of_person, readers
from reports.digest_text import chat

CURSOR = "alerts"  # the ledger's: what was told, and on which day
log = structlog.get_logger()


class ShopDigests:
    """Fulfils `orders.ports.Digests`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def messages(self, now: datetime) -> list[tuple[str, str]]:
        """Return (person id, text) for all who are here today: managers of their departments, others of their own.

        Those whom the file of targets names, else the directors, are told besides what needs attention and what no
        longer does.
        """
        board, staff = read_now(self._parts), self._parts.staff
        today = self._parts.calendar.today(now)
        managers, others = readers(staff)
        hear = {p.id for p in recipients(staff, _named(self._parts), today)}
        matters = self._matters(alerts_of(self._parts, board, now), today) if hear else ""
        texts = [
            *((p.id, chat(of_manager(board, p))) for p in managers if p.present(today)),
            *((p.id, chat(of_person(board, p), own=True)) for p in others if p.present(today)),
        ]
        return [(id_, f"{text}\n\n{matters}" if matters and id_ in hear else text) for id_, text in texts]

    def _matters(self, now: list[Alert], today: date) -> str:
        """Return the lines about alerts; a repeat on the same day says the same, so that nobody misses what is over."""
        kept = _read(self._parts.ledger.cursor(CURSOR))
        before = kept["before"] if kept["day"] == today.isoformat() else kept["now"]
        written = {"day": today.isoformat(), "before": before, "now": {a.id: a.text for a in now}}
        self._parts.ledger.set_cursor(CURSOR, json.dumps(written, ensure_ascii=False))
        return told(now, before)


def alerts_of(parts: Parts, board: Board, now: datetime) -> list[Alert]:
    """Return what needs attention; targets that cannot be read are left out and logged."""
    drift = [(each.order, each.why) for each in lasting(parts.ledger.cursor(DRIFT))]
    try:
        report = monthly(parts, None, None, now)
    except (CommandError, OrderRouteError) as error:
        log.warning("alerts_without_kpi", error=str(error))
        return alerts(board, (), "", drift)
    return alerts(board, report.kpi, report.title, drift)


def digest_of(board: Board, person: Person, managers: list[Person]) -> Digest:
    """Return what a person gets: of the departments they answer for, else their own steps."""
    return of_manager(board, person) if person in managers else of_person(board, person)


def _named(parts: Parts) -> tuple[str, ...]:
    """Return whom the file of targets names; nobody where it cannot be read, which `alerts_of` logs."""
    try:
        named = targets_of(parts.settings).alerts_to
    except OrderRouteError:
        return ()
    if unknown := [id_ for id_ in named if parts.staff.find(id_) is None]:
        log.warning("alerts_to_unknown", persons=unknown)
    return named


def _read(text: str | None) -> dict[str, Any]:
    try:
        kept = json.loads(text or "")
        return {"day": kept["day"], "before": dict(kept["before"]), "now": dict(kept["now"])}
    except (ValueError, TypeError, KeyError):
        return {"day": "", "before": {}, "now": {}}
