"""A database file is written anew at a start when it has grown, and only then: what orders fill stays as it is."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from shop import server_jar

from engine.java import find_java

pytestmark = pytest.mark.engine

MIB = 1 << 20
USER, PASSWORD = "orders", "a-password"
FILL = "create table {0} as select x, secure_rand(1000000) as body from system_range(1, 72)"  # does not compress
HOLLOW = (FILL.format("kept"), FILL.format("gone"), "drop table gone", "shutdown immediately")


@pytest.fixture(scope="module")
def h2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database's own jar, out of the server's."""
    with zipfile.ZipFile(server_jar()) as jar:
        (name,) = [n for n in jar.namelist() if n.startswith("BOOT-INF/lib/h2-")]
        return Path(jar.extract(name, tmp_path_factory.mktemp("h2")))


class Database:
    """An H2 file, filled by H2's own shell and opened by the server's start."""

    def __init__(self, folder: Path, h2: Path) -> None:
        self.file, self.note = folder / "engine.mv.db", folder / "engine.compacted"
        self._h2, self._url = h2, f"jdbc:h2:file:{folder / 'engine'};WRITE_DELAY=0"

    def run(self, *statements: str) -> None:
        login = ("-url", self._url, "-user", USER, "-password", PASSWORD)
        shell = [find_java(), "-cp", self._h2, "org.h2.tools.Shell", *login, "-sql", "; ".join(statements)]
        done = subprocess.run(shell, capture_output=True, text=True, timeout=300, check=False)
        assert self.file.exists(), done.stdout + done.stderr

    def start_server(self) -> None:
        """Let the server begin to start: it ends for want of its settings, after the file was looked at."""
        environment = {
            "PATH": os.environ["PATH"],
            "SPRING_DATASOURCE_URL": self._url,
            "SPRING_DATASOURCE_USERNAME": USER,
            "SPRING_DATASOURCE_PASSWORD": PASSWORD,
        }
        command = [find_java(), "-jar", server_jar(), "--spring.config.location=classpath:/not-there.yaml"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert ended.returncode == 1 and "not-there.yaml" in ended.stdout + ended.stderr

    def noted(self) -> int | None:
        """Return the size after the last compaction, as the server noted it."""
        return int(self.note.read_text()) if self.note.exists() else None


def test_a_file_is_compacted_when_it_has_grown(tmp_path: Path, h2: Path) -> None:
    database = Database(tmp_path, h2)
    database.run("create table little (x int)")
    database.start_server()
    assert database.noted() is None, "too small to care"
    database.run(*HOLLOW)
    grown = database.file.stat().st_size
    assert grown > 128 * MIB, "what was dropped is still in the file"
    database.start_server()
    small = database.file.stat().st_size
    assert 64 * MIB < small < 0.7 * grown
    assert database.noted() == small
    before = database.file.stat().st_mtime_ns
    database.start_server()
    assert database.file.stat().st_mtime_ns == before, "large, but full of orders: left alone"
    database.note.write_text(str(small // 3))  # as if it had grown to three times the size since
    database.start_server()
    assert database.noted() == database.file.stat().st_size > small // 2
