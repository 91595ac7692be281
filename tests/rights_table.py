"""Who may do what, written from the product's rules and not from what happens to be; `test_rights_matrix` proves it.

A row is one call. Kinds of account by one letter each:

    - anonymous     s staff without a step of the order     c creator (of other orders)     h holder: the order's step
    a auditor       n analyst      o operator               w worker    i integration       d deployer

Placeholders in braces are filled from the world that the test builds. `shows`: text that a reading answer must hold to
count as a success, as an empty list is a refusal too. `spends`: the call changes its order, which gets one of its own.
Reading as the holder is not judged: the department of a present step may see the order by any way. What the initiator
and earlier departments may see, our own pages show them; the engine's interface does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

ROUTE = "custom-furniture-order"
KINDS = {
    "-": "anonymous", "s": "staff", "c": "creator", "h": "holder", "a": "auditor",
    "n": "analyst", "o": "operator", "w": "worker", "i": "integration", "d": "deployer",
}  # fmt: skip
IN_PAGES = "sch" + "ano"  # who signs in to Tasklist or Cockpit; programs never do
SEES_ALL = frozenset({"directors", "productionDirectors", "auditors", "operators"})
STAGES: Mapping[str, str] = {
    "UserTask_FixRequest": "",  # the initiator's own
    "UserTask_ApproveOrder": "directors",
    "UserTask_PrepareDesign": "designers",
    "UserTask_PrepareEstimate": "accounting",
    "UserTask_AgreePrice": "commercial",
    "UserTask_SetReadyDate": "productionDirectors",
    "UserTask_Manufacture": "workshop",
    "UserTask_TellCustomer": "commercial",
    "UserTask_IssueInvoice": "accounting",
    "UserTask_TakePayment": "accounting",
    "UserTask_Ship": "shipping",
}
"""Step -> the department whose it is, in the order of the route."""

Body = Any | Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Row:
    """One call and who may make it."""

    method: str
    path: str
    may: str
    body: Body = None
    shows: str = ""
    spends: bool = False
    files: Mapping[str, str] | None = None


def _text(value: str) -> dict[str, str]:
    return {"value": value, "type": "String"}


def _plan(world: Mapping[str, Any]) -> dict[str, Any]:
    return {"migrationPlan": world["plan"], "processInstanceIds": [world["order"]]}


BEGIN = {"type": "startBeforeActivity", "activityId": "UserTask_ApproveOrder"}
NEXT = {"type": "startBeforeActivity", "activityId": "UserTask_PrepareDesign"}
SKIP = {"instructions": [NEXT, {"type": "cancel", "activityId": "UserTask_ApproveOrder"}]}
MOVE = {"instructions": [BEGIN]}
OF_ORDER, OF_FAILED = "processInstanceId={order}&maxResults=50", "processInstanceId={failed}&maxResults=50"
READS_ORDERS = "aoi"  # auditors and operators by their rights, the mirror by its list

READS = [
    Row("GET", "/version", "schanoid"),
    Row("GET", f"/task?{OF_ORDER}", READS_ORDERS, shows="{task}"),
    Row("POST", "/task?maxResults=50", READS_ORDERS, {"processInstanceId": "{order}"}, shows="{task}"),
    Row("GET", "/task/{task}", READS_ORDERS),
    Row("GET", "/task/{task}/variables?deserializeValues=false", READS_ORDERS),
    Row("GET", "/task/{task}/variables/orderFile/data", READS_ORDERS),
    Row("GET", "/task/{task}/comment", READS_ORDERS, shows="{remark}"),
    Row("GET", "/task/{task}/identity-links", READS_ORDERS, shows="workshop"),
    Row("GET", "/process-instance/{order}", READS_ORDERS),
    Row("GET", "/process-instance/{order}/variables?deserializeValues=false", READS_ORDERS),
    Row("GET", "/process-instance/{order}/variables/orderFile/data", READS_ORDERS),
    Row("GET", "/process-instance/{order}/activity-instances", "aoid"),
    Row("GET", f"/execution?{OF_ORDER}", READS_ORDERS, shows="{order}"),
    Row("GET", "/variable-instance?processInstanceIdIn={order}&maxResults=500", READS_ORDERS, shows="{customer}"),
    Row("GET", f"/history/process-instance?{OF_ORDER}", READS_ORDERS, shows="{order}"),
    Row("POST", "/history/process-instance?maxResults=50", READS_ORDERS, {"processInstanceId": "{order}"}, "{order}"),
    Row("GET", "/history/process-instance/{order}", READS_ORDERS),
    Row("GET", f"/history/variable-instance?{OF_ORDER}", READS_ORDERS, shows="{customer}"),
    Row("GET", "/history/variable-instance/{file}/data", READS_ORDERS),
    Row("GET", f"/history/detail?{OF_ORDER}&variableUpdates=true", READS_ORDERS, shows="{customer}"),
    Row("GET", "/history/detail/{update}/data", READS_ORDERS),
    Row("GET", f"/history/task?{OF_ORDER}", READS_ORDERS, shows="{task}"),
    Row("GET", f"/history/activity-instance?{OF_ORDER}", READS_ORDERS, shows="{order}"),
    Row("GET", f"/history/user-operation?{OF_ORDER}", READS_ORDERS, shows="{order}"),
    Row("GET", f"/history/identity-link-log?{'taskId={task}&maxResults=50'}", READS_ORDERS, shows="{task}"),
    Row("GET", f"/history/external-task-log?{OF_ORDER}", READS_ORDERS, shows="{order}"),
    Row("GET", f"/history/incident?{OF_FAILED}", READS_ORDERS, shows="{failed}"),
    Row("GET", f"/incident?{OF_FAILED}", READS_ORDERS, shows="{failed}"),
    Row("GET", f"/external-task?{OF_FAILED}", "aoiw", shows="{failed}"),
    Row("GET", f"/job?{OF_ORDER}", READS_ORDERS, shows="{job}"),
    Row("GET", f"/process-definition?key={ROUTE}&maxResults=50", "schanoid", shows=ROUTE),
    Row("GET", "/process-definition/{definition}/xml", "schanoid"),
    Row("GET", "/deployment/{deployment}/resources", "anoid"),
    Row("GET", "/filter?maxResults=50", "schanoi", shows="Мои задачи"),
    Row("GET", "/user?id={other}&maxResults=5", "i", shows="{email}"),
    Row("GET", "/user?lastNameLike=%25&maxResults=500", "i", shows="{email}"),
    Row("GET", "/user/{other}/profile", "i"),
    Row("GET", "/identity/groups?userId={other}", "i", shows="{otherGroup}"),
    Row("GET", "/group?member={other}&maxResults=50", "i", shows="{otherGroup}"),
    Row("GET", "/authorization?maxResults=50", "", shows="permissions"),
    Row("GET", "/order/identity", "oi"),
    Row("GET", "/order/guarantees", "oi"),
]
WRITES = [
    # a new order, and the steps of one that runs
    Row("POST", f"/process-definition/key/{ROUTE}/start", "c", lambda w: {"variables": w["request"]}),
    Row("POST", f"/process-definition/key/{ROUTE}/submit-form", "c", lambda w: {"variables": w["request"]}),
    Row("POST", "/process-definition/key/cancel-order/start", "", {"variables": {"orderKey": _text("{key}")}}),
    Row("POST", "/task/{task}/claim", "h", {"userId": "{me}"}, spends=True),
    Row("POST", "/task/{task}/complete", "h", {}, spends=True),
    Row("POST", "/task/{task}/submit-form", "h", {"variables": {}}, spends=True),
    Row("POST", "/task/{task}/comment/create", "h", {"message": "Сделаю"}, spends=True),
    Row("PUT", "/task/{task}/comment", "", {"id": "{comment}", "message": "Иначе"}),
    Row("DELETE", "/task/{task}/comment/{comment}", ""),
    Row("POST", "/task/{task}/attachment/create", "", files={"attachment-name": "x", "url": "http://a.example/x"}),
    Row("POST", "/task/{task}/assignee", "", {"userId": "{other}"}),
    Row("POST", "/task/{task}/delegate", "", {"userId": "{other}"}),
    Row("POST", "/task/{task}/identity-links", "i", {"userId": "{other}", "type": "candidate"}, spends=True),
    Row("PUT", "/task/{task}", "", {"name": "Другое", "assignee": "{me}", "priority": 1}),
    Row("PUT", "/task/{task}/variables/estimateSum", "", _text("1.00")),
    Row("POST", "/task/{task}/localVariables", "", {"modifications": {"x": _text("1")}}),
    Row("POST", "/task/{task}/bpmnError", "", {"errorCode": "ATTACHMENT_REJECTED"}),
    Row("PUT", "/order/task/{task}/due", "i", {"due": "2030-01-01T12:00:00Z"}, spends=True),
    # an order as a whole
    Row("POST", "/process-instance/{order}/modification", "o", SKIP, spends=True),
    Row("POST", "/modification/execute", "o",
        {"processDefinitionId": "{definition}", "processInstanceIds": ["{order}"], **MOVE}, spends=True),
    Row("PUT", "/process-instance/{order}/suspended", "o", {"suspended": True}, spends=True),
    Row("PUT", "/process-instance/{order}/variables/estimateSum", "", _text("1.00")),
    Row("POST", "/process-instance/{order}/variables", "", {"modifications": {"estimateSum": _text("1.00")}}),
    Row("PUT", "/process-instance/{order}/variables/portalPending", "i", {"value": True, "type": "Boolean"},
        spends=True),
    Row("DELETE", "/process-instance/{order}/variables/orderFile", ""),
    Row("DELETE", "/process-instance/{order}", ""),
    Row("POST", "/process-instance/delete", "", {"processInstanceIds": ["{order}"]}),
    Row("POST", "/message", "i", {"messageName": "OrderCancelled", "processInstanceId": "{order}"}, spends=True),
    Row("POST", "/execution/{order}/signal", "", {}),
    Row("POST", "/migration/execute", "od", _plan, spends=True),
    Row("POST", "/migration/executeAsync", "", _plan),
    # the programs' work, timers, failures
    Row("POST", "/external-task/fetchAndLock", "w", {"workerId": "{me}", "maxTasks": 50, "topics": [
        {"topicName": "register-order", "lockDuration": 1000}]}, shows="{waiting}"),
    Row("PUT", "/external-task/{failedTask}/retries", "ow", {"retries": 0}),
    Row("POST", "/external-task/{waiting}/unlock", "ow"),
    Row("PUT", "/job/{job}/retries", "o", {"retries": 3}),
    Row("POST", "/job/{job}/execute", ""),
    Row("PUT", "/job/{job}/duedate", "", {"duedate": "2030-01-01T12:00:00.000+0000"}),
    Row("PUT", "/incident/{incident}/annotation", "o", {"annotation": "разбираюсь"}),
    # diagrams
    Row("POST", "/deployment/create", "d", files={"deployment-name": "matrix", "enable-duplicate-filtering": "true"}),
    Row("DELETE", "/deployment/{deployment}?cascade=true", ""),
    Row("DELETE", "/process-definition/{definition}?cascade=true", ""),
    Row("PUT", "/process-definition/{definition}/suspended", "", {"suspended": True}),
    Row("PUT", "/process-definition/{definition}/history-time-to-live", "d", {"historyTimeToLive": 1095}),
    # people, rights, history, the database
    Row("POST", "/user/create", "", {"profile": {"id": "intruder"}, "credentials": {"password": "Secret.12345"}}),
    Row("PUT", "/user/{other}/profile", "", {"id": "{other}", "firstName": "Иной", "email": "x@example.com"}),
    Row("PUT", "/user/{other}/credentials", "", {"password": "Secret.12345", "authenticatedUserPassword": "{pass}"}),
    Row("POST", "/user/{other}/unlock", ""),
    Row("DELETE", "/user/{other}", ""),
    Row("POST", "/identity/verify", "", {"username": "{other}", "password": "guess"}),
    Row("POST", "/group/create", "", {"id": "intruders", "name": "x", "type": "WORKFLOW"}),
    Row("PUT", "/group/directors/members/{me}", "", {}),
    Row("POST", "/authorization/create", "", {"type": 1, "permissions": ["ALL"], "userId": "{me}", "resourceType": 8,
        "resourceId": "*"}),
    Row("POST", "/filter/create", "", {"resourceType": "Task", "name": "x", "query": {}, "properties": {}}),
    Row("DELETE", "/history/process-instance/{ended}", ""),
    Row("DELETE", "/history/process-instance/{order}/variable-instances", ""),
    Row("DELETE", "/history/variable-instance/{file}", ""),
    Row("POST", "/history/process-instance/delete", "", {"historicProcessInstanceIds": ["{ended}"]}),
    Row("POST", "/history/cleanup", ""),
    Row("POST", "/order/steps", "i", {"instances": ["{order}"]}, shows="{task}"),
    Row("POST", "/order/backup", "", {}),
    Row("POST", "/order/{ended}/erase", "", {}),
    Row("POST", "/external-task/{failedTask}/complete", "w", {"workerId": "matrix"}),  # last: the failure is gone then
]  # fmt: skip
PAGES = [
    Row("POST", "/api/cockpit/plugin/base/default/process-instance?firstResult=0&maxResults=50", "ao",
        {"processDefinitionId": "{definition}"}, shows="{order}"),
    Row("POST", "/api/cockpit/plugin/base/default/incident?maxResults=50", "ao",
        {"processInstanceIdIn": ["{failed}"]}, shows="{failed}"),
    Row("GET", "/api/admin/plugin/adminPlugins/default/metrics/aggregated?subscriptionStartDate=2026-01-01"
        "&groupBy=year&metrics=process-instances", "", shows="value"),
    Row("POST", "/api/admin/setup/default/user/create", "",
        {"profile": {"id": "intruder"}, "credentials": {"password": "Secret.12345"}}),
]  # fmt: skip
"""What Cockpit and Admin have beside the engine's own interface; the paths stand below /operaton."""
