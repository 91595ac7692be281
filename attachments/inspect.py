"""What `order-route inspect` does, apart from the command line: files on disk in, verdicts in the same order out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from attachments import sentences
from attachments.judge import Judge, Verdict

_CHOSEN = {
    FileNotFoundError: "такого файла нет",
    PermissionError: "нет прав",
    IsADirectoryError: "это папка",
    NotADirectoryError: "такого файла нет",
}


def inspect(files: Iterable[tuple[Path, str]], judge: Judge) -> list[Verdict]:
    """Judge files given as (path, name as a browser sent it). Raises ScannerDown."""
    return [_one(path, name, judge) for path, name in files]


def read_list(text: str, folder: Path) -> list[tuple[Path, str]]:
    """Read a list `[{"path", "name"}]`; relative paths count from `folder`, a missing name is the path's own.

    Raises ValueError with a Russian sentence that names the entry.
    """
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError('Список файлов не читается: нужен JSON вида [{"path": …, "name": …}].') from error
    if not isinstance(entries, list):
        raise ValueError('Список файлов должен быть массивом JSON: [{"path": …, "name": …}].')
    return [_entry(number, entry, folder) for number, entry in enumerate(entries, start=1)]


def as_json(verdicts: Iterable[Verdict]) -> list[dict[str, str]]:
    """Return what `--json` prints: a list of {name, verdict, reason}."""
    return [{"name": found.name, "verdict": found.verdict, "reason": found.reason} for found in verdicts]


def _entry(number: int, entry: object, folder: Path) -> tuple[Path, str]:
    path = entry.get("path") if isinstance(entry, dict) else None
    name = entry.get("name", path) if isinstance(entry, dict) else None
    if not isinstance(path, str) or not path or not isinstance(name, str):
        raise ValueError(f'Запись {number} в списке файлов: нужны тексты "path" и "name".')
    return folder / path, name if "name" in entry else Path(path).name  # type: ignore[operator]  # a dict, see above


def _one(path: Path, name: str, judge: Judge) -> Verdict:
    try:
        if not path.is_file():
            kind = IsADirectoryError if path.is_dir() else FileNotFoundError
            raise kind(path)
        with path.open("rb") as stream:
            data = stream.read(judge.max_bytes + 1)
        if len(data) > judge.max_bytes:
            return judge.too_large(name, path.stat().st_size)
    except (OSError, ValueError) as error:
        why = next((text for kind, text in _CHOSEN.items() if isinstance(error, kind)), "ошибка чтения")
        return Verdict(judge.too_large(name, 0).name, "reject", sentences.NOT_READABLE.format(why=why))
    return judge.verdict(name, data)
