"""Rule: an entry of the register names whoever held a step past its promise, once, and nobody whose delay it is not; it
says hours and points from the order's own history, never money, and falls away where there is nothing to decide.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from worker_world import AT, ROUTE, World, task

from orders.adjustment import (
    MOST_POINTS,
    NotTheirs,
    Proposal,
    StepLog,
    asked_notice,
    decided_notice,
    decides,
    entry_key,
    falls_away,
    points,
    proposed,
    said,
    weighed,
)
from orders.errors import BusinessError, Permanent, PortalUnavailable
from orders.persons import Period, Person, Staff, Substitute
from orders.snapshot import OpenVisit, OrderSnapshot, Promise, VisitDone
from orders.stage import Route
from orders.worktime import WorkingCalendar
from workers.handlers import adjust_bonus, flag_late_production, reconcile_portal
from workers.handlers.adjustment import Entry
from workers.handlers.production import Promised

CALENDAR = WorkingCalendar()
OPENED = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # a Monday, 10:00 in Moscow
TAKEN = OPENED + timedelta(minutes=30)
PROMISE = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)  # Wednesday, 18:00
NOTICED = PROMISE + timedelta(seconds=3)
GLEB = Person("gleb", "Глеб Ткач", ("workshop",))
HEAD = Person("boss", "Борис Мастер", ("workshop",), heads=("workshop",))
DINA = Person("dina", "Дина Павлова", ("productionDirectors",))
STAFF = Staff((GLEB, HEAD, DINA))
LOG = StepLog(((TAKEN, "gleb"),))
VISIT = OpenVisit("v2", "UserTask_Manufacture", OPENED, "task-7", "gleb", ("workshop",))
DATED = VisitDone(
    "v1", "UserTask_SetReadyDate", "dina", "Дина Павлова", OPENED, values={"readyBy": PROMISE.isoformat()}
)  # fmt: skip


def made(**more: Any) -> OrderSnapshot:
    variables = {"readyBy": PROMISE.isoformat(), **more.pop("variables", {})}
    order = OrderSnapshot("ORD-2026-00042", "i1", "d1", OPENED, "anna", variables, done=(DATED,), open=(VISIT,))
    return replace(order, **more)


def look(order: OrderSnapshot | None = None, log: StepLog = LOG, staff: Staff = STAFF, at: datetime = NOTICED,
         route: Route = ROUTE) -> Proposal | NotTheirs:  # fmt: skip
    return proposed(order or made(), route, log, staff, CALENDAR, PROMISE, at)


def staffed(person: Person) -> Staff:
    return Staff((person, HEAD, DINA))


def test_who_held_the_step_is_named_with_what_it_rests_on() -> None:
    found = look()
    assert isinstance(found, Proposal)
    assert found.key == "ORD-2026-00042.manufacture.20261125T150000Z"
    assert found.values() == {
        "orderKey": "ORD-2026-00042",
        "adjustStage": "manufacture",
        "adjustTask": "task-7",
        "adjustPromise": "2026-11-25T15:00:00Z",
        "adjustLateAt": "2026-11-25T15:00:03Z",
        "adjustHeldSince": "2026-11-23T07:30:00Z",
        "adjustPerson": "gleb",
        "adjustDecider": "boss",
    }


AWAY = replace(GLEB, away=(Period(date(2026, 11, 24), date(2026, 11, 24)),))
REPLACED = replace(GLEB, substitutes=(Substitute("boss", Period(date(2026, 11, 25), date(2026, 11, 27))),))
CUSTOMERS = replace(ROUTE, stages=(ROUTE.stages[0], replace(ROUTE.stages[1], waits="customer")))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"order": made(open=(), done=(DATED, replace(DATED, task_id="UserTask_Manufacture")))}, NotTheirs.MOVED_ON),
        ({"order": made(ended=NOTICED, end_id="End_Cancelled")}, NotTheirs.MOVED_ON),
        ({"order": made(closing="End_Cancelled")}, NotTheirs.MOVED_ON),
        ({"order": made(open=(replace(VISIT, engine_task=None),))}, NotTheirs.MOVED_ON),
        ({"route": CUSTOMERS}, NotTheirs.CUSTOMER),
        ({"order": made(open=(replace(VISIT, assignee=None),))}, NotTheirs.UNHELD),
        ({"staff": Staff((HEAD, DINA))}, NotTheirs.LEFT),
        ({"order": made(open=(replace(VISIT, assignee="dina"),))}, NotTheirs.STAND_IN),
        ({"log": StepLog(((TAKEN, "gleb"),), (OPENED + timedelta(hours=3),))}, NotTheirs.SUSPENDED),
        ({"at": PROMISE + timedelta(minutes=16)}, NotTheirs.OUTAGE),
        ({"order": made(variables={"portalPending": True})}, NotTheirs.PORTAL),
        ({"log": StepLog(((TAKEN, "boss"), (PROMISE - timedelta(hours=2), "gleb")))}, NotTheirs.CAME_LATE),
        ({"log": StepLog(((PROMISE + timedelta(seconds=1), "gleb"),))}, NotTheirs.CAME_LATE),
        ({"order": made(open=(replace(VISIT, since=PROMISE),)), "log": StepLog()}, NotTheirs.CAME_LATE),
        ({"staff": staffed(AWAY)}, NotTheirs.ABSENT),
        ({"staff": staffed(REPLACED)}, NotTheirs.ABSENT),
        ({"staff": Staff((GLEB,))}, NotTheirs.NO_MANAGER),
    ],
)  # fmt: skip
def test_what_is_not_theirs_is_not_proposed(asked: dict[str, Any], reason: NotTheirs) -> None:
    assert look(**asked) is reason


def test_an_earlier_suspension_and_a_holiday_do_not_hide_a_delay() -> None:
    assert isinstance(look(log=StepLog(((TAKEN, "gleb"),), (OPENED - timedelta(days=1),))), Proposal)
    before = replace(GLEB, away=(Period(date(2026, 11, 20), date(2026, 11, 22)),))
    assert isinstance(look(staff=staffed(before)), Proposal)


def test_nobody_decides_about_themselves() -> None:
    """The head's own delay goes to a production director; who is here goes first."""
    assert decides(STAFF, HEAD, ("workshop",), date(2026, 11, 25)) == DINA
    away = replace(HEAD, away=(Period(date(2026, 11, 25), date(2026, 11, 25)),))
    assert decides(Staff((GLEB, away, DINA)), GLEB, ("workshop",), date(2026, 11, 25)) == DINA
    assert decides(Staff((GLEB, away)), GLEB, ("workshop",), date(2026, 11, 25)) == away


