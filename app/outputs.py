"""Write a report: page, workbook, JSON with its schema."""

from __future__ import annotations

import json
from pathlib import Path

from reports.page import page
from reports.report import Report
from reports.sheet import write_sheet


def write_report(made: Report, out: Path | None, xlsx: Path | None, as_json: Path | None) -> list[Path]:
    """Write the shapes that are asked for; return every file that was written."""
    written = [path for path in (out, xlsx, as_json) if path is not None]
    for path in written:
        path.parent.mkdir(parents=True, exist_ok=True)
    if out is not None:
        out.write_text(page(made), encoding="utf-8")
    if xlsx is not None:
        write_sheet(made, xlsx)
    if as_json is not None:
        as_json.write_text(made.model_dump_json(by_alias=True, indent=1) + "\n", encoding="utf-8")
        schema = as_json.with_suffix(".schema.json")
        text = json.dumps(Report.model_json_schema(by_alias=True, mode="serialization"), ensure_ascii=False, indent=1)
        schema.write_text(text + "\n", encoding="utf-8")
        written.append(schema)
    return written
