"""Rule: who is told, what a step writes when it opens, and what is written about files are pure and repeatable."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from worker_world import AT, DONE, MOSCOW, ROUTE, STAFF, order

from orders.attachment_info import judged, judgement, sender, sent_files
from orders.closing import closing_summary, email_of
from orders.errors import BusinessError, Permanent
from orders.notices import fill, held_by, recipients
from orders.snapshot import OpenVisit, OrderSnapshot, VisitDone
from orders.steps import norm_of, opening, sync_target
from orders.support import cancellation, cancelled_so, moved_so
from orders.worktime import WorkingCalendar


@pytest.mark.parametrize(
    ("to", "told", "snapshot"),
    [
        ("initiator", ("anna",), order()),
        ("holder", ("boris", "vera"), order()),
        ("holder", ("vera",), order(open=(OpenVisit("v", "UserTask_PrepareDesign", AT, assignee="vera"),))),
        ("holder", ("gleb",), order(open=(), variables={"heldBy": "workshop"})),  # after a cancellation
        ("holder", ("left",), order(open=(), variables={"heldBy": "left"})),  # who has left is the mirror's matter
        ("manager", ("boris",), order()),
        ("manager", ("dina",), order(open=(OpenVisit("v", "UserTask_Manufacture", AT, groups=("workshop",)),))),
        ("heads", ("boris",), order(done=(DONE, DONE))),
        ("heads", (), order()),
        ("workshop", ("gleb",), order()),
        ("initiator, holder, initiator", ("anna", "boris", "vera"), order()),
        ("", (), order()),
        ("nobody", (), order()),
    ],
)
def test_recipients(to: str, told: tuple[str, ...], snapshot: OrderSnapshot) -> None:
    """Each word of `to` names its persons, each person once."""
    assert recipients(to, snapshot, ROUTE, STAFF) == told


def test_text_shows_values_as_people_write_them() -> None:
    """Sums, choices and dates are readable, an absent value is a dash, a value is no template."""
    values = {
        "customerName": "{key} ООО",
        "estimateSum": "125000.00",
        "decision": "approve",
        "paidOn": "2026-11-25",
        "readyBy": "2026-11-27T18:00:00+03:00",
    }
    text = fill(
        "{key} {customerName} {estimateSum} {decision} {paidOn} {readyBy} {gone} {0}",
        order(variables=values),
        ROUTE,
        MOSCOW,
    )
    assert (
        text.replace("\u202f", " ")
        == "ORD-2026-00042 {key} ООО 125 000 Согласовать 25.11.2026 пт 27 ноября, 18:00 — {0}"
    )


def test_text_survives_unreadable_values() -> None:
    """A sum or a date that is none is shown as it is."""
    assert (
        fill("{estimateSum} {paidOn}", order(variables={"estimateSum": "много", "paidOn": "вчера"}), ROUTE, MOSCOW)
        == "много вчера"
    )


def test_opening_a_step_writes_its_visit_and_due_date() -> None:
    """A step's variables carry its own id; the column is the stage's code."""
    target = sync_target(ROUTE, "Sync_Design")
    assert norm_of(ROUTE, target) == "2d"
    assert opening(ROUTE, target, "Sync_Design:7", AT, pending=True) == {
        "visit_UserTask_PrepareDesign": "Sync_Design:7",
        "due_UserTask_PrepareDesign": AT,
        "portalPending": True,
        "cardStage": "design",
    }


def test_opening_an_end_has_no_due_date() -> None:
    """An outcome has a column and no deadline."""
    assert norm_of(ROUTE, "End_Delivered") == ""
    assert opening(ROUTE, "End_Delivered", "Sync_End:1", None, pending=False) == {
        "visit_End_Delivered": "Sync_End:1",
        "portalPending": False,
        "cardStage": "delivered",
    }


def test_sync_stage_without_a_target_names_itself() -> None:
    """A diagram that leads a sync-stage nowhere is an incident that names the step."""
    with pytest.raises(Permanent, match="Sync_Lost"):
        sync_target(ROUTE, "Sync_Lost")


def test_files_of_the_judged_element_only() -> None:
    """Files of other stages are not judged again; several files keep their order."""
    held = ["designFile_10", "designFile_2", "orderFile", "designFile", "designFile_21", "estimateFile"]
    assert sent_files(ROUTE, "UserTask_PrepareDesign", held) == ["designFile", "designFile_2", "designFile_10"]
    assert sent_files(ROUTE, "Start", held) == ["orderFile"]


def test_accepted_files_get_their_info_and_clear_the_refusal() -> None:
    """Info holds clean name, size, hash, who and when; an older refusal goes."""
    done = json.dumps({"person": "vera", "name": "Вера", "at": "2026-11-25T12:00:00+03:00"})
    snapshot = order(variables={"done_UserTask_PrepareDesign": done})
    values = judgement([judged("designFile", b"abc", (True, "стол.pdf"))], snapshot, "UserTask_PrepareDesign", "Start")
    assert values["refusal_UserTask_PrepareDesign"] is None
    assert json.loads(str(values["designFileInfo"])) == {
        "name": "стол.pdf",
        "size": 3,
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "by": "vera",
        "at": "2026-11-25T09:00:00Z",
    }


def test_refused_file_is_sent_as_null_with_its_sentence() -> None:
    """Only the refused files go; at the start the sentence is for the step that mends the request."""
    files = [judged("orderFile", b"x", (False, "Файл пуст")), judged("other", b"y", (True, "y.pdf"))]
    with pytest.raises(BusinessError) as told:
        judgement(files, order(), "Start", "Start")
    assert told.value.code == "ATTACHMENT_REJECTED"
    assert told.value.outputs == {"orderFile": None, "refusal_UserTask_FixRequest": "Файл пуст"}


def test_twenty_long_refusals_fit_a_variable() -> None:
    """The engine keeps 4,000 characters."""
    files = [judged(f"designFile_{n}", b"", (False, "ж" * 500)) for n in range(20)]
    with pytest.raises(BusinessError) as told:
        judgement(files, order(), "UserTask_PrepareDesign", "Start")
    assert len(str(told.value.outputs["refusal_UserTask_PrepareDesign"])) == 4000


def test_sender_of_the_start_is_the_initiator_and_an_unreadable_done_is_permanent() -> None:
    """Nobody's name is guessed."""
    assert sender(order(), "Start", "Start") == ("anna", AT)
    with pytest.raises(Permanent, match="done_UserTask_PrepareDesign"):
        sender(order(variables={"done_UserTask_PrepareDesign": "{"}), "UserTask_PrepareDesign", "Start")


