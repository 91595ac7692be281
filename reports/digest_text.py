"""The digest in words: for the chat (lines of at most 140 characters), as a page, as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orders.dates import long_moment
from orders.messages import CHAT_LINE, one_line
from orders.plural import count, working_time
from reports.board import Board, Tile
from reports.digest import Digest, by_holder
from reports.payroll import table_text

MOST = 10  # lines of one part in the chat
PARTS = (
    ("late", "Опаздывают"),
    ("will_be_late", "Могут опоздать"),
    ("today", "Срок сегодня"),
    ("unclaimed", "Никто не взял"),
    ("silent", "Давно без новостей"),
    ("paused", "Приостановлены"),
    ("rest", "В срок"),
)
HEADINGS = (
    "Заказ", "Заказчик", "Изделие", "Этап", "У кого", "Взят", "Отдел", "С какого времени", "Срок",
    "Рабочих часов до срока", "Состояние",
)  # fmt: skip


def chat(digest: Digest, *, own: bool = False) -> str:
    """Return the text for the chat; one line where nothing asks for attention. `own`: the reader holds them all."""
    steps = count(len(digest.tiles), "открытый шаг", "открытых шага", "открытых шагов")
    if not digest.news:
        return f"Всё в срок: {steps}, ни один не опаздывает." if digest.tiles else "Открытых шагов нет."
    lines = [_heading(digest, steps)]
    for name, title in PARTS[:-1]:
        tiles: Sequence[Tile] = getattr(digest, name)
        if tiles:
            lines += ["", f"{title}: {len(tiles)}"]
            lines += [line(tile, own=own) for tile in tiles[:MOST]]
            if len(tiles) > MOST:
                lines.append(f"… и ещё {len(tiles) - MOST}")
    return "\n".join(lines)


def line(tile: Tile, *, own: bool = False) -> str:
    """Return one order as one line: number, stage, who holds it, how it stands to its deadline."""
    who = "" if own else f" · {tile.row.holder if tile.taken else f'не взято, {tile.addressed or tile.row.department}'}"
    return one_line(f"• {tile.row.key} · {tile.row.stage}{who} · {tile.words}", CHAT_LINE)


def page(board: Board, digests: Sequence[Digest], zone: tzinfo) -> str:
    """Return all digests as one self-contained Russian page."""
    folder = Path(__file__).parent / "templates"
    site = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    site.trim_blocks = site.lstrip_blocks = True
    css = (folder / "report.css").read_text(encoding="utf-8")
    made = [(d, [(title, getattr(d, name)) for name, title in PARTS if getattr(d, name)]) for d in digests]
    return site.get_template("digest.html.j2").render(
        css=css, moment=long_moment(board.now, zone), made=made, holders=by_holder, hours=working_time,
        short=lambda at: _short(at, zone),
    )  # fmt: skip


def table(digest: Digest, zone: tzinfo) -> str:
    """Return every open step as CSV: semicolons, decimal comma, no formulas."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for tile in digest.tiles:
        row = tile.row
        cells = (
            row.key, row.customer, row.item, row.stage, row.holder, "да" if tile.taken else "нет", row.department,
            _short(row.since, zone), _short(row.due, zone), row.hours_left, tile.words,
        )  # fmt: skip
        writer.writerow([table_text(cell) for cell in cells])
    return out.getvalue()


def _heading(digest: Digest, steps: str) -> str:
    told = [f"{title.lower()} {len(getattr(digest, name))}" for name, title in PARTS[:-1] if getattr(digest, name)]
    return one_line(f"Сегодня {steps}: {', '.join(told)}.", CHAT_LINE)


def _short(at: datetime | None, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%d.%m.%Y %H:%M}" if at else ""
