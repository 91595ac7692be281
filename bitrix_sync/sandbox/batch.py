"""The batch method: up to fifty calls in one request, each judged alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bitrix_sync.sandbox.envelope import Refusal
from bitrix_sync.sandbox.params import from_query, integer, yes
from bitrix_sync.sandbox.store import Doc

if TYPE_CHECKING:
    from bitrix_sync.sandbox.portal import Portal

LIMIT = 50
_REFERENCE = re.compile(r"\$result((?:\[[^\]]+\])+)")


def later_page(params: Mapping[str, Any]) -> bool:
    """Tell whether a list call asks for a page after the first: by offset or by the last id seen."""
    wanted = params.get("filter")
    keys = wanted if isinstance(wanted, dict) else {}
    seen = [value for key, value in keys.items() if str(key).lower() in {">id", ">=id"}]
    return (integer(params.get("start")) or 0) > 0 or any(integer(value) not in {None, 0} for value in seen)


def run(portal: Portal, params: Mapping[str, Any], owner: Doc, base: str) -> dict[str, Any]:
    """Run the calls of a batch one after the other and return `result` as the portal builds it."""
    commands = params.get("cmd") or {}
    if isinstance(commands, list):
        commands = {str(place): command for place, command in enumerate(commands)}
    if not isinstance(commands, dict):
        raise Refusal("100", "Could not find value for parameter {cmd}")
    parts: dict[str, dict[str, Any]] = {name: {} for name in ("result", "error", "total", "next", "time")}
    for place, (key, command) in enumerate(commands.items()):
        try:
            if place >= LIMIT:
                raise Refusal("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
            answer = _one(portal, str(command), parts["result"], owner, base, str(key))
        except Refusal as refusal:
            parts["error"][key] = refusal.body()
            if yes(params.get("halt", 0)):
                break
            continue
        parts["result"][key] = answer["result"]
        for name in ("total", "next", "time"):
            if name in answer:
                parts[name][key] = answer[name]
    names = {"result": "result", "error": "result_error", "total": "result_total", "next": "result_next"}
    names["time"] = "result_time"
    return {names[name]: _container(part) for name, part in parts.items()}


def _container(part: dict[str, Any]) -> Any:
    """Encode a map as PHP does: empty ones and those with keys 0..n-1 become lists."""
    if all(key == str(place) for place, key in enumerate(part)):
        return list(part.values())
    return part


def _one(portal: Portal, command: str, results: dict[str, Any], owner: Doc, base: str, key: str) -> dict[str, Any]:
    name, _, query = command.partition("?")
    name = name.strip().removesuffix(".json").lstrip("/")
    known = portal.find("profile" if name.lower() == "batch" else name)
    if name.lower() == "batch" or not known.in_batch:
        raise Refusal("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage", 405)
    params = {part: _resolve(value, results) for part, value in from_query(query).items()}
    return portal.run(name, params, owner, base, key=key)


def _resolve(value: Any, results: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _resolve(item, results) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, results) for item in value]
    whole = _REFERENCE.fullmatch(str(value))
    if whole:
        return _look_up(whole[1], results)
    return _REFERENCE.sub(lambda found: str(_look_up(found[1], results)), str(value))


def _look_up(path: str, results: dict[str, Any]) -> Any:
    node: Any = results
    for part in re.findall(r"\[([^\]]+)\]", path):
        if isinstance(node, dict) and part in node:
            node = node[part]
        elif isinstance(node, list) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        else:
            return ""  # without halt a reference to a failed call is just empty
    return node
