"""The ledger: every method is one short transaction, safe between threads, processes and hosts."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError

from ledger import bucket as buckets
from ledger import effects, inbox
from ledger.attempts import Statements
from ledger.database import cause, light, open_database
from ledger.effects import Effect, EffectState
from ledger.errors import ForeignLedger, LedgerError
from ledger.inbox import Waiting
from ledger.lease import Lease
from ledger.tables import bucket, claim, cursor, lease, meta

_OWNER = "belongs_to"


class Ledger:
    """Effect keys, attempts, claims, leases, the rate budget and cursors in one small database.

    `url` is an SQLAlchemy address (`sqlite:////data/ledger.db`, `postgresql://…`). `belongs_to` names the
    engine: a ledger made for another is refused with ForeignLedger. Times are seconds since 1970.
    """

    def __init__(self, url: str, *, belongs_to: str | None = None) -> None:
        self._engine = open_database(url)
        self._trouble: str | None = None
        self._light = light(self._engine)
        self._postgres = self._engine.dialect.name == "postgresql"
        self._counting = Statements(self._engine.dialect.name)
        if belongs_to is not None:
            try:
                self.bind(belongs_to)
            except LedgerError:
                self.close()
                raise

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
        self._light.dispose()

    def trouble(self) -> str | None:
        """Return why the last access failed, None where it did not; what failed is tried anew by a small write."""
        if self._trouble is not None:
            with suppress(LedgerError):
                self.set_cursor("trouble", "")
        return self._trouble

    def now(self) -> float:
        """Return the present as this ledger counts it: the host's clock, in PostgreSQL the database's."""
        if not self._postgres:
            return time.time()
        with self._transaction() as conn:
            return self._now(conn)

    # whose it is

    def bind(self, belongs_to: str) -> None:
        """Make this the ledger of one engine, for ever. Raises ForeignLedger where it is another's; changes nothing."""
        with self._transaction() as conn:
            self._ensure(conn, meta, {"name": _OWNER, "value": belongs_to})
            owner = conn.execute(select(meta.c.value).where(meta.c.name == _OWNER)).scalar_one()
        if owner != belongs_to:
            raise ForeignLedger(
                f"журнал принадлежит другому движку ({owner}), а отвечает {belongs_to}: "
                "задайте другой ORDER_ROUTE_LEDGER_URL, уберите файл журнала или верните прежний движок"
            )

    def belongs_to(self) -> str | None:
        """Return whose ledger this is, None while nobody has worked with it."""
        with self._transaction() as conn:
            owner = conn.execute(select(meta.c.value).where(meta.c.name == _OWNER)).scalar()
        return None if owner is None else str(owner)

    # effects

    def intend(self, key: str, request_hash: str = "") -> Effect:
        """Note that a call begins; return the state before (a done effect stays done: do not call)."""
        with self._transaction() as conn:
            self._serialise(conn, key)
            return effects.intend(conn, key, request_hash, self._now(conn))

    def done(self, key: str, remote_id: str | None = None) -> None:
        """Note that the effect is there, also when it was found outside."""
        with self._transaction() as conn:
            self._serialise(conn, key)
            effects.settle(conn, key, EffectState.DONE, remote_id, self._now(conn))

    def unknown(self, key: str) -> None:
        """Note that a call ended without an answer that can be trusted."""
        with self._transaction() as conn:
            self._serialise(conn, key)
            effects.settle(conn, key, EffectState.UNKNOWN, None, self._now(conn))

    def undo(self, key: str) -> None:
        """Forget an effect whose call certainly was not executed, or whose object is known to be gone."""
        with self._transaction() as conn:
            effects.drop(conn, key)

    def effect(self, key: str) -> Effect:
        """Return the effect, state NEW where there is none."""
        with self._transaction() as conn:
            return effects.read(conn, key)

    def effects(self, keys: Iterable[str]) -> dict[str, Effect]:
        """Return the known effects among the keys."""
        with self._transaction() as conn:
            return effects.read_many(conn, keys)

    def recent(self, prefix: str, seconds: float) -> tuple[int, float]:
        """Return how many effects with keys of this beginning were done in the last seconds, and when the last was."""
        with self._transaction() as conn:
            return effects.recent(conn, prefix, self._now(conn) - seconds)

    def keys_of(self, order: str) -> list[str]:
        """Return the keys of all effects of an order, its notices included."""
        with self._transaction() as conn:
            return effects.keys_starting(conn, f"{order}:", f"{order}/", f"tell:{order}:", f"tell:{order}/")

    def forget_order(self, order: str) -> int:
        """Drop all effects of an ended order; return how many. Its claim stays: the number is not free again."""
        with self._transaction() as conn:
            keys = effects.keys_starting(conn, f"{order}:", f"{order}/", f"tell:{order}:", f"tell:{order}/")
            for key in keys:
                effects.drop(conn, key)
            return len(keys)

    # attempts and claims

    def attempt(self, task_id: str) -> int:
        """Count one more attempt of a task before its handler runs; return the count."""
        return self.attempts([task_id])[task_id]

    def attempts(self, task_ids: Iterable[str], over: Iterable[str] = ()) -> dict[str, int]:
        """Count one more attempt of each task in one write; return the counts. Those that are `over` are dropped.

        It is the death of a process that has to be counted, so the write need not wait for the disk.
        """
        with self._light_transaction() as connection:
            if gone := list(over):
                self._counting.drop(connection, gone)
            return self._counting.begin(connection, task_ids)

    def forget(self, *task_ids: str) -> None:
        """Drop the counts of tasks that are over, and those that nobody came back to for 90 days."""
        with self._light_transaction() as connection:
            self._counting.drop(connection, task_ids)
            self._counting.drop_old(connection)

    def claim(self, business_key: str, instance_id: str) -> str:
        """Return the instance that owns the key: this one if it came first."""
        with self._transaction() as conn:
            self._ensure(conn, claim, {"business_key": business_key, "instance_id": instance_id, "at": self._now(conn)})
            owner = conn.execute(select(claim.c.instance_id).where(claim.c.business_key == business_key)).scalar_one()
            return str(owner)

    def claimed(self) -> list[str]:
        """Return all business keys that were ever claimed."""
        with self._transaction() as conn:
            return [str(key) for key in conn.execute(select(claim.c.business_key)).scalars()]

    # leases

    def lease(self, name: str, seconds: float) -> Lease | None:
        """Take a lease, or None while another holds it."""
        owner = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"
        with self._transaction() as conn:
            now = self._now(conn)
            self._ensure(conn, lease, {"name": name, "owner": "", "expires": 0.0})
            # An end later than any lease lasts was written under a clock that was ahead: it would block for as long.
            over = (lease.c.expires <= now) | (lease.c.expires > now + 2 * seconds)
            free = (lease.c.name == name) & over
            taken = conn.execute(update(lease).where(free).values(owner=owner, expires=now + seconds)).rowcount
        return Lease(self, name, owner, seconds, now + seconds) if taken else None

    def renew_lease(self, name: str, owner: str, seconds: float) -> float | None:
        """Move the end of a lease that still runs; None where it is over or another's. Use `Lease.renew`."""
        with self._transaction() as conn:
            now = self._now(conn)
            mine = (lease.c.name == name) & (lease.c.owner == owner) & (lease.c.expires > now)
            kept = conn.execute(update(lease).where(mine).values(expires=now + seconds)).rowcount
        return now + seconds if kept else None

    def release_lease(self, name: str, owner: str) -> None:
        """End a lease at once. Use `Lease.release`."""
        with self._transaction() as conn:
            conn.execute(delete(lease).where((lease.c.name == name) & (lease.c.owner == owner)))

    # the shared rate budget

    def take_token(self, portal: str, rate: float, burst: float, lane: str = buckets.PEOPLE) -> float:
        """Take one request's token; 0, or the seconds to wait before asking again (nothing taken then)."""
        with self._transaction() as conn:
            now = self._now(conn)
            after, wait = buckets.take(self._level(conn, portal), rate, burst, lane, now)
            if wait == 0:
                self._write_level(conn, portal, after)
            return wait

    def penalise(self, portal: str) -> None:
        """Halve the rate for a minute: the portal refused a request for its rate."""
        with self._transaction() as conn:
            self._write_level(conn, portal, buckets.penalised(self._level(conn, portal), self._now(conn)))

    def slowed(self, portal: str) -> float:
        """Return the seconds for which the rate is still halved because the portal refused a request for it."""
        with self._transaction() as conn:
            now = self._now(conn)
            until = conn.execute(select(bucket.c.slow_until).where(bucket.c.portal == portal)).scalar()
            return max(0.0, float(until or 0.0) - now)

    # cursors

    def cursor(self, name: str) -> str | None:
        """Return a stored value, or None."""
        with self._transaction() as conn:
            value = conn.execute(select(cursor.c.value).where(cursor.c.name == name)).scalar()
            return None if value is None else str(value)

    def set_cursor(self, name: str, value: str) -> None:
        """Store a value."""
        with self._transaction() as conn:
            self._ensure(conn, cursor, {"name": name, "value": value})
            conn.execute(update(cursor).where(cursor.c.name == name).values(value=value))

    # the inbox

    def hint(self, kind: str, number: str) -> None:
        """Note that the portal named a thing; a power cut may lose it, since polling finds the same."""
        with self._told(), self._light.begin() as conn:
            insert = postgres_insert if self._postgres else sqlite_insert
            inbox.put(conn, insert, kind, number, self._now(conn))

    def hints(self) -> list[Waiting]:
        """Return what the portal named, oldest first."""
        with self._told(), self._light.begin() as conn:
            return inbox.waiting(conn)

    def drop_hints(self, looked_at: list[Waiting]) -> None:
        """Forget hints whose things were looked at since."""
        if looked_at:
            with self._transaction() as conn:
                inbox.take(conn, looked_at)

    # inside

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._told(), self._engine.begin() as conn:
            yield conn

    @contextmanager
    def _light_transaction(self) -> Iterator[Any]:
        """Give a connection of the driver; what fails before the commit is rolled back when the pool takes it back."""
        with self._told(), closing(self._light.raw_connection()) as connection:
            yield connection
            connection.commit()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, self._engine.dialect.loaded_dbapi.Error) as error:
            self._trouble = f"журнал не пишется и не читается: {cause(error)}; проверьте место на диске и права"
            raise LedgerError(self._trouble) from error
        self._trouble = None

    def _now(self, conn: Connection) -> float:
        if not self._postgres:
            return time.time()
        return float(conn.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())

    def _serialise(self, conn: Connection, key: str) -> None:
        if self._postgres:  # SQLite's BEGIN IMMEDIATE already does
            conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))

    def _ensure(self, conn: Connection, table: Table, row: dict[str, object]) -> None:
        insert = postgres_insert if self._postgres else sqlite_insert
        conn.execute(insert(table).values(row).on_conflict_do_nothing())

    def _level(self, conn: Connection, portal: str) -> buckets.Level:
        self._ensure(conn, bucket, {"portal": portal, "level": 0.0, "sweep_level": 0.0, "at": 0.0, "slow_until": 0.0})
        row = conn.execute(select(bucket).where(bucket.c.portal == portal).with_for_update()).one()
        return buckets.Level(row.level, row.sweep_level, row.at, row.slow_until)

    def _write_level(self, conn: Connection, portal: str, level: buckets.Level) -> None:
        conn.execute(update(bucket).where(bucket.c.portal == portal).values(asdict(level)))
