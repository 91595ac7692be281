"""Rule: a handler is a plain function; run twice it leaves one effect, and it touches the world only by its ports."""

from __future__ import annotations

import inspect
import json
from datetime import UTC, datetime

import pytest
from worker_world import AT, CALENDAR, DONE, STAFF, World, order, task

from orders.errors import BusinessError, Permanent, PortalUnavailable
from orders.snapshot import OpenVisit, Promise
from workers.handlers import (
    HANDLERS,
    cancel_order,
    close_order,
    correct_order,
    flag_late_production,
    move_ready_date,
    notify,
    notify_customer,
    reconcile_portal,
    record_actual_cost,
    record_complaint,
    register_order,
    registry,
    sync_stage,
    validate_attachments,
)
from workers.handlers.delivery import ToCustomer
from workers.handlers.production import Promised
from workers.handlers.support import ActualCost, Cancel, Complaint, Correct, MoveReadyDate
from workers.task import Dropped

LATE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)  # a Thursday, a day after AT
CANCEL = Cancel(order_key="ORD-2026-00042", order_instance_id="i1", cancel_reason="передумал", initiator="dina")
MOVE = MoveReadyDate(
    order_key="ORD-2026-00042", order_instance_id="i1", new_ready_by="2026-12-01T15:00:00Z", move_reason="станок",
    initiator="dina",
)  # fmt: skip

CORRECT = Correct(
    order_key="ORD-2026-00042", order_instance_id="i1", customer_name="ООО «Ель»", correct_reason="опечатка",
    initiator="anna",
)  # fmt: skip


def test_every_handler_is_registered_and_short() -> None:
    """Fifteen topics, each at most 15 lines of code without its docstring."""
    assert len(registry().topics) == len(HANDLERS) == 15
    for handler in HANDLERS:
        lines = inspect.getsource(handler.function).splitlines()
        documentation = len((handler.function.__doc__ or "").splitlines())
        assert len(lines) - documentation <= 15, handler.name


def test_register_order_twice_keeps_the_owner() -> None:
    """The oldest instance goes on, however often it registers; a later one is a duplicate."""
    world = World(instances=["i1", "i2"])
    for token in ("a", "b"):
        made = register_order(task("register-order"), claims=world, engine=world, new_token=lambda t=token: t)
        assert made.track_token == token
    with pytest.raises(BusinessError) as told:
        register_order(task("register-order", instance_id="i2"), claims=world, engine=world, new_token=lambda: "c")
    assert told.value.code == "ORDER_DUPLICATE"
    assert world.claims == {"ORD-2026-00042": "i1"}


def test_register_order_first_by_time_not_by_call() -> None:
    """The later instance that asks first does not take the key."""
    world = World(instances=["i1", "i2"])
    with pytest.raises(BusinessError):
        register_order(task("register-order", instance_id="i2"), claims=world, engine=world, new_token=lambda: "c")
    register_order(task("register-order"), claims=world, engine=world, new_token=lambda: "a")


def test_register_order_owner_by_ledger_stays() -> None:
    """Exactly one goes on, also when the ledger gave the key before the older start was visible."""
    world = World(instances=["i1", "i2"], claims={"ORD-2026-00042": "i2"})
    register_order(task("register-order", instance_id="i2"), claims=world, engine=world, new_token=lambda: "a")
    with pytest.raises(BusinessError):
        register_order(task("register-order"), claims=world, engine=world, new_token=lambda: "b")


def test_validate_attachments_judges_and_refuses() -> None:
    """Good files get their Info, the same each time; a bad one is refused with its sentence."""
    done = json.dumps({"person": "vera", "name": "Вера", "at": "2026-11-25T09:00:00+00:00"})
    snapshot = order(variables={"done_UserTask_PrepareDesign": done})
    world = World(order=snapshot, files={"designFile": ("стол.dxf", b"0"), "orderFile": ("заявка.pdf", b"")})
    step = task("validate-attachments", "Judge_Design")
    first = validate_attachments(step, engine=world, judge=world)
    assert first == validate_attachments(step, engine=world, judge=world)
    assert json.loads(first["designFileInfo"])["name"] == "стол.dxf"
    assert "orderFileInfo" not in first
    with pytest.raises(BusinessError) as told:
        validate_attachments(task("validate-attachments", "Judge_Start"), engine=world, judge=world)
    assert told.value.outputs == {"orderFile": None, "refusal_UserTask_FixRequest": "Файл «заявка.pdf» пуст"}


def test_sync_stage_twice_writes_the_same() -> None:
    """The card is made equal, then the step opens with its visit and its due date."""
    world = World()
    step = task("sync-stage", "Sync_Design")
    values = [sync_stage(step, engine=world, mirror=world, deadlines=world) for _ in range(2)]
    assert values[0] == values[1]
    assert values[0]["visit_UserTask_PrepareDesign"] == "Sync_Design:7"
    assert values[0]["due_UserTask_PrepareDesign"] == datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
    assert values[0]["portalPending"] is False
    assert world.reconciled == ["i1", "i1"]


