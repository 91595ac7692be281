"""The whole ledger as lines of JSON, and back: one form for SQLite and PostgreSQL, as of one moment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from sqlalchemy import Engine, delete, select

from ledger.database import open_database
from ledger.errors import LedgerError
from ledger.tables import metadata
from ledger.version import VERSION

_PART = 500


def dump(url: str) -> Iterator[str]:
    """Return the ledger's rows as JSON lines, read in one transaction; the first line tells the shape."""
    engine = open_database(url)
    try:
        yield json.dumps({"schema": VERSION})
        reading: Engine = engine
        if engine.dialect.name == "postgresql":
            reading = engine.execution_options(isolation_level="REPEATABLE READ")
        with reading.begin() as conn:  # SQLite: nobody writes meanwhile
            for table in metadata.sorted_tables:
                for row in conn.execute(select(table)).mappings():
                    yield json.dumps({"table": table.name, "row": dict(row)}, ensure_ascii=False)
    finally:
        engine.dispose()


def load(url: str, lines: Iterable[str]) -> int:
    """Put a dumped ledger in the place of what is there; return the count of rows. All of it or nothing."""
    rows = iter(lines)
    if (schema := json.loads(next(rows))["schema"]) != VERSION:
        raise LedgerError(f"журнал в копии другого вида ({schema}, нужен {VERSION}): нужна другая версия Order Route")
    engine = open_database(url)
    count = 0
    try:
        with engine.begin() as conn:
            for table in metadata.sorted_tables:
                conn.execute(delete(table))
            waiting: dict[str, list[dict[str, object]]] = {}
            for line in rows:
                entry = json.loads(line)
                waiting.setdefault(entry["table"], []).append(entry["row"])
                count += 1
                if len(waiting[entry["table"]]) == _PART:
                    conn.execute(metadata.tables[entry["table"]].insert(), waiting.pop(entry["table"]))
            for name, part in waiting.items():
                conn.execute(metadata.tables[name].insert(), part)
    finally:
        engine.dispose()
    return count