def test_one_key_for_one_promise_in_any_notation_and_length() -> None:
    moscow = datetime.fromisoformat("2026-11-25T18:00:00+03:00")
    assert entry_key("K", "manufacture", moscow) == entry_key("K", "manufacture", PROMISE)
    long = entry_key("N" * 64, "manufacture", PROMISE)
    assert len(long) <= 64 and long != entry_key("N" * 63 + "M", "manufacture", PROMISE)


@pytest.mark.parametrize(
    ("hours", "worth"), [(0, 0), (0.01, 1), (8, 1), (8.00001, 1), (8.1, 2), (23, 3), (400, MOST_POINTS)]
)
def test_a_point_for_each_working_day_begun(hours: float, worth: int) -> None:
    assert points(hours) == worth


def ready(at: datetime, **more: Any) -> OrderSnapshot:
    done = VisitDone("v2", "UserTask_Manufacture", "gleb", "Глеб Ткач", at)
    return made(open=(), done=(DATED, done), **more)


def test_hours_are_working_hours_to_the_ready_moment_against_both_promises() -> None:
    later = PROMISE + timedelta(days=5)  # Monday evening; the date was moved to Friday meanwhile
    moved = (PROMISE + timedelta(days=2)).isoformat()
    order = ready(later, variables={"readyBy": moved, "moveReason": "Ждали кромку"})
    weight = weighed(order, ROUTE, CALENDAR, PROMISE + timedelta(days=2), later + timedelta(days=9))
    assert (weight.hours, weight.hours_first, weight.points) == (8, 24, 1)
    shown = said(order, ROUTE, STAFF, CALENDAR, facts(), weight)
    assert (shown["adjustHours"], shown["adjustHoursFirst"]) == (8, 24)
    assert shown["adjustFirstPromise"] == "2026-11-25T15:00:00Z"
    assert "Срок перенесён на пт 27 ноября, 18:00: Ждали кромку" in str(shown["adjustEvidence"])


