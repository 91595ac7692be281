"""Rule: a promise that passes proposes one entry of the register, for the one who held the step; the person explains,
the named manager decides, nobody else sees it, and nothing is confirmed by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chain import KINDS, Chain, open_chain
from gate_models import door, refusal, text
from shop import Shop

from app.monthly import adjustments
from engine.history import PastInstance
from engine.processes import Instance
from engine.tasks import Task
from orders.adjustment import PROCESS
from orders.dates import parse_moment
from orders.keys import instant_text
from reports.adjustments import State

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
HOLDER, MANAGER, AUDITOR, COLLEAGUE, OPERATOR = "stepanov", "gromov", "nikitina", "makarov", "kozlov"
SOON = 3.0  # seconds that a promise lies ahead
BEGUN = (
    "orderKey",
    "adjustStage",
    "adjustTask",
    "adjustPromise",
    "adjustLateAt",
    "adjustHeldSince",
    "adjustPerson",
    "adjustDecider",
)
STEPS = ("ExplainDelay", "DecideAdjustment", "ReadDecision")
BEFORE = ("ApproveOrder", "PrepareDesign", "PrepareEstimate", "AgreePrice", "SetReadyDate")


@pytest.fixture(scope="module")
def chain(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with open_chain(shop, tmp_path_factory.mktemp("register") / "chain", lock_seconds=15) as opened:
        opened.work()
        opened.wait(opened.healthy, "the worker up")
        yield opened


def in_production(chain: Chain, person: str | None = HOLDER) -> tuple[Instance, Task]:
    """Carry a new order to production, promised for two weeks, and let somebody take it, or nobody."""
    order = chain.shop.start_order()
    chain.carry(order, *BEFORE)
    step = chain.step(order, "UserTask_Manufacture")
    if person:
        chain.shop.person(person).tasks.claim(step.id, person)
    return order, step


def let_pass(chain: Chain, order: Instance) -> datetime:
    """Agree on a date that is nearly over; the engine's timer goes with it, also when the machine is slow."""
    by = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=SOON)
    request = {"orderKey": order.business_key, "newReadyBy": by.isoformat(), "moveReason": "Заказчик торопит"}
    chain.shop.person(MANAGER).processes.start("move-ready-date", request)
    flagged(chain, order)
    return by


def entries(chain: Chain, order: Instance) -> list[PastInstance]:
    history = chain.shop.integration.history
    found = history.find(
        processDefinitionKey=PROCESS, variables=[{"name": "orderInstanceId", "operator": "eq", "value": order.id}]
    )
    return list(found)


def flagged(chain: Chain, order: Instance) -> str:
    found: str = chain.wait(lambda: str(chain.shop.reader.variables(order.id).get("lateFlags") or ""), "the late flag")
    return found


def entry_task(chain: Chain, entry: PastInstance, element: str) -> Task:
    def look() -> Task | None:
        return next((t for t in chain.shop.integration.tasks.of_instance(entry.id) if t.element == element), None)

    return chain.wait(look, f"{element} of {entry.business_key}")


def entry_of(chain: Chain, order: Instance) -> PastInstance:
    (entry,) = entries(chain, order)
    return entry


@dataclass(frozen=True)
class Late:
    """An order that its holder let pass its promise, and the entry about it."""

    order: Instance
    by: datetime
    step: Task
    entry: PastInstance


def become_late(chain: Chain) -> Late:
    order, step = in_production(chain)
    by = let_pass(chain, order)
    return Late(order, by, step, entry_of(chain, order))


def it_is_traced_to_the_history(chain: Chain, late: Late) -> None:
    """The first promise, which was moved before it passed, has none."""
    entry, history = late.entry, chain.shop.integration.history
    assert entry.business_key == f"{late.order.business_key}.manufacture.{late.by:%Y%m%dT%H%M%SZ}"
    assert abs((entry.started - late.by).total_seconds()) < 60
    explain = entry_task(chain, entry, "UserTask_ExplainDelay")
    said = chain.shop.reader.variables(entry.id)
    assert (explain.assignee, said["adjustDecider"], said["orderInstanceId"]) == (HOLDER, MANAGER, late.order.id)
    (held,) = history.tasks(taskId=str(said["adjustTask"]))
    assert (held.id, held.element, held.assignee) == (late.step.id, "UserTask_Manufacture", HOLDER)
    evidence = str(said["adjustSources"])
    dated = next(v for v in chain.shop.reader.snapshot(late.order.id).done if "readyBy" in v.values)
    assert late.step.id in evidence and dated.visit in evidence and late.order.id in evidence
    assert history.activity(dated.visit).instance_id == late.order.id
    assert parse_moment(str(said["adjustPromise"])) == late.by
    assert said["adjustFirstPromise"] == instant_text(parse_moment(str(dated.values["readyBy"])))
    until = chain.parts.calendar.add(entry.started, 16)
    assert explain.due is not None and abs((explain.due - until).total_seconds()) < 60
    (timer,) = chain.shop.admin.processes.jobs(processInstanceId=entry.id)
    assert timer.due == explain.due


