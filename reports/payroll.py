"""The export for the accountant: what each person did in a month. A register, never a payment instruction."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

from orders.persons import Staff
from reports.kpi.people import UNCLAIMED
from reports.report import Report

NO_ADJUSTMENTS = "Корректировок премий в выгрузке нет: журнал корректировок ещё не ведётся."
HEADINGS = (
    *(
        "Код",
        "Сотрудник",
        "Отдел",
        "Сделано задач",
        "В срок",
        "С опозданием",
        "Срок не оценивается",
        "Соблюдение сроков, %",
    ),
    "Просрочено рабочих часов",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Cell = str | float | None


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

    def cells(self) -> tuple[Cell, ...]:
        """Return the cells in the order of the headings."""
        return (
            *(self.person, self.name, self.department, self.done, self.in_time, self.late, self.not_timed),
            *(self.schedule, self.overdue_hours),
        )


@dataclass(frozen=True, slots=True)
class Payroll:
    """The export of a month."""

    title: str
    rows: tuple[PayrollRow, ...]
    remarks: tuple[str, ...] = ()


def payroll_of(report: Report, staff: Staff) -> Payroll:
    """Take the persons' figures out of a report: the same numbers, by name."""
    figures = {(f.id, f.key): f for f in report.kpi if f.by == "person" and f.key != UNCLAIMED}
    rows = []
    for person in dict.fromkeys(key for id_, key in figures if id_ == "tasks_done"):
        done, in_time, schedule = (figures[id_, person] for id_ in ("tasks_done", "tasks_in_time", "schedule"))
        undated = sum(schedule.excluded.values())
        rows.append(
            PayrollRow(
                person=person,
                name=staff.name(person),
                department=staff.department(person),
                done=done.n,
                in_time=in_time.n,
                late=done.n - in_time.n - undated,
                not_timed=undated,
                schedule=schedule.value,
                overdue_hours=figures["overdue_hours", person].value or 0.0,
            )
        )
    return Payroll(report.title, tuple(sorted(rows, key=lambda r: r.name)), report.remarks)


def write_csv(payroll: Payroll, path: Path) -> None:
    """Write a table that a bookkeeper's program reads: semicolons, decimal comma, a mark for UTF-8, no formulas."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(HEADINGS)
        writer.writerows([table_text(cell) for cell in row.cells()] for row in payroll.rows)


def write_xlsx(payroll: Payroll, path: Path) -> None:
    """Write a workbook: numbers are numbers, text is text and never a formula."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    try:
        sheet = book.add_worksheet("Зарплата")
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        _lines(sheet, [HEADINGS], head)
        sheet.set_column(0, 0, 16)
        sheet.set_column(1, 2, 32)
        sheet.set_column(3, len(HEADINGS) - 1, 14)
        sheet.freeze_panes(1, 2)
        _lines(sheet, [row.cells() for row in payroll.rows], None, first=1)
        about = book.add_worksheet("О выгрузке")
        about.set_column(0, 0, 100)
        _lines(about, [(f"За {payroll.title}",), *((r,) for r in payroll.remarks), (NO_ADJUSTMENTS,)], None)
    finally:
        book.close()


def _lines(
    sheet: xlsxwriter.worksheet.Worksheet,
    lines: Sequence[Sequence[Cell]],
    form: xlsxwriter.format.Format | None,
    first: int = 0,
) -> None:
    for row, cells in enumerate(lines, first):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(row, column, cell, form)
            elif cell is not None:
                sheet.write_number(row, column, cell, form)


def table_text(cell: Cell) -> str:
    """Return a cell of a CSV: a decimal comma for numbers, and text that no program takes for a formula."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA) else cell
    return f"{cell:.2f}".rstrip("0").rstrip(".").replace(".", ",") if isinstance(cell, float) else str(cell)
