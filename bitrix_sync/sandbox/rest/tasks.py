"""Tasks, REST 1 and 2: add, get, list, update, delete, files."""

from __future__ import annotations

import uuid
from datetime import UTC
from typing import Any

from bitrix_sync.sandbox.envelope import Refusal, Reply
from bitrix_sync.sandbox.index import Getter
from bitrix_sync.sandbox.params import as_list, integer, optional_map
from bitrix_sync.sandbox.rest import filters
from bitrix_sync.sandbox.rest.disk import attach
from bitrix_sync.sandbox.rest.registry import Call, method, page, parse_moment
from bitrix_sync.sandbox.rest.task_fields import (
    DENIED,
    camel,
    check_people,
    core,
    may_judge,
    may_work,
    need_task,
    need_task_id,
    read_fields,
    set_files,
    shown,
    visible,
)
from bitrix_sync.sandbox.store import Doc

ORDERS = {
    "ID",
    "TITLE",
    "DATE_START",
    "CREATED_DATE",
    "CHANGED_DATE",
    "CLOSED_DATE",
    "ACTIVITY_DATE",
    "START_DATE_PLAN",
    "END_DATE_PLAN",
    "DEADLINE",
    "REAL_STATUS",
    "STATUS_COMPLETE",
    "PRIORITY",
    "MARK",
    "GROUP_ID",
    "ALLOW_CHANGE_DEADLINE",
    "TIME_SPENT_IN_LOGS",
    "TIME_ESTIMATE",
    "ALLOW_TIME_TRACKING",
    "MATCH_WORK_TIME",
    "FAVORITE",
    "SORTING",
    "IS_PINNED",
    "IS_PINNED_IN_GROUP",
    "CREATED_BY_LAST_NAME",
    "RESPONSIBLE_LAST_NAME",
}
_MOMENTS = {"DATE_START", "DEADLINE", "CREATED_DATE", "CLOSED_DATE", "CHANGED_DATE"}
_NUMBERS = {"ID", "PARENT_ID", "GROUP_ID", "CREATED_BY", "STATUS_CHANGED_BY", "PRIORITY", "RESPONSIBLE_ID"}


def make(call: Call, sent: dict[str, Any]) -> Doc:
    """Make a task out of v2 field names; people and title are checked, a dismissed person is taken."""
    values = read_fields(call, sent, {})
    if not values.get("title", "").strip():
        raise core("Task title not specified")
    if not values.get("responsibleId"):
        raise core("Assignee not specified")
    check_people(call, values)
    number, now = call.store.next_id("task"), call.now()
    mine = str(call.user_id)
    doc: Doc = {
        "id": number,
        "parentId": None,
        "title": "",
        "description": "",
        "mark": None,
        "priority": "1",
        "multitask": "N",
        "notViewed": "N",
        "replicate": "N",
        "stageId": "0",
        "createdBy": mine,
        "createdDate": now,
        "responsibleId": mine,
        "changedBy": mine,
        "changedDate": now,
        "statusChangedBy": None,
        "closedBy": None,
        "closedDate": None,
        "activityDate": now,
        "dateStart": None,
        "deadline": None,
        "startDatePlan": None,
        "endDatePlan": None,
        "guid": f"{{{uuid.uuid4()}}}",
        "xmlId": None,
        "commentsCount": None,
        "serviceCommentsCount": None,
        "allowChangeDeadline": "N",
        "allowTimeTracking": "N",
        "taskControl": "N",
        "addInReport": "N",
        "forkedByTemplateId": None,
        "timeEstimate": "0",
        "timeSpentInLogs": None,
        "matchWorkTime": "N",
        "forumTopicId": None,
        "forumId": None,
        "siteId": "s1",
        "subordinate": "N",
        "favorite": "N",
        "descriptionInBbcode": "Y",
        "status": "2",
        "statusChangedDate": now,
        "durationPlan": None,
        "durationType": "days",
        "groupId": "0",
        "auditors": [],
        "accomplices": [],
        "checklist": [],
        "chatId": str(call.store.next_id("chat") + 2600),
        "requireResult": False,
        "files": [],
        "ufCrmTask": [],
    }
    doc |= values
    doc["files"] = set_files(call, number, sent.get("UF_TASK_WEBDAV_FILES"), [])
    call.store.put("task", number, doc)
    _tell(call, doc)
    call.portal.raise_task_event("ONTASKADD", number)
    return doc


