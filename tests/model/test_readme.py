"""README says what the code does: every command, setting and topic stands in its tables, and nothing else does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from rights_table import KINDS, READS, STAGES, WRITES
from typer.main import get_command

from app.cli import cli
from app.paths import ROOT
from app.settings import Settings
from orders.persons import GROUPS
from workers.handlers import registry

README = (ROOT / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def commands() -> dict[str, typer.core.TyperCommand]:
    """Return every command that is registered, groups spelled out."""
    found = {}
    for name, command in get_command(cli).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found |= {f"{name} {n}": c for n, c in inner.items()} if inner else {name: command}
    return found


def test_commands() -> None:
    documented = {re.match(r"`([a-z ]+?)(?: [\[A-Z<-].*)?`", row[0])[1] for row in table("Commands")}  # type: ignore[index]
    assert documented == set(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_help_has_an_example(name: str) -> None:
    assert f"order-route {name}" in (commands()[name].help or "")


def test_settings() -> None:
    documented = {row[0].strip("`").lower(): row[1].strip("`") for row in table("Settings")}
    assert set(documented) == set(Settings.model_fields)
    for name, info in Settings.model_fields.items():
        assert documented[name] == ("" if info.default is None else str(info.default)), name


def test_topics() -> None:
    assert {row[0].strip("`") for row in table("Service steps")} == registry().topics


def test_the_rights_matrix_is_as_large_as_said() -> None:
    said = f"{len(STAGES)} steps × {len(GROUPS) + 1} accounts, {len(READS) + len(WRITES)} routes × {len(KINDS)} kinds"
    assert said in README  # the departments, and the initiator


def test_length_and_pictures() -> None:
    assert len(README.splitlines()) <= 250
    for picture in re.findall(r"!\[[^]]*]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file(), picture


def test_folders() -> None:
    for row in table("How it works"):
        assert Path(ROOT / row[0].strip("`")).is_dir(), row[0]
