"""The other half of copied orders: cards and open tasks in the sandbox portal's file, effects and claims in the ledger.

With these a sweep finds what it would find had it made each card itself: no drift.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from growth.rows import Copy, other
from growth.templates import Template

Row = tuple[Any, ...]


def copy_ledger(file: Path, templates: Sequence[Template], copies: Sequence[Copy], cards: Cards) -> None:
    """Give each copy the effects and the claim of its template, with its own keys and portal ids."""
    with sqlite3.connect(file, timeout=60) as book:
        effects = [_effects_of(book, each) for each in templates]
        book.executemany(
            "INSERT INTO effect VALUES (?, ?, ?, ?, ?, ?, ?)",
            (row for c in copies for row in _effects(c, templates[c.template], effects[c.template], cards)),
        )
        claims = ((c.key, other(templates[c.template].id, c.n), 0.0) for c in copies)
        book.executemany("INSERT OR IGNORE INTO claim VALUES (?, ?, ?)", claims)
    book.close()


def _effects_of(book: sqlite3.Connection, template: Template) -> list[Row]:
    query = """SELECT key, request_hash, state, remote_id, attempts, t_first, t_last FROM effect
               WHERE key LIKE ? OR key = ?"""
    return book.execute(query, (f"%{template.key}%", f"closed:{template.id}")).fetchall()


def _effects(copy: Copy, template: Template, effects: Iterable[Row], cards: Cards) -> Iterator[Row]:
    for key, request_hash, state, remote, *rest in effects:
        mapped = cards.ids.get((copy.n, str(remote)), remote) if _names_a_copied_thing(key) else remote
        yield (other(key, copy.n).replace(template.key, copy.key), request_hash, state, mapped, *rest)


def _names_a_copied_thing(key: str) -> bool:
    """Tell whether an effect's remote id is a card's or a task's; files and comments are the template's own."""
    parts = key.split(":")
    return parts[1:] == ["card"] or (len(parts) > 2 and parts[1] == "task" and parts[-1] not in _MARKS)


_MARKS = ("closed", "reset", "links", "nobody")


class Cards:
    """Copies of cards and their open tasks; `ids` maps (copy, template's id) to the copy's id, both as texts."""

    def __init__(self, state: Path, entity_type_id: int) -> None:
        self._state, self._kind = state, f"item{entity_type_id}"
        self.ids: dict[tuple[int, str], str] = {}

    def add(self, templates: Sequence[Template], copies: Sequence[Copy]) -> None:
        """Write cards for these copies; the portal must not run."""
        with sqlite3.connect(self._state) as portal:
            docs = {kind: self._docs(portal, kind) for kind in (self._kind, "task")}
            counters = json.loads(portal.execute("SELECT body FROM doc WHERE kind = 'meta' AND id = 1").fetchone()[0])
            rows = [row for c in copies for row in self._rows(c, templates[c.template], docs, counters)]
            portal.executemany("INSERT INTO doc VALUES (?, ?, ?)", rows)
            portal.execute("UPDATE doc SET body = ? WHERE kind = 'meta' AND id = 1", (json.dumps(counters),))
        portal.close()

    def _docs(self, portal: sqlite3.Connection, kind: str) -> dict[int, str]:
        return dict(portal.execute("SELECT id, body FROM doc WHERE kind = ?", (kind,)).fetchall())

    def _rows(
        self, copy: Copy, template: Template, docs: dict[str, dict[int, str]], counters: dict[str, int]
    ) -> Iterator[Row]:
        wanted = f'"order:{template.key}"'
        old, card = next((n, body) for n, body in docs[self._kind].items() if wanted in body)
        number = self._take(copy, self._kind, old, counters)
        yield self._kind, number, self._text(card, copy, template, old, number)
        for task, body in docs["task"].items():
            if f" {template.key}:task:" in body and json.loads(body)["status"] != "5":
                mine = self._take(copy, "task", task, counters)
                yield "task", mine, self._text(body, copy, template, old, number, own=(task, mine))

    def _take(self, copy: Copy, kind: str, old: int, counters: dict[str, int]) -> int:
        number = counters[kind] = counters[kind] + 1
        self.ids[copy.n, str(old)] = str(number)
        return number

    def _text(
        self, body: str, copy: Copy, template: Template, card: int, number: int, own: tuple[int, int] | None = None
    ) -> str:
        doc = json.loads(
            other(body, copy.n).replace(template.key, copy.key).replace(f"/details/{card}/", f"/details/{number}/")
        )
        if own is None:
            doc["id"] = doc["f"]["ID"] = number
        else:
            doc["id"] = own[1]
            doc["ufCrmTask"] = [f"{each.rpartition('_')[0]}_{number}" for each in doc["ufCrmTask"]]
        return json.dumps(doc, ensure_ascii=False)
