"""The append-only call log: one JSON line per HTTP request and per call inside a batch. The oracle of tests."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections import deque
from pathlib import Path
from typing import Any

_LONG = 256  # characters; a longer base64 text is a file


class CallLog:
    """Writes lines to a file, and keeps them readable in memory when there is no file."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8") if path else None
        self.lines: deque[dict[str, Any]] = deque(maxlen=100_000)

    def write(self, line: dict[str, Any]) -> None:
        """Append one line; it is in the file when this returns."""
        if self._file:
            self._file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
            self._file.flush()
        else:
            self.lines.append(line)

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()


def shorten(value: Any) -> Any:
    """Replace file contents by their size and SHA-256."""
    if isinstance(value, dict):
        return {key: shorten(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        pair = len(value) == 2 and all(isinstance(part, str) for part in value) and _is_file(*value)
        return [value[0], _content(value[1])] if pair else [shorten(item) for item in value]
    if isinstance(value, str) and len(value) > 20 * _LONG:
        return _content(value)
    return value


def _is_file(name: str, content: str) -> bool:
    return "." in name or len(content) > _LONG


def _content(text: str) -> Any:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text if len(text) <= _LONG else {"length": len(text)}
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
