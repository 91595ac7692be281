"""Rule: a stage is what its diagram says, and a property that makes no sense names its element in Russian."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagram.errors import DiagramError
from diagram.stages import read_route
from orders.stage import Demand, Field, FieldKind, Route, Stage


def stage(route: Route, code: str) -> Stage:
    """Return a stage that is there."""
    found = route.stage_of_code(code)
    assert found is not None
    return found


def test_estimate(route: Route) -> None:
    """Fields keep the order of the form; a file and a sum are demanded, the comment is not."""
    found = stage(route, "estimate")
    assert found.fields == (
        Field("estimateFile", FieldKind.FILE, "Смета"),
        Field("estimateSum", FieldKind.SUM, "Сумма сметы, ₽"),
        Field("estimateComment", FieldKind.TEXT, "Комментарий"),
    )
    assert found.required == (Demand("estimateFile"), Demand("estimateSum"))
    assert (found.name, found.norm, found.groups, found.waits) == ("Рассчитать смету", "2d", ("accounting",), None)


def test_decisions(route: Route) -> None:
    """A decision has its values, and the values that ask for a reason."""
    approve = stage(route, "approve")
    assert approve.decision_field() == Field(
        "directorDecision", FieldKind.CHOICE, "Решение", choices=(("approve", "Согласовать"), ("reject", "Отклонить"))
    )
    assert approve.comment_on == ("reject",)
    assert approve.required == (Demand("directorDecision"),)
    assert stage(route, "price").comment_on == ("reject",)


def test_ready_date(route: Route) -> None:
    """The date lies ahead and is asked only with approval; a return asks for the reason."""
    found = stage(route, "readydate")
    assert found.fields[1] == Field("readyBy", FieldKind.MOMENT, "Срок готовности", options=("future",))
    assert found.required == (Demand("readyDecision"), Demand("readyBy", decision="approve"))
    assert found.comment_on == ("return",)
    assert stage(route, "manufacture").norm == "until:readyBy"


def test_payment(route: Route) -> None:
    """A sum that differs from the estimate is explained; the day of payment is not ahead."""
    found = stage(route, "payment")
    assert found.required[-1] == Demand("paymentComment", differs=("paidSum", "estimateSum"))
    assert found.fields[1] == Field("paidOn", FieldKind.DATE, "Дата оплаты", options=("past",))


def test_customers_time(route: Route) -> None:
    """Time that is the customer's is marked on price and payment, nowhere else."""
    assert {s.code for s in route.stages if s.waits == "customer"} == {"price", "payment"}


def test_start(route: Route) -> None:
    """The request asks for customer, contact, item and file; wish and budget are free."""
    assert route.start_id == "StartEvent_OrderRequested"
    assert [(f.name, f.kind) for f in route.start_fields] == [
        ("customerName", FieldKind.LINE),
        ("customerContact", FieldKind.LINE),
        ("itemDescription", FieldKind.TEXT),
        ("orderFile", FieldKind.FILE),
        ("wishedBy", FieldKind.DATE),
        ("budget", FieldKind.SUM),
    ]
    required = ("customerName", "customerContact", "itemDescription", "orderFile")
    assert route.start_required == tuple(Demand(name) for name in required)


def test_properties_of_service_steps(route: Route) -> None:
    """What a step of the program has to know stands on the step."""
    assert route.properties["ServiceTask_NotifyRefused"]["to"] == "initiator"
    assert "{directorComment}" in route.properties["ServiceTask_NotifyRefused"]["text"]
    assert route.properties["ServiceTask_NotifyCancelled"]["to"] == "holder, initiator, heads"
    assert route.properties["ServiceTask_PrepareMessage"] == {"mode": "prepare"}
    assert route.properties["ServiceTask_SendMessage"] == {"mode": "send"}


def test_support_processes_ask_at_the_start(route_file: Path) -> None:
    """A support process has a form at its start and no stages."""
    cancel = read_route((route_file.parent / "cancel-order.bpmn").read_bytes())
    assert [(f.name, f.kind) for f in cancel.start_fields] == [
        ("orderKey", FieldKind.LINE),
        ("cancelReason", FieldKind.TEXT),
    ]
    assert cancel.start_required == (Demand("orderKey"), Demand("cancelReason"))
    assert cancel.stages == ()
    move = read_route((route_file.parent / "move-ready-date.bpmn").read_bytes())
    assert move.start_fields[1] == Field("newReadyBy", FieldKind.MOMENT, "Новый срок готовности", options=("future",))


def test_text_and_bytes_are_the_same(route_file: Path, route: Route) -> None:
    """The deployed XML comes as text, the file as bytes."""
    assert read_route(route_file.read_text(encoding="utf-8")) == route


