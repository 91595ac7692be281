"""The history store: a local copy of the engine's history that reports read, and that anybody may delete.

SQLite: reports scan some hundred thousand rows once, several programs read it at a time, and rows come from Python
one by one (a column store took five times as long to fill). Raw rows stand under the engine's own ids, so that the
same history read twice gives the same rows; what happened is derived from them anew for each order that moved.
"""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import Any

from orders.parts import in_parts
from orders.stage import Route
from reports.derive import RawOrder, derive, derive_records
from reports.facts import (
    DONE,
    DUPLICATE,
    Checked,
    Decision,
    Deviation,
    FileSeen,
    Ms,
    Order,
    OrderFacts,
    Promise,
    Record,
    Visit,
)
from reports.past import Past, past_of
from reports.raw import COLUMNS
from reports.source import History, News, read_news, touched
from reports.upkeep import Upkeep

FILE = "history.db"  # in the data folder
FORMAT = "3"
SEAM: Ms = 10 * 60 * 1000  # read once more: a transaction's rows carry times before its commit
_WAIT_SECONDS = 60.0
_PART = 500
_MOST_FOUND = 500
_WHOLE = ("started", "ended", "created", "due", "moment", "canceled", "place")
_FACTS: dict[str, type[Any]] = {"orders": Order, "visits": Visit, "files": FileSeen, "decisions": Decision}


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did."""

    rows: int
    orders: int


class Store:
    """The store in one file. `origin` says which engine it copies: another engine's copy is thrown away."""

    def __init__(self, path: Path, origin: str = "") -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = _opened(path, f"{FORMAT} {origin}")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def refresh(self, history: History, routes: Callable[[str], Route]) -> Refreshed:
        """Take in what is new in the engine's history; the cursor moves with the rows or not at all."""
        since = self._cursor()
        news = read_news(history, since)
        moved = touched(news)
        with self._writing() as db:
            for table, rows in news.rows.items():
                marks = ", ".join("?" * len(COLUMNS[table]))
                db.executemany(f"INSERT OR REPLACE INTO raw_{table} VALUES ({marks})", rows)  # noqa: S608
            count = self._derive(db, moved, routes)
            _set(db, "cursor", str(max(self._cursor(), news.newest - SEAM)))
        return Refreshed(_count(news), count)

    def facts(self, *, files: bool = True) -> list[OrderFacts]:
        """Read all orders with everything below them, oldest first; a report of numbers needs no `files`."""
        with _uncollected():
            return self._facts(files)

    def records(self) -> list[Record]:
        """Read the complaints and the costs of shipped orders, oldest first."""
        rows = self._db.execute("SELECT * FROM raw_record")
        return derive_records([dict(zip(COLUMNS["record"], row, strict=True)) for row in rows])

    def papers(self) -> dict[str, frozenset[str]]:
        """Read which file variables were judged and taken, by instance."""
        found: dict[str, set[str]] = {}
        for instance_id, variable in self._db.execute("SELECT DISTINCT instance_id, variable FROM files"):
            found.setdefault(instance_id, set()).add(variable)
        return {instance_id: frozenset(names) for instance_id, names in found.items()}

    def verdicts(self) -> dict[str, Checked]:
        """Read what was found about ended orders that were checked against their diagram."""
        rows = self._db.execute("SELECT instance_id, deviations FROM verdicts")
        return {i: tuple(Deviation(*each) for each in json.loads(text)) for i, text in rows}

    def keep_verdict(self, instance_id: str, deviations: Checked) -> None:
        """Keep what was found about an ended order."""
        text = json.dumps([astuple(d) for d in deviations], ensure_ascii=False)
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?)", (instance_id, text))

    def upkeep(self, month: str) -> Upkeep | None:
        """Read what was kept about a month besides its orders."""
        row = self._db.execute("SELECT value FROM about WHERE name = ?", (f"upkeep:{month}",)).fetchone()
        return Upkeep.of_text(row[0]) if row else None

    def keep_upkeep(self, month: str, upkeep: Upkeep) -> None:
        """Keep what was read about a month besides its orders."""
        with self._writing() as db:
            _set(db, f"upkeep:{month}", upkeep.text())

    def ended(self, text: str) -> list[Past]:
        """Read the ended orders whose number, customer or item holds these words, repeated requests left out."""
        wanted = text.casefold().strip()
        rows = self._db.execute(
            "SELECT instance_id FROM orders WHERE ended IS NOT NULL AND outcome != ?"
            " AND instr(folded(coalesce(key, '') || char(10) || coalesce(customer, '') || char(10)"
            " || coalesce(item, '')), ?) ORDER BY ended DESC LIMIT ?",
            (DUPLICATE, wanted, _MOST_FOUND),
        )
        ids = [row[0] for row in rows]
        marks = ", ".join("?" * len(ids))
        where = f"WHERE instance_id IN ({marks})"
        orders = map(_with_lists, self._read(Order, f"orders {where}", "ended DESC", ids))
        visits = _grouped(self._read(Visit, f"visits {where}", "instance_id, number", ids))
        return [past_of(order, visits.get(order.instance_id, ())) for order in orders]

    def finished_steps(self, since: Ms) -> list[tuple[str, Ms, Ms]]:
        """Return the steps answered since then, the customer's time left out: stage code, opened, answered."""
        rows = self._db.execute(
            "SELECT stage, created, ended FROM visits WHERE outcome = ? AND NOT customer AND ended >= ?", (DONE, since)
        )
        return [(stage, created, ended) for stage, created, ended in rows]

    def _facts(self, with_files: bool) -> list[OrderFacts]:
        visits = _grouped(self._read(Visit, "visits", "instance_id, number"))
        files = _grouped(self._read(FileSeen, "files", "instance_id, at, variable")) if with_files else {}
        decisions = _grouped(self._read(Decision, "decisions", "instance_id, at"))
        return [
            OrderFacts(o, *(tuple(each.get(o.instance_id, ())) for each in (visits, files, decisions)))
            for o in map(_with_lists, self._read(Order, "orders", "started, instance_id"))
        ]

    def _cursor(self) -> Ms:
        row = self._db.execute("SELECT value FROM about WHERE name = 'cursor'").fetchone()
        return int(row[0]) if row else 0

    def _read(self, kind: type[Any], table: str, order: str, values: Sequence[str] = ()) -> list[Any]:
        rows = self._db.execute(f"SELECT * FROM {table} ORDER BY {order}", values)  # noqa: S608 - our own names
        return [kind(*row) for row in rows]

    def _derive(self, db: sqlite3.Connection, moved: Iterable[str], routes: Callable[[str], Route]) -> int:
        count = 0
        for part in in_parts(sorted(moved), _PART):
            found = [derive(raw, routes) for raw in self._raw(db, part)]
            count += len(found)
            for table in _FACTS:
                db.executemany(f"DELETE FROM {table} WHERE instance_id = ?", [(i,) for i in part])  # noqa: S608
            _insert(db, "orders", [_flat(f.order) for f in found])
            _insert(db, "visits", [_values(v) for f in found for v in f.visits])
            _insert(db, "files", [_values(v) for f in found for v in f.files])
            _insert(db, "decisions", [_values(v) for f in found for v in f.decisions])
        return count

    def _raw(self, db: sqlite3.Connection, ids: Sequence[str]) -> Iterator[RawOrder]:
        marks = ", ".join("?" * len(ids))
        tables: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for table, columns in COLUMNS.items():
            column = "id" if table == "instance" else "instance_id"
            rows = db.execute(f"SELECT * FROM raw_{table} WHERE {column} IN ({marks})", ids)  # noqa: S608
            by_instance: dict[str, list[dict[str, Any]]] = {}
            for row in rows:
                named = dict(zip(columns, row, strict=True))
                by_instance.setdefault(named[column], []).append(named)
            tables[table] = by_instance
        for instance_id, (instance,) in tables["instance"].items():
            task, event, write, operation = (
                tables[t].get(instance_id, []) for t in ("task", "event", "write", "operation")
            )
            yield RawOrder(instance, task, event, write, operation)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def forget(path: Path) -> bool:
    """Delete the store; True where there was one. The next refresh fills it anew from the engine."""
    found = path.exists()
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        name.unlink(missing_ok=True)
    return found