def facts() -> dict[str, str]:
    found = look()
    assert isinstance(found, Proposal)
    names = {"stage": "Stage", "task": "Task", "held_since": "HeldSince", "late_at": "LateAt", "person": "Person"}
    return {n: found.values()[f"adjust{v}"] for n, v in {**names, "decider": "Decider"}.items()}


def test_each_line_of_evidence_names_its_place_in_the_history() -> None:
    weight = weighed(made(), ROUTE, CALENDAR, PROMISE, NOTICED + timedelta(days=1))
    shown = said(made(), ROUTE, STAFF, CALENDAR, facts(), weight)
    lines = str(shown["adjustEvidence"]).splitlines()
    assert lines == [
        "пн 23 ноября, 10:00 — срок назначен: Дина Павлова",
        "пн 23 ноября, 10:30 — шаг у сотрудника: Глеб Ткач",
        "ср 25 ноября, 18:00 — срок прошёл, изделие не готово",
    ]
    assert str(shown["adjustSources"]).splitlines() == [
        "history/activity-instance/v1",
        "history/task?taskId=task-7",
        "history/detail?processInstanceId=i1 lateFlags",
    ]
    assert (shown["adjustOverdue"], shown["adjustPersonName"]) == ("8 ч рабочего времени, ещё не готово", "Глеб Ткач")


def test_what_needs_no_decision_falls_away() -> None:
    def why(order: OrderSnapshot) -> str | None:
        return falls_away(order, weighed(order, ROUTE, CALENDAR, PROMISE, PROMISE + timedelta(days=3)))

    assert why(made()) is None
    assert why(ready(PROMISE + timedelta(days=1))) is None
    assert why(made(closing="End_Cancelled")) == "Заказ отменён"
    assert why(made(ended=NOTICED, open=())) == "Заказ закончился до изготовления"
    assert "рабочего времени не потеряно" in (why(ready(PROMISE + timedelta(hours=12))) or "")


# the steps that do it

PORTS: dict[str, Any] = {"staff": STAFF, "calendar": CALENDAR}
ENTRY = Entry(
    order_key="ORD-2026-00042", order_instance_id="i1", adjust_stage="manufacture", adjust_task="task-7",
    adjust_promise="2026-11-25T15:00:00Z", adjust_late_at="2026-11-25T15:00:03Z",
    adjust_held_since="2026-11-23T07:30:00Z", adjust_person="gleb", adjust_decider="boss",
)  # fmt: skip


def test_flag_and_sweep_propose_one_entry_however_often() -> None:
    """The timer's step, its repeat after a kill, and the sweep that raises the same flag: one entry."""
    world = World(order=made(), log=LOG, late=[Promise("i1", PROMISE.isoformat())], running=["i1"])
    promised = Promised(ready_by=PROMISE.isoformat())
    for _ in range(2):
        assert flag_late_production(promised, task("flag-late-production", create_time=NOTICED), engine=world, **PORTS)
    reconcile_portal(task("reconcile-portal", create_time=NOTICED), engine=world, mirror=world, **PORTS)
    assert {key: len(found) for key, found in world.register.items()} == {
        "ORD-2026-00042.manufacture.20261125T150000Z": 1
    }


def test_reminders_propose_nothing() -> None:
    world = World(order=made(), log=LOG)
    flagged = Promised(
        ready_by=PROMISE.isoformat(),
        late_flags='[{"readyBy":"2026-11-25T15:00:00Z","at":"2026-11-25T15:00:03Z"}]',
    )
    day = task("flag-late-production", create_time=NOTICED + timedelta(days=1))
    assert flag_late_production(flagged, day, engine=world, **PORTS)["lateReminder"] == "2026-11-26"
    assert world.register == {}


def step(mode: str, world: World, entry: Entry = ENTRY, act: str | None = None, **more: Any) -> dict[str, Any]:
    done = task("adjust-bonus", properties={"mode": mode}, business_key="KEY", create_time=NOTICED, **more)
    ports = {"engine": world, "claims": world, "mirror": world, "bonus_act": act, **PORTS}
    return dict(adjust_bonus(entry, done, **ports))


