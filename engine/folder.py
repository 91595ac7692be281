"""The data folder: made, and proven to take what is written into it, before anything relies on it."""

from __future__ import annotations

import errno
from pathlib import Path

from engine.java import StartError


def prepare_folder(path: Path) -> None:
    """Make the folder for its owner alone and write into it. Raises StartError, one sentence that names the setting."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = path / ".probe"
        probe.write_bytes(bytes(4096))
        probe.unlink(missing_ok=True)  # programs that start together share it
    except OSError as error:
        raise StartError(folder_sentence(path, error)) from error


def folder_sentence(path: Path, error: OSError) -> str:
    """Return what is wrong with a folder and what to do, in Russian."""
    if error.errno == errno.ENOSPC:
        return f"На диске с папкой {path} нет места: освободите его или укажите другую в ORDER_ROUTE_DATA_DIR."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"В папку {path} нельзя писать: дайте право на запись или укажите другую в ORDER_ROUTE_DATA_DIR."
    return f"Папка {path} не годится ({error.strerror}): укажите другую в ORDER_ROUTE_DATA_DIR."
