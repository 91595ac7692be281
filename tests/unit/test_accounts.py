"""Rule: the technical accounts' passwords are made once, however many programs start together on one folder."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from app.accounts import Accounts, accounts
from app.settings import load

TOGETHER, ROUNDS = 8, 20


def _all_at_once(folder: Path) -> list[Accounts]:
    settings, ready = load({"ORDER_ROUTE_DATA_DIR": str(folder)}, dotenv=None), Barrier(TOGETHER)

    def start(_: int) -> Accounts:
        ready.wait(30)
        return accounts(settings)

    with ThreadPoolExecutor(TOGETHER) as pool:
        return list(pool.map(start, range(TOGETHER)))


def test_programs_that_start_together_have_the_same_passwords(tmp_path: Path) -> None:
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        first, *others = _all_at_once(folder)
        assert all(each == first for each in others)
        file = folder / "accounts.json"
        assert json.loads(file.read_text())["admin"] == first.admin.password.get_secret_value()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [each.name for each in folder.iterdir()] == ["accounts.json"]


def test_a_given_password_is_not_kept(tmp_path: Path) -> None:
    given = {"ORDER_ROUTE_DATA_DIR": str(tmp_path), "ORDER_ROUTE_ADMIN_PASSWORD": "given"}
    made = accounts(load(given, dotenv=None))
    assert made.admin.password.get_secret_value() == "given"
    assert "admin" not in json.loads((tmp_path / "accounts.json").read_text())
    assert accounts(load(given, dotenv=None)) == made
