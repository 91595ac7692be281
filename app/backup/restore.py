"""Put a backup back. Everything is checked before anything changes, and what was there is kept aside."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from app.backup import archive
from app.backup.archive import Archive, Manifest
from app.backup.numbers import UNKNOWN, given_out
from app.backup.postgres import Postgres
from app.errors import CommandError
from app.paths import data_folder, find
from app.running import alone
from app.settings import Settings
from ledger import Ledger, LedgerError
from ledger.copy import dump, load
from ledger.version import VERSION

_OURS = ("engine.*", "h2.secret", "ledger.db*")
_LEDGER = "ledger.db"
_RESTORED = "engine.restored"  # the server reads it at its next start
_ROOM = 2  # copies of the members that must fit: taken out, and put in place


@dataclass(slots=True)
class Restored:
    """What was put back, and what the operator should know."""

    manifest: Manifest
    aside: str | None = None
    notes: list[str] = field(default_factory=list)


def restore(settings: Settings, file: Path, *, replace: bool) -> Restored:
    """Restore a shop from an archive into its data folder. Raises CommandError, one sentence, nothing changed then."""
    found = Archive(file, version("order-route"))
    try:
        if found.manifest.ledger_schema > VERSION:
            raise CommandError(f"{file}: журнал в копии от более новой версии: обновите Order Route")
        folder = data_folder(settings.data_dir)
        with alone(folder):
            return _inside(settings, found, folder, replace)
    finally:
        found.close()


def _inside(settings: Settings, found: Archive, folder: Path, replace: bool) -> Restored:
    postgres = found.manifest.database == "postgresql"
    base = Postgres(settings.engine_database_url) if postgres else None
    if base is not None and base.busy():
        raise CommandError("К базе движка подключены программы: остановите движок и повторите")
    full = _present(folder) or (base is not None and not base.is_empty())
    if full and not replace:
        raise CommandError(
            f"В папке {folder} уже есть данные: укажите пустую или добавьте --replace (прежние останутся рядом)"
        )
    if shutil.disk_usage(folder).free < _ROOM * found.size:
        raise CommandError(f"Для восстановления нужно {_ROOM * found.size >> 20} МБ: освободите место")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".restoring-") as name:
        new = Path(name)
        found.extract(new)
        done = Restored(found.manifest)
        numbers = _numbers(settings, new, _claimed(settings, folder) if full else [], done)
        # Only from here on something changes.
        done.aside = _put_aside(settings, folder, base) if full else None
        _ledger(settings, new, folder)
        if base is not None:
            base.restore(new / archive.POSTGRES)
            for year, number in numbers.items():
                base.go_on_after(year, number)
        else:
            # The note first: a server that finds the new file without it would not know how to open it.
            text = "".join(f"ORD-{year}-{number}\n" for year, number in sorted(numbers.items()))
            (folder / _RESTORED).write_text(text, encoding="utf-8")
            (new / archive.H2).replace(folder / archive.H2)
        _config(settings, new, folder, done)
    return done


def _present(folder: Path) -> list[Path]:
    return sorted(path for pattern in _OURS for path in folder.glob(pattern) if path.name != "engine.log")


def _put_aside(settings: Settings, folder: Path, base: Postgres | None) -> str:
    """Move what was there into a folder of its own; the portal's and people's files stay where they are."""
    aside = folder / f"before-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    aside.mkdir(mode=0o700)
    if settings.ledger_url is not None:
        with (aside / archive.LEDGER).open("w", encoding="utf-8") as lines:
            lines.writelines(f"{line}\n" for line in dump(settings.ledger))
    for path in _present(folder):
        path.replace(aside / path.name)
    return str(aside) if base is None else f"{aside}, схема {base.put_aside()}"


def _ledger(settings: Settings, new: Path, folder: Path) -> None:
    if settings.ledger_url is None:
        (new / _LEDGER).replace(folder / _LEDGER)
        return
    with (new / archive.LEDGER).open(encoding="utf-8") as lines:
        load(settings.ledger, lines)


def _claimed(settings: Settings, folder: Path) -> Iterable[str]:
    """Return the order keys that the ledger knows which is about to be replaced."""
    if settings.ledger_url is None and not (folder / _LEDGER).exists():
        return []
    try:
        ledger = Ledger(settings.ledger)
        try:
            return ledger.claimed()
        finally:
            ledger.close()
    except LedgerError:
        return []  # it may be the broken thing for which one restores


def _numbers(settings: Settings, new: Path, before: Iterable[str], done: Restored) -> dict[int, int]:
    """Build the ledger apart, which proves it whole, and ask it and the portal how far the numbers have gone."""
    url = f"sqlite:///{(new / _LEDGER).absolute()}"
    with (new / archive.LEDGER).open(encoding="utf-8") as lines:
        load(url, lines)
    ledger = Ledger(url)
    try:
        numbers, asked = given_out(settings, ledger, before, datetime.now(settings.zone))
    finally:
        ledger.close()
    if not asked:
        done.notes.append(
            f"Портал не ответил: чтобы номера заказов не повторились, {UNKNOWN} номеров этого года пропущено"
        )
    return numbers


def _config(settings: Settings, new: Path, folder: Path, done: Restored) -> None:
    """Put a config file back where it is missing; where people have another one, lay the copy beside it."""
    for name, wanted in ((archive.STAFF, settings.staff_file), (archive.CALENDAR, settings.calendar_file)):
        copy, there = new / name, find(wanted)
        if not copy.is_file() or (there.is_file() and there.read_bytes() == copy.read_bytes()):
            continue
        target = there
        if there.exists():
            target = folder / "restored-config" / there.name
            done.notes.append(f"{there} отличается от копии, она лежит в {target}: сравните")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(copy, target)
