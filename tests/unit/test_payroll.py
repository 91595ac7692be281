"""Rule: the export for the accountant holds each person's own work of the month, adds up, and never speaks of fines."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from counted import CALENDAR, FIRST, LAST, STAFF, Plain, report, when
from made_history import MadeHistory, make_history
from openpyxl import load_workbook
from told_history import Told

from engine.register import Kept
from orders.persons import Person, Staff
from orders.snapshot import Scalar
from reports.adjustments import read
from reports.payroll import ENTRY_HEADINGS, HEADINGS, POINTS_ONLY, Payroll, payroll_of, write_csv, write_xlsx


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


# the register's entries

AT = datetime(2026, 10, 14, 15, tzinfo=UTC)
BEGUN = {"adjustPerson": "anna", "orderKey": "ORD-1", "adjustStageName": "Изготовление", "adjustRule": "late-ready/1"}
SIGNED = json.dumps({"person": "boss", "name": "Борис", "at": "2026-10-20T09:00:00+03:00"})


def kept(key: str, *, ended: bool = True, completed: bool = True, **values: Scalar) -> Kept:
    said = {"adjustPromise": "2026-10-14T15:00:00Z", "adjustHours": 9.5, "adjustHoursFirst": 9.5, "adjustPoints": 2}
    return Kept(key, ended, completed, {**BEGUN, **said, **values})


ENTRIES = [
    kept("one", adjustDecision="confirm", done_UserTask_DecideAdjustment=SIGNED, adjustReason="=1+1", adjustAct="№ 17"),
    kept("two", adjustDecision="annul", done_UserTask_DecideAdjustment=SIGNED, adjustReason="Станок"),
    kept("appealed", ended=False, adjustDecision="confirm"),
    kept("withdrawn", adjustWithdrawn="Заказ отменён"),
    kept("repeated"),
    kept("deleted", completed=False, adjustDecision="confirm"),
    kept("other month", adjustDecision="confirm", adjustPromise="2026-11-01T10:00:00Z"),
]


def exported(tmp_path: Path, act: str | None = None) -> Payroll:
    told = Told()
    told.order("A-1", AT).step("ApproveOrder", AT, AT + timedelta(hours=1), person="x", directorDecision="approve")
    entries = read(ENTRIES, FIRST, LAST)
    staff = Staff((Person("x", "Икс", ("directors",)), Person("anna", "Анна", ("workshop",))))
    return payroll_of(report(told.history, tmp_path), staff, entries, ZoneInfo("Europe/Moscow"), act)


def test_only_what_a_manager_confirmed_counts(tmp_path: Path) -> None:
    """One confirmed entry of five that are known; who did nothing else in the month has a row for it."""
    made = exported(tmp_path)
    assert {r.person: (r.done, r.adjustments, r.points) for r in made.rows} == {"x": (1, 0, 0), "anna": (0, 1, 2)}
    states = {str(line[0]): line[1] for line in made.entries}
    assert states == {
        "one": "подтверждена",
        "two": "отменена",
        "appealed": "решения ещё нет",
        "withdrawn": "снята программой",
    }
    assert any("4 (" in r for r in made.remarks) and POINTS_ONLY in made.remarks


def test_points_stay_points_and_the_act_is_named(tmp_path: Path) -> None:
    made = exported(tmp_path, "№ 17 от 01.09.2026")
    assert POINTS_ONLY not in made.remarks
    assert any("№ 17 от 01.09.2026" in remark for remark in made.remarks)
    assert not [h for h in (*HEADINGS, *ENTRY_HEADINGS) if "₽" in h or "руб" in h.lower()]


def test_entries_have_typed_cells_and_no_formula(tmp_path: Path) -> None:
    made = exported(tmp_path)
    write_xlsx(made, tmp_path / "p.xlsx")
    sheet = load_workbook(tmp_path / "p.xlsx")["Корректировки премии"]
    assert [c.value for c in sheet[1]] == list(ENTRY_HEADINGS)
    row = dict(zip(ENTRY_HEADINGS, sheet[3], strict=True))
    assert row["Запись"].value == "one"
    assert (row["Срок"].value, row["Решено"].value) == (datetime(2026, 10, 14, 18), datetime(2026, 10, 20, 9))
    assert [row[h].data_type for h in ("Срок", "Опоздание, рабочих часов", "Баллов", "Причина решения")] == list("dnns")
    first, beside = write_csv(made, tmp_path / "p.csv")
    assert (first.name, beside.name) == ("p.csv", "p-корректировки.csv")
    with beside.open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file, delimiter=";"))
    line = dict(zip(table[0], table[2], strict=True))
    assert (line["Причина решения"], line["Опоздание, рабочих часов"], line["Срок"]) == (
        "'=1+1",
        "9,5",
        "14.10.2026 18:00",
    )
