"""Cut a long list into parts of a bearable size: one page, one batch, one statement each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_parts(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the things in their order, `size` at a time; the last part may be shorter."""
    return (things[at : at + size] for at in range(0, len(things), size))
