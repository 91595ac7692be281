"""The morning's digest of this shop, for the command and for the worker's step."""

from __future__ import annotations

from datetime import datetime

from app.board.keeper import read_now
from app.wiring import Parts
from orders.persons import Person
from reports.board import Board
from reports.digest import Digest, of_manager, of_person, readers
from reports.digest_text import chat


class ShopDigests:
    """Fulfils `orders.ports.Digests`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def messages(self, now: datetime) -> list[tuple[str, str]]:
        """Return (person id, text) for all who are here today: managers of their departments, others of their own."""
        board, staff = read_now(self._parts), self._parts.staff
        today = self._parts.calendar.today(now)
        managers, others = readers(staff)
        return [
            *((p.id, chat(of_manager(board, p))) for p in managers if p.present(today)),
            *((p.id, chat(of_person(board, p), own=True)) for p in others if p.present(today)),
        ]


def digest_of(board: Board, person: Person, managers: list[Person]) -> Digest:
    """Return what a person gets: of the departments they answer for, else their own steps."""
    return of_manager(board, person) if person in managers else of_person(board, person)
