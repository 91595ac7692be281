"""An engine's database in PostgreSQL is saved and put back whole by PostgreSQL's own programs; the old one stays aside.

Real server and programs. The tables stand for the engine's: what matters is which schema goes where.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from postgres import Postgres as Server
from pydantic import SecretStr

from app.backup.postgres import Postgres
from app.errors import CommandError
from ledger import Ledger

NAME = "backup_test"


@pytest.fixture
def base(postgres: Server) -> Postgres:
    postgres.make(NAME)
    postgres.run(
        "CREATE TABLE act_hi_procinst (id_ text PRIMARY KEY, business_key_ text)",
        "INSERT INTO act_hi_procinst VALUES ('1', 'ORD-2026-00001'), ('2', 'ООО «Ёлка»')",
        "CREATE TABLE order_route_number (year_ integer PRIMARY KEY, last_ integer NOT NULL)",
        "INSERT INTO order_route_number VALUES (2026, 7)",
        database=NAME,
    )
    ledger = Ledger(postgres.url(NAME))  # its schema lives in the same database and is saved apart
    ledger.done("A:card", "29")
    ledger.close()
    return Postgres(SecretStr(postgres.url(NAME)))


def test_a_database_comes_back_and_the_newer_one_stays_aside(base: Postgres, postgres: Server, tmp_path: Path) -> None:
    base.dump(tmp_path / "dump")
    postgres.run("DELETE FROM act_hi_procinst", "CREATE TABLE newer (id_ text)", database=NAME)
    assert not base.is_empty()
    aside = base.put_aside()
    assert base.is_empty()
    base.restore(tmp_path / "dump")
    assert postgres.run("SELECT * FROM act_hi_procinst ORDER BY id_", database=NAME) == [
        ("1", "ORD-2026-00001"),
        ("2", "ООО «Ёлка»"),
    ]
    assert postgres.run(f"SELECT count(*) FROM {aside}.newer", database=NAME) == [(0,)]
    ledger = Ledger(postgres.url(NAME))
    assert ledger.effect("A:card").remote_id == "29", "the ledger's schema is not touched"
    ledger.close()
    base.go_on_after(2026, 5)
    base.go_on_after(2027, 3)
    numbers = postgres.run("SELECT * FROM order_route_number ORDER BY year_", database=NAME)
    assert numbers == [(2026, 7), (2027, 3)], "never backwards"


def test_a_used_database_is_seen(base: Postgres, postgres: Server) -> None:
    assert not base.busy()
    ledger = Ledger(postgres.url(NAME))
    ledger.now()
    assert base.busy()
    ledger.close()


def test_a_failure_is_one_sentence_without_the_password(base: Postgres, postgres: Server, tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"not a dump")
    wrong = Postgres(SecretStr(postgres.url("no_such_base")))
    for act in (lambda: base.restore(tmp_path / "broken"), lambda: wrong.dump(tmp_path / "x"), lambda: Postgres(None)):
        with pytest.raises(CommandError) as refused:
            act()
        assert "\n" not in str(refused.value)
        assert "order-route-test" not in str(refused.value)


def test_a_missing_program_names_the_package(base: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="postgresql-client"):
        base.dump(tmp_path / "x")
