"""A copy of the sources that git knows or would add, with an interpreter of its own: nothing of the original changes.

The installed project is an editable one: any interpreter of `.venv` would import the original. The copy's `.venv`
holds one path file instead: first the copy, then the original's packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mutants.mutant import GuardError, Mutant

JAR_VARIABLE = "ORDER_ROUTE_SERVER_JAR"
JAR = Path("server/target/order-route-server.jar")
BUILD_SECONDS = 500
OURS = ("app", "attachments", "bitrix_sync", "diagram", "engine", "ledger", "orders", "workers")


class Copy:
    """The sources under `root`, copied from `source`; `jar` is the server that the tests start."""

    def __init__(self, source: Path, root: Path) -> None:
        self.source, self.root = source, root
        self.python = root / ".venv" / "bin" / "python"
        self.jar = Path(os.environ.get(JAR_VARIABLE, source / JAR))
        self._copy_sources()
        self._make_interpreter()
        self._check_imports()

    def environment(self) -> dict[str, str]:
        """Return the environment of a test run: ours without anything that leads back to the original."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ORDER_ROUTE_"))}
        kept.pop("PYTHONPATH", None)
        return kept | {JAR_VARIABLE: str(self.jar)}

    @contextmanager
    def without(self, mutant: Mutant) -> Iterator[None]:
        """Take the mutant's mechanism away for a while; a server is built anew."""
        path, jar = self.root / mutant.file, self.jar
        before = path.read_text(encoding="utf-8")
        self._write(path, mutant.applied_to(before))
        try:
            if mutant.java:
                self.jar = self._build(mutant)
            yield
        finally:
            self._write(path, before)
            self.jar = jar

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
            compiled.unlink()  # a file of the same size written within the same second would pass for the old one

    def _copy_sources(self) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.source,
            capture_output=True,
            check=False,
        )
        if listed.returncode:
            raise GuardError(f"the mutants need a git working tree: {listed.stderr.decode().strip()}")
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (self.source / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.source / name, self.root / name)

    def _make_interpreter(self) -> None:
        venv.create(self.root / ".venv", symlinks=True, with_pip=False)
        packages = Path(sysconfig.get_path("purelib", vars={"base": str(self.root / ".venv")}))
        (packages / "copy.pth").write_text(f"{self.root}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
        command = self.root / ".venv" / "bin" / "order-route"
        command.write_text(f"#!{self.python}\nfrom app.cli import main\nmain()\n", encoding="utf-8")
        command.chmod(0o755)

    def _check_imports(self) -> None:
        """Make sure that every package of ours comes from the copy, wherever a process starts."""
        code = f"import importlib\nfor n in {OURS!r}: print(importlib.import_module(n).__file__)"
        asked = subprocess.run(
            [self.python, "-c", code], cwd="/", env=self.environment(), capture_output=True, text=True, check=False
        )
        found = asked.stdout.split()
        if len(found) != len(OURS) or not all(Path(each).is_relative_to(self.root) for each in found):
            raise GuardError(f"the copy is not what is imported: {found or asked.stderr}")

    def _build(self, mutant: Mutant) -> Path:
        argv = ["mvn", "-q", "-B", "-o", "-f", "server/pom.xml", "-DskipTests", "package"]
        built = subprocess.run(argv, cwd=self.root, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
        if built.returncode:
            raise GuardError(f"{mutant.name}: the server is not built: {built.stdout[-2000:]}")
        return self.root / JAR


def source_root() -> Path:
    """Return the project's folder."""
    return Path(__file__).resolve().parents[2]
