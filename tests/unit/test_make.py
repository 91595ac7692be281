"""Rule: a program that is missing on a fresh machine is said in one sentence that names the package."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("bash", "sh", "make", "find")


@pytest.mark.parametrize(("missing", "package"), [("java", "openjdk-17-jdk-headless"), ("mvn", "maven")])
def test_a_missing_program_is_named_with_its_package(tmp_path: Path, missing: str, package: str) -> None:
    for tool in TOOLS:
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    for stand_in in {"java", "javac", "mvn"} - {missing}:
        (tmp_path / stand_in).write_text("#!/bin/sh\nexit 1\n")  # a build that goes on all the same ends here
        (tmp_path / stand_in).chmod(0o755)
    made = subprocess.run(
        [tmp_path / "make", "-s", "-W", "server/pom.xml", "-o", "diagram/node_modules/.ready", "server"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert made.returncode == 2
    assert made.stdout.splitlines()[0].endswith(f": apt-get install {package}"), made.stdout
    assert "Собирается" not in made.stdout
