"""The archive: a zip with a manifest that names every member by size and SHA-256. It holds no password."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

from app.errors import CommandError

FORMAT = 1
MANIFEST = "manifest.json"
H2, POSTGRES, LEDGER, STAFF, CALENDAR = (
    "engine.mv.db",
    "engine.pgdump",
    "ledger.jsonl",
    "config/staff.toml",
    "config/calendar.toml",
)
MEMBERS = {H2, POSTGRES, LEDGER, STAFF, CALENDAR}
_PIECE = 1 << 20
_MANIFEST_LIMIT = 1 << 20
_UNREADABLE = (zipfile.BadZipFile, zlib.error, KeyError, ValidationError, EOFError, NotImplementedError, RuntimeError)


class Member(BaseModel):
    """One file in the archive."""

    model_config = ConfigDict(frozen=True)

    name: str
    size: int
    sha256: str


class Manifest(BaseModel):
    """What the archive holds and where it comes from. `made` is aware."""

    model_config = ConfigDict(frozen=True)

    format: int
    product: str
    version: str
    made: datetime
    database: str  # h2 | postgresql
    database_version: str | None = None
    engine_version: str | None = None
    engine_id: str | None = None
    ledger_schema: int
    ledger_id: str | None = None
    members: tuple[Member, ...]


def write(out: Path, manifest: Manifest, files: Mapping[str, Path]) -> Manifest:
    """Write the archive in one step and return the manifest with its members; the file is its owner's only."""
    part = out.with_name(f".{out.name}.part")
    try:
        with part.open("wb") as raw:
            part.chmod(0o600)
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
                members = tuple(_add(archive, name, path) for name, path in files.items())
                whole = manifest.model_copy(update={"members": members})
                archive.writestr(MANIFEST, whole.model_dump_json(indent=1))
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return whole


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> Member:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
        while piece := source.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            target.write(piece)
    return Member(name=name, size=size, sha256=digest.hexdigest())


class Archive:
    """An archive that is read: its manifest is checked at once, its members while they are taken out."""

    def __init__(self, path: Path, version: str) -> None:
        """Open it. Raises CommandError: no archive, damaged, of a newer version, or with members that are not ours."""
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            with self._zip.open(MANIFEST) as raw:
                text = raw.read(_MANIFEST_LIMIT)
            head = Manifest.model_validate_json(text)
        except _UNREADABLE as error:
            raise damaged(path, "это не копия Order Route или она повреждена") from error
        if head.format > FORMAT or _numbers(head.version) > _numbers(version):
            raise CommandError(
                f"{path}: копия сделана более новой версией ({head.version}, здесь {version}): обновите Order Route"
            )
        names = [info.filename for info in self._zip.infolist() if info.filename != MANIFEST]
        if sorted(names) != sorted(m.name for m in head.members) or not set(names) <= MEMBERS:
            stranger = next((n for n in names if n not in MEMBERS), "список файлов")
            raise damaged(path, f"в ней лишнее или не хватает: {stranger[:80]!r}")
        if LEDGER not in names or len({H2, POSTGRES} & set(names)) != 1:
            raise damaged(path, "нет журнала или базы движка")
        self.manifest = head

    @property
    def size(self) -> int:
        """Return how much room the members take, bytes."""
        return sum(member.size for member in self.manifest.members)

    def extract(self, folder: Path) -> None:
        """Take all members out into a new folder, comparing size and SHA-256. Raises CommandError."""
        for member in self.manifest.members:
            target = folder / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with self._zip.open(member.name) as source, target.open("wb") as out:
                    target.chmod(0o600)
                    same = _copied(source, out, member)
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                raise damaged(self.path, f"{member.name} не читается") from error
            if not same:
                raise damaged(self.path, f"{member.name} не совпадает с описью")

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


def _copied(source: IO[bytes], out: IO[bytes], member: Member) -> bool:
    digest, left = hashlib.sha256(), member.size
    while piece := source.read(_PIECE):
        left -= len(piece)
        if left < 0:
            return False
        digest.update(piece)
        out.write(piece)
    return left == 0 and digest.hexdigest() == member.sha256


def damaged(path: Path, what: str) -> CommandError:
    """Return the refusal of an archive that cannot be used."""
    return CommandError(f"{path}: {what}; ничего не изменено")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version))
