"""Typed values, both ways: Python on our side, the engine's variables on the wire.

| Python | engine |
|---|---|
| str | String, at most 4,000 characters, no NUL |
| bool, int, float | Boolean, Integer or Long, Double |
| Decimal | String with a dot (money never passes through a float) |
| date | String `YYYY-MM-DD` |
| datetime, aware | Date with milliseconds and zone |
| FileValue, bytes | File with name and type, base64 |
| None | Null |
| JsonText | String while it is short enough, else File `application/json` |

An untyped dict or list would be stored as Java-serialised bytes that nobody can read back, a naive datetime in the
server's zone, NaN not at all: each is refused here with its name.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

STRING_LIMIT = 4000  # characters; one more is a persistence error in the engine
_INT, _LONG = 2**31, 2**63

Wire = dict[str, Any]


class UnsupportedValue(TypeError):
    """A value that the engine could not hold or give back; the text names the variable."""


@dataclass(frozen=True, slots=True)
class FileValue:
    """A file. `data` is None where the engine named a file without sending its bytes."""

    name: str
    data: bytes | None
    mime: str = "application/octet-stream"

    def __repr__(self) -> str:
        size = "no data" if self.data is None else f"{len(self.data)} bytes"
        return f"FileValue({self.name!r}, {size}, {self.mime!r})"


@dataclass(frozen=True, slots=True)
class JsonText:
    """A value to be kept as JSON text: dicts, lists, and what they hold."""

    value: Any

    def text(self) -> str:
        """Return compact JSON with Cyrillic letters as they are."""
        return json.dumps(self.value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def to_engine(value: object, *, name: str = "value") -> Wire:
    """Return `{"value", "type"[, "valueInfo"]}` for one value. `name` is for the error text only.

    Raises UnsupportedValue for what the engine could not keep.
    """
    match value:
        case None:
            return {"value": None, "type": "Null"}
        case bool():
            return {"value": value, "type": "Boolean"}
        case int():
            return _whole(value, name)
        case float():
            return {"value": _finite(value, name), "type": "Double"}
        case Decimal():
            return _string(format(_finite_decimal(value, name), "f"), name)
        case datetime():
            return {"value": to_instant(value, name=name), "type": "Date"}
        case date():
            return _string(value.isoformat(), name)
        case FileValue():
            return _file(value, name)
        case bytes():
            return _file(FileValue(name, value), name)
        case JsonText():
            return _json(value, name)
        case str():
            return _string(str(value), name)  # a StrEnum becomes its text
        case _:
            raise UnsupportedValue(f"{name}: a {type(value).__name__} has no engine type; wrap it in JsonText")


def all_to_engine(values: Mapping[str, object]) -> dict[str, Wire]:
    """Convert a whole mapping; the error names the variable at fault."""
    return {name: to_engine(value, name=name) for name, value in values.items()}


def from_engine(wire: Mapping[str, Any]) -> Any:
    """Return the Python value of `{"value", "type", "valueInfo"}` as any REST answer gives it.

    Date becomes an aware datetime in UTC; File a FileValue, with data only where the answer carries them.
    """
    kind, value = wire.get("type"), wire.get("value")
    if kind in ("File", "Bytes"):
        info = wire.get("valueInfo") or {}
        name = info.get("filename") or wire.get("name") or ""
        return FileValue(name, _decoded(value), info.get("mimeType") or "application/octet-stream")
    if kind == "Date" and isinstance(value, str):
        return from_instant(value)
    return value


def to_instant(moment: datetime, *, name: str = "value") -> str:
    """Return `2026-01-01T00:00:00.000+0000`, the one form that both bodies and queries take."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise UnsupportedValue(f"{name}: a time without a zone would be read in the server's zone")
    at = moment.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def from_instant(text: str) -> datetime:
    """Read an engine's instant (`…+0000`, `…+03:00` or `…Z`) as an aware datetime in UTC; without a zone ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return moment.astimezone(UTC)


def maybe_instant(text: str | None) -> datetime | None:
    """Read an instant that may be absent."""
    return from_instant(text) if text else None


def _string(value: str, name: str) -> Wire:
    if len(value) > STRING_LIMIT:
        raise UnsupportedValue(f"{name}: {len(value)} characters, the engine keeps {STRING_LIMIT}")
    if "\x00" in value:
        raise UnsupportedValue(f"{name}: a NUL character cannot be kept")
    return {"value": value, "type": "String"}


def _whole(value: int, name: str) -> Wire:
    if not -_LONG <= value < _LONG:
        raise UnsupportedValue(f"{name}: {value} does not fit a Long")
    return {"value": value, "type": "Integer" if -_INT <= value < _INT else "Long"}


def _finite(value: float, name: str) -> float:
    if not math.isfinite(value):
        raise UnsupportedValue(f"{name}: {value} is not a number that JSON knows")
    return value


def _finite_decimal(value: Decimal, name: str) -> Decimal:
    if not value.is_finite():
        raise UnsupportedValue(f"{name}: {value} is not a number")
    return value


def _file(value: FileValue, name: str) -> Wire:
    if value.data is None:
        raise UnsupportedValue(f"{name}: the file's bytes were never read")
    return {
        "value": base64.b64encode(value.data).decode("ascii"),
        "type": "File",
        "valueInfo": {"filename": value.name, "mimeType": value.mime},
    }


def _json(value: JsonText, name: str) -> Wire:
    text = value.text()
    if len(text) <= STRING_LIMIT:
        return _string(text, name)
    return _file(FileValue(f"{name}.json", text.encode(), "application/json"), name)


def _decoded(value: object) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        return None
