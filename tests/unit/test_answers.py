"""Rule: the seven questions of the case are answered from what the engine holds, and from nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orders.answers import Answers, answer
from orders.calendar import WorkingCalendar
from orders.papers import missing_papers
from orders.snapshot import FileRef, OpenVisit, OrderSnapshot, VisitDone
from orders.staff import read_staff
from orders.stage import Demand, Field, FieldKind, Route, Stage

NOW = datetime.fromisoformat("2026-11-24T12:00+03:00")
CALENDAR = WorkingCalendar()
STAFF = read_staff(
    "\n".join(
        f'[[person]]\nid = "{i}"\nname = "{n}"\ngroups = ["{g}"]'
        for i, n, g in (
            ("orlov", "Виктор Орлов", "directors"),
            ("volkov", "Дмитрий Волков", "designers"),
            ("lebedeva", "Мария Лебедева", "designers"),
            ("stepanov", "Николай Степанов", "workshop"),
            ("sokolova", "Ирина Соколова", "commercial"),
        )
    )
)
DESIGN_FILE = Field("designFile", FieldKind.FILES, "Документация")
DESIGN = "UserTask_PrepareDesign"
APPROVAL = "Согласование у директора"
ORDER_FILE = Field("orderFile", FieldKind.FILE, "Файл заказчика")
ROUTE = Route(
    "custom-furniture-order",
    (
        Stage(
            "UserTask_FixRequest", "fix", "Исправить файл", "", "1d", (), None, (ORDER_FILE,), (Demand("orderFile"),)
        ),
        Stage("UserTask_ApproveOrder", "approve", "Согласовать заказ", APPROVAL, "8h", ("directors",)),
        Stage(DESIGN, "design", "Разработать", "", "2d", ("designers",), None, (DESIGN_FILE,), (Demand("designFile"),)),
        Stage("UserTask_AgreePrice", "price", "Согласовать цену", "Цена", "2d", ("commercial",), waits="customer"),
        Stage("UserTask_Manufacture", "manufacture", "Изготовить", "Производство", "until:readyBy", ("workshop",)),
    ),
    "StartEvent_OrderRequested",
    start_fields=(ORDER_FILE,),
    start_required=(Demand("orderFile"),),
    end_names={"End_Delivered": "Отгружен", "End_RefusedByDirector": "Отклонён директором"},
)
START = datetime.fromisoformat("2026-11-16T09:00+03:00")


def ref(variable: str) -> FileRef:
    return FileRef(variable, "a.pdf", 1, "00", "orlov", START)


def order(key: str, *, open_: OpenVisit | None = None, **changes: object) -> OrderSnapshot:
    made = OrderSnapshot(
        key,
        f"i-{key}",
        "d",
        START,
        "sokolova",
        {"customerName": "Кафе"},
        (ref("orderFile"),),
        open=(open_,) if open_ else (),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def step(task: str, group: str, *, due: str | None = None, assignee: str | None = None) -> OpenVisit:
    when = datetime.fromisoformat(due) if due else None
    return OpenVisit("v", task, START, "t", assignee, (group,), due=when)


def done(task: str, person: str, at: str) -> VisitDone:
    return VisitDone("v", task, person, STAFF.name(person), datetime.fromisoformat(at))


def ask(*orders: OrderSnapshot) -> Answers:
    return answer(orders, {"d": ROUTE}, STAFF, CALENDAR, NOW)


def test_received_is_started_without_duplicates() -> None:
    """Both are shown; a duplicate is no order."""
    found = ask(order("A"), order("B"), order("A", ended=NOW, end_id="End_Duplicate"))
    assert (found.received.started, found.received.duplicates, found.received.received) == (3, 1, 2)
    assert [row.key for row in found.orders] == ["A", "B"]


def test_a_taken_step_names_its_person() -> None:
    """Who holds it, since when, by when, which stage, what is expected."""
    (row,) = ask(
        order("A", open_=step("UserTask_ApproveOrder", "directors", due="2026-11-24T15:00+03:00", assignee="orlov"))
    ).orders
    assert (row.holder, row.holder_id, row.department, row.since) == ("Виктор Орлов", "orlov", "дирекция", START)
    assert (row.stage, row.stage_code, row.next_action) == ("Согласование у директора", "approve", "Согласовать заказ")
    assert (row.hours_left, row.overdue) == (2.0, False)
    assert (row.last_event, row.last_at) == ("Заказ заведён", START)


def test_an_untaken_step_names_the_department_and_the_addressee() -> None:
    """Addressed is the present member with the fewest open tasks, ties by file order."""
    taken = order("A", open_=step("UserTask_PrepareDesign", "designers", assignee="volkov"))
    free = order("B", open_=step("UserTask_PrepareDesign", "designers"))
    rows = {row.key: row for row in ask(taken, free).orders}
    assert rows["B"].holder == "конструкторское бюро (адресовано: Мария Лебедева)"
    (alone,) = ask(free).orders
    assert alone.holder_id == "volkov"


def test_who_delays_by_person_and_department() -> None:
    """Open overdue steps and steps finished late, in working hours; waiting for the customer is nobody's delay."""
    late_open = order(
        "A", open_=step("UserTask_PrepareDesign", "designers", due="2026-11-23T18:00+03:00", assignee="volkov")
    )
    late_done = order(
        "B",
        variables={"due_UserTask_Manufacture": "2026-11-20T18:00:00+03:00", "readyBy": "2026-11-20T18:00:00+03:00"},
        done=(done("UserTask_Manufacture", "stepanov", "2026-11-23T18:00+03:00"),),
        ended=NOW,
        end_id="End_Delivered",
    )
    waits = order("C", open_=step("UserTask_AgreePrice", "commercial", due="2026-11-18T18:00+03:00"))
    in_time = order("D", open_=step("UserTask_ApproveOrder", "directors", due="2026-11-25T18:00+03:00"))
    found = ask(late_open, late_done, waits, in_time)
    assert [(r.name, r.department, r.open_overdue, r.done_late, r.hours, r.orders) for r in found.by_person] == [
        ("Николай Степанов", "экспериментальный цех", 0, 1, 8.0, ("B",)),
        ("Дмитрий Волков", "конструкторское бюро", 1, 0, 3.0, ("A",)),
    ]
    assert [r.name for r in found.by_department] == ["экспериментальный цех", "конструкторское бюро"]
    promise = next(r for r in found.orders if r.key == "B").promise
    assert promise.late_last
    assert promise.hours_last == 8.0


