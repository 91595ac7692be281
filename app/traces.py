"""Traces of personal data in our own text files: logs of engine, worker and sandbox in the data folder.

They should hold none. Where one does, it is overwritten in place with stars of the same length, so that a program that
has the file open goes on writing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

_NAMES = ("*.log", "*.log.*", "*.jsonl", "*.out", "*.json", "*.txt")
_LEAST = 4  # characters; a shorter value would hide half of every line


def needles(values: Iterable[str]) -> set[bytes]:
    """Return what to look for: each value as UTF-8 and as JSON writes it, whole and line by line."""
    pieces = {part.strip() for value in values for part in (value, *value.splitlines())}
    wanted = {piece for piece in pieces if len(piece) >= _LEAST}
    return {form for piece in wanted for form in (piece.encode(), json.dumps(piece)[1:-1].encode())}


def cover(folder: Path, wanted: set[bytes]) -> dict[str, int]:
    """Overwrite every hit in the text files below a folder; return file name -> count of hits."""
    found = {}
    for path in sorted({p for name in _NAMES for p in folder.rglob(name) if p.is_file() and not p.is_symlink()}):
        data = path.read_bytes()
        hits = sorted({at for needle in wanted for at in _places(data, needle)})
        if hits:
            with path.open("r+b") as out:
                for at, length in hits:
                    out.seek(at)
                    out.write(b"*" * length)
            found[str(path.relative_to(folder))] = len(hits)
    return found


def _places(data: bytes, needle: bytes) -> Iterable[tuple[int, int]]:
    at = data.find(needle)
    while at >= 0:
        yield at, len(needle)
        at = data.find(needle, at + len(needle))
