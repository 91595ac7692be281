"""The report as an Excel workbook: numbers are numbers, text is text and never a formula."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import xlsxwriter

from reports.figures import STATUS_WORDS, Figure
from reports.report import Report

_COLUMNS = (
    ("Код", 22), ("Показатель", 44), ("Разрез", 12), ("Часть", 34), ("Значение", 14), ("Единица", 18), ("n", 8),
    ("Примечание", 14), ("Цель", 10), ("Цель выполнена", 12), ("База", 12), ("Не вошли", 40), ("Как считается", 60),
)  # fmt: skip
_BY = {
    "": "весь цех", "stage": "шаг", "department": "отдел", "person": "сотрудник", "version": "версия", "month": "месяц",
    "reason": "причина", "outcome": "итог", "customer": "заказчик",
}  # fmt: skip


def write_sheet(report: Report, path: Path) -> None:
    """Write the workbook: figures, months, and the orders behind each figure."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(str(path), options)
    try:
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        wrap = book.add_format({"text_wrap": True, "valign": "top"})
        _figures(book.add_worksheet("Показатели"), report.kpi, head, wrap)
        _figures(book.add_worksheet("По месяцам"), report.trend, head, wrap)
        _orders(book.add_worksheet("Заказы"), report, head)
        _about(book.add_worksheet("Об отчёте"), report)
    finally:
        book.close()


def _figures(
    sheet: xlsxwriter.worksheet.Worksheet,
    figures: Sequence[Figure],
    head: xlsxwriter.format.Format,
    wrap: xlsxwriter.format.Format,
) -> None:
    for column, (title, width) in enumerate(_COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, head)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, len(figures)), len(_COLUMNS) - 1)
    for row, each in enumerate(figures, 1):
        left = "; ".join(f"{what}: {n}" for what, n in each.excluded.items())
        texts = {
            0: each.id, 1: each.label, 2: _BY[each.by], 3: each.name, 5: each.unit, 7: STATUS_WORDS[each.status],
            9: "" if each.met is None else "да" if each.met else "нет", 11: left, 12: each.note,
        }  # fmt: skip
        for column, text in texts.items():
            if text:
                sheet.write_string(row, column, text, wrap)
        for column, number in {4: each.value, 6: each.n, 8: each.target, 10: each.baseline}.items():
            if number is not None:
                sheet.write_number(row, column, number)


def _orders(sheet: xlsxwriter.worksheet.Worksheet, report: Report, head: xlsxwriter.format.Format) -> None:
    for column, (title, width) in enumerate((("Код", 22), ("Показатель", 44), ("Часть", 34), ("Заказ", 24))):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, head)
    sheet.freeze_panes(1, 0)
    row = 0
    for each in report.kpi:
        for key in each.orders:
            row += 1
            for column, text in enumerate((each.id, each.label, each.name, key)):
                sheet.write_string(row, column, text)
    sheet.autofilter(0, 0, max(1, row), 3)


def _about(sheet: xlsxwriter.worksheet.Worksheet, report: Report) -> None:
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 90)
    lines = [
        ("Период", report.title),
        ("Составлен", f"{report.generated_at:%d.%m.%Y %H:%M} ({report.time_zone})"),
        ("База сравнения", report.baseline or "нет"),
        *(("Замечание", remark) for remark in report.remarks),
        *((f"Нет: {what}", why) for what, why in report.not_here.items()),
    ]
    for row, (name, text) in enumerate(lines):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, text)
