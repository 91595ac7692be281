"""The unit files run the programs that exist, without rights they do not need, and systemd understands them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from app.cli import cli

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
DEMANDED = {
    *("NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "PrivateDevices=yes"),
    *("CapabilityBoundingSet=", "SystemCallFilter=@system-service", "RestrictNamespaces=yes", "UMask=0077"),
    *("User=order-route", "Restart=always"),
}


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_a_unit_is_hardened_and_limited(unit: Path) -> None:
    lines = set(unit.read_text(encoding="utf-8").splitlines())
    assert lines >= DEMANDED
    assert any(line.startswith("MemoryMax=") for line in lines)
    assert any(line.startswith("TasksMax=") for line in lines)
    assert not [line for line in lines if re.search(r"(?i)^Environment=.*(password|secret|webhook)", line)]


def test_units_start_commands_that_exist() -> None:
    assert {u.stem for u in UNITS} == {"order-route-engine", "order-route-worker", "order-route-web"}
    started = {
        m[1] for u in UNITS for m in re.finditer(r"^ExecStart=\S*/order-route (\S+)", u.read_text(), re.MULTILINE)
    }
    assert started == {"worker", "web"}
    assert started <= set(getattr(get_command(cli), "commands", {}))


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_systemd_understands_every_line(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        assert "[Service]" in unit.read_text(encoding="utf-8")
        return  # nobody to ask: the lines above are checked all the same
    text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(encoding="utf-8"))
    text = re.sub(r"(?m)^(EnvironmentFile|Documentation|WorkingDirectory)=.*\n", "", text)
    copy = tmp_path / unit.name
    copy.write_text(text, encoding="utf-8")
    said = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60)
    wrong = [line for line in said.stderr.splitlines() if unit.name in line and "Unit " not in line]
    assert wrong == []
