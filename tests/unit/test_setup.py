"""Passwords go through files that only their owner reads, or the person is told why not; no message holds one."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.errors import CommandError
from app.logins import keep_logins, read_passwords
from orders.persons import Person, Staff

PASSWORDS = {"ivanov": SecretStr("one"), "sokolova": SecretStr("two")}


def test_first_passwords_are_kept_privately_and_none_is_lost_by_a_repeat(tmp_path: Path) -> None:
    file = tmp_path / "first.txt"
    keep_logins(file, PASSWORDS)
    keep_logins(file, {})
    keep_logins(file, {"new": SecretStr("three")})
    assert file.read_text().splitlines() == ["ivanov one", "sokolova two", "new three"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_named_without_the_passwords(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--logins") as error:
        keep_logins(tmp_path / "none" / "first.txt", PASSWORDS)
    assert "one" not in str(error.value).replace("none", "")


def staff() -> Staff:
    return Staff((Person("ivanov", "Иванов"), Person("sokolova", "Соколова")))


def test_given_passwords_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "first.txt"
    keep_logins(file, PASSWORDS)
    assert read_passwords(file, staff()) == PASSWORDS
    file.write_text("# пароли\n\nivanov  с пробелом внутри \n", encoding="utf-8")
    assert read_passwords(file, staff()) == {"ivanov": SecretStr("с пробелом внутри")}


def test_a_wrong_password_file_is_refused_with_every_problem_and_no_password(tmp_path: Path) -> None:
    file = tmp_path / "given.txt"
    file.write_text("ivanov secret1\nnobody secret2\nsokolova\nivanov secret3\n", encoding="utf-8")
    file.chmod(0o644)
    with pytest.raises(CommandError) as refused:
        read_passwords(file, staff())
    said = str(refused.value)
    for part in ("chmod 600", "строка 2: такого сотрудника нет", "строка 3: нет пароля", "строка 4: сотрудник ivanov"):
        assert part in said
    assert "secret" not in said
    with pytest.raises(CommandError, match="не прочитан"):
        read_passwords(tmp_path / "none.txt", staff())
