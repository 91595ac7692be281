"""Rule: one order goes through the whole route in the Tasklist alone, each step by the right person with real files;
each step first says in place what it lacks, and every form fits a phone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import samples
from playwright.sync_api import Page, expect
from shop import Shop, wait_until
from webapps import SignIn, open_step, picture, starts

from engine.errors import GateRefused

pytestmark = [pytest.mark.engine, pytest.mark.browser]

TODAY = datetime.now(ZoneInfo("Europe/Moscow")).date().isoformat()
DONE = "#stage-done"


@dataclass(frozen=True)
class Stop:
    """A step as a person does it: what is pressed too early, which field then says what, and the good answer."""

    element: str
    person: str
    button: str = DONE
    early: str = ""  # the button pressed first; empty: nothing can be missing
    lacks: str = ""  # id of the field that says so
    fills: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    only_done: bool = False


WALK = (
    Stop(
        "UserTask_ApproveOrder",
        "orlov",
        "#directorDecision-approve",
        early="#directorDecision-reject",
        lacks="directorComment",
        fills={"directorComment": "Супер заказ"},
    ),
    Stop(
        "UserTask_PrepareDesign",
        "lebedeva",
        early=DONE,
        lacks="designFile",
        files={"designFile": ("чертёж.dxf", samples.make_dxf())},
    ),
    Stop(
        "UserTask_PrepareEstimate",
        "zaitseva",
        early=DONE,
        lacks="estimateSum",
        fills={"estimateSum": "125 000,50"},
        files={"estimateFile": ("смета.xlsx", samples.make_xlsx())},
    ),
    Stop(
        "UserTask_AgreePrice",
        "morozov",
        "#priceDecision-approve",
        early="#priceDecision-reject",
        lacks="priceComment",
    ),
    Stop(
        "UserTask_SetReadyDate",
        "titov",
        "#readyDecision-approve",
        early="#readyDecision-approve",
        lacks="readyBy",
        fills={"readyBy": "2031-01-09"},
    ),
    Stop("UserTask_Manufacture", "frolov", only_done=True),
    Stop(
        "UserTask_TellCustomer",
        "kuznetsova",
        early=DONE,
        lacks="toldAt",
        fills={"toldAt": TODAY, "toldHow": "phone"},
    ),
    Stop("UserTask_IssueInvoice", "elena", early=DONE, lacks="invoiceNumber", fills={"invoiceNumber": "С-17"}),
    Stop(
        "UserTask_TakePayment",
        "elena",
        early=DONE,
        lacks="paidSum",
        fills={"paidSum": "125000,50", "paidOn": TODAY},
    ),
    Stop("UserTask_Ship", "egorov", early=DONE, lacks="shippedOn", fills={"shippedOn": TODAY}),
)


def answer(page: Page, stop: Stop, folder: Path) -> None:
    """Press too early, read what is missing, fill in, and look whether a phone shows it whole."""
    if stop.early:
        page.click(stop.early)
        expect(page.locator(f"#{stop.lacks}-wrong")).not_to_be_empty()
    if stop.only_done:
        expect(page.locator(".answers button")).to_have_count(1)
    for name, (called, data) in stop.files.items():
        (folder / called).write_bytes(data)
        page.set_input_files(f"#{name}", [folder / called])
    for name, value in stop.fills.items():
        if name == "toldHow":
            page.select_option(f"#{name}", value)
        else:
            page.fill(f"#{name}", value)
    picture(page, f"route-{stop.element}")
    page.set_viewport_size({"width": 390, "height": 844})
    wide = "[document.documentElement.scrollWidth - innerWidth, root.scrollWidth - root.clientWidth]"
    assert page.evaluate(f"() => {{ const root = document.getElementById('stage-root'); return {wide}; }}") == [0, 0]
    picture(page, f"route-{stop.element}-phone")
    page.click(stop.button)


def test_an_order_goes_through_all_steps(shop: Shop, sign_in: SignIn, tmp_path: Path) -> None:
    (tmp_path / "ТЗ.pdf").write_bytes(samples.make_pdf())
    before = {i.id for i in shop.admin.processes.instances()}
    page = sign_in("sokolova", "#/")
    starts(page, "Заказ на нестандартную мебель")
    for name, value in {"customerName": "ИП Ёлкин", "customerContact": "+7 900 1", "itemDescription": "Шкаф"}.items():
        page.fill(f"#{name}", value)
    page.set_input_files("#orderFile", [tmp_path / "ТЗ.pdf"])
    page.locator(".modal-footer button.btn-primary").last.click()
    (new,) = wait_until(lambda: {i.id for i in shop.admin.processes.instances()} - before, 20, "an order started")
    order = next(i for i in shop.admin.processes.instances() if i.id == new)
    for stop in WALK:
        page = open_step(shop, sign_in, order, stop.person)
        step = shop.open_step(order)
        assert step.task_id == stop.element
        if stop.only_done:
            with pytest.raises(GateRefused, match="на этом шаге менять нельзя"):
                shop.signed_in(stop.person).tasks.complete(step.engine_task or "", {"directorDecision": "reject"})
        answer(page, stop, tmp_path)
        wait_until(
            lambda stop=stop: [v for v in shop.reader.snapshot(order.id).done if v.task_id == stop.element],
            30,
            f"{stop.element} done",
        )
        page.context.close()
        shop.drain(order)
    wait_until(lambda: not shop.reader.snapshot(order.id).running, 20, "the order's end")
    found = shop.reader.snapshot(order.id)
    assert found.end_id == "End_Delivered"
    assert [(v.task_id, v.person) for v in found.done] == [(stop.element, stop.person) for stop in WALK]
    assert {f.variable: f.name for f in found.files} == {
        "orderFile": "ТЗ.pdf", "designFile": "чертёж.dxf", "estimateFile": "смета.xlsx",
    }  # fmt: skip
    assert (found.variables["estimateSum"], found.variables["paidSum"]) == ("125000.50", "125000.50")