def test_nobody_is_late_while_the_order_is_suspended() -> None:
    """The hours stop with the order and are those of the monthly report (tests/unit/test_report_every_number.py)."""
    ten = datetime.fromisoformat("2026-10-06T10:00+03:00")

    def waiting(key: str, *pauses: tuple[float, float | None]) -> OrderSnapshot:
        visit = OpenVisit("v", DESIGN, ten - timedelta(hours=1), "t", "volkov", ("designers",), due=ten)
        spans = tuple((ten + timedelta(hours=a), None if b is None else ten + timedelta(hours=b)) for a, b in pauses)
        return order(key, open_=visit, paused=spans)

    orders = [waiting("plain"), waiting("paused", (1, 3)), waiting("still", (2, None)), waiting("before", (-1, -0.5))]
    orders += [waiting("came due meanwhile", (-1, None))]
    found = answer(orders, {"d": ROUTE}, STAFF, CALENDAR, ten + timedelta(hours=5))  # 15:00, a break from 13 to 14
    rows = {row.key: row for row in found.orders}
    assert [rows[k].hours_left for k in ("plain", "paused", "still", "before")] == [-4, -2, -2, -4]
    assert {k: (r.suspended, r.overdue) for k, r in rows.items()} == {
        "plain": (False, True), "paused": (False, True), "before": (False, True),
        "still": (True, False), "came due meanwhile": (True, False),
    }  # fmt: skip
    (delay,) = found.by_person
    assert (delay.hours, delay.open_overdue, delay.done_late) == (4 + 2 + 2 + 4, 3, 0)
    assert set(delay.orders) == {"plain", "paused", "still", "before"}


def test_each_visit_of_a_stage_is_late_by_its_own_deadline() -> None:
    """The variable holds the last deadline only; the finished step keeps its own."""
    first = replace(
        done(DESIGN, "volkov", "2026-11-18T12:00+03:00"), due=datetime.fromisoformat("2026-11-18T10:00+03:00")
    )
    second = replace(
        done(DESIGN, "volkov", "2026-11-20T12:00+03:00"), due=datetime.fromisoformat("2026-11-20T11:00+03:00")
    )
    variables = {f"due_{DESIGN}": "2026-11-20T11:00:00+03:00"}
    (delay,) = ask(order("A", variables=variables, done=(first, second))).by_person
    assert (delay.hours, delay.done_late) == (3.0, 2)


def test_overdue_outside_working_hours_is_overdue() -> None:
    """A step due at 18:00 is overdue at 19:00."""
    visit = step("UserTask_ApproveOrder", "directors", due="2026-11-24T18:00+03:00")
    found = answer([order("A", open_=visit)], {"d": ROUTE}, STAFF, CALENDAR, NOW + timedelta(hours=7))
    assert found.orders[0].overdue


def test_ended_orders_show_their_outcome() -> None:
    """No holder, no due date; the outcome is the end event's name."""
    (row,) = ask(order("A", ended=NOW, end_id="End_RefusedByDirector")).orders
    assert (row.stage, row.holder, row.due, row.next_action, row.running) == (
        "Отклонён директором",
        "—",
        None,
        "",
        False,
    )
    assert ask(
        order("A", ended=NOW, end_id="End_Delivered"), order("B", ended=NOW, end_id="End_Delivered")
    ).stages() == [("Отгружен", 2)]


@pytest.mark.parametrize(
    ("files", "finished", "opened", "missing"),
    [
        (("orderFile",), (), "UserTask_ApproveOrder", ()),
        ((), (), "UserTask_ApproveOrder", ("Файл заказчика",)),
        ((), (), "UserTask_FixRequest", ()),  # asked for right now: awaited
        (("orderFile",), ("UserTask_PrepareDesign",), "UserTask_Manufacture", ("Документация",)),
        (("orderFile", "designFile_2"), ("UserTask_PrepareDesign",), "UserTask_Manufacture", ()),
        (("orderFile",), ("UserTask_PrepareDesign",), "UserTask_PrepareDesign", ()),  # sent back
    ],
)
def test_are_all_papers_there(
    files: tuple[str, ...], finished: tuple[str, ...], opened: str, missing: tuple[str, ...]
) -> None:
    """What finished stages demanded must be held as a judged file; what an open step asks for is awaited."""
    subject = order(
        "A",
        open_=step(opened, "directors"),
        files=tuple(ref(f) for f in files),
        done=tuple(done(t, "volkov", "2026-11-20T10:00+03:00") for t in finished),
    )
    assert missing_papers(subject, ROUTE) == missing
