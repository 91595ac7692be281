"""Rule: every number of a report is what its formula says of the engine's rows, counted a second time in plain Python.

The frequent ones are counted in `test_report_kpi`; here stands the rest, and a list that no new figure can slip past.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from counted import CALENDAR, ENDS, FIRST, LAST, NOW, ROUTE, STAFF, Plain, hours, nearest_rank, report, value, when
from made_history import MadeHistory, make_history
from told_history import Told

from orders.stage import Stage
from reports.report import Report

Row = dict[str, Any]
HERE = Path(__file__)
ELSEWHERE = ("test_report_kpi.py", "test_report_upkeep.py")


@pytest.fixture(scope="module")
def plain() -> Plain:
    return Plain(make_history(700, CALENDAR, STAFF, seed=11, first=datetime(2026, 1, 12, 6, tzinfo=UTC)))


@pytest.fixture(scope="module")
def october(plain: Plain, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return report(MadeHistory(plain.rows), tmp_path_factory.mktemp("october"))


def parts(made: Report, id_: str, by: str = "stage") -> dict[str, float]:
    """The values of a figure by part, those that are nothing left out."""
    return {f.key: f.value for f in made.kpi if f.id == id_ and f.by == by and f.value}


def near(found: dict[str, float]) -> dict[str, Any]:
    return {key: pytest.approx(number, abs=0.051) for key, number in found.items() if number}


def stage_of(task: Row) -> Stage:
    stage = ROUTE.stage(task["taskDefinitionKey"])
    assert stage is not None
    return stage


def spent(task: Row) -> float:
    return hours(when(task["startTime"]), when(task["endTime"]) or NOW)  # type: ignore[arg-type]


def open_then(plain: Plain) -> list[Row]:
    """The tasks that were open when October ended."""
    return [
        t for t in plain.tasks
        if when(t["startTime"]) < LAST and (not t["endTime"] or when(t["endTime"]) >= LAST)  # type: ignore[operator]
    ]  # fmt: skip


def running_then(plain: Plain) -> list[Row]:
    return [
        i for i in plain.orders
        if when(i["startTime"]) < LAST and (not i["endTime"] or when(i["endTime"]) >= LAST)  # type: ignore[operator]
    ]  # fmt: skip


def answerer(plain: Plain, task: Row) -> str:
    said = {w["activityInstanceId"]: json.loads(w["value"])["person"]
            for w in plain.writes[task["processInstanceId"], f"done_{task['taskDefinitionKey']}"]}  # fmt: skip
    return said.get(task["activityInstanceId"]) or task["assignee"] or "—"


def estimate(plain: Plain, instance: str) -> float:
    found = [w["value"] for w in plain.writes[instance, "estimateSum"] if w["value"]]
    return float(found[-1]) if found else 0.0


def late_hours(task: Row) -> float:
    """Working hours past the deadline that fell into October."""
    begin, stop = max(when(task["due"]), FIRST), min(when(task["endTime"]) or NOW, LAST)  # type: ignore[type-var]
    return hours(begin, stop) if stop > begin else 0.0  # type: ignore[operator, arg-type]


def test_no_figure_is_left_out(october: Report) -> None:
    texts = "".join((HERE.parent / name).read_text(encoding="utf-8") for name in (HERE.name, *ELSEWHERE))
    asked = set(re.findall(r'"([a-z_]+(?:\.[a-z0-9]+)?)"|f"([a-z_]+)\.p\{', texts))
    named = {one or f"{two}.p" for one, two in asked}
    missing = {f.id for f in october.kpi if f.id not in named and re.sub(r"\d+$", "", f.id) not in named}
    assert missing == set()


def test_repeated_requests(october: Report, plain: Plain) -> None:
    twice = [i["businessKey"] for i in plain.rows["process-instance"]
             if plain.end.get(i["id"]) == "End_Duplicate" and FIRST <= when(i["startTime"]) < LAST]  # type: ignore[operator]  # fmt: skip
    assert sorted(october.find("duplicates").orders) == sorted(twice)  # type: ignore[union-attr]


def test_hours_that_ended_orders_cost(october: Report, plain: Plain) -> None:
    expected = {}
    for end, outcome in ENDS.items():
        ids = {i["id"] for i in plain.ended(end)}
        expected[outcome] = sum(
            spent(t) for t in plain.tasks if t["processInstanceId"] in ids and not plain.customer(t)
        )
    assert expected["rejected"] > 0
    assert parts(october, "ended.hours", "outcome") == near(expected)
    assert value(october, "price_lost_hours") == pytest.approx(expected["rejected"], abs=0.051)


def test_lead_time_of_the_calendar_and_by_version(october: Report, plain: Plain) -> None:
    shipped = plain.ended("End_Delivered")
    days = [(when(i["endTime"]) - when(i["startTime"])) / timedelta(days=1) for i in shipped]  # type: ignore[operator]
    worked = [hours(when(i["startTime"]), when(i["endTime"])) / 8 for i in shipped]  # type: ignore[arg-type]
    for q in (50, 85, 95):
        assert value(october, f"lead_time_calendar.p{q}") == round(nearest_rank(days, q / 100), 1)
        assert parts(october, f"lead_time.p{q}", "version") == {"1": round(nearest_rank(worked, q / 100), 1)}


def test_rework_leaves_refused_files_out(october: Report, plain: Plain) -> None:
    ended = [i for end in ENDS for i in plain.ended(end)]
    refused = {(e["processInstanceId"], e["startTime"]) for e in plain.rows["activity-instance"]
               if e["activityType"] == "boundaryError"}  # fmt: skip
    again = []
    for order in ended:
        for element in ("UserTask_PrepareDesign", "UserTask_Manufacture"):
            tasks = sorted(
                (t for t in plain.tasks if t["processInstanceId"] == order["id"] and t["taskDefinitionKey"] == element),
                key=lambda t: t["startTime"],
            )
            for before, after in itertools.pairwise(tasks):
                files = any(i == order["id"] and before["endTime"] <= at <= after["startTime"] for i, at in refused)
                if not files:
                    again.append(order["businessKey"])
    assert set(october.find("reworked").orders) == set(again)  # type: ignore[union-attr]
    assert value(october, "rework") == round(100 * len(set(again)) / len(ended), 1)


def test_how_late_and_how_far_promises_moved(october: Report, plain: Plain) -> None:
    found = list(plain.ready())
    late = [hours(dates[-1], done) / 8 for _, done, dates in found if done > dates[-1]]
    assert len(late) > 6
    for q in (50, 85):
        assert value(october, f"days_late.p{q}") == round(nearest_rank(late, q / 100), 1)
    shifts = [hours(dates[0], dates[-1]) / 8 for _, _, dates in found if len(dates) > 1]
    made = october.find("promise_shift")
    assert made is not None and made.n == len(shifts)
    assert made.value == (round(sum(shifts) / len(shifts), 1) if len(shifts) >= 5 else None)


def test_what_was_late_when_the_month_ended_stays_so(tmp_path: Path) -> None:
    """A date that is moved in November takes nothing back from October's report."""
    told, at, day = Told(), datetime(2026, 10, 5, 6, tzinfo=UTC), timedelta(days=1)
    for key, promised, moved_on, moved_to, ready in (
        ("late", 15, None, None, None),
        ("late, moved later", 15, 31, 56, None),
        ("late, ready later", 15, None, None, 33),
        ("moved in time", 15, 10, 40, None),
        ("ready in time", 15, None, None, 14),
        ("not yet", 40, None, None, None),
    ):
        order = told.order(key, at)
        date = (at + promised * day).isoformat()
        order.step("SetReadyDate", at, at + day, readyDecision="approve", readyBy=date)
        if moved_on and moved_to:
            order.write(at + moved_on * day, "readyBy", (at + moved_to * day).isoformat())
        order.step("Manufacture", at + day, at + ready * day if ready else None)
    made = report(told.history, tmp_path)
    late = made.find("late_open")
    assert late is not None
    assert late.orders == ("late", "late, moved later", "late, ready later")


