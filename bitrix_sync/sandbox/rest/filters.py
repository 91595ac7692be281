"""Filters and orders of list methods: prefixes, lists of values, nested logic."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from typing import Any

from bitrix_sync.sandbox.envelope import argument
from bitrix_sync.sandbox.index import Getter, alike, values_of
from bitrix_sync.sandbox.params import as_list
from bitrix_sync.sandbox.store import Doc, Store

Cast = Callable[[Any], Any]  # filter value -> comparable value; raises ValueError
Resolve = Callable[[str], tuple[Getter, Cast] | None]  # field name -> how to read and cast; None = not allowed
Test = Callable[[dict[str, Any]], bool]

_AMONG = {"=": True, "@": True, "!": False, "!=": False, "!@": False}  # which say whether a value is one of the list
_PREFIX = re.compile(r"^(!=%|!%=|!%|=%|%=|%|>=|<=|>|<|!@|@|!=|!|=)?(.*)$", re.DOTALL)


def split(key: str) -> tuple[str, str]:
    """Split a filter key into (operation, field name)."""
    found = _PREFIX.match(key)
    return (found[1] or "=", found[2]) if found else ("=", key)


def found(
    store: Store, kind: str, conditions: Mapping[str, Any], resolve: Resolve, indexed: Container[str]
) -> list[Doc]:
    """Return the documents that a filter can take, by ascending id: those with wanted values of indexed fields.

    All of the kind where the filter names no such field. `build` is still to be asked about each.
    """
    fitting: list[set[int]] = []
    for key, value in conditions.items() if _logic(conditions) != "OR" else ():
        operation, name = split(str(key))
        known = resolve(name) if name in indexed else None
        if known is not None and operation in {"=", "@"}:
            fitting.append(store.having(kind, name, known[0], map(known[1], _values(value))))
    return store.all(kind, set.intersection(*fitting) if fitting else None)


def matching(
    store: Store,
    kind: str,
    conditions: Mapping[str, Any],
    resolve: Resolve,
    indexed: Container[str] = (),
    *,
    strict: bool = True,
) -> list[Doc]:
    """Return the documents of a kind that a filter takes, by ascending id. Refuses as `build` does."""
    test = build(conditions, resolve, strict=strict)
    return [doc for doc in found(store, kind, conditions, resolve, indexed) if test(doc)]


def build(conditions: Any, resolve: Resolve, *, strict: bool = True) -> Test:
    """Turn a filter into a test. Unknown fields: refused with INVALID_ARG_VALUE if strict, else ignored."""
    entries = conditions if isinstance(conditions, dict) else dict(enumerate(conditions or []))
    tests = [_one(str(key), value, resolve, strict) for key, value in entries.items() if str(key).lower() != "logic"]
    kept = [test for test in tests if test is not None]
    if _logic(entries) == "OR" and kept:
        return lambda doc: any(test(doc) for test in kept)
    return lambda doc: all(test(doc) for test in kept)


def _one(key: str, value: Any, resolve: Resolve, strict: bool) -> Test | None:
    if key.isdigit() and isinstance(value, (dict, list)):
        return build(value, resolve, strict=strict)
    operation, name = split(key)
    known = resolve(name)
    if known is None:
        if strict:
            raise argument(f"Invalid filter: field '{name}' is not allowed in filter")
        return None
    get, cast = known
    try:
        wanted = [item if "%" in operation else cast(item) for item in _values(value)]
    except (ValueError, TypeError) as error:
        raise argument(f"Invalid filter: field '{name}' has invalid value") from error
    if operation in _AMONG:
        among, sought = frozenset(map(alike, wanted)), _AMONG[operation]
        return lambda doc: _is_among(get(doc), among) is sought
    return lambda doc: _match(operation, get(doc), wanted)


def _logic(conditions: Mapping[Any, Any]) -> str:
    return str(conditions.get("logic", conditions.get("LOGIC", "AND"))).upper()


def _values(value: Any) -> list[Any]:
    return as_list(value) if isinstance(value, (list, dict)) else [value]


def _is_among(have: Any, among: frozenset[Any]) -> bool:
    return not among.isdisjoint(values_of(have))


def _match(operation: str, have: Any, wanted: list[Any]) -> bool:
    if operation.startswith("!"):
        return not _match(operation[1:], have, wanted)
    values = (have or [None]) if isinstance(have, list) else [have]
    if operation == "%":
        return any(_text(item) in _text(value) for value in values for item in wanted)
    if operation in {"=%", "%="}:
        return any(_like(str(item), _text(value)) for value in values for item in wanted)
    return any(_compare(operation, value, wanted[0] if wanted else None) for value in values)


def _text(value: Any) -> str:
    return "" if value is None else str(value).casefold()


def _like(pattern: str, text: str) -> bool:
    parts = "".join(".*" if char == "%" else "." if char == "_" else re.escape(char) for char in pattern.casefold())
    return re.fullmatch(parts, text, re.DOTALL) is not None


def _compare(operation: str, value: Any, wanted: Any) -> bool:
    if value is None or wanted is None or isinstance(value, str) != isinstance(wanted, str):
        return False
    if operation == ">":
        return bool(value > wanted)
    if operation == ">=":
        return bool(value >= wanted)
    if operation == "<":
        return bool(value < wanted)
    return bool(value <= wanted)


def sort(rows: list[dict[str, Any]], order: Mapping[str, Any], resolve: Resolve) -> list[dict[str, Any]]:
    """Sort by an order map; refuses unknown fields and directions with INVALID_ARG_VALUE."""
    ordered = list(rows)
    for name, direction in reversed(list(order.items())):
        known = resolve(name)
        if known is None:
            raise argument(f"Invalid order: field '{name}' is not allowed in order")
        if str(direction).upper() not in {"ASC", "DESC"}:
            raise argument(
                f"Invalid order: allowed sort directions are ASC, DESC. But got '{direction}' for field '{name}'"
            )
        get = known[0]
        ordered.sort(key=lambda doc: _key(get(doc)), reverse=str(direction).upper() == "DESC")
    return ordered


def _key(value: Any) -> tuple[int, Any]:
    first = value[0] if isinstance(value, list) and value else value
    if first is None or isinstance(first, list):
        return (0, 0)
    return (2, first.casefold()) if isinstance(first, str) else (1, first)


def plain(names: Mapping[str, Cast]) -> Resolve:
    """Allow these fields, read from the document under their own names."""

    def resolve(name: str) -> tuple[Getter, Cast] | None:
        cast = names.get(name)
        if cast is None:
            return None
        return (lambda doc: doc.get(name)), lambda value: None if value in (None, "") else cast(value)

    return resolve
