"""Rule: each order belongs to the figures that are about it and to no other.

Who belongs to the median: cancelled, refused and running work is in no lead time, a returned order counts once, and
all of them add up.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from counted import CALENDAR, book, value
from told_history import Told, ToldOrder

from reports.clock import ms
from reports.period import Month
from reports.report import Report, make_report
from reports.targets import Targets


@pytest.fixture(scope="module")
def f29(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Thirteen orders, all begun on one Monday; the month is the one in which all of them but one have ended."""
    told, monday = Told(), datetime(2026, 7, 6, 6, tzinfo=UTC)

    def after(days: float) -> datetime:
        return CALENDAR.add(monday, days * 8)

    def begun(key: str, request: str = "approve") -> ToldOrder:
        order = told.order(key, monday)
        order.step("ApproveOrder", monday, after(0.5), directorDecision=request, directorComment="нет станка")
        return order

    for days in (10, 12, 14, 20, 40):
        order = begun(f"shipped-{days}")
        order.step("PrepareDesign", after(0.5), after(2))
        order.end(after(days))
    for n in (1, 2):
        begun(f"refused-{n}", "reject").end(after(0.5), "End_RefusedByDirector")
    for n in (1, 2):
        order = begun(f"rejected-{n}")
        order.step("PrepareEstimate", after(1), after(2), estimateSum="1000.00")
        order.step("AgreePrice", after(2), after(3), priceDecision="reject", priceComment="дорого")
        order.end(after(3), "End_PriceRejected")
    order = begun("cancelled")
    order.step("Manufacture", after(5), after(9), reason="deleted")
    order.end(after(9), "End_Cancelled")
    told.order("shipped-10", monday).end(monday + timedelta(seconds=2), "End_Duplicate")
    order = begun("returned")
    for n in range(3):
        order.step("PrepareDesign", after(1 + 4 * n), after(3 + 4 * n))
        decision = {"readyDecision": "return", "readyComment": "иначе"} if n < 2 else {"readyDecision": "approve"}
        order.step("SetReadyDate", after(3 + 4 * n), after(4 + 4 * n), **decision)
    order.end(after(30))
    begun("running").step("PrepareDesign", after(0.5))
    made = book(told.history, tmp_path_factory.mktemp("f29"), after(90))
    # One period that holds everything, so that who is left out is left out by the formula and not by the month.
    made.bounds = lambda month: (ms(monday) - 1, made.now)  # type: ignore[method-assign]
    return make_report(made, Month(2026, 11), Targets())


def test_f29_lead_time_is_of_shipped_orders_only(f29: Report) -> None:
    p50 = f29.find("lead_time.p50")
    assert p50 is not None
    assert (p50.value, p50.n) == (14, 6)
    assert sorted(p50.orders) == ["returned", *(f"shipped-{d}" for d in (10, 12, 14, 20, 40))]
    assert p50.excluded == {"отказ директора": 2, "цена не принята": 2, "отменены": 1}
    assert (value(f29, "lead_time.p85"), value(f29, "lead_time.p95")) == (None, None)  # six say nothing of a p85


def test_f29_all_orders_are_somewhere_once(f29: Report) -> None:
    received, running = f29.find("received"), f29.find("wip")
    assert received is not None and running is not None
    assert (received.value, received.excluded) == (12, {"повторы заявок": 1})
    ended = {f.key: f.value for f in f29.kpi if f.id == "ended"}
    assert ended == {"delivered": 6, "refused": 2, "rejected": 2, "cancelled": 1, "removed": 0}
    assert sum(v or 0 for v in ended.values()) + (running.value or 0) == received.value
    assert running.orders == ("running",)
    spent = {f.key: f.value for f in f29.kpi if f.id == "ended.hours"}
    assert (spent["refused"], spent["rejected"], spent["cancelled"]) == (8, 24, 36)  # the price step is the customer's


def test_f29_a_returned_order_counts_once_in_rework_and_first_pass(f29: Report) -> None:
    assert f29.find("reworked").orders == ("returned",)  # type: ignore[union-attr]
    rework = f29.find("rework")
    assert rework is not None and (rework.value, rework.n) == (round(100 / 11, 1), 11)
    design = f29.find("stage_time.p50", "design")
    assert design is not None and (design.n, design.orders.count("returned")) == (8, 1)
    gate = f29.find("first_pass", "readydate")
    assert gate is not None and (gate.n, gate.status, gate.excluded) == (1, "few", {"повторные решения": 2})


def test_f29_the_running_order_is_in_ageing_only(f29: Report) -> None:
    holding = [f for f in f29.kpi if "running" in f.orders and f.by != "person" and f.id != "received"]
    assert {f.id for f in holding} <= {
        *("wip", "stage_open", "stage_oldest", "open_tasks", "director_refusal"),
        *("stage_ageing.p50", "stage_ageing.p85", "order_ageing.p50"),
        *("stage_time.p50", "stage_time.p85", "stage_time.p90", "first_pass"),
        *("stage_hours.unknown",),
    }
    assert not [f for f in holding if f.id.startswith("stage_time") and f.key != "approve"]
    assert value(f29, "stage_oldest", "design") == 89.5 * 8
    assert value(f29, "stage_ageing.p85", "design") == 1


def test_f29_every_n_is_shown_with_its_list(f29: Report) -> None:
    assert not [f.id for f in f29.kpi if f.n and not f.orders]
    assert not [f.id for f in f29.kpi if len(f.orders) > f.n]