def test_late_when_the_month_ended(october: Report, plain: Plain) -> None:
    ready = {order: done for order, done, _ in plain.ready(ever=True)}
    late = []
    for order in running_then(plain):
        given = [when(w["value"]) for w in plain.writes[order["id"], "readyBy"]
                 if w["value"] and when(w["time"]) < LAST]  # type: ignore[operator]  # fmt: skip
        done = ready.get(order["id"])
        if given and given[-1] < LAST and (done is None or done >= LAST):  # type: ignore[operator]
            late.append(order["businessKey"])
    assert sorted(october.find("late_open").orders) == sorted(late)  # type: ignore[union-attr]
    assert value(october, "late_open") == len(late)


def test_where_the_hours_of_steps_went(october: Report, plain: Plain) -> None:
    claims = {o["taskId"]: when(o["timestamp"]) for o in plain.rows["user-operation"]}
    of: dict[str, Counter[str]] = defaultdict(Counter)
    touch = wait = 0.0
    for task in plain.tasks:
        if task["deleteReason"] != "completed" or not FIRST <= when(task["endTime"]) < LAST:  # type: ignore[operator]
            continue
        code, claimed = stage_of(task).code, claims.get(task["id"])
        if plain.customer(task):
            of["customer"][code] += spent(task)  # type: ignore[assignment]
        elif claimed is None:
            of["unknown"][code] += spent(task)  # type: ignore[assignment]
        else:
            before = hours(when(task["startTime"]), claimed)  # type: ignore[arg-type]
            own = present_hours(answerer(plain, task), claimed, when(task["endTime"]))  # type: ignore[arg-type]
            of["wait"][code] += before  # type: ignore[assignment]
            of["touch"][code] += own  # type: ignore[assignment]
            of["away"][code] += spent(task) - before - own  # type: ignore[assignment]
            wait, touch = wait + before, touch + own
    assert min(len(of[kind]) for kind in ("customer", "unknown", "wait", "touch")) >= 2
    for id_ in (
        *("stage_hours.customer", "stage_hours.unknown", "stage_hours.wait", "stage_hours.touch", "stage_hours.away"),
    ):
        expected = of[id_.removeprefix("stage_hours.")]
        assert parts(october, id_) == near({key: n for key, n in expected.items() if round(n, 1)}), id_
    assert value(october, "flow_efficiency") == pytest.approx(100 * touch / (touch + wait), abs=0.051)


