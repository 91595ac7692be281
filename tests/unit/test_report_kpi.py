"""Rule: each KPI counts whom its formula names and nobody else, and says how many it left out.

The numbers are computed a second time here, from the rows of the history REST in plain Python, without the store, the
derived facts or the fast clock.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from counted import (
    CALENDAR,
    ENDS,
    FIRST,
    LAST,
    NOW,
    OCTOBER,
    ROUTE,
    STAFF,
    Plain,
    book,
    hours,
    nearest_rank,
    report,
    value,
    when,
)  # fmt: skip
from made_history import MadeHistory, make_history
from told_history import Told

from reports.clock import ms
from reports.facts import Deviation
from reports.period import Month
from reports.report import Report, make_report
from reports.targets import Baseline, Goal, Targets


@pytest.fixture(scope="module")
def rows() -> MadeHistory:
    return make_history(420, CALENDAR, STAFF, seed=7, first=datetime(2026, 1, 12, 6, tzinfo=UTC))


@pytest.fixture(scope="module")
def october(rows: MadeHistory, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return report(rows, tmp_path_factory.mktemp("october"))


@pytest.fixture(scope="module")
def plain(rows: MadeHistory) -> Plain:
    return Plain(rows)


def test_received_wip_and_outcomes(october: Report, plain: Plain) -> None:
    started = [i for i in plain.orders if FIRST <= when(i["startTime"]) < LAST]  # type: ignore[operator]
    assert value(october, "received") == len(started) > 10
    running = [
        i for i in plain.orders
        if when(i["startTime"]) < LAST and (not i["endTime"] or when(i["endTime"]) >= LAST)  # type: ignore[operator]
    ]  # fmt: skip
    assert value(october, "wip") == len(running) > 10
    for end, outcome in ENDS.items():
        assert sorted(october.find("ended", outcome).orders) == sorted(  # type: ignore[union-attr]
            plain.key[i["id"]] for i in plain.ended(end)
        )


def test_lead_time_gross_and_net(october: Report, plain: Plain) -> None:
    gross, net = [], []
    for order in plain.ended("End_Delivered"):
        days = hours(when(order["startTime"]), when(order["endTime"])) / 8  # type: ignore[arg-type]
        waited = sum(
            hours(when(t["startTime"]), when(t["endTime"])) / 8  # type: ignore[arg-type]
            for t in plain.tasks
            if t["processInstanceId"] == order["id"] and plain.customer(t)
        )
        gross.append(days)
        net.append(days - waited)
    assert len(gross) >= 20
    for q in (50, 85, 95):
        assert value(october, f"lead_time.p{q}") == round(nearest_rank(gross, q / 100), 1)
        assert value(october, f"lead_time_net.p{q}") == round(nearest_rank(net, q / 100), 1)
    assert value(october, "lead_time.mean") == round(sum(gross) / len(gross), 1)
    assert value(october, "throughput") == round(len(gross) / ((LAST - FIRST) / timedelta(days=7)), 1)


def test_on_time_by_both_promises(october: Report, plain: Plain) -> None:
    found = list(plain.ready())
    assert len(found) > 20
    last = [done <= made[-1] for _, done, made in found]
    first = [done <= made[0] for _, done, made in found]
    assert value(october, "on_time_last") == round(100 * sum(last) / len(last), 1)
    assert value(october, "on_time_first") == round(100 * sum(first) / len(first), 1)
    assert value(october, "late") == last.count(False)
    assert value(october, "promise_moves") == round(sum(len(m) - 1 for _, _, m in found) / len(found), 2)


@pytest.mark.parametrize("stage", [s.code for s in ROUTE.stages if s.code != "fix"])
def test_stage_times_wait_and_touch(october: Report, plain: Plain, stage: str) -> None:
    element = ROUTE.stage_of_code(stage).task_id  # type: ignore[union-attr]
    tasks = plain.answers(element)
    claims = {o["taskId"]: when(o["timestamp"]) for o in plain.rows["user-operation"]}
    total = [hours(when(t["startTime"]), when(t["endTime"])) for t in tasks]  # type: ignore[arg-type]
    claimed = [(t, claims[t["id"]]) for t in tasks if t["id"] in claims]
    wait = [hours(when(t["startTime"]), at) for t, at in claimed]  # type: ignore[arg-type]
    touch = [hours(at, when(t["endTime"])) for t, at in claimed]  # type: ignore[arg-type]
    assert len(total) > 10
    for q in (50, 85, 90):
        assert value(october, f"stage_time.p{q}", stage) == round(nearest_rank(total, q / 100), 1)
    if stage in ("price", "payment"):  # the customer's time is neither our waiting nor our work
        assert october.find("stage_wait.p50", stage) is None
        return
    assert value(october, "stage_wait.p50", stage) == round(nearest_rank(wait, 0.5), 1)
    assert value(october, "stage_touch.p50", stage) == round(nearest_rank(touch, 0.5), 1)
    left = october.find("stage_wait.p50", stage).excluded  # type: ignore[union-attr]
    assert left.get("не отмечено, когда взят в работу", 0) == len(tasks) - len(claimed)
    expected = round(100 * sum(touch) / (sum(touch) + sum(wait)), 1)
    assert value(october, "stage_efficiency", stage) == expected


def test_first_pass_refusals_and_rejections(october: Report, plain: Plain) -> None:
    gates = {
        "UserTask_ApproveOrder": ("approve", "directorDecision"),
        "UserTask_SetReadyDate": ("readydate", "readyDecision"),
    }
    for element, (stage, name) in gates.items():
        decided = {t["activityInstanceId"] for t in plain.answers(element)}
        first = []
        for order in plain.orders:
            made = [w for w in plain.writes[order["id"], name] if w["value"]]
            if made and made[0]["activityInstanceId"] in decided:
                first.append(made[0]["value"] == "approve")
        assert value(october, "first_pass", stage) == round(100 * sum(first) / len(first), 1)
    for element, name, id_ in (
        ("UserTask_ApproveOrder", "directorDecision", "director_refusal"),
        ("UserTask_AgreePrice", "priceDecision", "price_rejection"),
    ):
        asked = {t["activityInstanceId"] for t in plain.answers(element)}
        said = [w["value"] for (_, n), ws in plain.writes.items() if n == name for w in ws
                if w["activityInstanceId"] in asked]  # fmt: skip
        assert value(october, id_) == round(100 * said.count("reject") / len(said), 1)


def test_overdue_by_department_and_person(october: Report, plain: Plain) -> None:
    departments: Counter[str] = Counter()
    persons: Counter[str] = Counter()
    answered = {w["activityInstanceId"]: json.loads(w["value"])["person"]
                for (_, n), ws in plain.writes.items() if n.startswith("done_") for w in ws}  # fmt: skip
    for task in plain.tasks:
        due, end = when(task["due"]), when(task["endTime"]) or NOW
        if due is None or plain.customer(task):
            continue
        begin, stop = max(due, FIRST), min(end, LAST)
        if stop > begin and (late := hours(begin, stop)) > 0:
            stage = ROUTE.stage(task["taskDefinitionKey"])
            assert stage is not None
            departments[stage.groups[0] if stage.groups else ""] += late  # type: ignore[assignment]
            persons[answered.get(task["activityInstanceId"]) or task["assignee"] or "—"] += late  # type: ignore[assignment]
    shown = {f.key: f.value for f in october.kpi if f.id == "overdue_hours" and f.by == "department" and f.value}
    assert shown == {group: pytest.approx(late, abs=0.06) for group, late in departments.items()}
    assert value(october, "overdue_hours") == pytest.approx(sum(departments.values()), abs=0.06)
    named = {f.key: f.value for f in october.kpi if f.id == "overdue_hours" and f.by == "person" and f.value}
    assert named == {person: pytest.approx(late, abs=0.06) for person, late in persons.items()}
    lost = [f.value or 0 for f in october.kpi if f.id == "stage_lost"]
    assert sum(lost) == pytest.approx(sum(departments.values()), abs=0.56)
    assert [n.hours_lost for n in october.narrow] == sorted(lost, reverse=True)[:3]


def test_schedule_kept_by_a_person(october: Report, plain: Plain) -> None:
    answered = {w["activityInstanceId"]: json.loads(w["value"])["person"]
                for (_, n), ws in plain.writes.items() if n.startswith("done_") for w in ws}  # fmt: skip
    points: dict[str, list[float]] = defaultdict(list)
    for task in plain.tasks:
        due, end = when(task["due"]), when(task["endTime"])
        person = answered.get(task["activityInstanceId"]) or task["assignee"]
        if due is None or person is None or plain.customer(task) or when(task["startTime"]) >= LAST:  # type: ignore[operator]
            continue
        if end and task["deleteReason"] == "completed" and FIRST <= end < LAST:
            points[person].append(1 if end <= due else 0.5)
        elif due < LAST and (end is None or end >= LAST):
            points[person].append(0)
    expected = {p: round(100 * sum(v) / len(v), 1) for p, v in points.items() if len(v) >= 5}
    assert len(expected) > 5
    shown = {f.key: f.value for f in october.kpi if f.id == "schedule" and f.value is not None}
    assert shown == expected


def test_sums(october: Report, plain: Plain) -> None:
    def estimate(instance: str) -> float | None:
        found = [w["value"] for w in plain.writes[instance, "estimateSum"] if w["value"]]
        return float(found[-1]) if found else None

    shipped = [estimate(i["id"]) or 0 for i in plain.ended("End_Delivered")]
    assert value(october, "sum_shipped") == sum(shipped) > 0
    lost = [estimate(i["id"]) or 0 for i in plain.ended("End_PriceRejected")]
    assert value(october, "price_lost_sum") == sum(lost)
    customers: Counter[str] = Counter()
    for order in plain.orders:
        if when(order["startTime"]) < LAST and (not order["endTime"] or when(order["endTime"]) >= FIRST):  # type: ignore[operator]
            customers[plain.writes[order["id"], "customerName"][-1]["value"]] += estimate(order["id"]) or 0  # type: ignore[assignment]
    assert {f.key: f.value for f in october.kpi if f.id == "sum_customer"} == customers
    standing: Counter[str] = Counter()
    for task in plain.tasks:
        opened = when(task["startTime"]) < LAST  # type: ignore[operator]
        if opened and (not task["endTime"] or when(task["endTime"]) >= LAST):  # type: ignore[operator]
            sum_ = estimate(task["processInstanceId"])
            stage = ROUTE.stage(task["taskDefinitionKey"])
            assert stage is not None
            standing[stage.code] += sum_ or 0  # type: ignore[assignment]
    shown = {f.key: f.value for f in october.kpi if f.id == "sum_stage" and f.value}
    assert shown == {stage: total for stage, total in standing.items() if total}


def test_complaints_perfect_orders_and_costs(october: Report, plain: Plain) -> None:
    said: dict[str, dict[str, str]] = defaultdict(dict)
    at: dict[str, datetime] = {}
    for row in plain.rows["detail"]:
        if row["processDefinitionKey"].startswith("record-"):
            said[row["processInstanceId"]][row["variableName"]] = row["value"]
            at[row["processInstanceId"]] = when(row["time"])  # type: ignore[assignment]
    complaints = {i: s["orderInstanceId"] for i, s in said.items() if "complaintText" in s}
    opened = [i for i in complaints if FIRST <= at[i] < LAST]
    assert value(october, "complaints") == len(opened) > 0
    year = [
        e
        for i, e in plain.end.items()
        if e == "End_Delivered" and LAST - timedelta(days=365) <= when(plain.instance(i)["endTime"]) < LAST
    ]  # type: ignore[operator]
    assert value(october, "complaint_rate") == round(100 * len(opened) / len(year), 1)

    shipped = plain.ended("End_Delivered")
    made = {order: done <= dates[-1] for order, done, dates in plain.ready(ever=True)}
    good = 0
    for order in shipped:
        files = {n for (i, n), ws in plain.writes.items() if i == order["id"] and n.endswith("Info") for w in ws
                 if w["value"]}  # fmt: skip
        papers = {"orderFileInfo", "designFileInfo", "estimateFileInfo"} <= files
        good += made.get(order["id"], False) and papers and order["id"] not in complaints.values()
    assert 0 < good < len(shipped)
    assert value(october, "perfect_orders") == good
    assert value(october, "perfect") == round(100 * good / len(shipped), 1)

    gaps, planned, spent = [], 0.0, 0.0
    for i, fields in said.items():
        if "actualCost" in fields and FIRST <= at[i] < LAST:
            estimate = float([w["value"] for w in plain.writes[fields["orderInstanceId"], "estimateSum"]][-1])
            gaps.append(100 * (float(fields["actualCost"]) / estimate - 1))
            planned, spent = planned + estimate, spent + float(fields["actualCost"])
    assert len(gaps) > 10
    assert value(october, "cost_planned") == pytest.approx(planned)
    assert value(october, "cost_actual") == pytest.approx(spent)
    for q in (15, 50, 85):
        assert value(october, f"estimate_gap.p{q}") == pytest.approx(nearest_rank(gaps, q / 100), abs=0.06)


def test_a_ratio_to_the_baseline(rows: MadeHistory, tmp_path: Path) -> None:
    given = Baseline("было.csv", {("lead_time.p50", ""): 50.0, ("complaint_rate", ""): 20.0})
    made = report(rows, tmp_path, baseline=given)
    for id_, old in (("lead_time.p50", 50), ("complaint_rate", 20)):
        assert made.find(id_).ratio == round(value(made, id_) / old, 2)  # type: ignore[union-attr, operator]
    assert made.find("received").ratio is None  # type: ignore[union-attr]


def test_conformance_counts_only_what_was_checked(rows: MadeHistory, tmp_path: Path) -> None:
    plain_book = book(rows, tmp_path)
    ended = list(plain_book.ended_in(*plain_book.bounds(OCTOBER)))
    assert make_report(plain_book, OCTOBER, Targets()).conformity.checked == 0
    plain_book.verdicts = {o.instance_id: () for o in ended}
    clean = make_report(plain_book, OCTOBER, Targets())
    assert clean.conformity.line.endswith(": 0 отклонений") and clean.conformity.checked == len(ended)
    assert value(clean, "conformance") == 100
    strayed = (Deviation("заказ удалён вручную", ms(LAST), "Х"),)
    plain_book.verdicts = {**plain_book.verdicts, ended[0].instance_id: strayed}
    made = make_report(plain_book, OCTOBER, Targets())
    assert [(d.order, d.what) for d in made.conformity.found] == [(ended[0].key, "заказ удалён вручную")]
    assert value(made, "deviating") == 1
    assert value(made, "conformance") == round(100 * (len(ended) - 1) / len(ended), 1)


def test_littles_law(october: Report, plain: Plain) -> None:
    spent = sum(
        ((when(i["endTime"]) - when(i["startTime"])) / timedelta(days=1) for i in plain.ended("End_Delivered")), 0.0  # type: ignore[operator]
    )  # fmt: skip
    there = sum(
        max(timedelta(), min(when(i["endTime"]) or NOW, LAST) - max(when(i["startTime"]), FIRST)) / timedelta(days=1)  # type: ignore[type-var, operator]
        for i in plain.orders
    )
    assert value(october, "little") == round(there / spent, 2)


# what has no answer


def test_unknown_is_never_nought(tmp_path: Path) -> None:
    told, at = Told(), datetime(2026, 10, 5, 6, tzinfo=UTC)
    for n in range(6):
        order = told.order(f"A-{n}", at)
        order.step("ApproveOrder", at, at + timedelta(hours=3), directorDecision="approve")
    made = report(told.history, tmp_path)
    wait = made.find("stage_wait.p50", "approve")
    assert wait is not None
    assert (wait.value, wait.status, wait.excluded) == (None, "unknown", {"не отмечено, когда взят в работу": 6})
    assert made.find("stage_efficiency", "approve").status == "unknown"  # type: ignore[union-attr]
    assert value(made, "stage_time.p50", "approve") == 3
    few = made.find("on_time_last")
    assert few is not None and (few.value, few.status, few.n) == (None, "few", 0)


def test_a_moved_date_keeps_the_first_promise_broken_and_the_last_minute_is_in_time(tmp_path: Path) -> None:
    told, at = Told(), datetime(2026, 10, 5, 6, tzinfo=UTC)
    day = timedelta(days=1)
    for n, ready in enumerate([at + 3 * day, at + 4 * day, at + 8 * day, at + 8 * day, at + 9 * day]):
        order = told.order(f"A-{n}", at)
        promised = (at + 4 * day).isoformat()
        order.step("SetReadyDate", at, at + timedelta(hours=1), readyDecision="approve", readyBy=promised)
        order.write(at + 2 * day, "readyBy", (at + 8 * day).isoformat())
        order.step("Manufacture", at + timedelta(hours=1), ready)
    made = report(told.history, tmp_path)
    assert (value(made, "on_time_first"), value(made, "on_time_last")) == (40, 80)
    assert made.find("late").orders == ("A-4",)  # type: ignore[union-attr]
    assert (value(made, "promise_moves"), value(made, "promise_shift")) == (1, 2)


def test_empty_months(tmp_path: Path) -> None:
    told = Told()
    nothing = report(told.history, tmp_path)
    assert (nothing.state, nothing.trend) == ("empty", ())
    assert "ещё не было" in nothing.remarks[0]
    assert value(nothing, "received") == 0
    told.order("A-1", datetime(2026, 5, 5, tzinfo=UTC)).end(datetime(2026, 5, 6, tzinfo=UTC))
    quiet = report(told.history, tmp_path)
    assert "ничего не происходило" in quiet.remarks[0]


def test_the_month_is_the_plants(tmp_path: Path) -> None:
    told = Told()
    told.order("september", FIRST - timedelta(seconds=1))
    told.order("october", FIRST)
    told.order("november", LAST)
    made = report(told.history, tmp_path)
    assert made.find("received").orders == ("october",)  # type: ignore[union-attr]


def test_targets_and_baseline(rows: MadeHistory, tmp_path: Path) -> None:
    goals = {"on_time_last": Goal(True, 101), "lead_time.p50": Goal(False, 1000)}
    made = report(rows, tmp_path, targets=Targets(goals, Month(2026, 6)))
    assert (made.find("on_time_last").met, made.find("lead_time.p50").met) == (False, True)  # type: ignore[union-attr]
    june = report(rows, tmp_path, Month(2026, 6))
    assert made.baseline == "июнь 2026"
    assert made.find("received").baseline == value(june, "received")  # type: ignore[union-attr]
    given = Baseline("было.csv", {("lead_time.p50", ""): 42.5})
    assert report(rows, tmp_path, baseline=given).find("lead_time.p50").baseline == 42.5  # type: ignore[union-attr]


def test_months_agree_with_their_own_report(october: Report, rows: MadeHistory, tmp_path: Path) -> None:
    june = report(rows, tmp_path, Month(2026, 6))
    shown = {f.id: f.value for f in october.trend if f.key == "2026-06"}
    assert len(shown) > 8
    assert shown == {id_: value(june, id_) for id_ in shown}


def test_ageing_of_orders_and_steps(october: Report, plain: Plain) -> None:
    ages = {
        i["id"]: hours(when(i["startTime"]), LAST) / 8  # type: ignore[arg-type]
        for i in plain.orders
        if when(i["startTime"]) < LAST and (not i["endTime"] or when(i["endTime"]) >= LAST)  # type: ignore[operator]
    }
    usual = [
        hours(when(i["startTime"]), when(i["endTime"])) / 8  # type: ignore[arg-type]
        for i in plain.orders
        if plain.end.get(i["id"]) == "End_Delivered" and i["endTime"] and when(i["endTime"]) < LAST  # type: ignore[operator]
    ]
    for q in (50, 85, 95):
        older = sorted(plain.key[i] for i, age in ages.items() if age > nearest_rank(usual, q / 100))
        assert sorted(october.find(f"order_ageing.p{q}").orders) == older  # type: ignore[union-attr]
    stage, element = "design", "UserTask_PrepareDesign"
    before = [hours(when(t["startTime"]), when(t["endTime"])) for t in plain.tasks  # type: ignore[arg-type]
              if t["taskDefinitionKey"] == element and t["endTime"] and when(t["endTime"]) < LAST]  # type: ignore[operator]  # fmt: skip
    standing = [hours(when(t["startTime"]), LAST) for t in plain.tasks  # type: ignore[arg-type]
                if t["taskDefinitionKey"] == element and when(t["startTime"]) < LAST  # type: ignore[operator]
                and (not t["endTime"] or when(t["endTime"]) >= LAST)]  # type: ignore[operator]  # fmt: skip
    for q in (50, 85, 95):
        limit = nearest_rank(before, q / 100)
        assert value(october, f"stage_ageing.p{q}", stage) == sum(age > limit for age in standing)
