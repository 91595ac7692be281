"""The inbox: what the portal asked us to look at again. One row a thing, however often it was named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, delete, select

from ledger.tables import inbox

MOST = 500  # rows of one look


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing to look at; `at` is when it was named last, in seconds since 1970."""

    kind: str
    number: str
    at: float


def put(conn: Connection, insert: Any, kind: str, number: str, now: float) -> None:
    """Name a thing; one that waits already is only named later."""
    table: Table = inbox
    row = insert(table).values(kind=kind, number=number, at=now)
    conn.execute(row.on_conflict_do_update(index_elements=["kind", "number"], set_={"at": now}))


def waiting(conn: Connection) -> list[Waiting]:
    """Return what waits, oldest first."""
    rows = conn.execute(select(inbox).order_by(inbox.c.at).limit(MOST))
    return [Waiting(row.kind, row.number, row.at) for row in rows]


def take(conn: Connection, looked_at: list[Waiting]) -> None:
    """Drop what was looked at; a thing that was named again meanwhile stays."""
    for each in looked_at:
        same = (inbox.c.kind == each.kind) & (inbox.c.number == each.number) & (inbox.c.at <= each.at)
        conn.execute(delete(inbox).where(same))
