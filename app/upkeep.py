"""Read what a month's report says besides its orders: the mirror's health and the register of this shop."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from app.wiring import ROUTE, Parts
from bitrix_sync.drift import CURSOR as DRIFT
from bitrix_sync.drift import lasting
from engine.register import begun_between
from engine.upkeep import failed_attempts, service_steps
from reports.adjustments import Adjustment, read
from reports.upkeep import Upkeep, entries_of

_LATE_ROWS = timedelta(minutes=10)  # a transaction's rows carry times before its commit


def read_upkeep(p: Parts, first: datetime, last: datetime, now: datetime, known: Upkeep | None = None) -> Upkeep:
    """Read what happened from `first` on and before `last` (aware).

    The steps of a month that is over are taken from what is known of it; the register may still change.
    """
    steps = known if known is not None and known.whole else _steps(p, first, last, now)
    return replace(
        steps,
        portal=p.settings.bitrix_webhook_url is not None,
        drift=tuple(each.order for each in lasting(p.ledger.cursor(DRIFT))),
        entries=entries_of(register_of(p, first, last)),
    )


def _steps(p: Parts, first: datetime, last: datetime, now: datetime) -> Upkeep:
    synced = [
        (step.instance_id, round((step.done - step.opened).total_seconds() * 1000))
        for step in service_steps(p.integration, ROUTE, first, last)
        if step.element in p.route(step.definition_id).sync_targets
    ]
    failed = failed_attempts(p.integration, ROUTE, first, last)
    return Upkeep(False, tuple(synced), tuple(failed), whole=last + _LATE_ROWS < now)


def register_of(p: Parts, first: datetime, last: datetime) -> list[Adjustment]:
    """Read the register's entries about promises from `first` on and before `last` (aware)."""
    # An entry begins when its promise has just passed: what begins a day after the month may still be about it.
    return read(begun_between(p.integration, first, last + timedelta(days=1)), first, last)
