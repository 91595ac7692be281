"""Rule: the three steps of an entry of the register are answered in the Tasklist, on the phone too: what it rests on
stands above the question, in plain Russian, and each answer asks for its reason in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from shop import Shop, wait_until
from webapps import SignIn, picture

from engine.external import ExternalTask
from engine.history import PastInstance
from orders.adjustment import PROCESS, Proposal, proposed
from orders.calendar import WorkingCalendar
from workers.handlers.adjustment import Desk, Entry
from workers.task import Task

pytestmark = [pytest.mark.engine, pytest.mark.browser]
CALENDAR = WorkingCalendar()
INSIDE = """() => {
    const form = document.getElementById('stage-root').getBoundingClientRect();
    return form.left >= 0 && form.right <= innerWidth;
}"""


class Claims(dict[str, str]):
    """The ledger's part: the first instance of a key goes on."""

    def claim(self, business_key: str, instance_id: str) -> str:
        """Return who owns the key."""
        return self.setdefault(business_key, instance_id)


def begun(shop: Shop) -> PastInstance:
    """Let an order's holder miss a promise by the rule's own words, and begin the entry as the worker does."""
    order = shop.start_order(itemDescription="Барная стойка из дуба с подсветкой и латунной кромкой, 4,2 м")
    step = shop.carry_to(order, "UserTask_Manufacture")
    shop.person("stepanov").tasks.claim(step.engine_task or "", "stepanov")
    promise = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    found = proposed(
        shop.reader.snapshot(order.id), shop.reader.route(order.definition_id), shop.reader.step_log(order.id),
        shop.staff, CALENDAR, promise, promise + timedelta(seconds=2),
    )  # fmt: skip
    assert isinstance(found, Proposal), found
    shop.reader.propose(found.key, found.values())
    (entry,) = shop.reader.entries(found.key)
    return shop.integration.history.instance(entry)


def work(shop: Shop, claims: Claims) -> None:
    """Do the program's steps of all entries by the real handler's rules."""

    def turn(external: ExternalTask) -> Mapping[str, object]:
        mode = {"OpenEntry": "ask", "WeighEntry": "weigh", "TellDecision": "tell"}
        done = Task(
            external.id, external.topic, external.business_key, external.instance_id, external.definition_id, PROCESS,
            external.activity_id, external.activity_instance_id, datetime.now(UTC) + timedelta(days=6),
            {"mode": mode[external.activity_id.removeprefix("ServiceTask_")]},
        )  # fmt: skip
        entry = Entry.model_validate(dict(shop.reader.variables(external.instance_id)))
        return Desk(shop.reader, claims, shop.staff, CALENDAR, None).turn(entry, done).values

    shop.drain(outcomes={PROCESS: turn})


def looked_at(page: Page, name: str) -> None:
    """Keep pictures for a desk and a phone; on neither does the form run out of the window."""
    for width, height in ((1280, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(INSIDE)
        page.locator("#stage-facts").scroll_into_view_if_needed()
        picture(page, f"{name}-{width}")
        page.locator("#stage-root .answers").scroll_into_view_if_needed()
        picture(page, f"{name}-{width}-end")


def test_explain_decide_and_read_in_the_tasklist(shop: Shop, sign_in: SignIn) -> None:
    claims, entry = Claims(), begun(shop)

    def opened(person: str, element: str) -> Page:
        work(shop, claims)
        (task,) = shop.integration.tasks.of_instance(entry.id)
        assert (task.element, task.assignee) == (element, person)
        page = sign_in(person, f"#/?task={task.id}")
        page.wait_for_selector("#stage-root .answers")
        return page

    page = opened("stepanov", "UserTask_ExplainDelay")
    facts = page.locator("#stage-facts")
    for said in ("Срок был", "рабочего времени", "1 балл за каждый начатый рабочий день", "срок назначен"):
        expect(facts).to_contain_text(said)
    looked_at(page, "explain")
    page.click("#stage-done")
    expect(page.locator("#adjustExplanation-wrong")).to_have_text("Заполните это поле")
    page.fill("#adjustExplanation", "Кромку привезли во вторник вместо пятницы, предупредил мастера.")
    page.click("#stage-done")
    _wait_for(shop, entry, "done_UserTask_ExplainDelay")
    page = opened("gromov", "UserTask_DecideAdjustment")
    expect(page.locator("#stage-comments")).to_contain_text("Кромку привезли во вторник")
    looked_at(page, "decide")
    page.click("#adjustDecision-confirm")
    expect(page.locator("#adjustReason-wrong")).not_to_be_empty()
    page.fill("#adjustReason", "Поставка известна с понедельника, срок можно было перенести.")
    page.click("#adjustDecision-confirm")
    _wait_for(shop, entry, "done_UserTask_DecideAdjustment")
    page = opened("stepanov", "UserTask_ReadDecision")
    expect(page.locator("#stage-comments")).to_contain_text("Подтвердить")
    looked_at(page, "read")
    page.click("#appealDecision-appeal")
    expect(page.locator("#appealReason-wrong")).to_have_text("Напишите причину")
    page.click("#appealDecision-agree")
    wait_until(lambda: shop.integration.history.instance(entry.id).ended, 20, "the entry's end")
    assert shop.reader.variables(entry.id)["adjustDecision"] == "confirm"


def _wait_for(shop: Shop, entry: PastInstance, name: str) -> None:
    wait_until(lambda: shop.reader.variables(entry.id).get(name), 20, name)
