"""Rule: what the history store tells of an order is what the real engine did: rework, claims, moves, outcomes, persons.

The rows that other tests make have the shape of the engine's own. `report` prints from them what the engine counts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from command import run, settings_of
from made_history import make_history
from ownshop import open_own
from shop import ROOT, Shop, good_answer

from engine.duedates import fit_due_dates
from engine.processes import Instance
from orders.calendar import read_calendar
from orders.worktime import Kind, WorkingCalendar
from reports.clock import ms
from reports.facts import DONE, OPEN, OrderFacts
from reports.source import EngineHistory
from reports.store import Store

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """An engine of its own: a month's figures are those of all its orders."""
    with open_own(tmp_path_factory.mktemp("own")) as opened:
        yield opened


@pytest.fixture(scope="module")
def orders(shop: Shop) -> dict[str, Instance]:
    """Carry one order through return, claim, give-back and a moved date; others to each kind of end."""
    long = shop.start_order()
    step = shop.carry_to(long, "UserTask_PrepareDesign")
    designer = shop.person(shop.member("designers")).tasks
    assert step.engine_task is not None
    designer.claim(step.engine_task, shop.member("designers"))
    time.sleep(1.1)  # a claim in the second of the answer is none
    designer.complete(step.engine_task, good_answer("UserTask_PrepareDesign"))
    shop.carry_to(long, "UserTask_SetReadyDate")
    shop.answer(long, readyDecision="return", readyComment="переделать")
    shop.carry_to(long, "UserTask_Manufacture")
    later = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    shop.integration.processes.correlate("ReadyDateMoved", long.id, {"readyBy": later})
    shop.carry_home(long)
    about = {"orderKey": long.business_key}
    manager, accountant = shop.person(shop.member("commercial")), shop.person(shop.member("accounting"))
    manager.processes.start("record-complaint", {**about, "complaintText": "скол"})
    accountant.processes.start("record-actual-cost", {**about, "actualCost": "110000.00"})
    shop.drain()
    rejected = shop.start_order()
    shop.carry_to(rejected, "UserTask_AgreePrice")
    shop.answer(rejected, priceDecision="reject", priceComment="дорого")
    shop.drain(rejected)
    cancelled = shop.start_order()
    shop.carry_to(cancelled, "UserTask_Manufacture")
    shop.integration.processes.correlate("OrderCancelled", cancelled.id, {"cancelReason": "передумал"})
    shop.drain(cancelled)
    running = shop.start_order()
    shop.carry_to(running, "UserTask_PrepareEstimate")
    for suspended in (True, False):
        path, body = f"/process-instance/{running.id}/suspended", {"suspended": suspended}
        shop.admin.caller.rest("PUT", path, body=body)
    shop.admin.processes.set_suspended([running.id], True)  # as many at once are
    return {"delivered": long, "rejected": rejected, "cancelled": cancelled, "running": running}


def test_what_happened_is_what_the_store_tells(shop: Shop, orders: dict[str, Instance], tmp_path: Path) -> None:
    history = EngineHistory(shop.integration)
    with Store(tmp_path / "history.db") as store:
        store.refresh(history, shop.reader.route)
        first = store.facts()
        store.refresh(history, shop.reader.route)
        assert store.facts() == first
        records, papers = store.records(), store.papers()
    delivered = orders["delivered"].id
    said = [(r.kind, r.cost) for r in records if r.order_instance_id == delivered]
    assert sorted(said, key=str) == [("complaint", None), ("cost", 11_000_000)]
    assert {"orderFile", "designFile", "estimateFile"} <= papers[delivered]
    found: dict[str, OrderFacts] = {f.order.instance_id: f for f in first}
    assert {name: found[i.id].order.outcome for name, i in orders.items()} == {name: name for name in orders}
    for instance in orders.values():
        facts, seen = found[instance.id], shop.reader.snapshot(instance.id)
        done = [(v.element, v.person, v.decision) for v in facts.visits if v.outcome == DONE]
        gates = ("UserTask_ApproveOrder", "UserTask_AgreePrice", "UserTask_SetReadyDate")
        assert done == [(v.task_id, v.person, v.decision if v.task_id in gates else None) for v in seen.done]
        assert [v.element for v in facts.visits if v.outcome == OPEN] == [v.task_id for v in seen.open]
        assert facts.order.paused == tuple((ms(a), ms(b) if b else None) for a, b in seen.paused)
        assert len(seen.paused) == (2 if instance == orders["running"] else 0)
        assert seen.suspended == (instance == orders["running"])
        assert {(f.variable, f.sha256) for f in seen.files} <= {(f.variable, f.sha256) for f in facts.files}
    long = found[orders["delivered"].id]
    assert len(long.order.promises) == 2
    design = [v for v in long.visits if v.stage == "design"]
    assert len(design) == 2
    assert design[0].claimed is not None and design[0].ended is not None
    assert 1000 <= design[0].ended - design[0].claimed < 60_000
    assert design[1].claimed is None
    assert long.order.estimate == 12_500_000
    assert found[orders["cancelled"].id].order.reason == "передумал"
    (since, until), (_, still) = found[orders["running"].id].order.paused
    assert until is not None and 0 <= until - since < 60_000 and still is None
    data = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    token = shop.reader.variables(orders["delivered"].id)["trackToken"]
    assert str(token).encode() not in data

    # the rows that are made for other tests have what the engine's have
    calendar = read_calendar((ROOT / "config" / "calendar.toml").read_text(encoding="utf-8"))
    made = make_history(40, calendar, shop.staff)
    for resource, rows in made.rows.items():
        page = history.page(resource, {"maxResults": 1, "firstResult": 0})
        assert set(rows[0]) <= set(page[0]), resource


