"""What a month's report says besides its orders: how the cards kept up with the engine, and the register of bonus
adjustments. Read from the engine and the ledger by `app`; kept in the history store, so that it can be told again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from pydantic import TypeAdapter

from reports.adjustments import Adjustment, State
from reports.facts import Ms


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the register, without the person: those concerned read more of it in the Tasklist."""

    order: str  # number
    state: State
    explained: bool
    appealed: bool
    points: int


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What is known of one month. Without a portal there are no cards to keep."""

    portal: bool
    synced: tuple[tuple[str, Ms], ...] = ()  # (instance, from the step's turn to the equal card)
    failed: tuple[str, ...] = ()  # instance of each attempt of a program's step that failed
    drift: tuple[str, ...] = ()  # numbers of orders whose card differs, at the moment of reading
    entries: tuple[Entry, ...] = ()
    whole: bool = False  # `synced` and `failed` are of a month that is over: nothing is added any more

    def text(self) -> str:
        """Return it as JSON."""
        return _JSON.dump_json(self).decode()

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Read what `text` returned. Raises ValueError."""
        return _JSON.validate_json(text)  # type: ignore[return-value]  # no subclass is made


_JSON = TypeAdapter(Upkeep)


def entries_of(register: Iterable[Adjustment]) -> tuple[Entry, ...]:
    """Return the entries as a report counts them."""
    return tuple(Entry(e.order, e.state, bool(e.explanation), e.appealed, e.points) for e in register)
