"""What people write to each other on an order's card, as the engine keeps it: the last twenty, oldest first."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

MOST = 20  # kept at once; the engine's history has every state, so it has them all
_LONGEST = 4000
_MENTION = re.compile(r"\[USER=\d+\](.*?)\[/USER\]", re.DOTALL | re.IGNORECASE)
_MARKUP = re.compile(r"\[/?(?:B|I|U|S|URL|P|COLOR|SIZE|LIST|\*)(?:=[^\]]*)?\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """One comment. `person` is "" for somebody who is not in the staff file; `at` is ISO 8601 in UTC.

    `source` is where it was written: "" on the card, "task" in a task's chat; the ids of each count for themselves.
    """

    id: int
    person: str
    name: str
    at: str
    text: str
    files: tuple[str, ...] = ()
    source: str = ""

    @property
    def place(self) -> tuple[str, str, int]:
        """Return where it stands among the others."""
        return self.at, self.source, self.id


def read(text: str) -> tuple[Said, ...]:
    """Return the kept comments; what is unreadable is taken for none."""
    try:
        rows = json.loads(text or "[]")
        return tuple(Said(**{**row, "files": tuple(row.get("files", ()))}) for row in rows)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return ()


def write(held: Sequence[Said]) -> str:
    """Return the text that the engine keeps."""
    return json.dumps([asdict(each) for each in held], ensure_ascii=False)


def added(held: Sequence[Said], new: Said) -> tuple[Said, ...] | None:
    """Return the kept comments with one more, None where it is there or was there."""
    there = any((each.source, each.id) == (new.source, new.id) for each in held)
    if there or (len(held) >= MOST and new.place < min(each.place for each in held)):
        return None
    return tuple(sorted((*held, new), key=lambda each: each.place))[-MOST:]


def plain_words(text: str) -> str:
    """Return a comment without the portal's markup; a mention is @Name."""
    said = _MENTION.sub(r"@\1", text)
    return _MARKUP.sub("", said).strip()[:_LONGEST]
