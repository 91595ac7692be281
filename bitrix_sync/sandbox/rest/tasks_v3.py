"""Tasks in REST 3.0: other field names, other errors, and the only protection against doing a thing twice."""

from __future__ import annotations

from typing import Any

from bitrix_sync.sandbox.envelope import Refusal, RefusalV3, Reply
from bitrix_sync.sandbox.params import as_list, integer
from bitrix_sync.sandbox.rest.registry import Call, method_v3, parse_moment
from bitrix_sync.sandbox.rest.task_fields import may_work, visible
from bitrix_sync.sandbox.rest.tasks import make
from bitrix_sync.sandbox.store import Doc

_REQUEST = "VALIDATION_REQUESTVALIDATIONEXCEPTION"
_DTO = "VALIDATION_DTOVALIDATIONEXCEPTION"
STATUS = {"2": "pending", "3": "in_progress", "4": "supposedly_completed", "5": "completed", "6": "deferred"}
_NAMES = {
    "title": "TITLE",
    "description": "DESCRIPTION",
    "creatorId": "CREATED_BY",
    "responsibleId": "RESPONSIBLE_ID",
    "deadline": "DEADLINE",
    "startPlan": "START_DATE_PLAN",
    "endPlan": "END_DATE_PLAN",
    "xmlId": "XML_ID",
    "needsControl": "TASK_CONTROL",
    "allowsChangeDeadline": "ALLOW_CHANGE_DEADLINE",
    "parentId": "PARENT_ID",
    "crmItemIds": "UF_CRM_TASK",
    "guid": "GUID",
    "accomplices": "ACCOMPLICES",
    "auditors": "AUDITORS",
    "accompliceIds": "ACCOMPLICES",
    "auditorIds": "AUDITORS",
    "groupId": "GROUP_ID",
}


def wrong(field: str, text: str, code: str = _REQUEST) -> RefusalV3:
    """Build a refusal that names the field."""
    return RefusalV3(code, text, field=field)


def _fields(call: Call) -> dict[str, Any]:
    fields = call.params.get("fields")
    if not isinstance(fields, dict) or not fields:
        raise wrong("fields", "Required field `fields` is missing")
    return fields


@method_v3("tasks.task.add", "tasks")
def add(call: Call) -> Reply:
    """Make a task. `Idempotency-Key` is dealt with before this is called."""
    fields = _fields(call)
    for name in ("title", "creatorId", "responsibleId"):
        if fields.get(name) in (None, ""):
            raise wrong(name, f"Required field `{name}` is missing")
    for name in ("creatorId", "responsibleId"):
        if not isinstance(fields[name], int):
            raise wrong(name, f"Field `{name}` requires data type `int` for this request")
    if call.store.get("user", fields["responsibleId"]) is None:
        raise wrong("responsibleId", 'User specified in the "Executor" field not found')
    if call.store.get("user", fields["creatorId"]) is None:
        raise wrong("creatorId", "")
    if fields.get("deadline"):
        try:
            parse_moment(fields["deadline"], call.portal.zone)
        except ValueError as error:
            raise wrong("deadline", "Field `deadline` requires data type `DateTime` for this request") from error
    sent = {_NAMES[name]: value for name, value in fields.items() if name in _NAMES}
    if fields.get("requireResult"):
        sent["SE_PARAMETER"] = [{"CODE": 3, "VALUE": "Y"}]
    if "fileIds" in fields:
        sent["UF_TASK_WEBDAV_FILES"] = [f"n{number}" for number in as_list(fields["fileIds"])]
    try:
        return Reply({"item": shown(call, make(call, sent))})
    except Refusal as refusal:
        raise RefusalV3(_REQUEST, refusal.description.removesuffix("<br>"), refusal.status) from refusal


@method_v3("tasks.task.get", "tasks")
def get(call: Call) -> Reply:
    """Return one task."""
    return Reply({"item": shown(call, _need(call, call.params.get("id")))})