def test_sync_stage_has_another_answer_without_the_portal() -> None:
    """The portal away is Transient; the answer after the patience differs only in portalPending."""
    world = World()
    step, ports = task("sync-stage", "Sync_Design"), {"engine": world, "mirror": world, "deadlines": world}
    with_portal = sync_stage.run(step, {}, ports)
    world.portal_down = True
    with pytest.raises(PortalUnavailable):
        sync_stage.run(step, {}, ports)
    assert sync_stage.run(step, {}, ports, give_up=True) == {**with_portal, "portalPending": True}


def test_lost_lock_stops_before_the_portal() -> None:
    """A handler whose lock is gone calls nobody."""

    def lost() -> None:
        raise Dropped("lock lost")

    world = World()
    with pytest.raises(Dropped):
        sync_stage(task("sync-stage", "Sync_Design", hold=lost), engine=world, mirror=world, deadlines=world)
    with pytest.raises(Dropped):
        reconcile_portal(
            task("reconcile-portal", hold=lost), engine=world, mirror=world, staff=STAFF, calendar=CALENDAR
        )
    assert (world.reconciled, world.swept) == ([], 0)


def test_notify_tells_each_person_once_per_visit() -> None:
    """Twice the same visit: one notice each; another visit of the same step tells again."""
    world = World()
    properties = {"to": "initiator, heads", "text": "Заказ {key} отклонён"}
    world.order = order(done=(DONE,))
    for _ in range(2):
        notify(task("notify", properties=properties), engine=world, mirror=world, staff=STAFF, calendar=CALENDAR)
    assert sorted(world.told.values()) == [
        ("anna", "Заказ ORD-2026-00042 отклонён"),
        ("boris", "Заказ ORD-2026-00042 отклонён"),
    ]
    again = task("notify", properties=properties, activity_instance_id="ServiceTask_X:8")
    notify(again, engine=world, mirror=world, staff=STAFF, calendar=CALENDAR)
    assert len(world.told) == 4
    assert notify.run(again, {}, {}, give_up=True) == {}


def test_flag_late_production_flags_once_and_reminds_on_working_days() -> None:
    """One flag per promise; the same day again writes nothing; the next working day is the reminder."""
    promised = Promised(ready_by="2026-11-25T06:00:00Z")
    ports = {"engine": World(), "staff": STAFF, "calendar": CALENDAR}
    first = flag_late_production(promised, task("flag-late-production"), **ports)
    assert [f["readyBy"] for f in json.loads(first["lateFlags"])] == ["2026-11-25T06:00:00Z"]
    flagged = Promised.model_validate({"readyBy": "2026-11-25T06:00:00Z", **first})
    assert flag_late_production(flagged, task("flag-late-production"), **ports) == {}
    next_day = flag_late_production(flagged, task("flag-late-production", create_time=LATE), **ports)
    assert next_day["lateReminder"] == "2026-11-26"
    assert next_day["lateFlags"] == first["lateFlags"]


def test_sweep_raises_the_flag_that_the_timer_missed() -> None:
    """A promise that had passed when its timer was armed is flagged by the sweep, once."""
    world = World(late=[Promise("i9", "2026-11-25T06:00:00Z")])
    for _ in range(2):
        reconcile_portal(task("reconcile-portal"), engine=world, mirror=world, staff=STAFF, calendar=CALENDAR)
    assert [where for where, _ in world.sent] == ["i9"]
    assert world.swept == 2
    assert len(world.fitted) == 2, "substitutes are let in by every sweep"


def test_later_sweep_ends_at_once() -> None:
    """While an older sweep is open, a newer one does nothing."""
    world = World(running=["older", "i1"], late=[Promise("i9", "2026-11-25T06:00:00Z")])
    reconcile_portal(task("reconcile-portal"), engine=world, mirror=world, staff=STAFF, calendar=CALENDAR)
    assert (world.sent, world.swept) == ([], 0)


def test_customer_message_is_prepared_and_mailed_once() -> None:
    """Mail goes only when the customer is told by e-mail, mail is set up and the contact holds an address."""
    world = World(order=order(variables={"customerName": "Ёлка", "estimateSum": "125000.00"}))
    ports = {"engine": world, "staff": STAFF, "calendar": CALENDAR}
    prepared = notify_customer(
        ToCustomer(), task("notify-customer", properties={"mode": "prepare"}), **ports, mail=world
    )
    text = str(prepared["customerMessage"])
    assert "Ёлка" in text
    send = task("notify-customer", properties={"mode": "send"})
    good = ToCustomer(told_how="email", customer_contact="ivan@shop.ru", customer_message=text)
    for _ in range(2):
        notify_customer(good, send, **ports, mail=world)
    assert list(world.mailed.values()) == [("ivan@shop.ru", "Заказ ORD-2026-00042 готов", text)]
    others = (
        good.model_copy(update={"told_how": "phone"}),
        good.model_copy(update={"customer_contact": "+7 900"}),
        good.model_copy(update={"customer_message": None}),
    )
    for other in others:
        notify_customer(
            other, task("notify-customer", properties={"mode": "send"}, activity_instance_id="n:2"), **ports, mail=world
        )
    notify_customer(good, send, **ports, mail=None)
    assert len(world.mailed) == 1
    with pytest.raises(Permanent, match="mode"):
        notify_customer(good, task("notify-customer"), **ports, mail=world)


