"""Rule: the history store is a copy that only the engine's history decides.

Reading it twice, in pieces, or after the file was deleted or damaged gives the same facts; nothing secret is kept.
Correction, cancellation, rework, a date that moves and migration read as what they are.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from made_history import BPMN, DEFINITION, MadeHistory, make_history, text
from shop import ROOT
from told_history import Told

from diagram.stages import read_route
from orders.calendar import read_calendar
from orders.staff import read_staff
from orders.stage import Route
from reports.facts import CANCELLED, DONE, OPEN, REFUSED_FILES, REMOVED, RUNNING, OrderFacts
from reports.past import found
from reports.store import Store, forget

FIRST, EARLY, LATE = (datetime(2026, m, d, 9, tzinfo=UTC) for m, d in ((1, 12), (3, 2), (4, 20)))
CALENDAR = read_calendar((ROOT / "config" / "calendar.toml").read_text(encoding="utf-8"))
STAFF = read_staff((ROOT / "config" / "staff.toml").read_text(encoding="utf-8"))
ROUTE = read_route(BPMN.read_bytes())
MONDAY = datetime(2026, 3, 16, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def routes(_: str) -> Route:
    return ROUTE


def made(until: datetime) -> MadeHistory:
    return make_history(60, CALENDAR, STAFF, first=FIRST, last=LATE, until=until)


def facts(path: Path, *histories: MadeHistory) -> list[OrderFacts]:
    """Fill a store from these histories, one after the other, each in a new opening of the file."""
    for history in histories:
        with Store(path) as store:
            store.refresh(history, routes)
    with Store(path) as store:
        return store.facts()


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def test_the_same_history_gives_the_same_facts(tmp_path: Path) -> None:
    early, late = made(EARLY), made(LATE)
    path = tmp_path / "once.db"
    at_once = facts(path, late)
    assert {f.order.outcome for f in at_once} >= {RUNNING, "delivered", "duplicate", "rejected"}
    assert facts(tmp_path / "twice.db", late, late) == at_once
    with Store(path) as store:
        assert [(f.order, f.visits, f.files) for f in store.facts(files=False)] == [
            (f.order, f.visits, ()) for f in at_once
        ]
    assert facts(tmp_path / "pieces.db", early, late) == at_once
    assert forget(path)
    assert facts(path, late) == at_once
    path.write_bytes(b"no database" * 1000)
    assert facts(path, late) == at_once


def test_ended_orders_are_found_by_russian_words_of_any_case(tmp_path: Path) -> None:
    told, at = Told(), datetime(2026, 10, 6, 6, tzinfo=UTC)
    order = told.order("A-1", at, customerName="ООО «Ёлка»", itemDescription="Шкаф", initiator="sokolova")
    order.step("ApproveOrder", at, at + timedelta(hours=1), directorDecision="reject", directorComment="нет")
    order.end(at + timedelta(hours=1), "End_RefusedByDirector")
    told.order("A-2", at, customerName="ООО «Ёлка»")  # it runs: the board itself shows it
    with Store(tmp_path / "history.db") as store:
        store.refresh(told.history, lambda _: ROUTE)
        for words in ("ёЛКа", "шкаф", "a-1"):
            assert [p.key for p in store.ended(words)] == ["A-1"], words
        (past,) = store.ended("ёлка")
    assert past.outcome == "refused"
    sees = {p.id for p in STAFF.persons if found([past], p, "ёлка")}
    assert {"orlov", "sokolova"} <= sees and "egorov" not in sees
    assert [p.key for p in found([past], STAFF.find("egorov"), "A-1")] == ["A-1"]  # who knows the number knows it


def test_another_engines_copy_is_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store(path, "engine one") as store:
        store.refresh(made(EARLY), routes)
    with Store(path, "engine two") as store:
        assert store.facts() == []


def test_a_refresh_reads_only_what_is_new(tmp_path: Path) -> None:
    history = made(LATE)
    with Store(tmp_path / "store.db") as store:
        filled = store.refresh(history, routes)
        again = store.refresh(history, routes)
    assert again.rows < filled.rows / 5
    running = sum(row["endTime"] is None for row in history.rows["process-instance"])
    assert again.orders <= running + 5


def test_a_page_of_one_instant_hides_nothing(tmp_path: Path) -> None:
    told = Told()
    for number in range(2300):
        told.order(f"ORD-2026-{number:05d}", MONDAY)
    assert len(facts(tmp_path / "store.db", told.history)) == 2300


def test_tokens_and_contacts_are_not_kept(tmp_path: Path) -> None:
    told = Told()
    secrets = {"trackToken": "tok-4711", "customerContact": "+7 900 1", "discussion": "talk-4711"}
    told.order("A-1", MONDAY, **secrets)
    facts(tmp_path / "store.db", told.history)
    data = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert b"A-1" in data
    assert not [value for value in secrets.values() if value.encode() in data]


def test_claims(tmp_path: Path) -> None:
    told = Told()
    order = told.order("A-1", MONDAY)
    order.step("ApproveOrder", MONDAY, MONDAY + 4 * HOUR, claimed=MONDAY + HOUR, person="orlov")
    given_back = order.step("PrepareDesign", MONDAY, MONDAY + 6 * HOUR, claimed=MONDAY + HOUR, person="volkov")
    order.hold(given_back, MONDAY + 2 * HOUR, None)
    order.hold(given_back, MONDAY + 3 * HOUR, "volkov")
    end = MONDAY + 8 * HOUR
    order.step("PrepareEstimate", MONDAY, end, claimed=end - timedelta(milliseconds=300), person="elena")
    order.step("AgreePrice", MONDAY, end, person="sokolova")
    held = order.step("SetReadyDate", MONDAY, claimed=MONDAY + HOUR, person="gromov")
    order.hold(held, MONDAY + 2 * HOUR, None)
    (found,) = facts(tmp_path / "store.db", told.history)
    claims = {v.stage: v.claimed for v in found.visits}
    assert claims == {
        "approve": ms(MONDAY + HOUR),
        "design": ms(MONDAY + 3 * HOUR),  # what was given back begins anew
        "estimate": None,  # taken by the door in the moment of the answer
        "price": None,
        "readydate": None,  # nobody holds it
    }


def test_rework_refused_files_promises_and_correction(tmp_path: Path) -> None:
    told = Told()
    at = [MONDAY + n * DAY for n in range(12)]
    order = told.order("A-1", at[0])
    order.step("PrepareDesign", at[0], at[1])
    order.event(at[1] + HOUR, "BoundaryEvent_PrepareDesignRejected", "boundaryError")
    order.step("PrepareDesign", at[1] + HOUR, at[2])
    early, promised, moved = (text(MONDAY + n * DAY) for n in (20, 30, 40))
    order.step("SetReadyDate", at[2], at[3], readyDecision="return", readyComment="переделать", readyBy=early)
    order.step("PrepareDesign", at[3], at[4])
    order.step("SetReadyDate", at[4], at[5], readyDecision="approve", readyBy=promised)
    order.write(at[6], "readyBy", promised.replace("+0000", "+00:00"))  # the same instant is no change
    order.write(at[6], "readyBy", moved)
    order.write(at[6], "customerName", "ООО «Клён и партнёры»")
    order.step("Manufacture", at[5], at[8])
    order.write(at[9], "readyBy", text(MONDAY + 90 * DAY))  # ready already
    (found,) = facts(tmp_path / "store.db", told.history)
    design = [v for v in found.visits if v.stage == "design"]
    assert [(v.outcome, v.again) for v in design] == [(REFUSED_FILES, False), (DONE, True), (DONE, False)]
    assert [(d.decision, bool(d.positive)) for d in found.decisions] == [("return", False), ("approve", True)]
    assert [p.ready_by for p in found.order.promises] == [ms(MONDAY + 30 * DAY), ms(MONDAY + 40 * DAY)]
    assert found.order.ready == ms(at[8])
    assert found.order.customer == "ООО «Клён и партнёры»"
    assert found.order.outcome == RUNNING


@pytest.mark.parametrize(("end", "outcome"), [("End_Cancelled", "cancelled"), (None, REMOVED)])
def test_cancelled_and_deleted_by_hand(tmp_path: Path, end: str | None, outcome: str) -> None:
    told = Told()
    order = told.order("A-1", MONDAY)
    order.step("Manufacture", MONDAY, MONDAY + DAY, reason="deleted")
    order.write(MONDAY + DAY, "cancelReason", "передумал")
    order.end(MONDAY + DAY, end)
    (found,) = facts(tmp_path / "store.db", told.history)
    assert (found.order.outcome, found.order.ready, found.order.reason) == (outcome, None, "передумал")
    assert [v.outcome for v in found.visits] == [CANCELLED]


def test_migration_and_a_moved_deadline_need_no_event(tmp_path: Path) -> None:
    told = Told()
    order = told.order("A-1", MONDAY)
    order.step("ApproveOrder", MONDAY, MONDAY + HOUR)
    task = order.step("PrepareDesign", MONDAY + HOUR)
    told.order("A-2", MONDAY + 30 * DAY)  # the cursor is long past
    path = tmp_path / "store.db"
    facts(path, told.history)
    newer, due = DEFINITION.replace(":1:", ":2:"), MONDAY + 9 * DAY
    task |= {"processDefinitionId": newer, "due": text(due), "assignee": "volkov"}
    order.instance["processDefinitionId"] = newer
    found = facts(path, told.history)[0]
    assert found.order.version == 2
    assert [(v.version, v.outcome) for v in found.visits] == [(1, DONE), (2, OPEN)]
    assert (found.visits[1].due, found.visits[1].person) == (ms(due), "volkov")
