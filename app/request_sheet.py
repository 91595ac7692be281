"""A request sheet for an order that brings no file of its own: what the row says, as a workbook."""

from __future__ import annotations

import io

import xlsxwriter

MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def request_sheet(rows: list[tuple[str, str]]) -> bytes:
    """Return an XLSX of label and value; values stay text, a formula in a row is never run."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet("Заявка")
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 60)
    for row, (label, value) in enumerate(rows):
        sheet.write_string(row, 0, label)
        sheet.write_string(row, 1, value)
    book.close()
    return out.getvalue()
