"""A made history where it is kept: `DATA_DIR/history` is the data folder of a whole shop, its report beside it.

The engine need not run to report on it: the store of history, the diagram and the moment at which it ends are there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.errors import CommandError
from app.monthly import month_asked, opened, with_targets
from app.outputs import write_report
from app.paths import find
from app.settings import Settings
from diagram.stages import read_route
from orders.calendar import read_calendar
from orders.staff import read_staff
from reports.report import Report
from reports.store import FILE, Store

FOLDER = "history"  # in the data folder
STAMP = "made.json"
ROUTE_FILE = "route.bpmn"


@dataclass(frozen=True, slots=True)
class Made:
    """What a history was made of (`key`), the engine it came from, and the moment at which it ends."""

    key: str
    origin: str
    end: datetime

    def write(self, folder: Path) -> None:
        """Leave the note in the folder of the history."""
        noted = {"key": self.key, "origin": self.origin, "end": self.end.isoformat()}
        (folder / STAMP).write_text(json.dumps(noted), encoding="utf-8")


def made(folder: Path) -> Made | None:
    """Return the note of a made history; None where the folder holds none."""
    try:
        noted: Mapping[str, str] = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        return Made(noted["key"], noted["origin"], datetime.fromisoformat(noted["end"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def report_on(settings: Settings, month: str | None = None, baseline: Path | None = None) -> Report:
    """Make the report of the kept history. Raises CommandError where there is none."""
    folder = settings.data_dir / FOLDER
    note = made(folder)
    if note is None:
        raise CommandError(f"Учебной истории в папке {folder} нет: сделайте её командой make history")
    calendar = read_calendar(find(settings.calendar_file).read_text(encoding="utf-8"), settings.time_zone)
    staff = read_staff(find(settings.staff_file).read_text(encoding="utf-8"))
    with Store(folder / FILE, note.origin) as store:
        wanted = month_asked(settings, month, note.end)
        route = read_route((folder / ROUTE_FILE).read_bytes())
        book = opened(store, calendar, staff, route, note.end, wanted)
    if not book.facts:  # the store's format has changed since: it was made anew, and no engine runs to fill it
        raise CommandError(f"История в папке {folder} сделана прежней версией: повторите make history")
    return with_targets(settings, book, wanted, baseline)


def reported(settings: Settings) -> Path:
    """Write the report of the last whole month of the kept history beside it, in all shapes; return the page."""
    report = report_on(settings)
    stem = settings.data_dir / FOLDER / "reports" / f"report-{report.period}"
    page = stem.with_suffix(".html")
    write_report(report, page, stem.with_suffix(".xlsx"), stem.with_suffix(".json"))
    return page


def history_lines(settings: Settings) -> list[str]:
    """Say where the report of the kept history lies, or how to make one."""
    if made(settings.data_dir / FOLDER) is None:
        return ["Отчёт за два года: сначала сделайте учебную историю командой make history"]
    try:
        page = reported(settings)
    except CommandError as error:
        return [str(error)]
    return [f"Отчёт по учебной истории: {page}"]
