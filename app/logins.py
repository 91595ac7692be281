"""Passwords of persons as files: first ones that were made, and those that somebody gives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from app.errors import CommandError
from orders.persons import Staff


def keep_logins(file: Path, passwords: Mapping[str, SecretStr]) -> None:
    """Append first passwords to a file that only its owner reads. Raises CommandError where it cannot be written."""
    if not passwords:
        return
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.writelines(f"{person} {password.get_secret_value()}\n" for person, password in passwords.items())
    except OSError as error:
        raise CommandError(f"Пароли не записаны в {file} ({error.strerror}): укажите другой файл в --logins") from error


def read_passwords(file: Path, staff: Staff) -> dict[str, SecretStr]:
    """Read lines `person password`, as `setup --logins` writes them; empty ones and those with # are left out.

    Raises CommandError with all problems and never a password; a file that others may read is one.
    """
    try:
        text, mode = file.read_text(encoding="utf-8-sig"), file.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            f"Файл паролей {file} не прочитан: {getattr(error, 'strerror', None) or 'не UTF-8'}"
        ) from error
    problems = ["его читают и другие: chmod 600"] if mode & 0o077 else []
    found: dict[str, SecretStr] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        person, _, password = line.strip().partition(" ")
        if staff.find(person) is None:
            problems.append(f"строка {number}: такого сотрудника нет в файле сотрудников")
        elif not password.strip():
            problems.append(f"строка {number}: нет пароля")
        elif person in found:
            problems.append(f"строка {number}: сотрудник {person} назван дважды")
        found[person] = SecretStr(password.strip())
    if problems:
        raise CommandError(f"Файл паролей {file}:\n" + "\n".join(f"— {p}" for p in problems), 2)
    return found
