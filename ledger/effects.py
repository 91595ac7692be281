"""Effects: things done outside exactly once. Write the intent, call, write what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, func, or_, select, update

from ledger.tables import effect


class EffectState(StrEnum):
    """How far an effect is: never tried, a call was begun, done, or its outcome is not known."""

    NEW = "new"
    INTENT = "intent"
    DONE = "done"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect as the ledger knows it. Times are seconds since 1970; `last` is the last intent or outcome."""

    key: str
    state: EffectState
    remote_id: str | None = None
    attempts: int = 0
    request_hash: str = ""
    first: float | None = None
    last: float | None = None

    @property
    def open(self) -> bool:
        """Tell whether a call was begun and nobody knows what came of it."""
        return self.state in (EffectState.INTENT, EffectState.UNKNOWN)


def read(conn: Connection, key: str, *, lock: bool = False) -> Effect:
    """Return the effect of a key, state NEW where there is none."""
    query = select(effect).where(effect.c.key == key)
    row = conn.execute(query.with_for_update() if lock else query).first()
    return _of(row) if row is not None else Effect(key, EffectState.NEW)


def read_many(conn: Connection, keys: Iterable[str]) -> dict[str, Effect]:
    """Return the known effects among the keys, 500 a query."""
    wanted, found = list(keys), {}
    for at in range(0, len(wanted), 500):
        rows = conn.execute(select(effect).where(effect.c.key.in_(wanted[at : at + 500])))
        found.update({row.key: _of(row) for row in rows})
    return found


def intend(conn: Connection, key: str, request_hash: str, now: float) -> Effect:
    """Note that a call begins and return the state before; a done effect is left as it is."""
    before = read(conn, key, lock=True)
    if before.state is EffectState.NEW:
        row = {"key": key, "request_hash": request_hash, "state": "intent", "attempts": 1}
        conn.execute(effect.insert().values(row | {"t_first": now, "t_last": now}))
    elif before.state is not EffectState.DONE:
        values = {"state": "intent", "request_hash": request_hash, "attempts": before.attempts + 1, "t_last": now}
        conn.execute(update(effect).where(effect.c.key == key).values(values))
    return before


def settle(conn: Connection, key: str, state: EffectState, remote_id: str | None, now: float) -> None:
    """Write what came of a call; also for an effect found outside that the ledger had lost."""
    values: dict[str, Any] = {"state": str(state), "t_last": now}
    if remote_id is not None or state is EffectState.DONE:
        values["remote_id"] = remote_id
    if conn.execute(update(effect).where(effect.c.key == key).values(values)).rowcount == 0:
        row = {"key": key, "request_hash": "", "attempts": 0, "t_first": now, "remote_id": remote_id}
        conn.execute(effect.insert().values(row | values))


def drop(conn: Connection, key: str) -> None:
    """Forget an effect: its call certainly was not executed, or what it made is known to be gone."""
    conn.execute(delete(effect).where(effect.c.key == key))


def keys_starting(conn: Connection, *prefixes: str) -> list[str]:
    """Return the keys that start with one of these texts, taken literally."""
    begins = or_(*(func.substr(effect.c.key, 1, len(prefix)) == prefix for prefix in prefixes))
    return [str(key) for key in conn.execute(select(effect.c.key).where(begins)).scalars()]


def recent(conn: Connection, prefix: str, since: float) -> tuple[int, float]:
    """Return how many effects with keys of this beginning were done since, and when the last was."""
    begins = func.substr(effect.c.key, 1, len(prefix)) == prefix
    fresh = begins & (effect.c.state == "done") & (effect.c.t_last >= since)
    count, last = conn.execute(select(func.count(), func.max(effect.c.t_last)).where(fresh)).one()
    return int(count), float(last or 0.0)


def _of(row: Row[Any]) -> Effect:
    return Effect(
        row.key, EffectState(row.state), row.remote_id, row.attempts, row.request_hash, row.t_first, row.t_last
    )
