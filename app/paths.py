"""Where the project's own files stand, whatever the current folder is."""

from __future__ import annotations

from pathlib import Path

from app.errors import CommandError
from engine.folder import prepare_folder
from engine.java import StartError

ROOT = Path(__file__).resolve().parent.parent
BPMN = ROOT / "bpmn"
SERVER_JAR = ROOT / "server" / "target" / "order-route-server.jar"


def find(path: Path) -> Path:
    """Return a settings' path: as given, else (for a relative one that is not there) inside the project."""
    return path if path.is_absolute() or path.exists() else ROOT / path


def data_folder(path: Path) -> Path:
    """Make the data folder and return it. Raises CommandError, one sentence that names the setting."""
    try:
        prepare_folder(path)
    except StartError as error:
        raise CommandError(str(error)) from error
    return path
