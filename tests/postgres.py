"""A real PostgreSQL for tests, where the system has one: a private cluster on a free port, gone after the run.

PostgreSQL refuses to run as root; a root's test run hands the cluster to the account that Debian's package made.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pg8000.dbapi
from ports import free_port

from engine.embedded import EmbeddedEngine

USER, PASSWORD = "order_route", "order-route-test"
_ACCOUNT = "postgres"
_PATIENCE = 120.0


@dataclass(frozen=True)
class Postgres:
    """A running server; its user may make databases."""

    port: int

    def url(self, database: str) -> str:
        """Return a database's address as our settings take it."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def jdbc(self, database: str) -> str:
        """Return a database's address for Java."""
        return f"jdbc:postgresql://127.0.0.1:{self.port}/{database}"

    def make(self, database: str) -> None:
        """Make an empty database; one that is there goes, with whoever is connected to it."""
        self.run(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)', f'CREATE DATABASE "{database}"')

    def run(self, *statements: str, database: str = "postgres", seconds: int = 60) -> list[tuple[object, ...]]:
        """Run statements, each in its own transaction and time; return the rows of the last one."""
        with contextlib.closing(
            pg8000.dbapi.connect(USER, "127.0.0.1", database, self.port, PASSWORD, timeout=seconds)
        ) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []


def engine_on(server: Postgres, database: str) -> type[EmbeddedEngine]:
    """Return the kind of embedded engine that keeps its tables in a database of this server."""

    class PostgresEngine(EmbeddedEngine):
        @property
        def database_url(self) -> str:
            return server.jdbc(database)

        def start(self) -> EmbeddedEngine:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            (self.data_dir / "h2.secret").write_text(PASSWORD)  # where the engine looks for its database's password
            return super().start()

    return PostgresEngine


def binaries() -> Path | None:
    """Return the folder of the newest server programs, or None where none are installed."""
    found = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda folder: float(folder.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@contextlib.contextmanager
def open_postgres(programs: Path, *, fsync: bool = False) -> Iterator[Postgres]:
    """Start a server on a new cluster; stop it and remove everything afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="order-route-postgres-"))
    try:
        (folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            account = pwd.getpwnam(_ACCOUNT)
            for path in (folder, folder / "password"):
                os.chown(path, account.pw_uid, account.pw_gid)
        port = free_port()
        cluster = folder / "cluster"
        secret = f"--pwfile={folder / 'password'}"
        _run(programs / "initdb", "-D", cluster, "-U", USER, secret, "-A", "scram-sha-256", "-E", "UTF8", "--no-sync")
        # Nothing here must outlive a power cut, and a shared disk makes a run several times longer.
        options = f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories="
        options += "" if fsync else " -c fsync=off"
        _run(programs / "pg_ctl", "-D", cluster, "-l", folder / "log", "-w", "-o", options, "start")
        try:
            yield Postgres(port)
        finally:
            _run(programs / "pg_ctl", "-D", cluster, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str | Path) -> None:
    """Run one of PostgreSQL's programs, in a root's run as its own account."""
    other = {"user": _ACCOUNT, "group": _ACCOUNT, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        [str(part) for part in command],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if "initdb" in str(command[0]) else subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_PATIENCE,
        check=False,
        **other,  # type: ignore[call-overload]  # subprocess' overloads do not see through a dictionary
    )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stdout}"
