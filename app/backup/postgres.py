"""The engine's database in PostgreSQL: saved and restored by its own programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import SecretStr

from app.errors import CommandError
from ledger.tables import SCHEMA

_SECONDS = 4 * 3600.0
_SETTING = "ORDER_ROUTE_ENGINE_DATABASE_URL"


class Postgres:
    """One database, called by the programs of the package postgresql-client; the password travels in no argument."""

    def __init__(self, url: SecretStr | None) -> None:
        if url is None:
            raise CommandError(
                f"База движка в PostgreSQL: задайте {_SETTING}, вид postgresql://user:password@host/database", 2
            )
        parts = urlsplit(url.get_secret_value())
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
        who = f"{parts.username}@" if parts.username else ""
        self._url = urlunsplit(("postgresql", who + host, parts.path, "", ""))
        self._environment: Mapping[str, str] = {**os.environ, "PGPASSWORD": unquote(parts.password or "")}

    def dump(self, out: Path) -> None:
        """Write the engine's tables to a file, as of one moment; the ledger's schema is saved apart."""
        self._run(
            *("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--exclude-schema={SCHEMA}"),
            *(f"--file={out}", f"--dbname={self._url}"),
        )

    def is_empty(self) -> bool:
        """Tell whether no engine has made its tables here."""
        return self._ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == "0"

    def busy(self) -> bool:
        """Tell whether other programs are connected to this database."""
        others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        return self._ask(f"SELECT count(*) FROM pg_stat_activity WHERE {others}") != "0"  # noqa: S608 - a constant

    def put_aside(self) -> str:
        """Rename what is there and return the new name of its schema; nothing is deleted."""
        aside = f"before_{datetime.now(UTC):%Y%m%d_%H%M%S}"
        self._ask(f'ALTER SCHEMA public RENAME TO "{aside}"; CREATE SCHEMA public')
        return aside

    def restore(self, dump: Path) -> None:
        """Fill the empty database from a file: all of it or nothing."""
        self._run(
            *("pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"),
            *("--schema=public", f"--dbname={self._url}", str(dump)),
        )

    def go_on_after(self, year: int, number: int) -> None:
        """Never give out this order number of the year, nor a lower one."""
        self._ask(
            f"INSERT INTO order_route_number (year_, last_) VALUES ({year:d}, {number:d}) ON CONFLICT (year_) "  # noqa: S608
            "DO UPDATE SET last_ = greatest(order_route_number.last_, excluded.last_)"
        )

    def _ask(self, statement: str) -> str:
        options = ("--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")
        return self._run("psql", *options, f"--dbname={self._url}", f"--command={statement}").strip()

    def _run(self, program: str, *arguments: str) -> str:
        if shutil.which(program) is None:
            raise CommandError(f"Нет программы {program}: установите пакет postgresql-client")
        done = subprocess.run(
            [program, *arguments], env=self._environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["без объяснения"])[0]
            raise CommandError(f"{program} не справился: {said}")
        return done.stdout
