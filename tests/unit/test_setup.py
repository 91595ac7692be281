"""First passwords go to a file that only its owner reads, or the person is told why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.errors import CommandError
from app.setup import keep_logins

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
