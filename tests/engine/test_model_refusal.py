"""A diagram that holds code, or a stage that makes no sense, is not deployed, whoever asks; the old one runs on."""

from __future__ import annotations

import pytest
from gate_models import Door, door, process, refusal, stage
from route_edits import replaced, route_xml
from shop import ROOT, Shop

from diagram.check import check_bytes
from orders.persons import GROUPS
from workers.handlers import registry

pytestmark = pytest.mark.engine

PROCESS = "model-refusal"
NOTE = {"field.note": "text; Заметка"}
DESIGNERS = 'camunda:candidateGroups="designers"'
CALL = "${execution.processEngineServices.repositoryService.deleteDeployment('1')}"
ESCAPE = "${''.getClass().forName('java.lang.Runtime')}"


def service(attributes: str, inner: str = "") -> str:
    """Return a diagram with one service task."""
    return process(PROCESS, [f'<bpmn:serviceTask id="Work" {attributes}>{inner}</bpmn:serviceTask>'])


def extended(inner: str) -> str:
    """Return a diagram whose external task has these extension elements."""
    elements = f"<bpmn:extensionElements>{inner}</bpmn:extensionElements>"
    return service('camunda:type="external" camunda:topic="x"', elements)


def fields(**values: str) -> str:
    """Return the fields that tasks of the engine's own kinds want."""
    inner = "".join(f'<camunda:field name="{name}" stringValue="{value}"/>' for name, value in values.items())
    return f"<bpmn:extensionElements>{inner}</bpmn:extensionElements>"


def task(attributes: str = DESIGNERS, inner: str = "") -> str:
    """Return a diagram with one user task."""
    return process(PROCESS, [f'<bpmn:userTask id="Work" {attributes}>{inner}</bpmn:userTask>'])


def condition(text: str, attributes: str = "") -> str:
    """Return a diagram with a decision whose one flow has a condition."""
    flow = (
        '<bpmn:sequenceFlow id="Chosen" sourceRef="Gate" targetRef="End">'
        f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression" {attributes}>{text}</bpmn:conditionExpression>'
        "</bpmn:sequenceFlow></bpmn:process>"
    )
    gate = '<bpmn:exclusiveGateway id="Gate" default="Flow_1"/>'
    return process(PROCESS, [gate]).replace("</bpmn:process>", flow)


def timer(kind: str, text: str) -> str:
    """Return a diagram with a timer between start and end."""
    definition = f'<bpmn:timerEventDefinition><bpmn:{kind} xsi:type="bpmn:tFormalExpression">{text}</bpmn:{kind}>'
    event = f'<bpmn:intermediateCatchEvent id="Wait">{definition}</bpmn:timerEventDefinition>'
    return process(PROCESS, [f"{event}</bpmn:intermediateCatchEvent>"])


def form(**values: str) -> str:
    """Return a diagram with one stage of these properties."""
    return process(PROCESS, [stage("Work", {key.replace("__", "."): value for key, value in values.items()})])


