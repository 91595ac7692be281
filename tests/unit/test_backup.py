"""A restore changes nothing unless all of the archive is good and nobody works on the folder; what was there stays.

A backup's ledger is put back row by row, and no order number that is known anywhere is given out again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from portal import LocalPortal

from app.backup import archive
from app.backup.archive import Archive, Manifest
from app.backup.numbers import UNKNOWN, given_out, highest
from app.backup.restore import restore
from app.errors import CommandError
from app.running import in_use
from app.settings import Settings, load
from ledger import Ledger
from ledger.copy import dump
from ledger.version import VERSION

ROOT = Path(__file__).parents[2]
YEAR = datetime.now(UTC).year


def settings_of(folder: Path, **more: str) -> Settings:
    environ = {"DATA_DIR": str(folder), "STAFF_FILE": str(folder / "staff.toml"), **more}
    return load({f"ORDER_ROUTE_{name}": value for name, value in environ.items()}, dotenv=None)


def make(folder: Path, **changes: object) -> Path:
    """Write an archive as `backup` does, of a ledger with one claim and one effect."""
    folder.mkdir()
    book = Ledger(f"sqlite:///{folder}/book.db")
    book.bind("engine-a")
    book.claim(f"ORD-{YEAR}-00007", "i-7")
    book.done(f"ORD-{YEAR}-00007:card", "29")
    book.close()
    lines = "\n".join(dump(f"sqlite:///{folder}/book.db")) + "\n"
    content = {archive.LEDGER: lines.encode(), archive.H2: b"database" * 1000, archive.STAFF: b"[[person]]\n"}
    files = {}
    for number, (name, data) in enumerate(content.items()):
        files[name] = folder / str(number)
        files[name].write_bytes(data)
    head: dict[str, object] = {"format": 1, "product": "order-route", "version": "0.1.0", "made": datetime.now(UTC)}
    head |= {"database": "h2", "ledger_schema": VERSION, "members": ()}
    out = folder / "backup.zip"
    archive.write(out, Manifest.model_validate(head | changes), files)
    return out


def state(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A data folder with something in it."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / archive.H2).write_bytes(b"old")
    (folder / "accounts.json").write_text("{}")
    (folder / ".in-use").touch()
    return folder


def test_an_archive_comes_back_whole_into_an_empty_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    done = restore(settings_of(folder), make(tmp_path / "made"), replace=False)
    assert (done.aside, done.notes) == (None, [])
    assert (folder / archive.H2).read_bytes() == b"database" * 1000
    assert (folder / "staff.toml").read_bytes() == b"[[person]]\n"
    assert (folder / "engine.restored").read_text() == f"ORD-{YEAR}-7\n"
    book = Ledger(f"sqlite:///{folder}/ledger.db")
    assert (book.belongs_to(), book.claim(f"ORD-{YEAR}-00007", "i-8")) == ("engine-a", "i-7")
    assert book.effect(f"ORD-{YEAR}-00007:card").remote_id == "29"
    assert {p.name for p in folder.iterdir()} == {
        *(archive.H2, "engine.restored", "ledger.db", "staff.toml", ".in-use")
    } | {p.name for p in folder.glob("ledger.db-*")}


def test_a_full_folder_is_refused_and_with_replace_kept_aside(full: Path, tmp_path: Path) -> None:
    file, before = make(tmp_path / "made"), state(full)
    with pytest.raises(CommandError, match="--replace"):
        restore(settings_of(full), file, replace=False)
    assert state(full) == before
    (full / "staff.toml").write_text("# mine\n")
    done = restore(settings_of(full), file, replace=True)
    assert done.aside is not None
    assert (Path(done.aside) / archive.H2).read_bytes() == b"old"
    assert (full / archive.H2).read_bytes() == b"database" * 1000
    assert (full / "staff.toml").read_text() == "# mine\n"
    assert (full / "restored-config" / "staff.toml").read_bytes() == b"[[person]]\n"
    assert "сравните" in done.notes[0]


def flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as opened:
        at = opened.getinfo(archive.LEDGER).header_offset + 80
    data[at] ^= 0xFF
    file.write_bytes(bytes(data))


def rewritten(change: Callable[[dict[str, bytes]], None]) -> Callable[[Path], None]:
    def act(file: Path) -> None:
        with zipfile.ZipFile(file) as opened:
            members = {name: opened.read(name) for name in opened.namelist()}
        change(members)
        with zipfile.ZipFile(file, "w") as out:
            for name, data in members.items():
                out.writestr(name, data)

    return act


def listed(members: dict[str, bytes], name: str) -> None:
    """Add a member and name it in the manifest, as somebody would who wants it taken out."""
    manifest = json.loads(members[archive.MANIFEST])
    members[name] = b"x"
    sha = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    manifest["members"].append({"name": name, "size": 1, "sha256": sha})
    members[archive.MANIFEST] = json.dumps(manifest).encode()


DAMAGE: dict[str, Callable[[Path], None]] = {
    "cut": lambda f: f.write_bytes(f.read_bytes()[:-200]),
    "empty": lambda f: f.write_bytes(b""),
    "another kind of file": lambda f: f.write_bytes(b"%PDF-1.4"),
    "a flipped byte": flipped,
    "other bytes": rewritten(lambda m: m.update({archive.H2: b"Database" * 1000})),
    "longer than said": rewritten(lambda m: m.update({archive.H2: b"database" * 9999})),
    "no manifest": rewritten(lambda m: m.pop(archive.MANIFEST) and None),
    "no ledger": rewritten(lambda m: m.pop(archive.LEDGER) and None),
    "a stranger": rewritten(lambda m: m.update({"more.txt": b"x"})),
    "a path upwards": rewritten(lambda m: listed(m, "../evil.txt")),
    "an absolute path": rewritten(lambda m: listed(m, "/tmp/evil.txt")),
    "a newer product": rewritten(lambda m: m.update({archive.MANIFEST: m[archive.MANIFEST].replace(b"0.1.0", b"9.0")})),
    "a newer ledger": rewritten(
        lambda m: m.update(
            {archive.MANIFEST: m[archive.MANIFEST].replace(b'"ledger_schema": 1', b'"ledger_schema": 99')}
        )
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_bad_archive_is_one_sentence_and_changes_nothing(full: Path, tmp_path: Path, damage: str) -> None:
    file = make(tmp_path / "made")
    DAMAGE[damage](file)
    before = state(tmp_path)
    with pytest.raises(CommandError) as refused:
        restore(settings_of(full), file, replace=True)
    said = str(refused.value)
    assert "\n" not in said
    assert ("новой верс" in said) == damage.startswith("a newer")
    assert state(tmp_path) == before


def test_an_archive_is_its_owners_only(tmp_path: Path) -> None:
    file = make(tmp_path / "made")
    assert file.stat().st_mode & 0o077 == 0
    opened = Archive(file, "0.1.0")
    assert opened.manifest.database == "h2"
    opened.close()


def test_nothing_is_restored_while_a_program_works_on_the_folder(full: Path, tmp_path: Path) -> None:
    file, before = make(tmp_path / "made"), state(full)
    code = (
        "import sys; from pathlib import Path; from app.running import in_use\n"
        f"with in_use(Path({str(full)!r})): print('in', flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        with pytest.raises(CommandError, match="остановите"):
            restore(settings_of(full), file, replace=True)
        with in_use(full):
            pass  # programs do not shut each other out
        other.kill()  # the mark goes with the process
    assert state(full) == before
    restore(settings_of(full), file, replace=True)


def test_an_engine_that_somebody_else_started_is_seen_by_its_lock(full: Path, tmp_path: Path) -> None:
    file, before = make(tmp_path / "made"), state(full)
    lock = f"import fcntl, sys; f = open({str(full / archive.H2)!r}, 'r+b'); fcntl.lockf(f, fcntl.LOCK_EX)\n"
    argv = [sys.executable, "-c", lock + "print('in', flush=True); sys.stdin.read()"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == "in\n"
        with pytest.raises(CommandError, match="движок"):
            restore(settings_of(full), file, replace=True)
        engine.kill()
    assert state(full) == before


def test_numbers_go_on_after_every_number_that_is_known(tmp_path: Path) -> None:
    book = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    book.claim("ORD-2025-00012", "a")
    book.claim("КП-7", "b")
    now = datetime(2026, 3, 1, tzinfo=UTC)
    nowhere = settings_of(tmp_path, BITRIX_WEBHOOK_URL="http://127.0.0.1:9/rest/1/token/")
    assert given_out(settings_of(tmp_path), book, ["ORD-2026-00005"], now) == ({2025: 12, 2026: 5}, True)
    assert highest(["ORD-2026-100000", "ORD-2026-00002", "ORD-x"]) == {2026: 100000}
    assert given_out(nowhere, book, ["ORD-2026-00005"], now) == ({2025: 12, 2026: 5 + UNKNOWN}, False)


def test_numbers_on_cards_count(tmp_path: Path) -> None:
    book = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    with LocalPortal(tmp_path / "portal") as portal:
        settings = settings_of(tmp_path, BITRIX_WEBHOOK_URL=portal.webhook_url, BITRIX_RATE="100")
        now = datetime(2026, 3, 1, tzinfo=UTC)
        assert given_out(settings, book, [], now) == ({}, True), "a portal that was never set up"
