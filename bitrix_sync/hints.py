"""A hint: "look at this card or task again". It carries no state; what is done follows from what is then seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hint:
    """`kind` is `task`, `comment`, or `item:` with the number of the smart process; `number` is the object's id."""

    kind: str
    number: str

    @property
    def entity_type_id(self) -> int | None:
        """Return the smart process that a card's hint names."""
        number = self.kind.partition(":")[2]
        return int(number) if number else None
