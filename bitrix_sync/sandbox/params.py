"""Reading parameters: JSON, query strings and forms with PHP brackets; and reading single values out of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from bitrix_sync.sandbox.envelope import Refusal, missing

_PART = re.compile(r"\[([^\]]*)\]")


def from_pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Build nested values out of `a[b][]=c` pairs; maps with keys 0..n-1 become lists."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        head, bracket, _ = name.partition("[")
        keys = [head, *_PART.findall(name)] if bracket else [head]
        node = root
        for key in keys[:-1]:
            step = str(len(node)) if key == "" else key
            child = node.setdefault(step, {})
            if not isinstance(child, dict):
                child = node[step] = {}
            node = child
        node[str(len(node)) if keys[-1] == "" else keys[-1]] = value
    return {key: _lists(value) for key, value in root.items()}


def from_query(query: str) -> dict[str, Any]:
    """Read a query string as PHP does."""
    return from_pairs(parse_qsl(query, keep_blank_values=True))


def from_json(body: bytes) -> dict[str, Any]:
    """Read a JSON body; an empty one is an empty map."""
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal("INVALID_REQUEST", "Invalid JSON") from error
    if isinstance(value, list) and not value:
        return {}
    if not isinstance(value, dict):
        raise Refusal("INVALID_REQUEST", "Invalid JSON")
    return value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(item) for key, item in value.items()}
    if inner and all(key == str(place) for place, key in enumerate(inner)):
        return list(inner.values())
    return inner


def integer(value: Any) -> int | None:
    """Read a whole number that may come as text; None if it is not one."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    text = str(value).strip()
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else None


def mismatch(value: Any, name: str, kind: str) -> Refusal:
    """Build the refusal of a parameter of a wrong type."""
    text = f"Invalid value {{{value}}} to match with parameter {{{name}}}. Should be value of type {kind}."
    return Refusal("100", text)


def need_integer(params: Mapping[str, Any], name: str) -> int:
    """Read a required whole number; refuses with error 100."""
    if name not in params:
        raise missing(name)
    number = integer(params[name])
    if number is None:
        shown = params[name] if isinstance(params[name], str) else json.dumps(params[name])
        raise mismatch(shown, name, "int")
    return number


def need_map(params: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Read a required map; a list counts as a map of positions. Refuses with error 100."""
    if name not in params:
        raise missing(name)
    value = params[name]
    if isinstance(value, list):
        return {str(place): item for place, item in enumerate(value)}
    if not isinstance(value, dict):
        raise mismatch(value, name, "array")
    return value


def optional_map(params: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Read the first of these parameters that is there as a map; an empty one if none is."""
    for name in names:
        if params.get(name):
            return need_map(params, name)
    return {}


def as_list(value: Any) -> list[Any]:
    """Read a list that may come as a map of positions or as one value."""
    if value in (None, ""):
        return []
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else [value]


def yes(value: Any) -> bool:
    """Read a flag: Y, true and 1 in any spelling."""
    return str(value).lower() in {"y", "true", "1", "yes"}
