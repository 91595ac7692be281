"""Which shape the ledger's tables have: a ledger of another shape is refused before anything is written into it."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from ledger.errors import LedgerError
from ledger.tables import SCHEMA, meta, metadata

VERSION = 1
_NAME = "schema"


def check(conn: Connection, shown: str) -> None:
    """Raise LedgerError for a ledger of an older or newer shape; says nothing of one that is still empty.

    There has been one shape so far, so an older one cannot be brought up to date: it is named, and what to do.
    """
    schema = SCHEMA if conn.dialect.name == "postgresql" else None
    looking = inspect(conn)
    there = set(looking.get_table_names(schema=schema))
    if meta.name in there:
        found = conn.execute(select(meta.c.value).where(meta.c.name == _NAME)).scalar()
        if found is not None and str(found) != str(VERSION):
            newer = not str(found).isdigit() or int(found) > VERSION
            raise LedgerError(_newer(shown, found) if newer else _older(shown, f"вид {found}"))
    for table in metadata.sorted_tables:
        if table.name in there:
            have = {str(column["name"]) for column in looking.get_columns(table.name, schema=schema)}
            if missing := sorted({column.name for column in table.columns} - have):
                raise LedgerError(_older(shown, f"в таблице {table.name} нет столбца {missing[0]}"))


def note(conn: Connection) -> None:
    """Write down the shape of tables that have just been made, or were made before shapes were counted."""
    try:
        if conn.execute(select(meta.c.value).where(meta.c.name == _NAME)).scalar() is None:
            conn.execute(meta.insert().values(name=_NAME, value=str(VERSION)))
    except SQLAlchemyError as error:
        raise LedgerError(f"журнал не пишется: {error}") from error


def _older(shown: str, what: str) -> str:
    return (
        f"журнал {shown} от более старой версии ({what}): уберите его в сторону и запустите снова, "
        "сверка соберёт его заново из движка и портала"
    )


def _newer(shown: str, found: object) -> str:
    return f"журнал {shown} от более новой версии (вид {found}): обновите Order Route или задайте другой журнал"
