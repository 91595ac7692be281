"""The morning's digest: who holds what, what is late, what will be late, what nobody took, what has no news.

Made from the board, so the same orders and words stand in both. For a manager: the open steps of the departments that
they answer for; for a person: what is in front of them. Pure; `reports.digest_text` puts it into words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orders.persons import Person, Staff
from reports.board import Board, Risk, Tile, Viewer

DIRECTORS = frozenset({"directors", "productionDirectors"})
NO_NEWS_HOURS = 16.0  # working hours without an answer, in or before its time: two days


@dataclass(frozen=True, slots=True)
class Digest:
    """What one reader gets. The lists overlap in nothing: an order stands in the most urgent one of its."""

    title: str
    late: tuple[Tile, ...]
    will_be_late: tuple[Tile, ...]
    today: tuple[Tile, ...]
    unclaimed: tuple[Tile, ...]
    silent: tuple[Tile, ...]  # no news for NO_NEWS_HOURS
    paused: tuple[Tile, ...]  # suspended: nobody can work on it
    rest: tuple[Tile, ...]

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """Return all of it, the most urgent first."""
        asks = (*self.late, *self.will_be_late, *self.today, *self.unclaimed, *self.silent)
        return (*asks, *self.paused, *self.rest)

    @property
    def news(self) -> bool:
        """Tell whether anything asks for attention."""
        return len(self.tiles) > len(self.rest)


def whole(board: Board) -> Digest:
    """Return the digest of the whole shop: every open step, as Cockpit counts them."""
    return _digest("Все заказы", board.tiles)


def of_person(board: Board, person: Person) -> Digest:
    """Return what is in front of a person, taken or addressed to."""
    return _digest(person.name, (t for t in board.tiles if t.row.holder_id == person.id))


def of_manager(board: Board, manager: Person) -> Digest:
    """Return what a manager answers for: own steps and those of the departments headed; all for directors."""
    viewer, heads = Viewer(manager), set(manager.heads)
    if DIRECTORS & set(manager.groups):
        tiles: Iterable[Tile] = board.tiles
    else:
        tiles = (t for t in board.tiles if heads & set(t.groups) or t.row.holder_id == manager.id)
    return _digest(manager.name, (t for t in tiles if viewer.sees(t)))


def readers(staff: Staff) -> tuple[list[Person], list[Person]]:
    """Return (managers, other staff): who gets a digest of departments, and who one of their own."""
    managers = [p for p in staff.persons if p.heads or DIRECTORS & set(p.groups)]
    return managers, [p for p in staff.persons if p not in managers]


def _digest(title: str, tiles: Iterable[Tile]) -> Digest:
    left = sorted((t for t in tiles if not t.moving), key=_urgency)
    parts: list[tuple[Tile, ...]] = []
    for belongs in (_paused, _late, _at_risk, _today, _unclaimed, _silent):
        parts.append(tuple(t for t in left if belongs(t)))
        left = [t for t in left if not belongs(t)]
    paused, late, will_be_late, today, unclaimed, silent = parts
    return Digest(title, late, will_be_late, today, unclaimed, silent, paused, tuple(left))


def _paused(tile: Tile) -> bool:
    return tile.risk is Risk.PAUSED


def _late(tile: Tile) -> bool:
    return tile.risk is Risk.LATE


def _at_risk(tile: Tile) -> bool:
    return tile.risk is Risk.AT_RISK


def _today(tile: Tile) -> bool:
    return tile.risk is Risk.TODAY


def _unclaimed(tile: Tile) -> bool:
    return not tile.taken and tile.risk is not Risk.WAITS


def _silent(tile: Tile) -> bool:
    return tile.held >= NO_NEWS_HOURS


def _urgency(tile: Tile) -> tuple[float, str]:
    return (tile.row.hours_left if tile.row.hours_left is not None else 1e9, tile.row.key)


def by_holder(tiles: Sequence[Tile]) -> list[tuple[str, list[Tile]]]:
    """Return the orders by who holds them, most first."""
    held: dict[str, list[Tile]] = {}
    for tile in tiles:
        held.setdefault(tile.row.holder if tile.taken else (tile.addressed or tile.row.holder), []).append(tile)
    return sorted(held.items(), key=lambda pair: (-len(pair[1]), pair[0]))
