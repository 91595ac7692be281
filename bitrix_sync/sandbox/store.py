"""The portal's state: documents and file bytes in one SQLite file, with a copy of the documents in memory."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bitrix_sync.sandbox.index import Doc as Doc
from bitrix_sync.sandbox.index import Getter, Index, exactly

# Sequences start far from each other, so that an id of one kind taken for an id of another kind is noticed.
FIRST_ID = {
    "type": 13,
    "category": 31,
    "status": 501,
    "userfield": 6001,
    "enum": 3301,
    "crmfile": 5001,
    "disk": 9001,
    "attached": 1001,
    "task": 8001,
    "comment": 301,
    "log": 701,
    "notice": 1201,
    "history": 101,
    "result": 21,
    "message": 2601,
    "storage": 1,
}


class Change:
    """What one call has changed so far."""

    def __init__(self) -> None:
        self.undo: list[tuple[str, int, Doc | None]] = []

    @property
    def applied(self) -> bool:
        """Tell whether anything was written."""
        return bool(self.undo)


class Store:
    """Documents by kind and id. Stored documents are never mutated: `put` replaces them.

    Not thread-safe by itself: the portal holds one lock around each request.
    """

    def __init__(self, path: Path | None) -> None:
        """Open or make the state file; None keeps the state in memory only."""
        self._docs: dict[str, dict[int, Doc]] = {}
        self._dirty: set[tuple[str, int]] = set()
        self._loose: set[str] = set()  # bytes whose document went; perhaps another one has them too
        self._change: Change | None = None
        self._indexes: dict[tuple[str, str], Index] = {}
        self._db = sqlite3.connect(str(path) if path else ":memory:", check_same_thread=False, timeout=1)
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")  # one portal per file; a killed one lets go
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("CREATE TABLE IF NOT EXISTS doc (kind TEXT, id INTEGER, body TEXT, PRIMARY KEY (kind, id))")
        self._db.execute("CREATE TABLE IF NOT EXISTS blob (sha TEXT PRIMARY KEY, data BLOB)")
        for kind, number, body in self._db.execute("SELECT kind, id, body FROM doc ORDER BY kind, id"):
            self._docs.setdefault(kind, {})[number] = json.loads(body)
        self._db.commit()

    def get(self, kind: str, number: int) -> Doc | None:
        """Return one document or None."""
        return self._docs.get(kind, {}).get(number)

    def all(self, kind: str, among: Iterable[int] | None = None) -> list[Doc]:
        """Return every document of a kind, or those with these ids, by ascending id."""
        docs = self._docs.get(kind, {})
        return [docs[number] for number in sorted(docs if among is None else among)]

    def of(self, kind: str, **wanted: Any) -> list[Doc]:
        """Return the documents of a kind whose fields have exactly these values, by ascending id."""
        name = "=" + ",".join(wanted)
        found = self.having(kind, name, lambda doc: exactly(map(doc.get, wanted)), [exactly(wanted.values())])
        return self.all(kind, found)

    def one(self, kind: str, **wanted: Any) -> Doc | None:
        """Return the document with the lowest id of those that `of` returns, or None."""
        return next(iter(self.of(kind, **wanted)), None)

    def having(self, kind: str, name: str, get: Getter, wanted: Iterable[Any]) -> set[int]:
        """Return the ids of the documents of a kind that have one of these values.

        `get` reads the value that `name` names; it must be the same at each call.
        """
        index = self._indexes.get((kind, name))
        if index is None:
            index = self._indexes[kind, name] = Index(get, self._docs.get(kind, {}).items())
        return index.ids(wanted)

    def put(self, kind: str, number: int, doc: Doc) -> Doc:
        """Write a document."""
        self._remember(kind, number)
        self._set(kind, number, doc)
        return doc

    def drop(self, kind: str, number: int) -> None:
        """Delete a document."""
        self._remember(kind, number)
        gone = self.get(kind, number)
        if gone and "sha" in gone:
            self._loose.add(str(gone["sha"]))
        self._set(kind, number, None)

    def next_id(self, kind: str, sequence: str | None = None) -> int:
        """Take the next number of a sequence; numbers are never reused, also after deletes."""
        name = sequence or kind
        counters = self.get("meta", 1) or {}
        number: int = counters.get(name, FIRST_ID.get(kind, 1) - 1) + 1
        self._docs.setdefault("meta", {})[1] = {**counters, name: number}
        self._dirty.add(("meta", 1))
        return number

    def save_blob(self, data: bytes) -> str:
        """Keep bytes and return their SHA-256 (hex)."""
        sha = hashlib.sha256(data).hexdigest()
        self._db.execute("INSERT OR IGNORE INTO blob VALUES (?, ?)", (sha, data))
        return sha

    def blob(self, sha: str) -> bytes:
        """Return kept bytes."""
        row = self._db.execute("SELECT data FROM blob WHERE sha = ?", (sha,)).fetchone()
        if row is None:
            raise KeyError(sha)
        return bytes(row[0])

    @contextmanager
    def change(self) -> Iterator[Change]:
        """Undo everything that the block wrote if it raises."""
        outer, self._change = self._change, Change()
        current = self._change
        try:
            yield current
        except BaseException:
            for kind, number, before in reversed(current.undo):
                self._set(kind, number, before)
            current.undo.clear()
            raise
        finally:
            self._change = outer

    def flush(self) -> None:
        """Write what changed to the file; what was flushed survives a killed process."""
        for kind, number in self._dirty:
            doc = self.get(kind, number)
            if doc is None:
                self._db.execute("DELETE FROM doc WHERE kind = ? AND id = ?", (kind, number))
            else:
                body = json.dumps(doc, ensure_ascii=False)
                self._db.execute("INSERT OR REPLACE INTO doc VALUES (?, ?, ?)", (kind, number, body))
        self._dirty.clear()
        if self._loose:
            used = {doc.get("sha") for kind in ("crmfile", "disk") for doc in self._docs.get(kind, {}).values()}
            self._db.executemany("DELETE FROM blob WHERE sha = ?", [(sha,) for sha in self._loose - used])
            self._loose.clear()
        self._db.commit()

    def close(self) -> None:
        """Flush and close the file."""
        self.flush()
        self._db.close()

    def _remember(self, kind: str, number: int) -> None:
        if self._change is not None:
            self._change.undo.append((kind, number, self.get(kind, number)))

    def _set(self, kind: str, number: int, doc: Doc | None) -> None:
        before = self.get(kind, number)
        if doc is None:
            self._docs.get(kind, {}).pop(number, None)
        else:
            self._docs.setdefault(kind, {})[number] = doc
        for (indexed, _), index in self._indexes.items():
            if indexed == kind:
                index.change(number, before, doc)
        self._dirty.add((kind, number))
