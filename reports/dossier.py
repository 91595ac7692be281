"""Everything about one order as one self-contained page: for an auditor, years later, without the system.

Times are of the plant; waiting, work and delay in working hours. Files are named by their SHA-256: whoever holds a copy
can prove that it is the one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from engine.history import PastActivity
from engine.variables import from_instant
from orders.dates import long_moment
from orders.notices import value_text
from orders.papers import label_of
from orders.persons import Staff
from orders.plural import working_time
from orders.snapshot import OrderSnapshot, RecordKind
from orders.stage import Route
from reports.book import OUTCOMES, Book
from reports.clock import HOUR, moment
from reports.conformance import NO_DEVIATIONS, Verdict
from reports.facts import CANCELLED, OPEN, REFUSED_FILES, RUNNING, OrderFacts, Visit

_OUTCOMES = {OPEN: "идёт", CANCELLED: "снят", REFUSED_FILES: "файлы не приняты", "done": "сделан"}
_RECORDS = {
    RecordKind.CORRECTED: "Исправление данных",
    RecordKind.COMPLAINT: "Рекламация",
    RecordKind.COST: "Фактические затраты, ₽",
}
_OPERATIONS = {
    "Create": "завёл заказ", "Claim": "взял шаг", "Assign": "передал или вернул шаг", "Complete": "завершил шаг",
    "SetDueDate": "сдвинул срок шага", "AddUserLink": "допустил к шагу", "DeleteUserLink": "снял допуск к шагу",
    "Delete": "удалил", "Migrate": "перевёл на другую версию", "Suspend": "приостановил", "Activate": "возобновил",
    "ModifyProcessInstance": "изменил ход", "SetVariable": "изменил данные", "ModifyVariable": "изменил данные",
    "SetExternalTaskRetries": "повторил шаг программы", "SetJobRetries": "повторил таймер",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment written at a step. `at` is UTC."""

    at: datetime
    person: str
    text: str


@dataclass(frozen=True, slots=True)
class Papers:
    """All that history holds of one order."""

    order: OrderSnapshot
    facts: OrderFacts
    activities: Sequence[PastActivity]
    operations: Sequence[Mapping[str, Any]]
    remarks: Sequence[Remark]
    steps: Mapping[str, str]  # id of a diagram's element -> its name
    verdict: Verdict


def page(papers: Papers, book: Book, route: Route, now: datetime) -> str:
    """Return the dossier as one Russian page without scripts or links to anywhere."""
    folder, zone, staff = Path(__file__).parent / "templates", book.calendar.zone, book.staff
    site = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    site.trim_blocks = site.lstrip_blocks = True
    site.filters |= {
        "long": lambda at: long_moment(at, zone) if at else "—",
        "short": lambda at: f"{at.astimezone(zone):%d.%m.%Y %H:%M:%S}" if at else "—",
        "hours": lambda span: "—" if span is None else working_time(span / HOUR),
        "at": _at,
        "name": staff.name,
    }
    order, css = papers.order, (folder / "report.css").read_text(encoding="utf-8")
    visits = [(v, book.times(v), _overdue(book, v), _OUTCOMES.get(v.outcome, v.outcome)) for v in papers.facts.visits]
    return site.get_template("dossier.html.j2").render(
        css=css, papers=papers, order=order, facts=papers.facts, now=now, visits=visits,
        outcome=_outcome(papers, route), request=_request(order, route, zone),
        answers=_answers(order, route, zone), files=_files(papers, route), records=_records(order, staff),
        operations=_operations(papers), clean=NO_DEVIATIONS, department=book.department_name,
    )  # fmt: skip


def _outcome(papers: Papers, route: Route) -> str:
    order = papers.order
    if order.running:
        return OUTCOMES[RUNNING]
    return route.end_names.get(order.end_id or "", "прерван вручную")


def _request(order: OrderSnapshot, route: Route, zone: tzinfo) -> list[tuple[str, str]]:
    fields = [f for f in route.start_fields if not f.kind.holds_files]
    return [(f.label, value_text(order.variables.get(f.name), f, zone)) for f in fields]


def _overdue(book: Book, visit: Visit) -> int | None:
    late = book.overdue(visit, 0, visit.ended or book.now)
    return late if late > 0 else None


def _answers(
    order: OrderSnapshot, route: Route, zone: tzinfo
) -> list[tuple[datetime, str, str, list[tuple[str, str]]]]:
    """Return what each answer said, files left out."""
    found = []
    for visit in order.done:
        stage = route.stage(visit.task_id)
        fields = stage.fields if stage else ()
        said = [(f.label, value_text(visit.values[f.name], f, zone)) for f in fields if visit.values.get(f.name)]
        found.append((visit.at, stage.name if stage else visit.task_id, visit.person_name, said))
    return found


def _at(given: int | None) -> datetime | None:
    return moment(given) if given is not None else None


def _files(papers: Papers, route: Route) -> list[dict[str, Any]]:
    """Return every version of every file that was ever accepted; whether it is the present one."""
    held = {(ref.variable, ref.sha256) for ref in papers.order.files}
    found = []
    for seen in sorted(papers.facts.files, key=lambda f: f.at):
        present = (seen.variable, seen.sha256) in held
        found.append({"seen": seen, "label": label_of(seen.variable, route) or seen.variable, "present": present})
    return found


def _records(order: OrderSnapshot, staff: Staff) -> list[tuple[datetime, str, str, str]]:
    return [(r.at, _RECORDS[r.kind], staff.name(r.person), r.text) for r in order.records]


def _operations(papers: Papers) -> list[tuple[datetime, str, str, str]]:
    """Return the log of what accounts did: when, who, what, at which step."""
    rows = sorted(papers.operations, key=lambda row: str(row["timestamp"]))
    return [
        (
            from_instant(row["timestamp"]),
            str(row["userId"] or "движок"),
            _OPERATIONS.get(str(row["operationType"]), str(row["operationType"])),
            papers.steps.get(str(row["taskId"] or ""), ""),
        )
        for row in rows
    ]