def _opened(path: Path, mark: str) -> sqlite3.Connection:
    """Open the file; one that is damaged, of another format or of another engine is made anew."""
    db: sqlite3.Connection | None = None
    try:
        db = _connect(path)
        made = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'about'").fetchone()[0]
        if made and db.execute("SELECT value FROM about WHERE name = 'mark'").fetchone() == (mark,):
            return db
        if not made:
            return _made(db, mark)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise
    if db is not None:
        db.close()
    forget(path)
    return _made(_connect(path), mark)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    db.create_function("folded", 1, str.casefold, deterministic=True)  # SQLite's own knows Latin letters only
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")  # a copy: after a power cut it is made anew
    return db


def _made(db: sqlite3.Connection, mark: str) -> sqlite3.Connection:
    db.execute("BEGIN IMMEDIATE")
    db.execute("CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT)")
    for table, columns in COLUMNS.items():
        typed = ", ".join(f"{c} {'INTEGER' if c in _WHOLE else 'TEXT'}" for c in columns[1:])
        db.execute(f"CREATE TABLE IF NOT EXISTS raw_{table} (id TEXT PRIMARY KEY, {typed}) WITHOUT ROWID")
        if table != "instance":
            db.execute(f"CREATE INDEX IF NOT EXISTS raw_{table}_of ON raw_{table} (instance_id)")
    for table, kind in _FACTS.items():
        db.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(f.name for f in fields(kind))})")
        db.execute(f"CREATE INDEX IF NOT EXISTS {table}_of ON {table} (instance_id)")
    db.execute("CREATE TABLE IF NOT EXISTS verdicts (instance_id TEXT PRIMARY KEY, deviations TEXT)")
    _set(db, "mark", mark)
    db.execute("COMMIT")
    return db


def _set(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))


def _insert(db: sqlite3.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608


def _values(item: Any) -> tuple[Any, ...]:
    return tuple(getattr(item, name) for name in item.__slots__)


def _flat(order: Order) -> tuple[Any, ...]:
    lists = {
        "promises": json.dumps([astuple(p) for p in order.promises]),
        "paused": json.dumps(order.paused) if order.paused else None,
    }
    return tuple(lists[n] if n in lists else getattr(order, n) for n in order.__slots__)


_PROMISES, _PAUSED = ([f.name for f in fields(Order)].index(name) for name in ("promises", "paused"))


def _with_lists(order: Order) -> Order:
    values = list(_values(order))
    values[_PROMISES] = tuple(Promise(*pair) for pair in json.loads(values[_PROMISES]))
    values[_PAUSED] = tuple((since, until) for since, until in json.loads(values[_PAUSED] or "[]"))
    return Order(*values)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector from walking all that is read again and again: nothing of it is garbage."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _grouped(items: Iterable[Any]) -> dict[str, list[Any]]:
    return {key: list(group) for key, group in groupby(items, key=lambda i: i.instance_id)}


def _count(news: News) -> int:
    return sum(map(len, news.rows.values()))