BAD = {
    "a script task": process(
        PROCESS, ['<bpmn:scriptTask id="Work" scriptFormat="groovy"><bpmn:script>1</bpmn:script></bpmn:scriptTask>']
    ),
    "a class": service('camunda:class="java.lang.Thread"'),
    "a delegate expression": service('camunda:delegateExpression="${bean}"'),
    "an expression": service(f'camunda:expression="{ESCAPE}"'),
    "an expression of the engine": service(f'camunda:expression="{CALL}"'),
    "a shell task": service('camunda:type="shell"', fields(command="id")),
    "a connector": extended("<camunda:connector><camunda:connectorId>http</camunda:connectorId></camunda:connector>"),
    "an execution listener": extended('<camunda:executionListener event="start" expression="${a}"/>'),
    "a listener with a class": extended('<camunda:executionListener event="start" class="java.lang.Thread"/>'),
    "an input script": extended(
        '<camunda:inputOutput><camunda:inputParameter name="a"><camunda:script scriptFormat="groovy">1</camunda:script>'
        "</camunda:inputParameter></camunda:inputOutput>"
    ),
    "an input expression": extended(
        f'<camunda:inputOutput><camunda:inputParameter name="a">{ESCAPE}</camunda:inputParameter></camunda:inputOutput>'
    ),
    "a retry that is code": extended(f"<camunda:failedJobRetryTimeCycle>{ESCAPE}</camunda:failedJobRetryTimeCycle>"),
    "a topic that is code": service(f'camunda:type="external" camunda:topic="{ESCAPE}"'),
    "a task listener": task(
        inner="<bpmn:extensionElements><camunda:taskListener event='create' class='a.B'/></bpmn:extensionElements>"
    ),
    "a name that is code": task(f'{DESIGNERS} name="{ESCAPE}"'),
    "a name with a variable in it": task(DESIGNERS + ' name="Заказ ${key}"'),
    "an assignee that is code": task(f'camunda:assignee="{ESCAPE}"'),
    "a group that is code": task(f'camunda:candidateGroups="{CALL}"'),
    "a due date that is code": task(DESIGNERS + ' camunda:dueDate="${dateTime().plusDays(1).toDate()}"'),
    "a form key that is code": task(f'{DESIGNERS} camunda:formKey="{ESCAPE}"'),
    "documentation that is code": task(inner=f"<bpmn:documentation>{ESCAPE}</bpmn:documentation>"),
    "a deferred expression": task("camunda:assignee=\"#{''.getClass()}\""),
    "a decision": process(PROCESS, ['<bpmn:businessRuleTask id="Work" camunda:decisionRef="d"/>']),
    "a condition that is code": condition(ESCAPE),
    "a condition that calls": condition("${execution.getVariable('a') == 'b'}"),
    "a condition with a method": condition("${a.equals('b')}"),
    "a condition in a script": condition("a == b", 'language="groovy"'),
    "a timer that is code": timer("timeDate", ESCAPE),
    "a cycle that is code": timer("timeCycle", "R/${a.b()}/P1D"),
    "an error mapping that is code": extended(
        f'<camunda:errorEventDefinition id="E" errorRef="Error_X" expression="{CALL}"/>'
    ),
    "a form field with a validator": task(
        inner="<bpmn:extensionElements><camunda:formData><camunda:formField id='a' type='string'><camunda:validation>"
        "<camunda:constraint name='validator' config='java.lang.Thread'/></camunda:validation></camunda:formField>"
        "</camunda:formData></bpmn:extensionElements>"
    ),
    "operaton's own namespace": task()
    .replace("camunda:candidateGroups", "operaton:taskListener")
    .replace("xmlns:xsi", 'xmlns:operaton="http://operaton.org/schema/1.0/bpmn" xmlns:xsi'),
    "a field of an unknown type": form(field__note="number; Число"),
    "a demand for a field that is not there": form(field__note="text; Заметка", required="orderFile"),
    "a decision that is not there": form(field__d="choice; Р; yes=Да", required="d", commentOn="no"),
    "a choice without choices": form(field__d="choice; Решение"),
    "an unknown option": form(field__d="date; День; tomorrow"),
    "two stages of one code": process(PROCESS, [stage("Work", NOTE), stage("work", NOTE)]),
    "a start that demands what it lacks": process(PROCESS, [stage("Work", NOTE)], {"required": "x"}),
}
GOOD = {
    "a condition": condition("${directorDecision == 'approve'}"),
    "two conditions": condition("${a == 'x' and b != 3}"),
    "a number": condition("${sum >= 100.5}"),
    "a flag": condition("${refundDue}"),
    "a date": timer("timeDate", "${readyBy}"),
    "a cycle": timer("timeCycle", "R/${readyBy}/P1D"),
    "a plain duration": timer("timeDuration", "PT5M"),
    "an initiator": process(PROCESS, [stage("Work", NOTE, 'camunda:assignee="${initiator}"')]),
    "our bean": service('camunda:expression="${readyDate.move(execution)}"'),
    "an external task": extended(
        '<camunda:properties><camunda:property name="to" value="manager"/></camunda:properties>'
    ),
    "a template's empty properties": form(field__note="text; Заметка", field__more="", required="", commentOn=""),
}


@pytest.fixture(scope="module")
def admin(shop: Shop) -> Door:
    """The admin's door, with a first good version deployed."""
    opened = door(shop, "admin")
    assert opened.deploy(process(PROCESS, [stage("Work", NOTE)])).status_code == 200
    return opened


def versions(admin: Door) -> list[str]:
    return [row["id"] for row in admin.rows(f"/process-definition?key={PROCESS}&sortBy=version&sortOrder=asc")]


