"""The export for the accountant: what each person did in a month. A register, never a payment instruction."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import xlsxwriter

from orders.persons import Staff
from reports.adjustments import Adjustment, State
from reports.figures import Figure
from reports.kpi.people import UNCLAIMED
from reports.report import Report

POINTS_ONLY = "Номер локального акта о премиях не задан (BONUS_ACT): в выгрузке только баллы."
NO_PAYMENT = "Это реестр для бухгалтера, а не указание на выплату или удержание: программа ничего не удерживает."
HEADINGS = (
    *("Код", "Сотрудник", "Отдел", "Сделано задач", "В срок", "С опозданием", "Срок не оценивается"),
    *("Соблюдение сроков, %", "Просрочено рабочих часов", "Подтверждено корректировок", "Баллов"),
)
ENTRY_HEADINGS = (
    *("Запись", "Состояние", "Код", "Сотрудник", "Отдел", "Заказ", "Этап", "Срок", "Готово"),
    *("Опоздание, рабочих часов", "По первому сроку, рабочих часов", "Баллов", "Правило", "Локальный акт"),
    *("Решил", "Решено", "Причина решения", "Объяснение сотрудника"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
Cell = str | float | datetime | None


@dataclass(frozen=True, slots=True)
class PayrollRow:
    """One person in a month; `schedule` is None where the tasks are too few.

    `late` = done after the deadline; `not_timed` = done without a deadline, or where the customer was waited for.
    """

    person: str
    name: str
    department: str
    done: int
    in_time: int
    late: int
    not_timed: int
    schedule: float | None
    overdue_hours: float
    adjustments: int = 0  # confirmed
    points: int = 0

    def cells(self) -> tuple[Cell, ...]:
        """Return the cells in the order of the headings."""
        return (
            *(self.person, self.name, self.department, self.done, self.in_time, self.late, self.not_timed),
            *(self.schedule, self.overdue_hours, self.adjustments, self.points),
        )


@dataclass(frozen=True, slots=True)
class Payroll:
    """The export of a month."""

    title: str
    rows: tuple[PayrollRow, ...]
    remarks: tuple[str, ...] = ()
    entries: tuple[tuple[Cell, ...], ...] = ()  # all entries of the month, by ENTRY_HEADINGS; instants are the plant's


def payroll_of(
    report: Report, staff: Staff, entries: Sequence[Adjustment] = (), zone: tzinfo = UTC, act: str | None = None
) -> Payroll:
    """Take the persons' figures out of a report, and the month's entries of the register: the same numbers, by name."""
    figures = {(f.id, f.key): f for f in report.kpi if f.by == "person" and f.key != UNCLAIMED}
    worked = dict.fromkeys(key for id_, key in figures if id_ == "tasks_done")
    rows = []
    for person in dict.fromkeys([*worked, *(e.person for e in entries if e.state is State.CONFIRMED)]):
        row = PayrollRow(person, staff.name(person), staff.department(person), 0, 0, 0, 0, None, 0.0)
        if person in worked:
            row = _worked(
                row, *(figures[i, person] for i in ("tasks_done", "tasks_in_time", "schedule", "overdue_hours"))
            )
        own = [e for e in entries if e.person == person and e.state is State.CONFIRMED]
        rows.append(replace(row, adjustments=len(own), points=sum(e.points for e in own)))
    return Payroll(
        report.title,
        tuple(sorted(rows, key=lambda r: r.name)),
        (*report.remarks, *_about(entries, act)),
        tuple(_cells(entry, staff, zone) for entry in entries),
    )


def _worked(row: PayrollRow, done: Figure, in_time: Figure, schedule: Figure, overdue: Figure) -> PayrollRow:
    undated = sum(schedule.excluded.values())
    return replace(
        row,
        done=done.n,
        in_time=in_time.n,
        late=done.n - in_time.n - undated,
        not_timed=undated,
        schedule=schedule.value,
        overdue_hours=overdue.value or 0.0,
    )


def _about(entries: Sequence[Adjustment], act: str | None) -> Iterator[str]:
    """Say what the entries are, how many count, and what does not."""
    of = Counter(entry.state for entry in entries)
    said = ", ".join(f"{state} {of[state]}" for state in State if of[state])
    yield f"Записей о корректировке премии за месяц: {len(entries)}" + (f" ({said})." if said else ".")
    if of[State.OPEN]:
        yield "Записи без решения в баллы не входят: они войдут в выгрузку этого же месяца, когда решение будет."
    yield f"Локальный акт: {act}. Сколько стоит балл, считает бухгалтер по акту." if act else POINTS_ONLY
    yield NO_PAYMENT


def _cells(entry: Adjustment, staff: Staff, zone: tzinfo) -> tuple[Cell, ...]:
    def local(moment: datetime | None) -> datetime | None:
        return moment.astimezone(zone).replace(tzinfo=None, microsecond=0) if moment else None

    return (
        *(entry.key, entry.state.value, entry.person, staff.name(entry.person), staff.department(entry.person)),
        *(entry.order, entry.stage, local(entry.promise), local(entry.ready), entry.hours, entry.hours_first),
        *(entry.points, entry.rule, entry.act, entry.decided_by, local(entry.decided_at), entry.reason),
        entry.explanation,
    )


def write_csv(payroll: Payroll, path: Path) -> list[Path]:
    """Write tables that a bookkeeper's program reads: semicolons, decimal comma, a mark for UTF-8, no formulas.

    The entries of the register stand in a second file beside the first. Returns what was written.
    """
    beside = path.with_name(f"{path.stem}-корректировки.csv")
    for file, headings, lines in (
        (path, HEADINGS, [row.cells() for row in payroll.rows]),
        (beside, ENTRY_HEADINGS, payroll.entries),
    ):
        with file.open("w", encoding="utf-8-sig", newline="") as opened:
            writer = csv.writer(opened, delimiter=";")
            writer.writerow(headings)
            writer.writerows([table_text(cell) for cell in line] for line in lines)
    return [path, beside]


def write_xlsx(payroll: Payroll, path: Path) -> list[Path]:
    """Write a workbook: numbers are numbers, dates are dates, text is text and never a formula."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    try:
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        moment = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
        sheet = book.add_worksheet("Зарплата")
        _lines(sheet, [HEADINGS], head)
        sheet.set_column(0, 0, 16)
        sheet.set_column(1, 2, 32)
        sheet.set_column(3, len(HEADINGS) - 1, 14)
        sheet.freeze_panes(1, 2)
        _lines(sheet, [row.cells() for row in payroll.rows], None, first=1)
        entries = book.add_worksheet("Корректировки премии")
        _lines(entries, [ENTRY_HEADINGS], head)
        entries.set_column(0, 0, 44)
        entries.set_column(1, len(ENTRY_HEADINGS) - 3, 18)
        entries.set_column(len(ENTRY_HEADINGS) - 2, len(ENTRY_HEADINGS) - 1, 50)
        entries.freeze_panes(1, 1)
        _lines(entries, payroll.entries, moment, first=1)
        about = book.add_worksheet("О выгрузке")
        about.set_column(0, 0, 110)
        _lines(about, [(f"За {payroll.title}",), *((r,) for r in payroll.remarks)], None)
    finally:
        book.close()
    return [path]


def _lines(
    sheet: xlsxwriter.worksheet.Worksheet,
    lines: Sequence[Sequence[Cell]],
    form: xlsxwriter.format.Format | None,
    first: int = 0,
) -> None:
    """Write cells by their types. `form` is the heading's, or that of instants."""
    for row, cells in enumerate(lines, first):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(row, column, cell, form if first == 0 else None)
            elif isinstance(cell, datetime):
                sheet.write_datetime(row, column, cell, form)
            elif cell is not None:
                sheet.write_number(row, column, cell)


def table_text(cell: Cell) -> str:
    """Return a cell of a CSV: a decimal comma for numbers, and text that no program takes for a formula."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA) else cell
    if isinstance(cell, datetime):
        return f"{cell:%d.%m.%Y %H:%M}"
    return f"{cell:.2f}".rstrip("0").rstrip(".").replace(".", ",") if isinstance(cell, float) else str(cell)
