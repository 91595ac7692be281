"""Attempts: how often work on a task began without an end, so that a task which kills its worker is noticed.

Counting stands before every handler, so it is plain SQL on the pool's connections: built statements cost three times
as much. Any number of tasks goes along as one JSON text.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from ledger.tables import SCHEMA

_KEEP_SECONDS = 90 * 86400.0


class Statements:
    """What is said to one kind of database. `connection` is always the driver's; the caller commits."""

    def __init__(self, dialect: str) -> None:
        postgres = dialect == "postgresql"
        given = "%s" if postgres else "?"
        table = f"{SCHEMA}.attempt" if postgres else "attempt"
        ids = f"json_array_elements_text(CAST({given} AS json)) AS ids(value)" if postgres else f"json_each({given})"
        # ruff: noqa: S608 - only names of our own go into these texts
        self._count = (
            f"INSERT INTO {table} AS a (task_id, count, at) SELECT value, 1, {given} FROM {ids} WHERE true "
            "ON CONFLICT (task_id) DO UPDATE SET count = a.count + 1, at = excluded.at RETURNING task_id, count"
        )
        self._drop = f"DELETE FROM {table} WHERE task_id IN (SELECT value FROM {ids})"
        self._drop_old = f"DELETE FROM {table} WHERE at < {given}"

    def begin(self, connection: Any, task_ids: Iterable[str]) -> dict[str, int]:
        """Count one more attempt of each task; return the counts."""
        ids = sorted(set(task_ids))  # sorted: two writers cannot wait for each other
        rows = self._run(connection, self._count, time.time(), json.dumps(ids)).fetchall()
        return {str(task_id): int(count) for task_id, count in rows}

    def drop(self, connection: Any, task_ids: Iterable[str]) -> None:
        """Forget tasks that are over."""
        self._run(connection, self._drop, json.dumps(sorted(task_ids)))

    def drop_old(self, connection: Any) -> None:
        """Forget what nobody came back to for 90 days, by this host's clock."""
        self._run(connection, self._drop_old, time.time() - _KEEP_SECONDS)

    @staticmethod
    def _run(connection: Any, statement: str, *values: object) -> Any:
        cursor = connection.cursor()
        cursor.execute(statement, values)
        return cursor