def test_close_order_writes_the_same_instant_twice() -> None:
    """The closing time is the step's own, not the clock's."""
    world = World()
    closed = [close_order(task("close-order"), engine=world, calendar=CALENDAR) for _ in range(2)]
    assert closed[0] == closed[1]
    assert closed[0].closed_at == AT


def test_cancel_order_cancels_once() -> None:
    """After a crash behind the message, the second run finds its own cancellation and tells nobody."""
    world = World()
    cancel_order(CANCEL, task("cancel-order"), engine=world, mirror=world)
    [(message, values)] = world.sent
    assert message == "OrderCancelled"
    assert values == {"cancelReason": "передумал", "cancelledBy": "dina", "heldBy": "designers", "refundDue": False}
    world.waits = False
    world.order = order(open=(), variables=values, closing="End_Cancelled")
    cancel_order(CANCEL, task("cancel-order"), engine=world, mirror=world)
    assert len(world.sent) == 1
    assert world.told == {}


def test_cancel_too_late_tells_its_starter_once() -> None:
    """Nothing changes, and the starter reads one sentence."""
    world = World(waits=False, order=order(open=(), ended=AT, end_id="End_Delivered"))
    for _ in range(2):
        cancel_order(CANCEL, task("cancel-order"), engine=world, mirror=world)
    [(person, text)] = world.told.values()
    assert person == "dina"
    assert "не отменён" in text


def test_move_ready_date_moves_once_and_tells_when_too_late() -> None:
    """The same request again finds the date moved; after the end the starter is told."""
    world = World()
    move_ready_date(MOVE, task("move-ready-date"), engine=world, mirror=world)
    [(message, values)] = world.sent
    assert (message, values["readyBy"], values["movedBy"]) == ("ReadyDateMoved", "2026-12-01T15:00:00Z", "dina")
    world.order = order(variables=values)
    move_ready_date(MOVE, task("move-ready-date"), engine=world, mirror=world)
    assert len(world.sent) == 1
    late = World(waits=False, order=order(open=(OpenVisit("v", "UserTask_Ship", AT),)))
    move_ready_date(MOVE, task("move-ready-date"), engine=late, mirror=late)
    assert [person for person, _ in late.told.values()] == ["dina"]


def test_correct_order_sends_only_what_was_typed_and_once() -> None:
    """A field left empty stays as it is; a second run finds the correction; after the end the starter is told once."""
    world = World()
    correct_order(CORRECT, task("correct-order"), engine=world, mirror=world)
    [(message, values)] = world.sent
    assert message == "OrderCorrected"
    assert values == {"customerName": "ООО «Ель»", "correctReason": "опечатка", "correctedBy": "anna"}
    world.order = order(variables={"budget": "100.00", **values})
    correct_order(CORRECT, task("correct-order"), engine=world, mirror=world)
    assert len(world.sent) == 1
    late = World(waits=False, order=order(open=(), ended=AT, end_id="End_Delivered"))
    for _ in range(2):
        correct_order(CORRECT, task("correct-order"), engine=late, mirror=late)
    [(person, text)] = late.told.values()
    assert person == "anna" and "не исправлены" in text


def test_a_complaint_shows_on_its_orders_card() -> None:
    """The order's card is repaired, not the complaint's; the portal away, the sweep is left to do it."""
    world = World()
    record_complaint(Complaint(order_instance_id="i7"), task("record-complaint"), mirror=world)
    assert world.reconciled == ["i7"]
    world.portal_down = True
    asked = {"orderInstanceId": "i7"}
    assert record_complaint.run(task("record-complaint"), asked, {"mirror": world}, give_up=True) == {}
    assert world.reconciled == ["i7"]


@pytest.mark.parametrize(
    ("estimate", "written"),
    [
        ("125000.00", {"plannedCost": "125000.00", "costDifference": "-14999.50"}),
        ("100000.00", {"plannedCost": "100000.00", "costDifference": "10000.50"}),
        (None, {}),
    ],
)
def test_the_actual_cost_stands_beside_the_estimate(estimate: str | None, written: dict[str, str]) -> None:
    """The difference is signed, to the kopeck; an order without an estimate has nothing to compare with."""
    world = World(order=order(variables={"estimateSum": estimate}))
    cost = ActualCost(order_instance_id="i1", actual_cost="110000.50")
    assert record_actual_cost(cost, engine=world) == written
