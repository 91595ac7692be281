"""Rule: the drawn route is the route of the case: its stages, people, decisions and ends, and no other way."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagram.bpmn import BPMN, CAMUNDA, GATEWAYS, Diagram
from diagram.stages import SYNC_TOPIC, in_order
from orders.stage import FieldKind, Route
from workers.handlers import registry

STAGES = {
    "fix": ("UserTask_FixRequest", (), "Исправление заявки"),
    "approve": ("UserTask_ApproveOrder", ("directors",), "Согласование у директора"),
    "design": ("UserTask_PrepareDesign", ("designers",), "Разработка документации"),
    "estimate": ("UserTask_PrepareEstimate", ("accounting",), "Расчёт сметы у бухгалтера"),
    "price": ("UserTask_AgreePrice", ("commercial",), "Согласование цены с заказчиком"),
    "readydate": ("UserTask_SetReadyDate", ("productionDirectors",), "Назначение срока готовности"),
    "manufacture": ("UserTask_Manufacture", ("workshop",), "Изготовление"),
    "tell": ("UserTask_TellCustomer", ("commercial",), "Сообщение заказчику"),
    "invoice": ("UserTask_IssueInvoice", ("accounting",), "Выставление счёта"),
    "payment": ("UserTask_TakePayment", ("accounting",), "Ожидание оплаты"),
    "ship": ("UserTask_Ship", ("shipping",), "Отгрузка"),
}
TOPICS = {
    "custom-furniture-order": {
        "register-order",
        "sync-stage",
        "notify",
        "validate-attachments",
        "flag-late-production",
        "notify-customer",
        "close-order",
    },
    "cancel-order": {"cancel-order"},
    "move-ready-date": {"move-ready-date"},
    "correct-order": {"correct-order"},
    "record-complaint": {"record-complaint"},
    "record-actual-cost": {"record-actual-cost"},
    "reconcile-portal": {"reconcile-portal"},
    "send-digest": {"send-digest"},
    "adjust-bonus": {"adjust-bonus"},
}


def test_stages_in_the_order_of_the_case(route: Route) -> None:
    """Each stage of the case is there once, in order, with its people and its column."""
    assert [stage.code for stage in route.stages] == list(STAGES)
    assert {s.code: (s.task_id, s.groups, s.label) for s in route.stages} == STAGES


def test_a_new_order_stands_at_the_director(route: Route) -> None:
    """S-31: the first column of an accepted request is «Согласование у директора»."""
    first = route.stage_of_code("approve")
    assert first is not None
    assert first.label == "Согласование у директора"


def test_only_the_initiator_mends_the_request(route: Route) -> None:
    """The request's file is attached anew by the one who made the request."""
    assert {stage.code: stage.assignee for stage in route.stages if stage.assignee} == {"fix": "${initiator}"}


def test_no_way_back_from_the_price(diagram: Diagram) -> None:
    """S-47: once the price is asked, neither design nor estimate is reached without the ready-date decision."""
    assert "Stage_PrepareDesign" in _top(diagram, "Gateway_ReadyDecision", "")
    cut = _top(diagram, "Stage_AgreePrice", "Gateway_ReadyDecision")
    assert "Stage_SetReadyDate" in cut
    assert not cut & {"Stage_PrepareDesign", "Stage_PrepareEstimate", "Stage_ApproveOrder", "Stage_FixRequest"}
    refused = _top(diagram, "ServiceTask_NotifyPriceRejected", "")
    assert refused == {"ServiceTask_NotifyPriceRejected", "ServiceTask_SyncPriceRejected", "End_PriceRejected"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Stage_ApproveOrder", "Stage_PrepareDesign"),
        ("Stage_Manufacture", "Stage_TellCustomer"),
        ("Stage_TellCustomer", "Stage_TakePayment"),
        ("Stage_IssueInvoice", "Stage_TakePayment"),
        ("Stage_TakePayment", "Stage_Ship"),
        ("Stage_Ship", "End_Delivered"),
    ],
)
def test_no_stage_is_passed_by(diagram: Diagram, before: str, after: str) -> None:
    """S-54, S-55, S-56: what comes later is reached only through what comes before."""
    start = "StartEvent_OrderRequested"
    assert after in _top(diagram, start, "")
    assert after not in _top(diagram, start, before)


