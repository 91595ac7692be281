"""Copies are like real orders: the same rows, column by column, and the engine can go on with them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from chain import Chain
from postgres import Postgres

from engine.processes import Instance
from growth.rows import TABLES, UUID, Copy, columns, other, owned, run
from growth.templates import Template, carry_all

_SECOND = timedelta(seconds=1)
_TOKEN = re.compile(r"[\w-]{32}")  # of the customer's link
Row = tuple[object, ...]


def differences(server: Postgres, templates: Sequence[Template], copies: Sequence[Copy]) -> list[str]:
    """Compare these copies with their real orders; return the columns (`table.column`) in which some copy differs.

    A copy may differ in nothing but this: another id wherever the real order has one of its own, its own key, and a
    past that lies back by the copy's shift. A table with another number of rows counts as one that differs.
    """
    pairs = ", ".join(f"('{other(templates[c.template].id, c.n)}', {c.n})" for c in copies)
    run(
        server,
        "DROP TABLE IF EXISTS growth.twin",
        f"CREATE TABLE growth.twin AS SELECT * FROM (VALUES {pairs}) AS t(instance, n)",
        *owned("twin", "n"),
    )
    wrong: set[str] = set()
    for table, by in TABLES.items():
        names = [name for name, _ in columns(server, table)]
        real = _by_number(run(server, f"SELECT tpl, {_picked(names)} FROM growth.{table} t"))
        made = _by_number(
            run(server, f"SELECT o.n, {_picked(names)} FROM {table} t JOIN growth.twin_owns o ON t.{by} = o.id")
        )
        for copy in copies:
            theirs, mine = real.get(copy.template, []), made.get(copy.n, [])
            wrong |= {f"{table}.{name}" for name in _unlike(names, theirs, mine, templates[copy.template], copy)}
    return sorted(wrong)


def _picked(names: Sequence[str]) -> str:
    return ", ".join(f"md5(t.{name})" if name == "bytes_" else f"t.{name}" for name in names)


def _by_number(rows: Sequence[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for number, *row in rows:
        found.setdefault(int(str(number)), []).append(tuple(row))
    return found


def _unlike(
    names: Sequence[str], theirs: Sequence[Row], mine: Sequence[Row], template: Template, copy: Copy
) -> Iterator[str]:
    if len(theirs) != len(mine):
        yield f"{len(mine)} rows instead of {len(theirs)}"
        return
    at = names.index("id_")
    twins = {row[at]: row for row in mine}
    for real in theirs:
        made = twins.get(other(str(real[at]), copy.n))
        if made is None:
            yield "id_"
            continue
        for name, was, now in zip(names, real, made, strict=True):
            if not _alike(was, now, template, copy):
                yield name


def _alike(was: object, now: object, template: Template, copy: Copy) -> bool:
    if isinstance(was, datetime) and isinstance(now, datetime):
        ahead = was.replace(tzinfo=UTC) > datetime.now(UTC)  # the engine writes UTC without saying so
        return (was == now and ahead) or abs(was - now - copy.back) < _SECOND
    if isinstance(was, str) and isinstance(now, str):
        if template.id in now or template.key in now:
            return False  # what points to the real order is no copy
        return was == now or _plain(was, template.key) == _plain(now, copy.key) or _tokens(was, now)
    if isinstance(was, int) and isinstance(now, int) and was != now:
        return abs(was - now - copy.back.total_seconds() * 1000) < 1000  # an instant kept as a number
    return was == now


def _plain(text: str, key: str) -> str:
    """Return a text without what makes it one order's: ids and the key."""
    return UUID.sub("#", text).replace(key, "KEY")


def _tokens(was: str, now: str) -> bool:
    return bool(_TOKEN.fullmatch(was) and _TOKEN.fullmatch(now)) and len(was) == len(now)


def finish_some(chain: Chain, templates: Sequence[Template], copies: Sequence[Copy], seed: int, how_many: int) -> int:
    """Let the engine, a worker and people carry so many copied running orders to an end; return how many ended."""
    running = [c for c in copies if templates[c.template].running]
    chosen = random.Random(seed).sample(running, how_many)
    orders = []
    for each in chosen:
        real = templates[each.template].instance
        assert real is not None
        copied = Instance(other(real.id, each.n), real.definition_id, each.key)
        orders.append(Template(f"copy {each.key}", None, instance=copied))
    carry_all(chain, orders)
    ends = chain.shop.integration.steps.of_many([order.id for order in orders]).ends
    return sum(ends.get(order.id, ["none"])[-1] == "End_Delivered" for order in orders)