WAYS = (
    ("GET", "/task?processInstanceId={entry}&maxResults=9"),
    ("GET", "/task/{task}"),
    ("GET", "/task/{task}/variables"),
    ("GET", "/process-instance/{entry}"),
    ("GET", "/process-instance/{entry}/variables"),
    ("GET", "/variable-instance?processInstanceIdIn={entry}&maxResults=99"),
    ("GET", "/execution?processInstanceId={entry}&maxResults=9"),
    ("GET", "/history/process-instance?processDefinitionKey=adjust-bonus&maxResults=99"),
    ("GET", "/history/process-instance/{entry}"),
    ("GET", "/history/variable-instance?processInstanceId={entry}&maxResults=99"),
    ("GET", "/history/detail?processInstanceId={entry}&maxResults=99"),
    ("GET", "/history/task?processInstanceId={entry}&maxResults=9"),
    ("GET", "/history/activity-instance?processInstanceId={entry}&maxResults=99"),
    ("GET", "/history/user-operation?processInstanceId={entry}&maxResults=99"),
    ("GET", "/job?processInstanceId={entry}&maxResults=9"),
)
SKIP = {"type": "cancel", "activityId": "UserTask_ExplainDelay"}
DEEDS: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/task/{task}/complete", {"variables": {"adjustExplanation": text("Чужое слово")}}),
    ("POST", "/task/{task}/claim", {"userId": "{me}"}),
    ("POST", "/task/{task}/assignee", {"userId": "{me}"}),
    ("POST", "/process-instance/{entry}/modification", {"instructions": [SKIP]}),
    ("PUT", "/process-instance/{entry}/variables/adjustPoints", {"value": 9, "type": "Integer"}),
    ("PUT", "/process-instance/{entry}/suspended", {"suspended": True}),
    ("DELETE", "/process-instance/{entry}", None),
)


def shown(chain: Chain, who: str, entry: PastInstance, task: Task) -> list[str]:
    """Return the ways by which an account sees something of an entry."""
    seen = []
    for method, way in WAYS:
        answer = door(chain.shop, who).call(method, way.format(entry=entry.id, task=task.id))
        if answer.status_code == 200 and answer.json() not in ([], {}):
            seen.append(way.split("?")[0])
    return seen


def only_the_person_the_manager_and_auditors_see_it(chain: Chain, late: Late) -> None:
    """A colleague, another head, a director, an operator see nothing and can do nothing; an auditor reads only."""
    entry = late.entry
    task = entry_task(chain, entry, "UserTask_ExplainDelay")
    before = chain.shop.reader.variables(entry.id)
    for who in (COLLEAGUE, MANAGER, "titov", "orlov", "elena", "sokolova", OPERATOR):
        assert shown(chain, who, entry, task) == [], who
        for method, way, body in DEEDS:
            sent = json.loads(json.dumps(body).replace("{me}", who)) if body else None
            answer = door(chain.shop, who).call(method, way.format(entry=entry.id, task=task.id), sent)
            assert answer.status_code in (400, 403, 404), (who, way, answer.text)
    assert "/task/{task}/variables" in shown(chain, HOLDER, entry, task)
    assert len(shown(chain, AUDITOR, entry, task)) == len(WAYS)
    refused = door(chain.shop, AUDITOR).call("POST", f"/task/{task.id}/complete", DEEDS[0][2])
    assert refused.status_code in (403, 404)
    assert chain.shop.reader.variables(entry.id) == before
    assert entry_task(chain, entry, "UserTask_ExplainDelay").assignee == HOLDER


def nobody_writes_one_by_hand(chain: Chain, late: Late) -> None:
    said, before = chain.shop.reader.variables(late.entry.id), entries(chain, late.order)
    body = {name: text(said[name]) for name in BEGUN}
    for who in ("orlov", MANAGER, OPERATOR, "worker"):
        answer = door(chain.shop, who).start(PROCESS, body)
        assert answer.status_code in (400, 403, 404), (who, answer.text)
    assert entries(chain, late.order) == before