def test_cancellation_says_who_held_it_and_whether_money_goes_back() -> None:
    """A paid order's cancellation owes a refund."""
    assert cancellation(order(), "передумал", "dina") == {
        "cancelReason": "передумал",
        "cancelledBy": "dina",
        "heldBy": "designers",
        "refundDue": False,
    }
    paid = order(done=(VisitDone("v", "UserTask_TakePayment", "anna", "Анна", AT),))
    assert cancellation(paid, "x", "dina")["refundDue"] is True
    assert held_by(order(open=())) == ""


def test_own_earlier_request_is_recognised() -> None:
    """A worker that died after correlating does not tell its starter that it was too late."""
    said = {"cancelReason": "передумал", "cancelledBy": "dina"}
    ended = order(open=(), variables=said, end_id="End_Cancelled", ended=AT)
    assert cancelled_so(ended, "передумал", "dina")
    assert not cancelled_so(ended, "передумал", "anna")
    assert not cancelled_so(order(variables=said), "передумал", "dina")  # goes on: nothing was cancelled
    moved = order(variables={"readyBy": "2026-12-01", "moveReason": "станок", "movedBy": "dina"})
    assert moved_so(moved, "2026-12-01", "станок", "dina")
    assert not moved_so(moved, "2026-12-02", "станок", "dina")


@pytest.mark.parametrize(
    ("contact", "found"),
    [
        ("почта: ivan@shop.ru, тел. 8 900", "ivan@shop.ru"),
        ("+7 900 123-45-67", None),
        ("a@b", None),
        ("x@y.ru\nBcc: evil@z.ru", "x@y.ru"),
        ("", None),
    ],
)
def test_email_in_a_contact(contact: str, found: str | None) -> None:
    """The first address counts; a header cannot be smuggled in."""
    assert email_of(contact) == found


def test_closing_summary_tells_sums_shipment_and_promise() -> None:
    """The comment at the end answers what it came to and whether the promise was kept."""
    values = {
        "estimateSum": "125000.00", "paidSum": "125000.00", "shippedOn": "2026-11-25", "shipmentNumber": "ТТН-5",
        "readyBy": "2026-11-24T15:00:00+00:00",
    }  # fmt: skip
    made = VisitDone("v", "UserTask_Manufacture", "gleb", "Глеб", datetime(2026, 11, 25, 8, 0, tzinfo=UTC))
    back = VisitDone("w", "UserTask_SetReadyDate", "dina", "Дина", AT, decision="return")
    text = closing_summary(order(open=(), done=(back, made), variables=values), ROUTE, WorkingCalendar(), AT)
    assert "ORD-2026-00042" in text
    assert "ТТН-5" in text
    assert "25.11.2026" in text
    assert "опоздание 2 ч" in text
    assert "Возвратов на доработку: 1" in text
