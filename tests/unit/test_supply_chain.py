"""What is installed is fixed to the byte or the version, and only under licences that we may use.

No network: the files of the repository are read. `make audit` asks the registries.
"""

from __future__ import annotations

import importlib.util
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
EXACT = re.compile(r"\d+(\.\d+)*([.-][A-Za-z0-9]+)*")


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "deploy" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_python_package_is_fixed_by_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = [e for e in re.split(r"\n(?=\S)", text.strip()) if not e.startswith("#")]
    assert len(entries) > 50
    wrong = [e for e in entries if not re.match(r"[A-Za-z0-9_.-]+==\S+( ; .+)? \\\n    --hash=sha256:[0-9a-f]{64}", e)]
    assert wrong == [], "no index lines, no addresses, no loose versions"
    assert len(re.findall("--hash=sha256:[0-9a-f]{64}", text)) >= len(entries)


def test_every_maven_version_is_one_version() -> None:
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    pom = ET.parse(ROOT / "server" / "pom.xml").getroot()
    versions = [str(v.text) for v in pom.iterfind(".//m:version", space)]
    properties = {p.tag.partition("}")[2]: str(p.text) for p in pom.iterfind("./m:properties/*", space)}
    shown = [re.sub(r"\$\{(.+?)\}", lambda m: properties[m[1]], v) for v in versions]
    assert len(shown) >= 4
    assert [v for v in shown if not EXACT.fullmatch(v) or "SNAPSHOT" in v] == [], "no ranges, no LATEST, no snapshots"


def test_every_npm_version_is_one_version_with_a_hash() -> None:
    package = json.loads((ROOT / "diagram" / "package.json").read_text(encoding="utf-8"))
    wanted = {**package.get("dependencies", {}), **package.get("devDependencies", {})}
    assert wanted
    assert [v for v in wanted.values() if not EXACT.fullmatch(v)] == []
    parts = json.loads((ROOT / "diagram" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert [name for name, part in parts.items() if name and not part.get("integrity")] == []
    assert [name for name, part in parts.items() if "resolved" in part] == [], "no registry's address"


def test_all_installed_python_licences_may_be_used(audit: ModuleType) -> None:
    parts = dict(audit.python_licences(audit.locked()))
    assert len(parts) > 50
    refused = {name: told for name, told in parts.items() if not audit.acceptable(told)}
    assert set(refused) <= set(audit.EXCEPTIONS), refused


@pytest.mark.parametrize(
    ("told", "may"),
    [
        (["MIT"], True),
        (["GPL-3.0-only"], False),
        (["AGPL-3.0-or-later"], False),
        (["GNU Lesser General Public License v3 (LGPLv3)"], False),
        (["Apache Software License", "GNU General Public License (GPL)"], True),  # a choice
        (["MIT OR GPL-2.0"], True),
        (["MIT AND GPL-2.0"], False),
        (["(MIT AND Zlib)"], True),
        (["Eclipse Public License - v 1.0", "GNU Lesser General Public License"], True),  # logback
        (["Business Source License 1.1"], False),
        ([], False),
        (["Proprietary"], False),
    ],
)
def test_how_a_licence_is_judged(audit: ModuleType, told: list[str], may: bool) -> None:
    assert audit.acceptable(told) is may


def test_java_licences_are_read_from_the_list_of_parts(audit: ModuleType) -> None:
    bom = {
        "components": [
            {"group": "a", "name": "x", "version": "1", "licenses": [{"license": {"id": "Apache-2.0"}}]},
            {"group": "b", "name": "y", "version": "2", "licenses": [{"license": {"name": "GNU AGPL v3"}}]},
            {"group": "c", "name": "z", "version": "3"},
        ]
    }
    assert len(audit.judge(audit.java_licences(bom), "Java")) == 2