def test_a_changed_calendar_moves_open_deadlines_and_no_other(shop: Shop, orders: dict[str, Instance]) -> None:
    """A day that a decree frees moves what is due by a norm; what somebody moved by hand stays."""
    made = [shop.start_order(), shop.start_order()]
    design = [shop.carry_to(order, "UserTask_PrepareDesign") for order in made]

    def changed(*days: date) -> WorkingCalendar:
        return WorkingCalendar(overrides=dict.fromkeys(days, Kind.OFF))

    today, by_hand = changed(), datetime.now(UTC) + timedelta(days=70)
    fit_due_dates(shop.integration, shop.reader.route, today)  # the tests' worker knows no norms
    due = shop.open_step(made[0]).due
    assert due is not None and design[1].engine_task is not None
    shop.integration.tasks.set_due(design[1].engine_task, by_hand)
    assert fit_due_dates(shop.integration, shop.reader.route, today) == 0
    free = changed(today.today(due))
    assert fit_due_dates(shop.integration, shop.reader.route, free) >= 1
    moved = [shop.open_step(order).due for order in made]
    assert moved[0] is not None and moved[0] > due
    norm = today.between(design[0].since, due)
    assert free.between(design[0].since, moved[0]) == pytest.approx(norm, abs=0.01)
    assert moved[1] is not None and abs(moved[1] - by_hand) < timedelta(seconds=1)
    written = datetime.fromisoformat(str(shop.reader.variables(made[0].id)["due_UserTask_PrepareDesign"]))
    assert abs(written - moved[0]) < timedelta(seconds=1)
    assert fit_due_dates(shop.integration, shop.reader.route, free) == 0
    assert fit_due_dates(shop.integration, shop.reader.route, today) >= 1
    back = shop.open_step(made[0]).due
    assert back is not None and abs(back - due) < timedelta(seconds=1)


def test_the_command_counts_what_the_engine_counts(shop: Shop, orders: dict[str, Instance], tmp_path: Path) -> None:
    env = settings_of(shop, tmp_path / "data")
    env["ORDER_ROUTE_BITRIX_WEBHOOK_URL"] = "http://127.0.0.1:9/rest/1/never/"  # a report asks no portal
    month = f"{datetime.now(ZoneInfo('Europe/Moscow')):%Y-%m}"
    files = [tmp_path / "вывод" / name for name in ("отчёт.html", "отчёт.xlsx", "отчёт.json")]
    said = run("report", "--month", month, "--out", files[0], "--xlsx", files[1], "--json", files[2], env=env)
    assert said.code == 0, said.text
    assert all(f.stat().st_size > 4000 for f in files)
    assert files[2].with_suffix(".schema.json").is_file()
    kpi = {(f["id"], f["key"]): f for f in json.loads(files[2].read_text(encoding="utf-8"))["kpi"]}
    counted = {i.id: i for i in shop.integration.history.instances(processDefinitionKey="custom-furniture-order")}
    assert kpi["received", ""]["value"] + kpi["duplicates", ""]["value"] == len(counted)
    assert kpi["wip", ""]["value"] == sum(i.ended is None for i in counted.values())
    assert kpi["complaints", ""]["orders"] == [orders["delivered"].business_key]
    assert (kpi["cost_planned", ""]["value"], kpi["cost_actual", ""]["value"]) == (125_000, 110_000)
    failed = {"failureLog": True, "processDefinitionKey": "custom-furniture-order"}
    assert kpi["failed_steps", ""]["value"] == shop.integration.history.count("external-task-log", **failed)
    steps = shop.integration.history.activities(activityType="serviceTask", finished=True)
    assert kpi["sync_lag.p50", ""]["n"] == sum(
        a.element.startswith("ServiceTask_Sync") and not a.canceled for a in steps
    )
    assert kpi["sync_lag.p95", ""]["value"] is not None
    assert (kpi["sync_drift", ""]["value"], kpi["register_entries", ""]["value"]) == (0, 0)
    report = json.loads(files[2].read_text(encoding="utf-8"))["conformity"]
    ended = [i for i in counted.values() if i.ended is not None]
    assert (report["checked"], report["unchecked"]) == (len(ended) - kpi["duplicates", ""]["value"], 0)
    key = orders["rejected"].business_key
    assert key in kpi["ended", "rejected"]["orders"]
    assert key in files[0].read_text(encoding="utf-8")
    for wrong, sentence in (("2026-13", "не понят"), ("2999-01", "ещё не начался")):
        refused = run("report", "--month", wrong, env=env)
        assert (refused.code, sentence in refused.err) == (2, True), refused.text