def present_hours(person_id: str, a: datetime, b: datetime) -> float:
    """Working hours from a to b on the days on which a person is here."""
    person = STAFF.find(person_id)
    day, total = CALENDAR.today(a), 0.0
    while day <= CALENDAR.today(b):
        begin = datetime(day.year, day.month, day.day, tzinfo=CALENDAR.zone)
        end = begin + timedelta(days=1)
        if person is None or person.present(day):
            total += hours(max(a, begin), min(b, end))
        day += timedelta(days=1)
    return total


def test_overdue_tasks_and_hours_by_stage(october: Report, plain: Plain) -> None:
    stages: Counter[str] = Counter()
    departments: Counter[str] = Counter()
    persons: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for task in plain.tasks:
        if task["due"] is None or plain.customer(task) or (late := late_hours(task)) <= 0:
            continue
        stage = stage_of(task)
        lost[stage.code] += late  # type: ignore[assignment]
        stages[stage.code] += 1
        departments[stage.groups[0] if stage.groups else ""] += 1
        persons[answerer(plain, task)] += 1
    assert len(lost) > 4
    assert parts(october, "stage_lost") == near(dict(lost))
    assert {f.key: f.n for f in october.parts("stage") if f.id == "stage_lost" and f.n} == stages
    assert parts(october, "overdue_tasks", "department") == departments
    assert parts(october, "overdue_tasks", "person") == persons
    assert value(october, "overdue_tasks") == stages.total()


def test_nobody_is_late_while_the_order_is_suspended(tmp_path: Path) -> None:
    told, at, hour = Told(), datetime(2026, 10, 6, 6, tzinfo=UTC), timedelta(hours=1)  # Tuesday, 9 in Moscow
    for key, pauses in (("plain", ()), ("paused", (2, 4)), ("still paused", (3,)), ("paused before", (0, 0.5))):
        order = told.order(key, at)
        order.step("ApproveOrder", at, at + 6 * hour if len(pauses) != 1 else None, due=at + hour)
        for place, moment in enumerate(pauses):
            order.pause(at + moment * hour, "Activate" if place % 2 else "Suspend")
    made = report(told.history, tmp_path)
    # 9 to 15 less the hour in time, the break from 13 to 14 and the pauses: 10 to 15, 11 to 13 and from 12 on
    assert value(made, "overdue_hours") == 4 + 2 + 2 + 4
    assert value(made, "stage_lost", "approve") == 12
    assert parts(made, "open_tasks", "department") == {"directors": 1}
    assert parts(made, "open_overdue", "department") == {}, "suspended"
    assert set(made.find("overdue_hours").orders) == {"plain", "paused", "still paused", "paused before"}  # type: ignore[union-attr]


