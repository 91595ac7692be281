"""Where documents with a certain value are: a portal with tens of thousands of tasks must not look at each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

Doc = dict[str, Any]
Getter = Callable[[Doc], Any]  # document -> comparable value, or list of them


def alike(value: Any) -> Any:
    """Return what stands for all values that the portal's database takes for the same: it knows no capitals."""
    if isinstance(value, str):
        return value.casefold() or None
    return repr(value) if isinstance(value, (dict, list)) else value


def values_of(have: Any) -> set[Any]:
    """Return what a document's value is found by; a list by each of its values, an empty one as nothing."""
    return {alike(value) for value in (have or [None] if isinstance(have, list) else [have])}


def exactly(values: Iterable[Any]) -> tuple[str, ...]:
    """Return what stands for these values together and for nothing like them: capitals and types count."""
    return tuple(map(repr, values))  # no text: `alike` would take its capitals away


class Index:
    """The ids of one kind's documents by a value of theirs."""

    def __init__(self, get: Getter, docs: Iterable[tuple[int, Doc]]) -> None:
        self._get = get
        self._ids: dict[Any, set[int]] = defaultdict(set)
        for number, doc in docs:
            self.change(number, None, doc)

    def change(self, number: int, before: Doc | None, after: Doc | None) -> None:
        """Follow a document that came, changed or went."""
        for value in values_of(self._get(before)) if before is not None else ():
            self._ids[value].discard(number)
        for value in values_of(self._get(after)) if after is not None else ():
            self._ids[value].add(number)

    def ids(self, wanted: Iterable[Any]) -> set[int]:
        """Return the ids of the documents that have one of these values."""
        return set[int]().union(*(self._ids.get(alike(value), ()) for value in wanted))
