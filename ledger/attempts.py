"""Attempts: how often work on a task began without an end, so that a task which kills its worker is noticed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from functools import cache

from sqlalchemy import (
    JSON,
    Connection,
    Delete,
    Double,
    FromClause,
    String,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.dml import ReturningInsert

from ledger.tables import attempt

_KEEP_SECONDS = 90 * 86400.0


def begin(conn: Connection, task_ids: Iterable[str]) -> dict[str, int]:
    """Count one more attempt of each task; return the counts."""
    ids = json.dumps(sorted(set(task_ids)))  # sorted: two writers cannot wait for each other
    counts = conn.execute(_count(conn.dialect.name), {"ids": ids, "now": time.time()})
    return {row.task_id: int(row.count_) for row in counts}


def drop(conn: Connection, task_ids: Iterable[str]) -> None:
    """Forget tasks that are over."""
    conn.execute(_drop(conn.dialect.name), {"ids": json.dumps(sorted(task_ids))})


def drop_old(conn: Connection) -> None:
    """Forget what nobody came back to for 90 days, by this host's clock."""
    conn.execute(delete(attempt).where(attempt.c.at < time.time() - _KEEP_SECONDS))


# Each statement is built once and takes any number of tasks as one JSON text: building costs more than running.


@cache
def _count(dialect: str) -> ReturningInsert[str, int]:
    insert = (postgres_insert if dialect == "postgresql" else sqlite_insert)(attempt)
    rows = select(_ids(dialect).c.value, literal_column("1"), bindparam("now", type_=Double)).where(true())
    counted = insert.from_select([attempt.c.task_id, attempt.c["count"], attempt.c.at], rows).on_conflict_do_update(
        index_elements=[attempt.c.task_id], set_={"count": attempt.c["count"] + 1, "at": insert.excluded.at}
    )
    return counted.returning(attempt.c.task_id, attempt.c["count"].label("count_"))


@cache
def _drop(dialect: str) -> Delete:
    return delete(attempt).where(attempt.c.task_id.in_(select(_ids(dialect).c.value)))


def _ids(dialect: str) -> FromClause:
    ids = bindparam("ids", type_=Text)
    rows = func.json_array_elements_text(cast(ids, JSON)) if dialect == "postgresql" else func.json_each(ids)
    return rows.table_valued(column("value", String))