def test_an_empty_property_is_absent(route_file: Path, route: Route) -> None:
    """Element templates write an empty value where the analyst typed nothing."""
    xml = route_file.read_text(encoding="utf-8")
    changed = xml.replace('name="waits" value="customer"', 'name="waits" value=""').replace(
        'name="commentOn" value="reject"', 'name="commentOn" value=""'
    )
    assert changed != xml
    found = read_route(changed)
    assert stage(found, "price").waits is None
    assert stage(found, "approve").comment_on == ()


def test_an_added_approval_takes_its_place(route_file: Path) -> None:
    """S-60: a stage is where the flow leads, wherever it stands in the file."""
    xml = route_file.read_text(encoding="utf-8")
    task = (
        '<bpmn:userTask id="UserTask_CheckDesign" name="Проверить" camunda:candidateGroups="directors">'
        '<bpmn:extensionElements><camunda:properties><camunda:property name="stage" value="check" />'
        '<camunda:property name="label" value="Проверка" /><camunda:property name="norm" value="1d" />'
        "</camunda:properties></bpmn:extensionElements></bpmn:userTask>"
        '<bpmn:sequenceFlow id="Flow_New" sourceRef="UserTask_CheckDesign" targetRef="Stage_PrepareEstimate" />'
    )
    old = 'sourceRef="Stage_PrepareDesign" targetRef="Stage_PrepareEstimate"'
    assert old in xml
    moved = xml.replace(old, 'sourceRef="Stage_PrepareDesign" targetRef="UserTask_CheckDesign"')
    codes = [s.code for s in read_route(moved.replace("</bpmn:process>", task + "</bpmn:process>")).stages]
    assert codes[:5] == ["fix", "approve", "design", "check", "estimate"]


@pytest.mark.parametrize(
    ("old", "new", "element", "words"),
    [
        ('value="sum; Сумма сметы, ₽"', 'value="money; Сумма"', "UserTask_PrepareEstimate", "тип «money»"),
        ('value="file; Смета"', 'value="file"', "UserTask_PrepareEstimate", "нет названия"),
        ('name="field.estimateSum"', 'name="field.estimate sum"', "UserTask_PrepareEstimate", "estimate sum"),
        ('value="readyDecision, readyBy@approve"', 'value="readyBy@aprove"', "UserTask_SetReadyDate", "«aprove»"),
        ('value="estimateFile, estimateSum"', 'value="estimateFile, total"', "UserTask_PrepareEstimate", "«total»"),
        ("paymentComment@paidSum!=estimateSum", "paymentComment@paid!=sum", "UserTask_TakePayment", "paid!=sum"),
        ('name="commentOn" value="return"', 'name="commentOn" value="back"', "UserTask_SetReadyDate", "«back»"),
        ('value="moment; Срок готовности; future"', 'value="moment; Срок; soon"', "UserTask_SetReadyDate", "«soon»"),
        ("approve=Согласовать, reject=Отклонить", "approve=Согласовать", "UserTask_ApproveOrder", "двух"),
        ("approve=Согласовать, reject=Отклонить", "approve, reject", "UserTask_ApproveOrder", "«approve»"),
        ('name="norm" value="3d"', 'name="norm" value="3 дня"', "UserTask_PrepareDesign", "«3 дня»"),
        ('name="norm" value="3d"', 'name="norm" value=""', "UserTask_PrepareDesign", "норма"),
        ('name="stage" value="price"', 'name="stage" value="estimate"', "UserTask_AgreePrice", "уже есть"),
        ('name="label" value="Отгрузка"', 'name="label" value=""', "UserTask_Ship", "колонки"),
        ('name="waits" value="customer"', 'name="waits" value="client"', "UserTask_AgreePrice", "client"),
    ],
)
def test_a_bad_property_names_its_element(route_file: Path, old: str, new: str, element: str, words: str) -> None:
    """The error is a ValueError, says which element and what, and what to do."""
    xml = route_file.read_text(encoding="utf-8")
    assert old in xml
    with pytest.raises(DiagramError) as caught:
        read_route(xml.replace(old, new))
    assert isinstance(caught.value, ValueError)
    assert caught.value.element_id == element
    assert element in str(caught.value)
    assert words in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        ("", "не XML"),
        ("<a>", "не XML"),
        ("<a/>", "не схема BPMN"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE"),
        ('<d:definitions xmlns:d="http://www.omg.org/spec/BPMN/20100524/MODEL"/>', "нет исполняемого процесса"),
    ],
)
def test_a_file_that_is_no_route(xml: str, words: str) -> None:
    """A file that cannot be a route is refused in one sentence, as text and as bytes."""
    for given in (xml, xml.encode()):
        with pytest.raises(DiagramError, match=words):
            read_route(given)
