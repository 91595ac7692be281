"""Where the project's own files stand, whatever the current folder is."""

from __future__ import annotations

import errno
from pathlib import Path

from app.errors import CommandError

ROOT = Path(__file__).resolve().parent.parent
BPMN = ROOT / "bpmn"
SERVER_JAR = ROOT / "server" / "target" / "order-route-server.jar"


def find(path: Path) -> Path:
    """Return a settings' path: as given, else (for a relative one that is not there) inside the project."""
    return path if path.is_absolute() or path.exists() else ROOT / path


def data_folder(path: Path) -> Path:
    """Make the data folder and return it. Raises CommandError, one sentence that names the setting."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = path / ".probe"
        probe.write_bytes(bytes(4096))
        probe.unlink()
    except OSError as error:
        what = "нет места" if error.errno == errno.ENOSPC else f"нельзя писать ({error.strerror})"
        raise CommandError(
            f"В папку данных {path} {what}: освободите место, дайте право записи "
            "или задайте другую в ORDER_ROUTE_DATA_DIR"
        ) from error
    return path
