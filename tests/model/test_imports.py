"""Rule: imports go one way, so that rules know nothing of engine, portal or files, and nothing knows `app`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EDGES = {"orders", "diagram", "engine", "ledger", "attachments"}
ALLOWED: dict[str, set[str]] = {
    "orders": set(),
    "attachments": set(),
    "ledger": set(),
    "diagram": {"orders"},
    "engine": {"orders"},
    "workers": EDGES,
    "bitrix_sync": EDGES,
    "reports": EDGES,
    "app": EDGES | {"workers", "bitrix_sync", "reports"},
}


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports; relative ones made absolute."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            start = ".".join(part for part in (base, node.module or "") if part)
            yield start
            yield from (f"{start}.{alias.name}" for alias in node.names)


def ours(path: Path) -> Iterator[str]:
    """Yield the dotted names of ours that a module imports."""
    return (name for name in imported(path) if name.split(".")[0] in ALLOWED)


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_packages(package: str) -> None:
    """A package imports only those below it."""
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / package).rglob("*.py")
        for name in ours(path)
        if name.split(".")[0] not in ALLOWED[package] | {package}
    }
    assert not found


def test_handlers_see_rules_and_registry_only() -> None:
    """A handler gets a value and asks the world through Protocols, so it imports neither engine nor portal."""
    allowed = ("orders", "workers.registry", "workers.task", "workers.handlers")
    found = {
        f"{path.name}: {name}"
        for path in (ROOT / "workers" / "handlers").rglob("*.py")
        for name in ours(path)
        if name != "workers" and not name.startswith(allowed)
    }
    assert not found


def test_sandbox_stands_alone() -> None:
    """The local portal shares no code with what it is a counterpart of."""
    found = {
        f"{path.name}: {name}"
        for path in (ROOT / "bitrix_sync" / "sandbox").rglob("*.py")
        for name in ours(path)
        if name != "bitrix_sync" and not name.startswith("bitrix_sync.sandbox")
    }
    assert not found


def test_every_package_has_a_rule() -> None:
    """A new package cannot slip past this test."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - {"tests"} == set(ALLOWED)