def _top(diagram: Diagram, start: str, wall: str) -> set[str]:
    """Return what of the top level is reached from a node when another one lets nothing through."""
    seen, waiting = {wall}, [start]
    while waiting:
        here = waiting.pop()
        if here not in seen:
            seen.add(here)
            waiting += [flow.target for flow in diagram.outgoing(here)] + [e.id for e in diagram.boundaries(here)]
    return seen - {wall}


def test_return_from_the_ready_date_agrees_everything_anew(diagram: Diagram) -> None:
    """A return leads to design, and from there only through estimate and price back to the date."""
    gateway = "Gateway_ReadyDecision"
    back = next(flow for flow in diagram.outgoing(gateway) if flow.id == diagram.nodes[gateway].attribute("default"))
    for passed in ("Stage_PrepareDesign", "Stage_PrepareEstimate", "Stage_AgreePrice"):
        assert "Stage_SetReadyDate" not in _top(diagram, back.target, passed)


def test_ends_are_outcomes(route: Route) -> None:
    """The only ways out are the modelled ends, named as outcomes."""
    assert dict(route.end_names) == {
        "End_Duplicate": "Повтор заявки",
        "End_RefusedByDirector": "Отказ директора",
        "End_PriceRejected": "Цена не принята",
        "End_Delivered": "Отгружен и закрыт",
        "End_Cancelled": "Заказ отменён",
    }
    assert set(route.ends) == set(route.end_names)


def test_topics_are_the_documented_ones(models: list[Path]) -> None:
    """A topic of a model is a public name."""
    found = {d.process_id: {node.topic for node in d.nodes.values() if node.topic} for d in map(_read, models)}
    assert found == TOPICS


def test_each_topic_has_its_handler() -> None:
    """What a model asks for is what the workers can do, no less and no more."""
    assert set().union(*TOPICS.values()) == set(registry().topics)


def test_card_is_updated_before_each_step_and_outcome(diagram: Diagram, route: Route) -> None:
    """`sync-stage` stands directly before each user task and each outcome but the duplicate, and nowhere else."""
    tasks = {node.id for node in diagram.of_kind("userTask")}
    assert sorted(route.sync_targets.values()) == sorted(tasks | set(route.ends) - {"End_Duplicate"})
    for id_ in set(route.sync_targets.values()):
        assert {diagram.nodes[flow.source].topic for flow in diagram.incoming(id_)} == {SYNC_TOPIC}


def test_each_stage_is_one_collapsed_sub_process(diagram: Diagram, route: Route) -> None:
    """A stage is copied whole: the sub-process, its task, its card update and its file step carry one name."""
    for stage in route.stages:
        name = stage.task_id.removeprefix("UserTask_")
        scope = diagram.nodes[stage.task_id].scope
        assert scope == f"Stage_{name}"
        assert route.sync_targets[f"ServiceTask_Sync{name}"] == stage.task_id
        assert (f"ServiceTask_Judge{name}" in route.judged) == bool(stage.file_fields())
        assert sum(node.kind == "userTask" for node in diagram.scope(scope)) == 1


def test_files_are_judged_after_the_step_that_takes_them(route: Route) -> None:
    """Each file step judges its own task; the one at top level judges the request."""
    assert dict(route.judged) == {
        "ServiceTask_JudgeRequest": "StartEvent_OrderRequested",
        "ServiceTask_JudgeFixRequest": "UserTask_FixRequest",
        "ServiceTask_JudgePrepareDesign": "UserTask_PrepareDesign",
        "ServiceTask_JudgePrepareEstimate": "UserTask_PrepareEstimate",
        "ServiceTask_JudgeIssueInvoice": "UserTask_IssueInvoice",
    }


def test_error_codes_are_caught(route: Route) -> None:
    """Each step that may refuse is caught by its own code, no other step is."""
    caught = {id_: set(codes) for id_, codes in route.caught.items() if codes}
    assert caught == {id_: {"ATTACHMENT_REJECTED"} for id_ in route.judged} | {
        "ServiceTask_RegisterOrder": {"ORDER_DUPLICATE"}
    }


def test_late_timer_does_not_stop_the_work(diagram: Diagram) -> None:
    """The late flag stands on Manufacture, repeats daily from the promise and interrupts nothing."""
    late = diagram.nodes["BoundaryEvent_Late"]
    timer = late.definition("timer")
    assert timer is not None
    assert timer.findtext(f"{BPMN}timeCycle") == "R/${readyBy}/P1D"
    assert late.element.get("attachedToRef") == "UserTask_Manufacture"
    assert not late.interrupting


