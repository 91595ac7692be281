"""Opening the ledger's database: SQLite (WAL, synchronous=FULL) or PostgreSQL (a schema of its own)."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DisconnectionError, SQLAlchemyError

from ledger import version
from ledger.errors import LedgerError
from ledger.tables import SCHEMA, metadata

BUSY_SECONDS = 20  # how long a writer waits for another process
_POSTGRES = {"postgres", "postgresql"}  # as an administrator writes it; the driver behind it is our matter
_DRIVER = "postgresql+pg8000"


def open_database(url: str) -> Engine:
    """Open and, where missing, make the tables. Raises LedgerError with the cause (a password is never shown).

    `postgresql://user:password@host/database` is enough; an address with a driver is taken as it is.
    """
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise LedgerError("адрес журнала не разобран: проверьте ORDER_ROUTE_LEDGER_URL") from error
    if address.drivername in _POSTGRES:
        address = address.set(drivername=_DRIVER)
    shown = address.render_as_string(hide_password=True)
    try:
        engine = _sqlite(address) if address.get_backend_name() == "sqlite" else _postgres(address)
        with engine.begin() as conn:
            if engine.dialect.name == "postgresql":
                _one_at_a_time(conn)
            version.check(conn, shown)
            metadata.create_all(conn)
            version.note(conn)
    except ImportError as error:
        raise LedgerError(f"журнал {shown}: не установлен драйвер базы ({error.name})") from error
    except (SQLAlchemyError, OSError) as error:
        raise LedgerError(f"журнал {shown} не открывается: {cause(error)}") from error
    return engine


def light(engine: Engine) -> Engine:
    """Return the same database, open so that SQLite does not wait for the disk; each statement there stands for itself.

    What was written outlives the end of any process, though not every power cut.
    """
    return engine if engine.dialect.name == "postgresql" else _sqlite(engine.url, "NORMAL")


def _sqlite(address: URL, synchronous: str = "FULL") -> Engine:
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: the driver's own begins too late to be exclusive
        connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        _use_wal(connection)

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        conn.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgres(address: URL) -> Engine:
    if address.get_backend_name() != "postgresql":
        raise LedgerError(f"журнал: база {address.get_backend_name()} не поддерживается, нужны sqlite или postgresql")
    if address.query:
        raise LedgerError("журнал: параметры после «?» в адресе PostgreSQL не поддерживаются, уберите их")
    # For connecting and for each answer: longer than anyone holds a row here, so that a dead line is noticed. A process
    # that was stopped in the middle of a write would hold its rows for ever: the server ends such a write.
    asleep = {"idle_in_transaction_session_timeout": str(BUSY_SECONDS * 1000)}
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS, "startup_params": asleep})

    broken = engine.dialect.loaded_dbapi.Error

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, _record: Any, _proxy: Any) -> None:
        # As the pool's own ping, which does not know that pg8000 lets a broken line's OSError through.
        try:
            connection.cursor().execute("SELECT 1")
        except (OSError, broken) as error:
            raise DisconnectionError(str(error)) from error

    try:
        with engine.begin() as conn:
            _one_at_a_time(conn)
            conn.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    except BaseException:
        engine.dispose()  # a program that tries again must not collect connections
        raise
    return engine.execution_options(schema_translate_map={None: SCHEMA})


def _use_wal(connection: Any) -> None:
    """Switch to WAL; the switch does not wait for other processes by itself, so it is tried again for a while."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def _one_at_a_time(conn: Connection) -> None:
    conn.execute(text("SELECT pg_advisory_xact_lock(7231450)"))  # IF NOT EXISTS alone is no protection from a race


def cause(error: Exception) -> str:
    """Return what the driver says, in one line; pg8000 gives the server's answer as a dictionary."""
    inner = getattr(error, "orig", None) or error
    answer = inner.args[0] if inner.args and not isinstance(error, OSError) else ""
    return str(answer.get("M", answer) if isinstance(answer, dict) else inner).splitlines()[0]
