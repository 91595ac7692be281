"""The image's lock file holds what runs and nothing else, in the versions and hashes that the tests run with."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def locked(name: str) -> dict[str, str]:
    """Return each package's whole entry by its name."""
    entries = re.split(r"(?m)^(?=[a-z])", (ROOT / name).read_text(encoding="utf-8"))
    return {entry.split("==")[0]: entry.strip() for entry in entries if entry.strip()}


def wanted(part: list[str]) -> set[str]:
    return {re.split(r"[=<>]", line)[0].lower() for line in part}


def test_the_image_runs_with_what_the_tests_ran_with() -> None:
    image, tests = locked("requirements-image.lock"), locked("requirements.lock")
    assert {name: entry for name, entry in image.items() if tests.get(name) != entry} == {}


def test_the_image_holds_what_runs_and_no_test_tools() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    image = set(locked("requirements-image.lock"))
    runs, tools = wanted(project["dependencies"]), wanted(project["optional-dependencies"]["dev"])
    assert runs - image == set()
    assert (tools - runs) & image == set()
