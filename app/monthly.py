"""The report of a month from the parts of this program: history brought up to date, then counted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from app.errors import CommandError
from app.paths import data_folder, find
from app.settings import Settings
from app.upkeep import read_upkeep, register_of
from app.wiring import Parts
from engine.about import about
from orders.errors import Refused
from orders.persons import Staff
from orders.stage import Route
from orders.worktime import WorkingCalendar
from reports.adjustments import Adjustment
from reports.book import Book
from reports.clock import moment, ms
from reports.facts import Deviation, Order
from reports.period import Month, read_month
from reports.report import Report, make_report
from reports.source import EngineHistory
from reports.store import FILE, Store
from reports.targets import Targets, read_baseline, read_targets


def monthly(p: Parts, month: str | None, baseline: Path | None, now: datetime) -> Report:
    """Make the report. Raises TargetsError, and CommandError for a wrong month or a missing file."""
    wanted = month_asked(p.settings, month, now)  # a wrong one is said before anything is read
    return with_targets(p.settings, book(p, now, wanted), wanted, baseline)


def with_targets(settings: Settings, facts: Book, month: Month, baseline: Path | None) -> Report:
    """Make the report of facts with the targets of the settings; errors as `monthly`."""
    targets = targets_of(settings)
    old = None
    if baseline is not None:
        if not baseline.is_file():
            raise CommandError(f"Файла {baseline} нет: укажите таблицу kpi;key;value", 2)
        old = read_baseline(baseline.read_bytes(), baseline.name)
        if targets.baseline_month is not None:
            raise CommandError("Баз сравнения две: --baseline и baseline_month в файле целей. Оставьте одну", 2)
    return make_report(facts, month, targets, old)


def book(p: Parts, now: datetime, checked: Month | None = None) -> Book:
    """Bring the history store up to date with the engine and open it as facts.

    Orders that ended in the month `checked` are compared with their diagram once, and the answer is kept; so is what
    the month's report says besides its orders.
    """
    data_folder(p.settings.data_dir)
    with Store(p.settings.data_dir / FILE, about(p.integration).id or p.engine_url) as store:
        store.refresh(EngineHistory(p.integration), p.route)
        made = opened(store, p.calendar, p.staff, p.newest_route(), now)
        if checked is not None:
            check_ended(
                p, store, [o for o in made.ended_in(*made.bounds(checked)) if o.instance_id not in made.verdicts]
            )
            made.verdicts = store.verdicts()
            begin, end = map(moment, made.bounds(checked))
            made.upkeep = store.upkeep(str(checked))
            forgotten = now - timedelta(days=p.settings.history_days)  # by the engine
            if made.upkeep is None or begin > forgotten:
                made.upkeep = read_upkeep(p, begin, end, now, made.upkeep)
                store.keep_upkeep(str(checked), made.upkeep)
    return made


def opened(
    store: Store, calendar: WorkingCalendar, staff: Staff, route: Route, now: datetime, month: Month | None = None
) -> Book:
    """Open a store as facts, without their files' names and sizes: a report of numbers needs none.

    With what was kept about `month` besides its orders.
    """
    facts = store.facts(files=False)
    upkeep = store.upkeep(str(month)) if month else None
    return Book(facts, calendar, staff, route, ms(now), store.records(), store.papers(), store.verdicts(), upkeep)


def check_ended(p: Parts, store: Store, orders: Iterable[Order]) -> None:
    """Compare ended orders with their own version of the diagram, and keep what was found."""
    from app.conformance import verdicts_of  # it reads the shop through these parts

    for found in verdicts_of(p, [order.instance_id for order in orders]):
        deviations = tuple(Deviation(d.text, None if d.at is None else ms(d.at), d.who) for d in found.deviations)
        store.keep_verdict(found.instance_id, deviations)


def month_asked(settings: Settings, month: str | None, now: datetime) -> Month:
    """Read a month as people write it. Raises CommandError."""
    try:
        return read_month(month, now, settings.zone)
    except Refused as error:
        raise CommandError(str(error), 2) from None


def targets_of(settings: Settings) -> Targets:
    """Read the file of targets; none of them where there is no file. Raises TargetsError."""
    path = find(settings.targets_file)
    return read_targets(path.read_text(encoding="utf-8") if path.is_file() else "")


def adjustments(p: Parts, month: str, now: datetime) -> list[Adjustment]:
    """Read the register's entries about promises of a month. Raises CommandError for a wrong month."""
    begin, end = (moment(each) for each in month_asked(p.settings, month, now).bounds(p.settings.zone))
    return register_of(p, begin, end)