def _tell(call: Call, doc: Doc) -> None:
    """Give the responsible person the portal's own notice of a task that somebody else made."""
    if doc["responsibleId"] != str(call.user_id):
        call.portal.notice(int(doc["responsibleId"]), f"Новая задача: {doc['title']}", author=call.user_id, system=True)


@method("tasks.task.add", "task")
def add(call: Call) -> Reply:
    """Make a task. There is no protection against doing it twice: Idempotency-Key is ignored here."""
    sent = call.params.get("fields")
    if not isinstance(sent, dict) or not sent:
        raise Refusal("100", "Could not find value for parameter {fields} (internal error)")
    return Reply({"task": shown(call, make(call, sent))})


def _select(call: Call) -> list[str]:
    if "select" not in call.params:
        return []
    value = call.params["select"]
    if not isinstance(value, (list, dict)) or not value:
        raise Refusal(
            "100",
            "Invalid value {} to match with parameter {select}. Should be value of type array. (internal error)",
        )
    return [str(item) for item in as_list(value)]


@method("tasks.task.get", "task")
def get(call: Call) -> Reply:
    """Return one task; one that is missing or not visible gives an empty result, not an error."""
    number, select = need_task_id(call), _select(call)
    doc = call.store.get("task", number)
    if doc is None or not visible(call, doc):
        return Reply([])
    return Reply({"task": shown(call, doc, select)})


def _resolve(call: Call) -> filters.Resolve:
    def moment(value: Any) -> str | None:
        if value in (None, ""):
            return None
        return parse_moment(value, call.portal.zone).astimezone(UTC).isoformat(timespec="seconds")

    def resolve(name: str) -> tuple[Getter, filters.Cast] | None:
        if name in _MOMENTS:
            return (lambda doc: doc[camel(name)]), moment
        if name in _NUMBERS:
            return (lambda doc: integer(doc.get(camel(name))) or 0), (lambda value: integer(value) or 0)
        if name in {"REAL_STATUS", "STATUS"}:
            return (lambda doc: integer(doc["status"])), integer
        if name == "TITLE":
            return (lambda doc: doc["title"]), str
        if name == "UF_CRM_TASK":
            return (lambda doc: doc["ufCrmTask"]), str
        if name in {"ACCOMPLICE", "AUDITOR"}:
            key = "accomplices" if name == "ACCOMPLICE" else "auditors"
            return (lambda doc: [integer(item) for item in doc[key]]), integer
        return None

    return resolve


def _order_key(name: str) -> Getter:
    keys = {"REAL_STATUS": "status", "STATUS_COMPLETE": "status"}
    if name == "ID":
        return lambda doc: doc["id"]
    return lambda doc: doc.get(keys.get(name, camel(name)))


_INDEXED = ("ID", "UF_CRM_TASK", "RESPONSIBLE_ID", "REAL_STATUS")


@method("tasks.task.list", "task", empty=lambda: {"tasks": []})
def tasks(call: Call) -> Reply:
    """List visible tasks, newest first by default. Filter keys that are not documented (XML_ID) do nothing."""
    order = optional_map(call.params, "order") or {"ID": "desc"}
    if set(order) - ORDERS:
        raise Refusal("0", "Invalid sorting key (internal error)")
    wanted = optional_map(call.params, "filter")
    docs = filters.matching(call.store, "task", wanted, _resolve(call), _INDEXED, strict=False)
    rows = [doc for doc in docs if visible(call, doc)]
    any_field: filters.Resolve = lambda name: (_order_key(name), str)  # noqa: E731 - one line, used once
    rows = filters.sort(rows, order, any_field)
    cut, total, following = page(rows, call.params)
    select = [str(item) for item in as_list(call.params.get("select"))]
    return Reply({"tasks": [shown(call, doc, select) for doc in cut]}, total, following)


