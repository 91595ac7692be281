"""Who works on a data folder: programs share it, a restore wants it for itself."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import CommandError
from app.paths import data_folder
from engine.embedded import leftover

_FILE = ".in-use"


def database_held(data_dir: Path) -> bool:
    """Tell whether an engine has the H2 file of this folder open, whoever started it: Java locks it as POSIX does."""
    try:
        with (data_dir / "engine.mv.db").open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


@contextmanager
def in_use(data_dir: Path) -> Iterator[None]:
    """Tell others that a program works on this folder; the mark goes with the process, however it ends."""
    with (data_folder(data_dir) / _FILE).open("a") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"Папка {data_dir} восстанавливается из копии: подождите конца") from None
        yield


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Keep everybody else off the folder. Raises CommandError, one sentence, while anything runs on it."""
    if (engine := leftover(data_dir)) is not None:
        raise CommandError(f"С папкой {data_dir} работает движок (процесс {engine}): остановите его и повторите")
    if database_held(data_dir):
        raise CommandError(f"Базу в папке {data_dir} держит движок: остановите его и повторите")
    with (data_folder(data_dir) / _FILE).open("a") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"С папкой {data_dir} работает order-route up, worker или web: остановите их и повторите"
            ) from None
        yield