def _need(call: Call, given: Any) -> Doc:
    number = integer(given)
    doc = call.store.get("task", number or 0)
    if doc is None:
        raise wrong("taskId", "Task not found")
    if not visible(call, doc):
        raise RefusalV3("ACCESSDENIEDEXCEPTION", "Access denied", 403)
    return doc


def shown(call: Call, doc: Doc) -> Doc:
    """Show a task in the shape of REST 3.0."""
    return {
        "id": doc["id"],
        "title": doc["title"],
        "description": doc["description"],
        "deadline": call.show(doc["deadline"]),
        "needsControl": doc["taskControl"] == "Y",
        "startPlan": call.show(doc["startDatePlan"]),
        "endPlan": call.show(doc["endDatePlan"]),
        "fileIds": doc["files"] or None,
        "checklist": [],
        "priority": "average",
        "status": STATUS[doc["status"]],
        "statusChanged": None,
        "parentId": integer(doc["parentId"]),
        "creatorId": int(doc["createdBy"]),
        "responsibleId": int(doc["responsibleId"]),
        "chatId": int(doc["chatId"]),
        "started": call.show(doc["dateStart"]),
        "changed": call.show(doc["changedDate"]),
        "closed": call.show(doc["closedDate"]),
        "activity": call.show(doc["activityDate"]),
        "guid": doc["guid"],
        "xmlId": doc["xmlId"],
        "allowsChangeDeadline": doc["allowChangeDeadline"] == "Y",
        "link": f"/company/personal/user/{doc['responsibleId']}/tasks/task/view/{doc['id']}/",
        "crmItemIds": doc["ufCrmTask"],
        "requireResult": doc["requireResult"],
    }


def _text_and_task(call: Call) -> tuple[Doc, str]:
    fields = _fields(call)
    for name in ("taskId", "text"):
        if fields.get(name) in (None, ""):
            raise wrong(name, f"Required field `{name}` is not specified", _DTO)
    if "fileIds" in fields:
        raise wrong("fileIds", "Field `fileIds` is not available for filling", _DTO)
    if not isinstance(fields["taskId"], int):
        raise wrong("taskId", "Field `taskId` requires data type `int` for this request")
    return _need(call, fields["taskId"]), str(fields["text"])


@method_v3("tasks.task.result.add", "tasks")
def result_add(call: Call) -> Reply:
    """Add a result to a task; files cannot be sent."""
    doc, text = _text_and_task(call)
    if not may_work(call, doc):
        raise RefusalV3("ACCESSDENIEDEXCEPTION", "Access denied", 403)
    row = add_result(call, doc, text, [])
    return Reply(
        {
            "item": {
                "id": row["id"],
                "taskId": doc["id"],
                "text": text,
                "authorId": call.user_id,
                "createdAt": call.show(row["created"]),
                "updatedAt": None,
                "status": "open",
                "fileIds": [],
                "rights": {"edit": True, "remove": True},
                "messageId": None,
            }
        }
    )


def add_result(call: Call, doc: Doc, text: str, files: list[int]) -> Doc:
    """Keep a result; it moves the task's activityDate, not its changedDate."""
    number, now = call.store.next_id("result"), call.now()
    row = {"id": number, "task": doc["id"], "author": call.user_id, "created": now, "text": text}
    call.store.put("result", number, {**row, "open": True, "files": files})
    call.store.put("task", doc["id"], {**doc, "activityDate": now})
    return {**row, "files": files}


@method_v3("tasks.task.chat.message.send", "tasks")
def send(call: Call) -> Reply:
    """Write into a task's chat; moves activityDate only."""
    doc, text = _text_and_task(call)
    add_message(call, doc, text, [])
    return Reply({"result": True})


def add_message(call: Call, doc: Doc, text: str, files: list[int]) -> int:
    """Keep a message in a task's chat, with files of the Drive; return its number."""
    number, now = call.store.next_id("message"), call.now()
    row = {"id": number, "task": doc["id"], "author": call.user_id, "created": now, "text": text, "files": files}
    call.store.put("message", number, row)
    call.store.put("task", doc["id"], {**doc, "activityDate": now})
    call.portal.raise_comment_event(doc["id"], number)
    return number
