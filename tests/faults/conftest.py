"""What a fault test tells at the end of a run: counts, seeds and the load under which they were seen."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

_TOLD = "figures"
_LONGEST = "test_fault_kills.py"  # of all files in `make soak`: whoever begins with it is not waited for at the end


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest file begin first."""
    items.sort(key=lambda item: item.path.name != _LONGEST)


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Return a function that notes a line for the summary, with the load average of this moment."""

    def note(text: str) -> None:
        record_property(_TOLD, f"{text}; load average {', '.join(f'{value:.1f}' for value in os.getloadavg())}")

    return note


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what was told, whether the tests passed or not."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, ()) if r.when == "call"]
    lines = [f"{r.nodeid}: {text}" for r in reports for name, text in r.user_properties if name == _TOLD]
    if lines:
        terminalreporter.section("faults, figures")
        for line in lines:
            terminalreporter.line(line)
