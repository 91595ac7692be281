"""Rule: a broken diagram is refused before it is deployed, each time for the right reason and at the right element."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagram.check import Finding, check_bytes, check_files
from orders.persons import GROUPS
from workers.handlers import registry

TOPICS = registry().topics
ROUTE = "custom-furniture-order.bpmn"
APPROVED = "${directorDecision == 'approve'}"


def check(file: str, text: str) -> list[Finding]:
    """Check one text under a file name."""
    return check_bytes(file, text.encode(), GROUPS, TOPICS)


def test_our_models_pass(models: list[Path]) -> None:
    """What stands in the analyst's folder has nothing to put right."""
    assert [str(finding) for finding in check_files(models, GROUPS, TOPICS)] == []


# old text, new text, element that is named, words of the problem or the remedy
MUTANTS = {
    "twin letter in an id": (
        "UserTask_PrepareDesign",
        "UserTask_РrepareDesign",
        "UserTask_РrepareDesign",
        "«Р» кириллическая, 10-я буква",
    ),
    "twin letter in a group": ('"accounting"', '"aссounting"', "UserTask_PrepareEstimate", "«с» кириллическая, 2-я"),
    "twin letter in a topic": ('topic="notify"', 'topic="nоtify"', "ServiceTask_NotifyRefused", "«о» кириллическая"),
    "twin letter in a property": ('"commentOn"', '"соmmentOn"', "UserTask_ApproveOrder", "«с» кириллическая, 1-я"),
    "twin letter in a demand": (
        "estimateFile, es",
        "еstimateFile, es",
        "UserTask_PrepareEstimate",
        "«е» кириллическая",
    ),
    "twin letter in a choice": ("approve=Согласен", "аpprove=Согласен", "UserTask_AgreePrice", "«а» кириллическая"),
    "twin letter in an expression": (APPROVED, "${directorDecision == 'аpprove'}", "", "Наверное, нужно «" + APPROVED),
    "no-break space": (APPROVED, APPROVED.replace("== ", "==\u00a0"), "", "неразрывный"),
    "curled quotes": (APPROVED, APPROVED.replace("'", "’"), "", "кавычка ’"),
    "unknown group": ('="shipping"', '="shiping"', "UserTask_Ship", "Наверное, shipping"),
    "no group": ('camunda:candidateGroups="shipping" ', "", "UserTask_Ship", "не указано, кто выполняет"),
    "one person": ('candidateGroups="shipping"', 'assignee="ivanov"', "UserTask_Ship", "«ivanov»"),
    "unknown topic": ('"close-order"', '"close-orders"', "ServiceTask_CloseOrder", "Наверное, close-order"),
    "no topic": (' camunda:type="external" camunda:topic="close-order"', "", "ServiceTask_CloseOrder", "нет темы"),
    "unknown addressee": (
        'value="initiator, directors"',
        'value="bosses"',
        "ServiceTask_NotifyPriceRejected",
        "«bosses»",
    ),
    "no stage": ('name="stage" value="tell"', 'name="stage" value=""', "UserTask_TellCustomer", "нет свойства stage"),
    "two stages of one code": ('value="price"', 'value="design"', "UserTask_AgreePrice", "уже есть"),
    "stage code of an outcome": (
        'name="stage" value="ship"',
        'name="stage" value="delivered"',
        "UserTask_Ship",
        "итогом",
    ),
    "misspelt property": ('name="waits"', 'name="wait"', "UserTask_AgreePrice", "Наверное, waits"),
    "misspelt demand": ('"estimateFile, estimateSum"', '"estimateFiles"', "UserTask_PrepareEstimate", "estimateFiles"),
    "field of the program": ("field.shipmentNumber", "field.cardStage", "UserTask_Ship", "занято программой"),
    "bad norm": ('name="norm" value="5d"', 'name="norm" value="week"', "UserTask_TakePayment", "«week»"),
    "another form": (
        'candidateGroups="shipping" camunda:formKey="embedded:deployment:stage.html"',
        'candidateGroups="shipping"',
        "UserTask_Ship",
        "форма",
    ),
    "task without a card update": (
        'sourceRef="StartEvent_Ship" targetRef="ServiceTask_SyncShip"',
        'sourceRef="StartEvent_Ship" targetRef="UserTask_Ship"',
        "UserTask_Ship",
        "карточка не обновится",
    ),
    "outcome without a card update": (
        'sourceRef="ServiceTask_NotifyRefused" targetRef="ServiceTask_SyncRefused"',
        'sourceRef="ServiceTask_NotifyRefused" targetRef="End_RefusedByDirector"',
        "End_RefusedByDirector",
        "карточка не обновится",
    ),
    "card update that leads elsewhere": (
        'sourceRef="ServiceTask_SyncDelivered" targetRef="End_Delivered"',
        'sourceRef="ServiceTask_SyncDelivered" targetRef="ServiceTask_CloseOrder"',
        "ServiceTask_SyncDelivered",
        "не стоит прямо перед шагом",
    ),
    "files that nobody judges": (
        'name="Проверить файл сметы" camunda:type="external" camunda:topic="validate-attachments"',
        'name="Проверить файл сметы" camunda:type="external" camunda:topic="close-order"',
        "UserTask_PrepareEstimate",
        "никто не проверит",
    ),
    "a file step without files": (
        'value="file; Счёт"',
        'value="line; Счёт"',
        "ServiceTask_JudgeIssueInvoice",
        "нечего проверять",
    ),
    "refused file without a way back": (
        'targetRef="Gateway_PrepareDesignAgain"',
        'targetRef="EndEvent_PrepareDesign"',
        "ServiceTask_JudgePrepareDesign",
        "не может приложить другой",
    ),
    "uncaught error": (
        'id="ErrorDefinition_Duplicate" errorRef="Error_OrderDuplicate"',
        'id="ErrorDefinition_Duplicate" errorRef="Error_AttachmentRejected"',
        "ServiceTask_RegisterOrder",
        "ORDER_DUPLICATE здесь никто не ловит",
    ),
    "any error caught": (' errorRef="Error_OrderDuplicate"', "", "BoundaryEvent_Duplicate", "любую ошибку"),
    "error that nobody sends": ('"ORDER_DUPLICATE"', '"ORDER_TWICE"', "BoundaryEvent_Duplicate", "никто не посылает"),
    "decision that cannot be": (APPROVED, "${directorDecision == 'aprove'}", "Gateway_DirectorDecision", "«aprove»"),
    "condition on nothing": (APPROVED, "${decision == 'approve'}", "Gateway_DirectorDecision", "такого поля нет"),
    "no default way": (' default="Flow_PriceDecisionNo"', "", "Gateway_PriceDecision", "по умолчанию"),
    "unnamed answer": (
        ' name="да" sourceRef="Gateway_PriceDecision"',
        ' sourceRef="Gateway_PriceDecision"',
        "",
        "не подписана",
    ),
    "class": ('topic="close-order"', 'topic="close-order" camunda:class="A"', "ServiceTask_CloseOrder", "класс Java"),
    "delegate": (
        'camunda:expression="${readyDate.move(execution)}"',
        'camunda:delegateExpression="${readyDate}"',
        "ServiceTask_MoveReadyDate",
        "делегат",
    ),
    "foreign expression": (
        "readyDate.move(execution)",
        "execution.getClass()",
        "ServiceTask_MoveReadyDate",
        "не разрешено",
    ),
    "method in a condition": (
        APPROVED,
        "${directorDecision.getClass() == 'a'}",
        "Flow_DirectorDecisionYes",
        "не разрешено",
    ),
    "expression in a name": ('name="Отгрузить заказ"', 'name="${execution.id}"', "UserTask_Ship", "не разрешено"),
    "expression in a description": ("Кто: служба доставки", "#{execution.id}", "UserTask_Ship", "не разрешено"),
    "listener": (
        '<camunda:property name="stage" value="ship" />',
        '<camunda:property name="stage" value="ship" /></camunda:properties><camunda:taskListener event="complete" '
        'expression="${a}" /><camunda:properties>',
        "UserTask_Ship",
        "слушатель",
    ),
    "script": (
        '<bpmn:serviceTask id="ServiceTask_CloseOrder"',
        '<bpmn:scriptTask id="S" name="С" scriptFormat="js"><bpmn:script>1</bpmn:script></bpmn:scriptTask>'
        '<bpmn:serviceTask id="ServiceTask_CloseOrder"',
        "S",
        "скрипт",
    ),
    "nameless task": (' name="Отгрузить заказ"', "", "UserTask_Ship", "нет названия"),
    "generated id": ("Gateway_DesignAgain", "Gateway_0h19mxb", "Gateway_0h19mxb", "ничего не говорит"),
    "no history time": (' camunda:historyTimeToLive="P1095D"', "", "custom-furniture-order", "хранить историю"),
    "lost shape": ('bpmnElement="UserTask_Ship"', 'bpmnElement="UserTask_Lost"', "UserTask_Ship", "нет на рисунке"),
    "lost plane": (
        'id="Plane_Stage_Ship" bpmnElement="Stage_Ship"',
        'id="Plane_Stage_Ship"',
        "Stage_Ship",
        "своего листа",
    ),
    "lost flow end": (
        'targetRef="End_Delivered"',
        'targetRef="End_Lost"',
        "Flow_SyncDeliveredToDelivered",
        "нет начала",
    ),
    "camunda 8": (
        "<bpmn:definitions ",
        '<bpmn:definitions xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" ',
        "",
        "Camunda 8",
    ),
    "camunda cloud": ('executionPlatform="Camunda Platform"', 'executionPlatform="Camunda Cloud"', "", "Camunda 8"),
    "operaton namespace": ("http://camunda.org/schema/1.0/bpmn", "http://operaton.org/schema/1.0/bpmn", "", "camunda:"),
    "doctype": ("<bpmn:definitions ", "<!DOCTYPE a><bpmn:definitions ", "", "DOCTYPE"),
    "broken xml": ("</bpmn:definitions>", "", "", "не XML"),
    "not executable": ('isExecutable="true"', 'isExecutable="false"', "", "нет исполняемого процесса"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_broken_copies(name: str, route_file: Path) -> None:
    """Each broken copy of the route is refused with its element and its reason, in Russian, with a remedy."""
    old, new, element, words = MUTANTS[name]
    xml = route_file.read_text(encoding="utf-8")
    assert old in xml
    found = check(ROUTE, xml.replace(old, new))
    hits = [f for f in found if words in f"{f.problem}. {f.remedy}" and (not element or f.element_id == element)]
    assert hits, [str(finding) for finding in found]
    assert all(finding.file == ROUTE and finding.remedy for finding in found)


def test_findings_carry_the_label(route_file: Path) -> None:
    """An analyst looks for the name on the picture, not for an id."""
    xml = route_file.read_text(encoding="utf-8").replace('="shipping"', '="shiping"')
    [finding] = check(ROUTE, xml)
    assert (finding.element_id, finding.element_label) == ("UserTask_Ship", "Отгрузить заказ")
    assert str(finding).startswith(f"{ROUTE} · «Отгрузить заказ» (UserTask_Ship): ")


def test_a_renamed_file_is_named(route_file: Path) -> None:
    """File name and process id are one."""
    [finding] = check("order.bpmn", route_file.read_text(encoding="utf-8"))
    assert "не равен имени файла" in finding.problem


@pytest.mark.parametrize(("data", "words"), [(b"", "пуст"), (b"\x00\x01\x02", "не XML"), (b"<html/>", "не схема BPMN")])
def test_files_that_are_no_diagrams(data: bytes, words: str, tmp_path: Path) -> None:
    """A file that is no diagram gives one finding and no traceback."""
    path = tmp_path / "a.bpmn"
    path.write_bytes(data)
    [finding] = check_files([path], GROUPS, TOPICS)
    assert words in finding.problem


def test_a_missing_file(tmp_path: Path) -> None:
    """A path that is not there is said like any other fault."""
    [finding] = check_files([tmp_path / "gone.bpmn"], GROUPS, TOPICS)
    assert finding.file == "gone.bpmn"
    assert "не открылся" in finding.problem


def test_utf_16_is_read(route_file: Path) -> None:
    """A file saved by another editor is the same file."""
    text = route_file.read_text(encoding="utf-8").replace('encoding="UTF-8"', 'encoding="UTF-16"')
    assert check_bytes(ROUTE, text.encode("utf-16"), GROUPS, TOPICS) == []
