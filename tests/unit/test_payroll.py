"""Rule: the export for the accountant holds each person's own work of the month, adds up, and never speaks of fines."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from counted import CALENDAR, FIRST, LAST, STAFF, Plain, report, when
from made_history import MadeHistory, make_history
from openpyxl import load_workbook
from told_history import Told

from orders.persons import Person, Staff
from reports.payroll import HEADINGS, Payroll, payroll_of, write_csv, write_xlsx


@pytest.fixture(scope="module")
def rows() -> MadeHistory:
    return make_history(420, CALENDAR, STAFF, seed=7, first=datetime(2026, 1, 12, 6, tzinfo=UTC))


@pytest.fixture(scope="module")
def made(rows: MadeHistory, tmp_path_factory: pytest.TempPathFactory) -> Payroll:
    return payroll_of(report(rows, tmp_path_factory.mktemp("payroll")), STAFF)


def test_each_persons_work_counted_again(made: Payroll, rows: MadeHistory) -> None:
    plain = Plain(rows)
    signed = {
        w["activityInstanceId"]: w["value"]
        for (_, n), ws in plain.writes.items() if n.startswith("done_") for w in ws
    }  # fmt: skip
    done: Counter[str] = Counter()
    late: Counter[str] = Counter()
    for task in plain.tasks:
        end = when(task["endTime"])
        if task["deleteReason"] != "completed" or end is None or not FIRST <= end < LAST:
            continue
        person = signed[task["activityInstanceId"]].split('"')[3]
        done[person] += 1
        late[person] += bool(task["due"]) and not plain.customer(task) and end > when(task["due"])  # type: ignore[operator]
    assert {r.person: r.done for r in made.rows if r.done} == done
    assert {r.person: r.late for r in made.rows if r.late} == +late
    assert all(r.done == r.in_time + r.late + r.not_timed for r in made.rows)


def test_workbook_and_csv_hold_the_same(made: Payroll, tmp_path: Path) -> None:
    write_xlsx(made, tmp_path / "p.xlsx")
    write_csv(made, tmp_path / "p.csv")
    book = [[c.value for c in row] for row in load_workbook(tmp_path / "p.xlsx")["Зарплата"].iter_rows()]
    assert book[0] == list(HEADINGS)
    assert [tuple(r) for r in book[1:]] == [r.cells() for r in made.rows]
    with (tmp_path / "p.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file, delimiter=";"))
    assert [r[1] for r in table[1:]] == [r.name for r in made.rows]
    assert [float(r[8].replace(",", ".")) for r in table[1:]] == [r.overdue_hours for r in made.rows]


def test_a_name_is_never_a_formula_and_a_fine_is_never_named(tmp_path: Path) -> None:
    at = datetime(2026, 10, 5, 6, tzinfo=UTC)
    told = Told()
    told.order("A-1", at).step("ApproveOrder", at, at + timedelta(hours=1), person="x", directorDecision="approve")
    made = payroll_of(report(told.history, tmp_path), Staff((Person("x", '=HYPERLINK("http://x")', ("directors",)),)))
    write_csv(made, tmp_path / "p.csv")
    write_xlsx(made, tmp_path / "p.xlsx")
    assert "'=HYPERLINK" in (tmp_path / "p.csv").read_text(encoding="utf-8-sig")
    cells = [c for sheet in load_workbook(tmp_path / "p.xlsx") for row in sheet.iter_rows() for c in row]
    assert not [c.coordinate for c in cells if c.data_type == "f"]
    assert not [c.value for c in cells if "штраф" in str(c.value).lower()]