@method("tasks.task.update", "task")
def update(call: Call) -> Reply:
    """Change a task; the creator and administrators may, others only the deadline where that is allowed."""
    doc = need_task(call)
    sent = call.params.get("fields")
    if not isinstance(sent, dict) or not sent:
        raise Refusal("100", "Could not find value for parameter {fields} (internal error)")
    only_deadline = set(sent) <= {"DEADLINE"} and may_work(call, doc) and doc["allowChangeDeadline"] == "Y"
    if not (may_judge(call, doc) or only_deadline):
        raise Refusal("0", f"{DENIED} (internal error)")
    values = read_fields(call, sent, doc)
    if "title" in values and not values["title"].strip():
        raise core("Task title not specified")
    if "STATUS" in sent:
        if str(sent["STATUS"]) not in {"2", "3", "4", "5", "6"}:
            raise core("Invalid status")
        values |= {"status": str(sent["STATUS"]), "statusChangedDate": call.now()}
    check_people(call, values)
    if "UF_TASK_WEBDAV_FILES" in sent:
        values["files"] = set_files(call, doc["id"], sent["UF_TASK_WEBDAV_FILES"], doc["files"])
    changed = save(call, doc, values)
    if changed["responsibleId"] != doc["responsibleId"]:
        _tell(call, changed)
    return Reply({"task": shown(call, changed)})


def save(call: Call, doc: Doc, values: Doc, *, active: bool = False) -> Doc:
    """Write a changed task; `active` moves activityDate, which updates, starts, pauses and defers do not."""
    now = call.now()
    changed = {**doc, **values, "changedDate": now, "changedBy": str(call.user_id)}
    if active:
        changed["activityDate"] = now
    call.store.put("task", doc["id"], changed)
    call.portal.raise_task_event("ONTASKUPDATE", doc["id"])
    return changed


@method("tasks.task.delete", "task")
def delete(call: Call) -> Reply:
    """Delete a task."""
    doc = call.store.get("task", need_task_id(call))
    if doc is None or not may_judge(call, doc):
        raise Refusal("1048582", "No access to delete the task")
    call.store.drop("task", doc["id"])
    _forget_answer(call, doc["id"])
    call.portal.raise_task_event("ONTASKDELETE", doc["id"])
    return Reply({"task": True})


def _forget_answer(call: Call, number: int) -> None:
    """Drop what a repeated create would have been answered: it shows the task that is gone."""
    for known in call.store.all("once"):
        result = known["answer"].get("result")
        item = result.get("item") if isinstance(result, dict) else None
        if isinstance(item, dict) and item.get("id") == number and "number" in known:
            call.store.put("once", known["number"], {**known, "answer": {"result": {"item": {"id": number}}}})


@method("tasks.task.files.attach", "task")
def attach_file(call: Call) -> Reply:
    """Attach a Drive file; doing it again attaches it again."""
    doc = need_task(call)
    if call.params.get("fileId") in (None, ""):
        raise Refusal("100", "Could not find value for parameter {fileId} (internal error)")
    number = integer(call.params["fileId"])
    if number is None:
        raise Refusal(
            "100",
            f"Invalid value {{{call.params['fileId']}}} to match with parameter {{fileId}}. "
            "Should be value of type int. (internal error)",
        )
    held = call.store.get("disk", number)
    if held is None or held["type"] != "file":
        raise core("Insufficient permissions.")
    if not may_work(call, doc):
        raise Refusal("0", "Access denied (internal error)")
    bound = attach(call.store, number, doc["id"], call.user_id, call.now())
    save(call, doc, {"files": [*doc["files"], bound]})
    return Reply({"attachmentId": bound})