def test_production_cannot_be_refused(route: Route) -> None:
    """S-20: the workshop has nothing to decide; it may leave a word."""
    stage = route.stage_of_code("manufacture")
    assert stage is not None
    assert [(field.name, field.kind) for field in stage.fields] == [("manufactureComment", FieldKind.TEXT)]
    assert stage.required == () and stage.comment_on == ()


def test_a_word_may_be_left_at_every_step(route: Route) -> None:
    """S-38: each stage has one comment, and no good outcome demands it."""
    for stage in route.stages:
        comment = stage.comment_field()
        assert comment is not None and comment.name.endswith("Comment"), stage.code
        assert not any(demand.field == comment.name and not demand.differs for demand in stage.required), stage.code


def test_what_may_happen_at_any_moment(diagram: Diagram) -> None:
    """Cancelling ends the order, moving the date and correcting data do not."""
    starts = {s.scope: s.interrupting for s in diagram.of_kind("startEvent") if diagram.nodes.get(s.scope, s).by_event}
    assert starts == {"EventSub_Cancel": True, "EventSub_MoveReadyDate": False, "EventSub_Correct": False}


def test_messages(diagram: Diagram) -> None:
    """Messages are public names in the past tense."""
    names = [message.get("name") for message in diagram.root.iter(f"{BPMN}message")]
    assert names == ["OrderCancelled", "ReadyDateMoved", "OrderCorrected"]


def test_top_level_fits_a_wall(diagram: Diagram) -> None:
    """The top level stays a picture that is taken in at once."""
    top = [node for node in diagram.scope(diagram.process_id) if node.kind not in ("boundaryEvent", *GATEWAYS)]
    assert len(top) <= 30


def test_approval_is_never_the_default(diagram: Diagram) -> None:
    """An order goes on only when the decision says so in words."""
    for gateway in ("Gateway_DirectorDecision", "Gateway_PriceDecision", "Gateway_ReadyDecision"):
        ways = {f.id == diagram.nodes[gateway].attribute("default"): f.condition for f in diagram.outgoing(gateway)}
        assert ways[True] is None
        assert "== 'approve'" in (ways[False] or "")


def test_every_node_is_named_and_explained(models: list[Path]) -> None:
    """Names are Russian, questions end with a question mark, user tasks and processes say what they are for."""
    for diagram in map(_read, models):
        assert diagram.process.findtext(f"{BPMN}documentation")
        for node in in_order(diagram):
            forks = len(diagram.outgoing(node.id)) > 1
            if node.kind in GATEWAYS:
                assert node.name.endswith("?") == forks, node.id
            else:
                assert any("а" <= letter.lower() <= "я" for letter in node.name), node.id
            if node.kind == "userTask":
                assert all(word in node.documentation for word in ("Кто:", "Зачем:", "Готово")), node.id


def test_ids_speak(models: list[Path]) -> None:
    """An id says kind and meaning: it is what logs and history show."""
    kinds = {
        "startEvent": "StartEvent_",
        "endEvent": ("End_", "EndEvent_"),
        "boundaryEvent": "BoundaryEvent_",
        "userTask": "UserTask_",
        "serviceTask": "ServiceTask_",
        "exclusiveGateway": "Gateway_",
        "subProcess": ("Stage_", "EventSub_"),
    }
    for diagram in map(_read, models):
        for node in diagram.nodes.values():
            assert node.id.startswith(kinds[node.kind]), node.id
            assert not any(letter.isdigit() for letter in node.id), node.id
        for flow in diagram.flows:
            assert flow.startswith("Flow_"), flow


def test_process_settings(models: list[Path]) -> None:
    """Each file is one executable process of its own name, with a version and a history that outlives the reports."""
    for path in models:
        process = _read(path).process
        assert process.get("id") == path.stem
        assert process.get("isExecutable") == "true"
        assert process.get(f"{CAMUNDA}versionTag")
        days = "P1D" if path.stem in ("reconcile-portal", "send-digest") else "P1095D"
        assert process.get(f"{CAMUNDA}historyTimeToLive") == days


def _read(path: Path) -> Diagram:
    return Diagram(path.read_bytes())
