"""What a manager has to hear of by itself: a program's step that stopped, an order that does not move, a card that
differs from its order, a KPI past its target. Each is told while it lasts, at most once a day with the digest, and once
more when it is over. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from orders.messages import CHAT_LINE, one_line
from orders.persons import Person, Staff
from orders.plural import working_time
from reports.board import Board, Risk
from reports.figures import Figure
from reports.numbers import short, with_unit

STILL_HOURS = 40.0  # working hours at one step without an answer: a working week
MOST = 10  # lines of one list
DIRECTORS = "directors"


@dataclass(frozen=True, slots=True)
class Alert:
    """One matter; its `id` stays the same while it lasts."""

    id: str
    text: str


def alerts(board: Board, figures: Iterable[Figure], period: str, drift: Iterable[tuple[str, str]] = ()) -> list[Alert]:
    """Return what is wrong now; `figures` are those of the last whole month, whose name is `period`.

    `drift`: orders whose card differs from the engine for more than one sweep, and why.
    """
    found = [
        Alert(f"incident:{t.row.key}", f"{t.row.key}: шаг программы остановлен сбоем, {t.row.stage}")
        for t in board.tiles
        if t.row.incidents
    ]
    found += [
        Alert(f"still:{t.row.key}:{t.column}", f"{t.row.key}: {t.row.stage}, без движения {working_time(t.held)}")
        for t in sorted(board.tiles, key=lambda t: -t.held)
        if t.held >= STILL_HOURS and t.risk not in (Risk.WAITS, Risk.PAUSED)
    ]
    found += [
        Alert(f"kpi:{f.id}", f"{f.label} за {period}: {with_unit(f.value, f.unit)}, цель {short(f.target)}")
        for f in figures
        if f.met is False and not f.by
    ]
    found += [Alert(f"drift:{order}", f"{order}: карточка не равна заказу, {why}") for order, why in drift]
    return found


def recipients(staff: Staff, named: Iterable[str], today: date) -> list[Person]:
    """Return who hears of it today: those named, else the directors; who is away or has left is passed over."""
    known = [person for id_ in named if (person := staff.find(id_))]
    return [p for p in known if p.present(today)] or [p for p in staff.members(DIRECTORS) if p.present(today)]


def told(now: Sequence[Alert], before: Mapping[str, str]) -> str:
    """Return the lines about what lasts, new ones marked, and about what is over; nothing where there is neither."""
    lasting = [("" if a.id in before else "новое: ") + a.text for a in now]
    over = [text for id_, text in before.items() if id_ not in {a.id for a in now}]
    parts = [_listed("Требует внимания", lasting), _listed("Больше не требует", over)]
    return "\n\n".join(part for part in parts if part)


def _listed(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    shown = [one_line(f"• {line}", CHAT_LINE) for line in lines[:MOST]]
    more = [f"… и ещё {len(lines) - MOST}"] if len(lines) > MOST else []
    return "\n".join([f"{title}: {len(lines)}", *shown, *more])
