"""Rule: what is odd in a shop's data has a defined answer in the report, and "today" is the plant's."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from counted import CALENDAR, OCTOBER, STAFF, book, report, value
from told_history import Told

from app.errors import CommandError
from app.monthly import month_asked, with_targets
from app.settings import Settings
from orders.persons import Staff
from reports.page import page
from reports.period import Month, month_of
from reports.report import make_report
from reports.targets import Targets

AT = datetime(2026, 10, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def designed(told: Told, key: str, person: str, days: int = 0) -> None:
    """One order whose design that person claimed and answered."""
    at = AT + timedelta(days=days)
    order = told.order(key, at)
    order.step("ApproveOrder", at, at + HOUR, directorDecision="approve")
    order.step("PrepareDesign", at + HOUR, at + 4 * HOUR, person=person, claimed=at + 2 * HOUR)


def test_a_renamed_person_keeps_all_work_under_the_new_name(tmp_path: Path) -> None:
    """The id never changes; the name is the staff file's of today."""
    told = Told()
    for n in range(3):
        designed(told, f"A-{n}", "volkov", n)
    made = book(told.history, tmp_path)
    persons = tuple(replace(p, name="Дмитрий Волков-Заречный") if p.id == "volkov" else p for p in STAFF.persons)
    made.staff = Staff(persons, STAFF.own_groups)
    done = [f for f in make_report(made, OCTOBER, Targets()).kpi if f.id == "tasks_done" and f.key == "volkov"]
    assert [(f.name, f.value) for f in done] == [("Дмитрий Волков-Заречный", 3)]


def test_one_who_left_the_staff_file_keeps_the_work_under_the_id(tmp_path: Path) -> None:
    told = Told()
    designed(told, "A-1", "uvolen")
    done = [f for f in report(told.history, tmp_path).kpi if f.id == "tasks_done" and f.key == "uvolen"]
    assert [(f.name, f.value) for f in done] == [("uvolen", 1)]


def test_after_a_split_a_department_is_that_of_the_versions_diagram(tmp_path: Path) -> None:
    """Visits keep the department that their own version of the diagram named; the parts add up to the whole."""
    told = Told()
    designed(told, "old", "volkov")
    designed(told, "new", "novikov", 1)
    made = book(told.history, tmp_path)
    facts = list(made.facts)
    visits = tuple(replace(v, department="technologists") if v.stage == "design" else v for v in facts[1].visits)
    facts[1] = replace(facts[1], visits=visits)
    made.facts = facts
    kpi = make_report(made, OCTOBER, Targets()).kpi
    hours = {f.key: f.value for f in kpi if f.id == "overdue_hours" and f.by == "department"}
    whole = next(f.value for f in kpi if f.id == "overdue_hours" and not f.by)
    assert {"designers", "technologists"} <= set(hours)
    assert sum(v or 0 for v in hours.values()) == pytest.approx(whole, abs=0.2)


def test_an_order_moved_between_versions_counts_once_and_steps_under_their_own(tmp_path: Path) -> None:
    told = Told()
    for n in range(6):
        designed(told, f"A-{n}", "volkov", n)
    for row in told.history.rows["process-instance"]:
        row["processDefinitionId"] = "custom-furniture-order:2:made"  # migrated after its first steps
    for row in told.history.rows["task"][4:]:
        row["processDefinitionId"] = "custom-furniture-order:2:made"  # two orders were answered before
    made = report(told.history, tmp_path)
    assert value(made, "received") == 6
    assert made.find("stage_time.p50", "design").n == 6  # type: ignore[union-attr]
    versions = {f.key: f.n for f in made.kpi if f.id == "stage_time.p50" and f.by == "version"}
    assert {key: n for key, n in versions.items() if key.startswith("design")} == {"design:1": 2, "design:2": 4}


def test_missing_claims_are_said_to_be_unknown_on_the_page(tmp_path: Path) -> None:
    told = Told()
    for n in range(6):
        order = told.order(f"A-{n}", AT)
        order.step("ApproveOrder", AT, AT + 3 * HOUR, directorDecision="approve")
    text = page(report(told.history, tmp_path), [])
    assert "неизвестно" in text and "не отмечено, когда взят в работу\N{NO-BREAK SPACE}6" in text


def test_the_plants_month_whatever_the_machines_zone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    turn = datetime(2026, 10, 31, 21, 30, tzinfo=UTC)  # November in Moscow, October in London
    assert month_of(turn, CALENDAR.zone) == Month(2026, 11)
    told = Told()
    told.order("november", turn)
    found = []
    for zone in ("UTC", "Asia/Vladivostok", "America/Los_Angeles"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        found.append(report(told.history, tmp_path / zone.replace("/", "-"), Month(2026, 11)).find("received"))
    monkeypatch.delenv("TZ")
    time.tzset()
    assert [f.orders for f in found if f] == [("november",)] * 3


def test_two_baselines_a_missing_file_and_months_are_refused_in_one_sentence(tmp_path: Path) -> None:
    made = book(Told().history, tmp_path)
    targets = tmp_path / "targets.toml"
    targets.write_text('baseline_month = "2026-01"\n', encoding="utf-8")
    old = tmp_path / "было.csv"
    old.write_text("kpi;key;value\nlead_time.p50;;42\n", encoding="utf-8")
    settings = Settings(targets_file=targets, data_dir=tmp_path)
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    october = month_asked(settings, None, now)
    with pytest.raises(CommandError, match="Баз сравнения две"):
        with_targets(settings, made, october, old)
    with pytest.raises(CommandError, match="нет: укажите таблицу"):
        with_targets(settings, made, october, tmp_path / "no.csv")
    with pytest.raises(CommandError, match="ещё не начался"):
        month_asked(settings, "2027-01", now)
    with pytest.raises(CommandError, match="не понят"):
        month_asked(settings, "прошлый", now)
    assert with_targets(settings, made, october, None).state == "empty"
