"""Rule: the report tells how the cards kept up with the engine and what became of the register, and names no person.

What nobody knows is «неизвестно»: without a portal there are no cards to keep.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from counted import OCTOBER, book, nearest_rank, value
from told_history import Told

from app.settings import Settings
from app.upkeep import read_upkeep
from app.wiring import Parts
from reports.adjustments import State
from reports.page import page
from reports.report import Report, make_report
from reports.store import Store
from reports.targets import Targets
from reports.upkeep import Entry, Upkeep

AT = datetime(2026, 10, 5, 6, tzinfo=UTC)
ENTRIES = (
    Entry("A-0", State.CONFIRMED, explained=True, appealed=True, points=2),
    Entry("A-1", State.CONFIRMED, explained=False, appealed=False, points=3),
    Entry("A-2", State.ANNULLED, explained=True, appealed=False, points=5),
    Entry("A-3", State.OPEN, explained=False, appealed=False, points=7),
    Entry("A-4", State.WITHDRAWN, explained=True, appealed=False, points=1),
)


def made_of(tmp_path: Path, upkeep: Upkeep | None) -> Report:
    told = Told()
    for n in range(5):
        told.order(f"A-{n}", AT)
    facts = book(told.history, tmp_path)
    facts.upkeep = upkeep
    return make_report(facts, OCTOBER, Targets())


def ids(tmp_path: Path) -> list[str]:
    told = Told()
    return [told.order(f"A-{n}", AT).id for n in range(5)]


def test_the_mirrors_health(tmp_path: Path) -> None:
    instances = ids(tmp_path)
    lags = [(instances[n % 5], 700 + 311 * n) for n in range(23)]
    known = Upkeep(True, tuple(lags), failed=(instances[0], instances[0], instances[3]), drift=("A-2",))
    made = made_of(tmp_path, known)
    for q in (50, 95):
        assert value(made, f"sync_lag.p{q}") == round(nearest_rank([ms / 1000 for _, ms in lags], q / 100), 1)
    assert (value(made, "sync_drift"), made.find("sync_drift").orders) == (1, ("A-2",))  # type: ignore[union-attr]
    failed = made.find("failed_steps")
    assert failed is not None
    assert (failed.value, failed.n, failed.orders) == (3, 3, ("A-0", "A-3"))


def test_the_register_in_numbers_without_names(tmp_path: Path) -> None:
    made = made_of(tmp_path, Upkeep(False, entries=ENTRIES))
    assert value(made, "register_entries") == 5
    for id_, orders in (
        ("register_explained", ("A-0", "A-2", "A-4")),
        ("register_open", ("A-3",)),
        ("register_confirmed", ("A-0", "A-1")),
        ("register_annulled", ("A-2",)),
        ("register_withdrawn", ("A-4",)),
        ("register_appealed", ("A-0",)),
    ):
        figure = made.find(id_)
        assert figure is not None
        assert (figure.value, figure.orders) == (len(orders), orders), id_
    points = made.find("register_points")
    assert points is not None
    assert (points.value, points.unit, points.by) == (5, "баллов", "")
    assert not [f for f in made.kpi if f.id.startswith("register") and f.by]
    assert "штраф" not in page(made, []).casefold()


@pytest.mark.parametrize("known", [None, Upkeep(False)])
def test_what_nobody_knows_is_not_nought(tmp_path: Path, known: Upkeep | None) -> None:
    made = made_of(tmp_path, known)
    for id_ in ("sync_lag.p50", "sync_lag.p95", "sync_drift"):
        figure = made.find(id_)
        assert figure is not None
        assert (figure.value, figure.status, figure.note) == (None, "unknown", "портал не подключён")
    expected = (None, "unknown") if known is None else (0, "ok")
    for id_ in ("failed_steps", "register_entries", "register_points"):
        figure = made.find(id_)
        assert figure is not None
        assert (figure.value, figure.status) == expected, id_


def test_it_is_told_again_without_the_engine(tmp_path: Path) -> None:
    known = Upkeep(True, (("i", 5),), ("i",), ("A-1",), ENTRIES)
    with Store(tmp_path / "kept.db", "engine") as store:
        assert store.upkeep("2026-10") is None
        store.keep_upkeep("2026-10", known)
        assert (store.upkeep("2026-10"), store.upkeep("2026-09")) == (known, None)
    with Store(tmp_path / "kept.db", "another") as store:
        assert store.upkeep("2026-10") is None


def test_the_steps_of_a_month_that_is_over_are_read_once_and_the_register_each_time() -> None:
    asked: list[str] = []

    def rows(path: str, *_: object, **__: object) -> list[object]:
        asked.append(path)
        return []

    def rest(_: str, path: str, **__: object) -> SimpleNamespace:
        asked.append(path)
        return SimpleNamespace(json=list)

    def instances(**_: object) -> list[object]:
        asked.append("register")
        return []

    client = SimpleNamespace(caller=SimpleNamespace(rows=rows, rest=rest), history=SimpleNamespace(instances=instances))
    parts = cast(
        Parts,
        SimpleNamespace(
            integration=client, settings=Settings(), ledger=SimpleNamespace(cursor=lambda _: None), route=None
        ),
    )
    first, last = AT, AT + timedelta(days=30)
    steps = ["/history/activity-instance", "/history/external-task-log"]
    running = read_upkeep(parts, first, last, last)
    assert (running.whole, asked) == (False, [*steps, "register"])
    whole = read_upkeep(parts, first, last, last + timedelta(days=1), running)
    assert (whole.whole, asked[3:]) == (True, [*steps, "register"])
    assert read_upkeep(parts, first, last, last + timedelta(days=2), whole) == whole
    assert asked[6:] == ["register"]