class Registered(World):
    """A world whose route is the register's own diagram where it is asked for."""

    def route(self, definition_id: str) -> Route:
        """Return the sample route, with the norms of the register's tasks."""
        steps = ("ExplainDelay", "DecideAdjustment", "ReadDecision")
        return replace(ROUTE, properties={f"UserTask_{name}": {"norm": "2d"} for name in steps})


def test_the_person_is_asked_once_and_the_manager_called() -> None:
    world = Registered(order=made())
    first = step("ask", world)
    assert first == step("ask", world)
    assert first["explainBy"] == first["due_UserTask_ExplainDelay"] == CALENDAR.add(NOTICED, 16)
    weighed_so = step("weigh", world, act="№ 17 от 01.09.2026")
    assert (weighed_so["adjustAct"], weighed_so["adjustExplained"]) == ("№ 17 от 01.09.2026", "не дано в срок")
    assert step("weigh", world, ENTRY.model_copy(update={"adjust_explanation": "Станок"}))["adjustExplained"] is None
    decided = ENTRY.model_copy(update={"adjust_decision": "annul", "adjust_reason": "Станок чинили"})
    assert set(step("tell", world, decided)) == {"appealBy", "due_UserTask_ReadDecision"}
    told = [person for person, _ in world.told.values()]
    assert set(told) == {"gleb", "boss"}


def test_the_later_of_two_entries_ends_and_an_idle_one_is_withdrawn() -> None:
    world = Registered(order=made(closing="End_Cancelled"), register={"KEY": [{}, {}]})
    with pytest.raises(BusinessError, match="уже есть") as repeated:
        step("ask", world)
    assert repeated.value.code == "ENTRY_REPEATED"
    with pytest.raises(BusinessError, match="Заказ отменён") as idle:
        step("weigh", world)
    assert (idle.value.code, idle.value.outputs["adjustWithdrawn"]) == ("ENTRY_WITHDRAWN", "Заказ отменён")


def test_without_the_portal_the_step_opens_all_the_same_and_a_wrong_diagram_is_named() -> None:
    world = Registered(order=made(), portal_down=True)
    with pytest.raises(PortalUnavailable):
        step("ask", world)
    asked = task("adjust-bonus", properties={"mode": "ask"}, business_key="KEY", create_time=NOTICED)
    ports = {"engine": world, "claims": world, "mirror": world, "bonus_act": None, **PORTS}
    assert adjust_bonus.run(asked, ENTRY.model_dump(by_alias=True), ports, give_up=True)["explainBy"]
    with pytest.raises(Permanent, match="mode"):
        step("", world)


def test_notices_fit_a_chat_and_say_what_to_do() -> None:
    until = PROMISE + timedelta(days=2)
    assert asked_notice("ORD-2026-00042", PROMISE, until, CALENDAR) == (
        "Заказ ORD-2026-00042: срок ср 25 ноября, 18:00 прошёл. Напишите, что помешало, до пт 27 ноября, 18:00: "
        "Tasklist, «Объяснить задержку»."
    )
    assert "отменена, Борис Мастер. Причина: Станок" in decided_notice("K", "annul", "Станок", "Борис Мастер")


def test_no_russian_text_says_the_word_of_the_seed() -> None:
    """Towards staff it is a proposed adjustment; the one place that may name the word is a test that looks for it."""
    root = Path(__file__).resolve().parents[2]
    endings = {".py", ".bpmn", ".html", ".js", ".json", ".java", ".toml", ".md", ".svg", ".css", ".txt"}
    folders = (
        "app attachments bitrix_sync bpmn config containers deploy diagram engine ledger orders reports server/src"
    )
    files = [root / "README.md", root / "CHANGELOG.md", root / "CONTRIBUTING.md"]
    for folder in [*folders.split(), "workers"]:
        files += [p for p in (root / folder).rglob("*") if p.suffix in endings and "node_modules" not in p.parts]
    assert len(files) > 200
    assert [str(p) for p in files if "штраф" in p.read_text(encoding="utf-8", errors="replace").lower()] == []


def test_the_sample_moment_is_a_working_one() -> None:
    assert CALENDAR.is_working(AT.date())
