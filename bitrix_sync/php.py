"""PHP's ways of writing structures: query strings with brackets, and empty maps that come as empty lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote


def query(params: Mapping[str, Any]) -> str:
    """Encode nested parameters as `a[b][0]=c`; all but the brackets percent-encoded, as `batch` demands.

    Raises ValueError for an empty list or map inside: a query string cannot say "empty", send it as JSON.
    """
    return "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in _pairs("", params))


def sayable(value: Any) -> bool:
    """Tell whether a query string can say it: it has no way to write an empty list or map."""
    if isinstance(value, Mapping | list | tuple):
        inner = list(value.values()) if isinstance(value, Mapping) else value
        return bool(inner) and all(sayable(each) for each in inner)
    return True


def as_map(value: Any) -> dict[str, Any]:
    """Return a map where PHP may have sent `[]` for an empty one; anything else that is not a map becomes empty."""
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Return a list where PHP may have sent a map with numbers as keys, or nothing."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []


def _pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping | list | tuple):
        entries = list(value.items()) if isinstance(value, Mapping) else list(enumerate(value))
        if not entries and name:
            raise ValueError(f"an empty container cannot stand in a query string: {name}")
        for key, item in entries:
            yield from _pairs(f"{name}[{key}]" if name else str(key), item)
    else:
        yield name, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
