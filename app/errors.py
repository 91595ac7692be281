"""From an exception to one sentence for the person at the terminal: the one place that knows all of them."""

from __future__ import annotations

import errno

from app.logs import mask
from app.settings import SettingsError
from app.web import ListenError
from attachments.scanner import ScannerDown
from ledger.errors import LedgerError
from orders.errors import OrderRouteError
from workers.registry import WrongHandler


class CommandError(Exception):
    """A command cannot go on: the message is one Russian sentence; `code` is the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


_DISK = {
    errno.ENOSPC: "Место на диске кончилось: освободите его и повторите",
    errno.EROFS: "Папка только для чтения: дайте право записи или задайте другую в ORDER_ROUTE_DATA_DIR",
    errno.EACCES: "Нет права на файл или папку: дайте право записи или задайте другую в ORDER_ROUTE_DATA_DIR",
    errno.EPERM: "Нет права на файл или папку: дайте право записи или задайте другую в ORDER_ROUTE_DATA_DIR",
}


def sentence_of(error: BaseException) -> tuple[int, str] | None:
    """Return (exit code, sentence) of an error that a person can act on; None for a fault of the program."""
    if isinstance(error, SettingsError):
        return 2, "Настройки неверны:\n" + "\n".join(f"  {p}" for p in error.problems)
    if isinstance(error, CommandError):
        return error.code, mask(str(error))
    if isinstance(error, ListenError | OrderRouteError | LedgerError):
        return 1, mask(str(error))
    if isinstance(error, WrongHandler):
        return 2, str(error)
    if isinstance(error, ScannerDown):
        return 1, "Антивирус не отвечает: запустите clamd или уберите ORDER_ROUTE_CLAMD"
    if isinstance(error, FileNotFoundError):
        return 2, f"Нет файла {error.filename}: проверьте путь"
    if isinstance(error, OSError) and error.errno in _DISK:
        return 1, f"{_DISK[error.errno]} ({error.filename})" if error.filename else _DISK[error.errno]
    return None