def test_tasks_that_persons_did(october: Report, plain: Plain) -> None:
    done: Counter[str] = Counter()
    good: Counter[str] = Counter()
    for task in plain.tasks:
        if task["deleteReason"] == "completed" and FIRST <= when(task["endTime"]) < LAST:  # type: ignore[operator]
            person = answerer(plain, task)
            done[person] += 1
            in_time = task["due"] is not None and when(task["endTime"]) <= when(task["due"])  # type: ignore[operator]
            good[person] += in_time and not plain.customer(task)
    assert parts(october, "tasks_done", "person") == done
    assert parts(october, "tasks_in_time", "person") == {p: n for p, n in good.items() if n}


def test_what_was_open_when_the_month_ended(october: Report, plain: Plain) -> None:
    tasks = open_then(plain)
    late = [t for t in tasks if t["due"] and when(t["due"]) < LAST]  # type: ignore[operator]
    assert 0 < len(late) < len(tasks)

    def by_department(of: Iterable[Row]) -> Counter[str]:
        return Counter(stage_of(t).groups[0] if stage_of(t).groups else "" for t in of)

    def by_person(of: Iterable[Row]) -> Counter[str]:
        return Counter(answerer(plain, t) for t in of)

    for id_, those in (("open_tasks", tasks), ("open_overdue", late)):
        assert parts(october, id_, "department") == by_department(those)
        assert parts(october, id_, "person") == by_person(those)
    assert parts(october, "stage_open") == Counter(stage_of(t).code for t in tasks)
    oldest: dict[str, float] = {}
    for task in tasks:
        code = stage_of(task).code
        oldest[code] = max(oldest.get(code, 0.0), hours(when(task["startTime"]), LAST))  # type: ignore[arg-type]
    assert parts(october, "stage_oldest") == near(oldest)


def test_reasons_of_refusals(october: Report, plain: Plain) -> None:
    asked = {t["activityInstanceId"] for t in plain.answers("UserTask_ApproveOrder")}
    reasons: Counter[str] = Counter()
    for (instance, name), writes in list(plain.writes.items()):
        if name == "directorDecision":
            for write in writes:
                if write["value"] == "reject" and write["activityInstanceId"] in asked:
                    said = [w["value"] for w in plain.writes[instance, "directorComment"]
                            if w["activityInstanceId"] == write["activityInstanceId"]]  # fmt: skip
                    reasons[said[-1]] += 1
    assert sum(reasons.values()) > 0
    assert parts(october, "refusals", "reason") == reasons


def test_money_that_runs_waits_and_came(october: Report, plain: Plain) -> None:
    running = running_then(plain)
    assert value(october, "sum_running") == sum(estimate(plain, i["id"]) for i in running)
    paid = [float(plain.writes[i["id"], "paidSum"][-1]["value"]) for i in plain.ended("End_Delivered")]
    assert value(october, "sum_paid") == sum(paid) > 0
    made = {order: done for order, done, _ in plain.ready(ever=True)}
    paid_at = {t["processInstanceId"]: when(t["endTime"]) for t in plain.answers("UserTask_TakePayment", ever=True)}
    waiting = [i for i in running if i["id"] in made and made[i["id"]] < LAST
               and not (i["id"] in paid_at and paid_at[i["id"]] < LAST)]  # type: ignore[operator]  # fmt: skip
    assert len(waiting) > 1
    assert sorted(october.find("ready_unpaid").orders) == sorted(i["businessKey"] for i in waiting)  # type: ignore[union-attr]
    assert value(october, "sum_ready_unpaid") == sum(estimate(plain, i["id"]) for i in waiting)
    assert value(october, "ready_unpaid_age") == round(max(hours(made[i["id"]], LAST) / 8 for i in waiting), 1)
    lost: Counter[str] = Counter()
    for end in ("End_RefusedByDirector", "End_PriceRejected", "End_Cancelled"):
        for order in plain.ended(end):
            name = plain.writes[order["id"], "customerName"][-1]["value"]
            lost[name] += estimate(plain, order["id"])  # type: ignore[assignment]
    assert parts(october, "sum_customer.refused", "customer") == {name: total for name, total in lost.items() if total}
