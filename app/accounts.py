"""Passwords of the technical accounts: from the settings, else generated once and kept in the data folder (0600)."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from app.paths import data_folder
from app.settings import Settings

_ROLES = ("engine", "integration", "deploy", "admin")


@dataclass(frozen=True, slots=True)
class Account:
    """User id and password of one technical account."""

    user: str
    password: SecretStr


@dataclass(frozen=True, slots=True)
class Accounts:
    """The four technical accounts of the engine."""

    engine: Account
    integration: Account
    deploy: Account
    admin: Account


def accounts(settings: Settings) -> Accounts:
    """Return the technical accounts.

    What the settings do not give is read from ``DATA_DIR/accounts.json``, or generated and written there for an
    engine of our own; the file is readable by its owner only. Programs that start together agree on one file. Raises
    CommandError if the folder cannot be written.
    """
    path = settings.data_dir / "accounts.json"
    wanted = [role for role in _ROLES if not _given(settings, role)]
    kept = _read(path)
    if not kept.keys() >= set(wanted):
        kept = _complete(path, wanted)
    return Accounts(**{role: _account(settings, role, kept) for role in _ROLES})


def _read(path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _complete(path: Path, wanted: list[str]) -> dict[str, str]:
    """Generate what is missing, one program after the other: who comes second reads what the first wrote."""
    data_folder(path.parent)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        kept = {role: secrets.token_urlsafe(18) for role in wanted} | _read(path)
        _write(path, kept)
    finally:
        os.close(folder)
    return kept


def _given(settings: Settings, role: str) -> SecretStr | None:
    value: SecretStr | None = getattr(settings, f"{role}_password")
    return value


def _account(settings: Settings, role: str, kept: dict[str, str]) -> Account:
    return Account(getattr(settings, f"{role}_user"), _given(settings, role) or SecretStr(kept[role]))


def _write(path: Path, passwords: dict[str, str]) -> None:
    """Replace the file in one step, so that a crash leaves the old one or the new one."""
    temporary = path.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(passwords, out)
    temporary.replace(path)
