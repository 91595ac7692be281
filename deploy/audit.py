"""Supply chain: known vulnerabilities, licences and the lists of parts (SBOM), by `make audit`.

The tools live in an environment of their own below build/, which git ignores; the product does not depend on them.
Needs the registries and, for vulnerabilities, their advisory source: what cannot be asked is said in one sentence and
counts as not passed.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "audit"
LOCK = ROOT / "requirements.lock"
TOOLS = ("pip-audit==2.10.1", "cyclonedx-bom==7.5.0")
MAVEN_PLUGIN = "org.cyclonedx:cyclonedx-maven-plugin:2.9.1:makeBom"
_SECONDS = 1800

# Permissive, and two whose copyleft ends at their own files or library (MPL, EPL): used as they are, never changed.
ALLOWED = (
    *("MIT", "MIT-0", "MIT-CMU", "BSD", "0BSD", "APACHE", "ISC", "PSF", "PYTHON SOFTWARE", "ZLIB", "CC0", "UNLICENSE"),
    *("PUBLIC DOMAIN", "ZPL", "ZOPE", "HPND", "BOUNCY CASTLE", "GO LICENSE", "UPL", "UNIVERSAL PERMISSIVE"),
    *("MPL", "MOZILLA", "EPL", "ECLIPSE", "EDL", "UNICODE"),
)
REFUSED = re.compile(r"\b(A?GPL|LGPL|GNU|SSPL|BUSL|COMMONS CLAUSE|CDDL)", re.IGNORECASE)
EXCEPTIONS: Mapping[str, str] = {
    "pi-heif": "BSD-3-Clause; the wheel carries libheif and libde265 as shared libraries under LGPL-3.0, decoding only",
}


def allowed(licence: str) -> bool:
    """Tell whether one licence, by whatever name, is one of those we take."""
    return REFUSED.search(licence) is None and any(name in licence.upper() for name in ALLOWED)


def acceptable(choices: Iterable[str]) -> bool:
    """Tell whether a part may be used: of several licences it offers we may choose one («A OR B», or a list).

    «A AND B» needs both.
    """
    return any(
        all(allowed(needed) for needed in re.split(r"\s+AND\s+", choice.strip("() ")))
        for text in choices
        for choice in re.split(r"\s+OR\s+", text)
    )


def python_licences(names: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Return what each installed distribution of the lock says of its licence."""
    for name in names:
        try:
            about = importlib.metadata.distribution(name).metadata
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform or Python
        told = [str(about.get("License-Expression") or "")]
        told += [
            str(c).rpartition("::")[2].strip() for c in about.get_all("Classifier") or [] if "License ::" in str(c)
        ]
        if not any(told):
            told = [str(about.get("License") or "").partition("\n")[0]]
        yield name, [each for each in told if each]


def java_licences(bom: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Return what each component of a CycloneDX list says of its licence."""
    for part in bom.get("components", []):
        entries = part.get("licenses", [])
        told = [entry.get("expression") or _name(entry.get("license", {})) for entry in entries]
        yield f"{part.get('group', '')}:{part['name']}:{part.get('version', '')}", [each for each in told if each]


def _name(licence: Mapping[str, str]) -> str:
    return licence.get("id") or licence.get("name") or licence.get("url") or ""


def locked() -> list[str]:
    """Return the names in the lock file."""
    return re.findall(r"^([A-Za-z0-9_.-]+)==", LOCK.read_text(encoding="utf-8"), re.MULTILINE)


def judge(parts: Iterable[tuple[str, list[str]]], kind: str) -> list[str]:
    """Return one sentence per part that we may not use."""
    found, count = [], 0
    for name, told in parts:
        count += 1
        if not acceptable(told) and name not in EXCEPTIONS:
            found.append(f"{kind}: {name}: лицензия {' / '.join(told) or 'не названа'} не разрешена")
    say(f"{kind}: лицензий проверено {count}, не разрешено {len(found)}")
    return found


def say(text: str) -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool in the project's folder."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS, check=False)


def tools() -> Path:
    """Return the folder of the audit tools' programs, installing them where they are missing."""
    folder = OUT / "venv"
    programs = folder / "bin"
    if not (programs / "cyclonedx-py").exists():
        venv.create(folder, with_pip=True, clear=True)
        done = run(programs / "pip", "install", "--quiet", "--disable-pip-version-check", *TOOLS)
        if done.returncode:
            raise SystemExit("Средства проверки не установились: нужен доступ к реестру пакетов Python")
    return programs


def vulnerabilities(programs: Path) -> list[str]:
    """Ask the advisory source about every locked version."""
    report = OUT / "pip-audit.json"
    options = ("--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json", f"--output={report}")
    done = run(programs / "pip-audit", f"--requirement={LOCK}", *options)
    if not report.exists() or not report.stat().st_size:
        last = (done.stderr.strip().splitlines() or [""])[-1][:200]
        return [f"Уязвимости не проверены: источник сведений не отвечает, нужен выход в интернет ({last})"]
    found = [
        f"{part['name']} {part['version']}: {bug['id']}, исправлено в {', '.join(bug['fix_versions']) or '—'}"
        for part in json.loads(report.read_text(encoding="utf-8"))["dependencies"]
        for bug in part.get("vulns", [])
    ]
    say(f"Python: известных уязвимостей {len(found)}")
    return found


def boms(programs: Path) -> list[str]:
    """Write both lists of parts."""
    found = []
    done = run(programs / "cyclonedx-py", "environment", sys.executable, "--output-file", OUT / "sbom-python.json")
    if done.returncode:
        found.append("Список частей Python не составлен: " + (done.stderr.strip().splitlines() or [""])[-1][:200])
    maven = ("mvn", "-q", "-B", "-f", "server/pom.xml", MAVEN_PLUGIN, "-DoutputFormat=json")
    done = run(*maven, f"-DoutputDirectory={OUT}", "-DoutputName=sbom-java")
    if done.returncode:
        found.append("Список частей Java не составлен: нужен доступ к Maven Central")
    return found


def main() -> int:
    """Check everything and return 0 only when all of it passed."""
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("*.json"):
        old.unlink()
    programs = tools()
    found = [*vulnerabilities(programs), *boms(programs), *judge(python_licences(locked()), "Python")]
    java = OUT / "sbom-java.json"
    if java.exists():
        found += judge(java_licences(json.loads(java.read_text(encoding="utf-8"))), "Java")
    for line in found:
        say(line)
    for name, why in EXCEPTIONS.items():
        say(f"Исключение: {name}: {why}")
    say(f"Отчёты и списки частей: {OUT.relative_to(ROOT)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
