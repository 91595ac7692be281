"""Make a backup, also while everything works. Ledger first, then the engine: see the package's text."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from app.backup import archive
from app.backup.archive import FORMAT, Manifest
from app.backup.postgres import Postgres
from app.errors import CommandError
from app.paths import SERVER_JAR, find
from app.running import database_held
from app.wiring import Parts
from engine.about import About, about
from engine.embedded import copy_stopped, leftover
from ledger.copy import dump
from ledger.version import VERSION

LAST = "last-backup.json"
_COPY = Path("engine.copy") / archive.H2
_LONG = 3600.0  # seconds; a file of gigabytes takes its time


def make(parts: Parts, out: Path) -> Manifest:
    """Write the archive and return its manifest. Raises CommandError, one sentence; nothing is left behind then."""
    if out.exists():
        raise CommandError(f"{out} уже есть: укажите другое имя")
    if not out.absolute().parent.is_dir():
        raise CommandError(f"Нет папки {out.absolute().parent}: создайте её или укажите другую", 2)
    settings = parts.settings
    engine = about(parts.admin) if settings.engine_url or leftover(settings.data_dir) else None
    if engine is None and not (settings.data_dir / archive.H2).is_file():
        raise CommandError(f"В папке {settings.data_dir} нет базы движка: копировать нечего")
    if engine is None and database_held(settings.data_dir):
        raise CommandError("Базу держит работающий движок: задайте его адрес в ORDER_ROUTE_ENGINE_URL")
    with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".backup-") as name:
        folder = Path(name)
        files = {archive.LEDGER: folder / "ledger"}
        with files[archive.LEDGER].open("w", encoding="utf-8") as lines:
            lines.writelines(f"{line}\n" for line in dump(settings.ledger))
        member, file = _database(parts, engine, folder)
        files[member] = file
        settings_files = {archive.STAFF: settings.staff_file, archive.CALENDAR: settings.calendar_file}
        files |= {name: find(path) for name, path in settings_files.items() if find(path).is_file()}
        manifest = archive.write(out, _manifest(parts, engine, member), files)
    _note(settings.data_dir, out, manifest)
    return manifest


def _database(parts: Parts, engine: About | None, folder: Path) -> tuple[str, Path]:
    """Copy the engine's database; return the member's name and the file."""
    settings = parts.settings
    if engine is not None and engine.database == "postgresql":
        Postgres(settings.engine_database_url).dump(folder / "engine")
        return archive.POSTGRES, folder / "engine"
    made = settings.data_dir / _COPY
    if engine is None:
        copy_stopped(settings.server_jar or SERVER_JAR, settings.data_dir)
    elif engine.database == "h2":
        made.unlink(missing_ok=True)
        parts.admin.caller.rest("POST", "/order/backup", body={}, timeout=_LONG, once=True)
        if not made.is_file():
            raise CommandError(
                "Движок сделал копию не в этой папке: задайте в ORDER_ROUTE_DATA_DIR папку, с которой он работает"
            )
    else:
        raise CommandError("Это не сервер Order Route: его базу копируют её собственными средствами")
    shutil.move(made, folder / "engine")
    made.parent.rmdir()
    return archive.H2, folder / "engine"


def _manifest(parts: Parts, engine: About | None, member: str) -> Manifest:
    belongs_to = parts.ledger.belongs_to()
    return Manifest(
        format=FORMAT,
        product="order-route",
        version=version("order-route"),
        made=datetime.now(UTC),
        database="h2" if member == archive.H2 else "postgresql",
        database_version=engine.database_version if engine else None,
        engine_version=engine.version if engine else None,
        engine_id=engine.id if engine else belongs_to,
        ledger_schema=VERSION,
        ledger_id=belongs_to,
        members=(),
    )


def _note(data_dir: Path, out: Path, manifest: Manifest) -> None:
    """Remember the newest backup for doctor and for the act of an erasure."""
    told = {"at": manifest.made.isoformat(), "file": str(out.absolute())}
    (data_dir / LAST).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