def it_is_explained_decided_appealed_decided_anew(chain: Chain, late: Late) -> None:
    """Each word is demanded, signed and kept; nothing is decided without the manager."""
    entry, people = late.entry, chain.shop.person
    explain = entry_task(chain, entry, "UserTask_ExplainDelay")
    assert "«Что помешало успеть»" in refusal(door(chain.shop, HOLDER).complete(explain.id, {}))
    people(HOLDER).tasks.complete(explain.id, {"adjustExplanation": "Кромка пришла во вторник"})
    decide = entry_task(chain, entry, "UserTask_DecideAdjustment")
    assert decide.assignee == MANAGER and shown(chain, HOLDER, entry, decide) == []
    confirm = {"adjustDecision": text("confirm")}
    assert "«Причина решения»" in refusal(door(chain.shop, MANAGER).complete(decide.id, confirm))
    people(MANAGER).tasks.complete(decide.id, {"adjustDecision": "confirm", "adjustReason": "Можно было предупредить"})
    read = entry_task(chain, entry, "UserTask_ReadDecision")
    assert read.assignee == HOLDER
    people(HOLDER).tasks.complete(read.id, {"appealDecision": "appeal", "appealReason": "Я предупредил"})
    again = entry_task(chain, entry, "UserTask_DecideAdjustment")
    people(MANAGER).tasks.complete(again.id, {"adjustDecision": "annul", "adjustReason": "Верно, письмо есть"})
    ended = chain.wait(lambda: _ended(chain, entry), "the entry's end")
    assert ended == "End_AdjustmentAnnulled"
    said = chain.shop.reader.variables(entry.id)
    signed = [json.loads(str(said[f"done_UserTask_{step}"]))["person"] for step in STEPS]
    assert signed == [HOLDER, MANAGER, HOLDER]
    told = [line["params"] for line in chain.portal.log(KINDS["notice"], applied=True)]
    assert [t["USER_ID"] for t in told if "корректировк" in t["MESSAGE"]].count(113) >= 2


def test_an_entry_from_the_flag_to_the_last_word(chain: Chain) -> None:
    """One late order, one entry: where it comes from, who sees it, what it demands, who signs."""
    late = become_late(chain)
    it_is_traced_to_the_history(chain, late)
    one_begun_twice_ends_as_a_repeat(chain, late)
    nobody_writes_one_by_hand(chain, late)
    only_the_person_the_manager_and_auditors_see_it(chain, late)
    it_is_explained_decided_appealed_decided_anew(chain, late)
    the_accountant_reads_it(chain, late)


def the_accountant_reads_it(chain: Chain, late: Late) -> None:
    month = f"{late.by.astimezone(chain.parts.settings.zone):%Y-%m}"
    found = adjustments(chain.parts, month, datetime.now(UTC))
    (entry,) = [each for each in found if each.key == late.entry.business_key]
    assert (entry.state, entry.person, entry.decided_by) == (State.ANNULLED, HOLDER, "Андрей Громов")
    assert (entry.reason, entry.explanation) == ("Верно, письмо есть", "Кромка пришла во вторник")
    assert (entry.promise, entry.order) == (late.by, late.order.business_key)


def test_silence_confirms_nothing(chain: Chain) -> None:
    """The limit ends the waiting for an explanation, and then the manager still has to decide."""
    order, _ = in_production(chain)
    let_pass(chain, order)
    entry = entry_of(chain, order)
    entry_task(chain, entry, "UserTask_ExplainDelay")
    (timer,) = chain.shop.admin.processes.jobs(processInstanceId=entry.id)
    chain.shop.admin.processes.execute_job(timer.id)
    decide = entry_task(chain, entry, "UserTask_DecideAdjustment")
    assert decide.assignee == MANAGER
    assert chain.shop.reader.variables(entry.id)["adjustExplained"] == "не дано в срок"
    assert chain.shop.admin.processes.jobs(processInstanceId=entry.id) == []


def test_no_entry_where_the_delay_is_not_theirs(chain: Chain) -> None:
    """Nobody took the one, the other was suspended: both have their late flag, and no entry."""
    unheld, suspended = in_production(chain, None)[0], in_production(chain)[0]
    for state in (True, False):
        body = {"suspended": state}
        chain.shop.admin.caller.rest("PUT", f"/process-instance/{suspended.id}/suspended", body=body)
    for order in (unheld, suspended):
        let_pass(chain, order)
        assert entries(chain, order) == []


def one_begun_twice_ends_as_a_repeat(chain: Chain, late: Late) -> None:
    """What a lost answer or two programs at once would leave: the older one goes on alone."""
    said, begin = chain.shop.reader.variables(late.entry.id), chain.shop.integration.processes.start
    twice = begin(PROCESS, {name: said[name] for name in BEGUN}, business_key=late.entry.business_key)
    again = chain.shop.integration.history.instance(twice.id)
    assert chain.wait(lambda: _ended(chain, again), "the second one's end") == "End_AdjustmentRepeated"
    assert chain.shop.integration.tasks.of_instance(twice.id) == []


def _ended(chain: Chain, entry: PastInstance) -> str | None:
    if chain.shop.integration.history.instance(entry.id).ended is None:
        return None
    ends = chain.shop.integration.history.activities(processInstanceId=entry.id, activityType="noneEndEvent")
    return [activity.element for activity in ends][-1]
