"""The board's pages: columns or a list, one order, the load of people. Read-only; they work without scripts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, g, render_template, request
from werkzeug.datastructures import MultiDict

from app.board.keeper import Keeper
from app.wiring import Parts
from orders.access import Readers
from reports.board import Board, Query, Tile, Viewer, counters, delays_for, loads_for, select, total
from reports.past import MOST, Past, found

SHOWN = 8  # tiles of a column; the rest is one click away
WALL = 2  # on a screen on the wall, which nobody scrolls; the style sheet knows it too
PAGE = 100  # rows of a list
_LONGEST = 100  # characters of what is searched for
REFRESH_SECONDS = 10
_ENDED = {
    "delivered": "отгружен",
    "refused": "отказ директора",
    "rejected": "цена не принята",
    "cancelled": "отменён",
    "removed": "прерван вручную",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column as it is drawn."""

    code: str
    title: str
    tiles: list[Tile]
    late: int
    total: Any
    more: int
    wall: int  # the same on a screen on the wall, which shows fewer


def pages(parts: Parts, keeper: Keeper) -> Blueprint:
    """Build the pages."""
    site = Blueprint("board", __name__)

    @site.get("/")
    def board() -> str:
        asked = request.args
        shown = _board(keeper)
        if shown is None:
            return render_template("waiting.html", **frame(keeper, None))
        viewer, query = _viewer(), read_query(asked)
        tiles = select(shown, viewer, query)
        listed = asked.get("view") == "list" or query.column is not None
        return render_template(
            "list.html" if listed else "board.html",
            **frame(keeper, shown),
            viewer=viewer,
            query=query,
            figures=counters(tiles, viewer),
            departments=sorted({t.row.department for t in shown.tiles if t.row.department != "—"}),
            persons=_persons(shown, viewer, parts),
            here=Links(asked),
            outcomes=_ENDED,
            filtered=any((query.text, query.department, query.person, query.late_only)),
            **(_rows(tiles, asked) if listed else {"columns": _columns(shown, tiles, viewer)}),
            found=_found(parts, keeper, tiles, query),
        )

    @site.get("/people")
    def people() -> str:
        shown = _board(keeper)
        if shown is None:
            return render_template("waiting.html", **frame(keeper, None))
        viewer = _viewer()
        return render_template(
            "people.html",
            **frame(keeper, shown),
            loads=loads_for(shown, viewer),
            persons=delays_for(shown, viewer, parts.staff),
            departments=shown.answers.by_department,
            all=viewer.sees_all,
        )

    return site


class Links:
    """Addresses that keep what is asked for now and change one thing."""

    def __init__(self, asked: MultiDict[str, str]) -> None:
        self._asked = {k: v for k, v in asked.items() if v}

    def __call__(self, **changes: str | int | None) -> str:
        """Return the address with these changes; None takes a part out. Another question begins at page one."""
        kept = {k: v for k, v in self._asked.items() if k != "page"}
        kept |= {k: str(v) for k, v in changes.items() if v is not None}
        kept = {k: v for k, v in kept.items() if k not in changes or changes[k] is not None}
        return "/?" + urlencode(kept) if kept else "/"


def read_query(asked: MultiDict[str, str]) -> Query:
    """Read what was asked for out of an address; what is not understood is not asked for."""
    return Query(
        text=asked.get("q", "").strip()[:_LONGEST],
        department=asked.get("department", "")[:_LONGEST],
        person=asked.get("person", "")[:_LONGEST],
        column=asked.get("stage"),
        late_only=asked.get("only") == "late",
        by_time=asked.get("sort") == "time",
    )


def _viewer() -> Viewer:
    return Viewer(g.person)


def _board(keeper: Keeper) -> Board | None:
    keeper.watched()
    return keeper.board


def frame(keeper: Keeper, board: Board | None) -> dict[str, Any]:
    """Return what every page needs."""
    return {
        "me": g.person,
        "csrf": g.session.csrf,
        "board": board,
        "trouble": keeper.trouble,
        "progress": keeper.progress,
        "refresh": REFRESH_SECONDS,
        "mine": Viewer(g.person),
    }


def _columns(board: Board, tiles: list[Tile], viewer: Viewer) -> list[Column]:
    by_code: dict[str, list[Tile]] = {code: [] for code, _ in board.columns}
    for tile in tiles:
        by_code[tile.column].append(tile)
    return [
        Column(
            code,
            title,
            those[:SHOWN],
            sum(t.risk == "late" for t in those),
            total(t for t in those if viewer.sees(t)),
            max(0, len(those) - SHOWN),
            max(0, len(those) - WALL),
        )
        for (code, title) in board.columns
        for those in (by_code[code],)
    ]


def _rows(tiles: list[Tile], asked: MultiDict[str, str]) -> dict[str, Any]:
    last = max(1, -(-len(tiles) // PAGE))
    number = min(last, max(1, asked.get("page", 1, type=int)))
    return {"rows": tiles[(number - 1) * PAGE : number * PAGE], "page": number, "last": last}


def _persons(board: Board, viewer: Viewer, parts: Parts) -> list[tuple[str, str]]:
    ids = {t.row.holder_id for t in board.tiles if t.row.holder_id and viewer.sees(t)}
    return sorted(((i, parts.staff.name(i)) for i in ids), key=lambda pair: pair[1])


def _found(parts: Parts, keeper: Keeper, tiles: list[Tile], query: Query) -> list[Past]:
    """Return the ended orders that the search finds; one that ended a moment ago is asked of the engine by number."""
    if not query.text:
        return []
    hits = found(keeper.ended(query.text), g.person, query.text)[:MOST]
    running = {t.row.key.casefold() for t in tiles}
    here = query.text.casefold()
    if here in running | {p.key.casefold() for p in hits} or not parts.orders.instances_of(query.text):
        return hits
    nobody = Readers(frozenset(), frozenset())
    return [Past(query.text, "", "", datetime.now(UTC), "", nobody), *hits]
