"""Rule: our pages in Cockpit only read: one place talks to the server, and what it sends changes nothing."""

from __future__ import annotations

import re
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / (
    "server/src/main/resources/META-INF/resources/webjars/operaton/app/cockpit/scripts/orders"
)
TEXTS = {file.name: file.read_text(encoding="utf-8") for file in sorted(SCRIPTS.glob("*.js"))}


def test_one_place_talks_to_the_server() -> None:
    ways = re.compile(r"\bfetch\(|XMLHttpRequest|sendBeacon|WebSocket|EventSource|\.submit\(|\baction\s*:")
    assert {name for name, text in TEXTS.items() if ways.search(text)} == {"rest.js"}
    assert len(ways.findall(TEXTS["rest.js"])) == 1


def test_it_reads_and_searches_history_only() -> None:
    assert re.findall(r"method:\s*'(\w+)'", "\n".join(TEXTS.values())) == ["POST"], "the search, and nothing else"
    calls = [call for text in TEXTS.values() for call in re.findall(r"\brest\.(\w+)\((.{12})", text)]
    assert {name for name, _ in calls} <= {"get", "all", "search", "href", "people"}
    searched = [start for name, start in calls if name == "search"]
    assert searched
    assert all(start.startswith("'/history/") for start in searched), searched