@pytest.mark.parametrize("what", BAD)
def test_a_bad_diagram_is_refused_and_named(shop: Shop, admin: Door, what: str) -> None:
    before = versions(admin)
    deployments = admin.call("GET", "/deployment/count").json()
    for opened in (admin, door(shop, "deployer")):
        answer = opened.deploy(BAD[what])
        assert refusal(answer).startswith("Схема не принята: ")
    assert versions(admin) == before
    assert admin.call("GET", "/deployment/count").json() == deployments
    assert admin.start(PROCESS).status_code == 200


CLOSE = '<bpmn:serviceTask id="ServiceTask_CloseOrder" '
SHIP = '<camunda:property name="stage" value="ship" />'
SHIP_BEGINS = f"<camunda:properties>\n            {SHIP}"
IN_THE_ROUTE = {
    "a class": (CLOSE, CLOSE + 'camunda:class="a.B" '),
    "a delegate": (CLOSE, CLOSE + 'camunda:delegateExpression="${bean}" '),
    "a result that is code": (CLOSE, CLOSE + 'camunda:resultVariable="${a.b()}" '),
    "a call": ("${readyDate.move(execution)}", "${execution.getId()}"),
    "a condition that calls": ("${directorDecision == 'approve'}", "${directorDecision.equals('approve')}"),
    "a name that is code": ('name="Отгрузить заказ"', 'name="${execution.id}"'),
    "a form of its own": (SHIP_BEGINS, f"<camunda:formData />{SHIP_BEGINS}"),
    "a listener": (SHIP_BEGINS, f'<camunda:taskListener event="create" class="a.B" />{SHIP_BEGINS}'),
    "two stages of one code": ('name="stage" value="ship"', 'name="stage" value="invoice"'),
    "a demand for nothing": ('name="required" value="shippedOn"', 'name="required" value="shippedAt"'),
}


@pytest.mark.parametrize("what", IN_THE_ROUTE)
def test_the_server_refuses_what_the_check_refuses(shop: Shop, admin: Door, what: str) -> None:
    """Who goes round `order-route deploy` finds the same door shut, by the same spoilt route."""
    spoilt = replaced(route_xml(), *IN_THE_ROUTE[what])
    assert check_bytes("custom-furniture-order.bpmn", spoilt.encode(), frozenset(GROUPS), registry().topics)
    before = admin.call("GET", "/deployment/count").json()
    assert refusal(admin.deploy(spoilt)).startswith("Схема не принята: ")
    assert admin.call("GET", "/deployment/count").json() == before


@pytest.mark.parametrize("what", GOOD)
def test_a_good_diagram_is_taken(shop: Shop, admin: Door, what: str) -> None:
    answer = door(shop, "deployer").deploy(GOOD[what])
    assert answer.status_code == 200, answer.text
    assert answer.json()["deployedProcessDefinitions"]
    assert admin.call("DELETE", f"/deployment/{answer.json()['id']}?cascade=true").status_code == 204


@pytest.mark.parametrize("name", ["rules.dmn", "rules.dmn11.xml", "case.cmmn"])
def test_decision_tables_and_cases_are_refused(shop: Shop, admin: Door, name: str) -> None:
    before = admin.call("GET", "/deployment/count").json()
    files = {"f": (name, b"<definitions/>", "text/xml")}
    answer = admin.call("POST", "/deployment/create", files=files, data={"deployment-name": name})
    assert name in refusal(answer)
    assert admin.call("GET", "/deployment/count").json() == before


def test_a_doctype_is_refused_by_the_engine(shop: Shop, admin: Door) -> None:
    before = versions(admin)
    entity = '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    diagram = process(PROCESS, [stage("Work", NOTE)]).replace("?><bpmn", f"?>{entity}<bpmn")
    assert admin.deploy(diagram).status_code in (400, 500)
    assert versions(admin) == before


def test_the_shops_own_diagrams_pass(shop: Shop, admin: Door) -> None:
    files = sorted((ROOT / "bpmn").glob("*.bpmn"))
    assert files
    answer = admin.deploy(*[file.read_text(encoding="utf-8") for file in files], name="the shop's own again")
    assert answer.status_code == 200, answer.text
    assert admin.call("DELETE", f"/deployment/{answer.json()['id']}?cascade=true").status_code == 204


def test_staff_deploy_nothing(shop: Shop, admin: Door) -> None:
    for person in ("volkov", "vasilieva", "kozlov", "worker", "integration"):
        assert door(shop, person).deploy(GOOD["a flag"]).status_code == 403
