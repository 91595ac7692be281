"""How a task is kept and shown, and who may do what with it."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Any

from bitrix_sync.sandbox.envelope import Refusal
from bitrix_sync.sandbox.params import as_list, integer, yes
from bitrix_sync.sandbox.rest.disk import attach
from bitrix_sync.sandbox.rest.registry import Call, parse_moment
from bitrix_sync.sandbox.rest.types import find_type
from bitrix_sync.sandbox.store import Doc

WAITING, IN_PROGRESS, CONTROL, DONE, DEFERRED = "2", "3", "4", "5", "6"
DENIED = "Action on the task is not allowed"
MOMENTS = {
    "createdDate",
    "changedDate",
    "statusChangedDate",
    "closedDate",
    "activityDate",
    "dateStart",
    "deadline",
    "startDatePlan",
    "endDatePlan",
}
SPECIAL = ("UF_CRM_TASK", "UF_TASK_WEBDAV_FILES", "UF_MAIL_MESSAGE")


def camel(upper: str) -> str:
    """Convert UF_CRM_TASK to ufCrmTask."""
    head, *rest = upper.lower().split("_")
    return head + "".join(part.capitalize() for part in rest)


def core(text: str) -> Refusal:
    """Build an ERROR_CORE refusal; the portal ends its text with a tag."""
    return Refusal("ERROR_CORE", f"{text}<br>")


def need_task_id(call: Call) -> int:
    """Read taskId; refuses with 100 or 0."""
    if call.params.get("taskId") in (None, ""):
        raise Refusal("100", "CTaskItem All parameters in the constructor must have real class type (internal error)")
    number = integer(call.params["taskId"])
    if number is None or number < 1:
        raise Refusal("0", "wrong task id")
    return number


def visible(call: Call, doc: Doc) -> bool:
    """Tell whether the caller sees the task: members and administrators do."""
    mine = str(call.user_id)
    members = {doc["createdBy"], doc["responsibleId"], *doc["accomplices"], *doc["auditors"]}
    return call.admin or mine in members


def may_work(call: Call, doc: Doc) -> bool:
    """Tell whether the caller may start, finish or defer the task."""
    mine = str(call.user_id)
    return call.admin or mine in {doc["createdBy"], doc["responsibleId"], *doc["accomplices"]}


def may_judge(call: Call, doc: Doc) -> bool:
    """Tell whether the caller may approve, send back, edit or delete: the creator and administrators."""
    return call.admin or str(call.user_id) == doc["createdBy"]


def need_task(call: Call, code: str = "0", *, number: int | None = None) -> Doc:
    """Return the task; a missing or foreign one is refused alike."""
    number = need_task_id(call) if number is None else number
    doc = call.store.get("task", number)
    if doc is None or not visible(call, doc):
        raise Refusal(code, DENIED)
    return doc


def read_fields(call: Call, sent: dict[str, Any], before: Doc) -> Doc:
    """Turn sent fields into kept ones; unknown keys are ignored."""
    values: Doc = {}
    for upper, key in (("TITLE", "title"), ("DESCRIPTION", "description"), ("XML_ID", "xmlId"), ("GUID", "guid")):
        if upper in sent:
            values[key] = str(sent[upper] or "")
    for upper in ("RESPONSIBLE_ID", "CREATED_BY"):
        if sent.get(upper) not in (None, ""):
            values[camel(upper)] = str(sent[upper])
    for upper in ("ACCOMPLICES", "AUDITORS"):
        if upper in sent:
            values[camel(upper)] = [str(item) for item in as_list(sent[upper])]
    for upper in ("TASK_CONTROL", "ALLOW_CHANGE_DEADLINE", "ALLOW_TIME_TRACKING"):
        if upper in sent:
            values[camel(upper)] = "Y" if yes(sent[upper]) else "N"
    for upper in ("PRIORITY", "GROUP_ID", "PARENT_ID", "MARK"):
        if upper in sent:
            values[camel(upper)] = str(sent[upper]) if sent[upper] not in (None, "") else None
    for upper in ("DEADLINE", "START_DATE_PLAN", "END_DATE_PLAN"):
        if upper in sent:
            values[camel(upper)] = _moment(call, sent[upper])
    if "SE_PARAMETER" in sent:
        values["requireResult"] = _requires(sent["SE_PARAMETER"], before.get("requireResult", False))
    if "UF_CRM_TASK" in sent:
        values["ufCrmTask"] = [str(code) for code in as_list(sent["UF_CRM_TASK"]) if _linked(call, str(code))]
    return values


def _moment(call: Call, value: Any) -> str | None:
    if value in (None, ""):
        return None
    try:
        return parse_moment(value, call.portal.zone).astimezone(UTC).isoformat(timespec="seconds")
    except ValueError as error:
        raise core("Invalid date") from error


def _requires(given: Any, before: bool) -> bool:
    for item in as_list(given):
        if isinstance(item, dict) and str(item.get("CODE")) == "3":
            return yes(item.get("VALUE", "N"))
    return before


def _linked(call: Call, code: str) -> bool:
    """Tell whether a binding sticks: smart processes only where linkedUserFields switched tasks on."""
    found = re.fullmatch(r"T([0-9a-f]+)_(\d+)", code)
    if not found:
        return bool(re.fullmatch(r"(L|D|C|CO|Q|SI)_\d+", code))
    owner = find_type(call.store, int(found[1], 16))
    return owner is not None and bool(owner["linked"].get("TASKS_TASK|UF_CRM_TASK"))


def set_files(call: Call, task_id: int, given: Any, before: list[int]) -> list[int]:
    """Replace the attachments as a whole: "n12" attaches Drive file 12, a bare number keeps an attachment."""
    kept: list[int] = []
    for item in as_list(given):
        text = str(item)
        if text.startswith("n"):
            number = integer(text[1:])
            held = call.store.get("disk", number or 0)
            if held is None or held["type"] != "file":
                raise core("File not found")
            kept.append(attach(call.store, held["id"], task_id, call.user_id, call.now()))
        elif integer(item) in before:
            kept.append(int(text))
    for number in set(before) - set(kept):
        call.store.drop("attached", number)
    return kept


def check_people(call: Call, values: Doc) -> None:
    """Refuse a responsible person who does not exist; a dismissed one is taken."""
    if "responsibleId" in values and call.store.get("user", integer(values["responsibleId"]) or 0) is None:
        raise core('User specified in the "Assignee" field not found')


def shown(call: Call, doc: Doc, select: list[str] | None = None) -> Doc:
    """Show a task. Without `select`: all but the special fields; with it only these, and always the id."""
    row = {key: call.show(value) if key in MOMENTS else value for key, value in doc.items() if key not in _INNER}
    row["id"] = str(doc["id"])
    row |= {
        "creator": _person(call, doc["createdBy"]),
        "responsible": _person(call, doc["responsibleId"]),
        "accomplicesData": {number: _person(call, number) for number in doc["accomplices"]},
        "auditorsData": {number: _person(call, number) for number in doc["auditors"]},
        "subStatus": _sub_status(call, doc),
        "group": [],
        "action": actions(call, doc),
        "taskRequireResult": "Y" if doc["requireResult"] else "N",
        "taskHasResult": "Y" if call.store.of("result", task=doc["id"]) else "N",
        "taskHasOpenResult": "Y" if call.store.of("result", task=doc["id"], open=True) else "N",
    }
    chosen = {item.upper() for item in select or []}
    everything = not chosen or "*" in chosen
    if "ALL" in chosen or chosen & set(SPECIAL):
        row |= {"ufCrmTask": doc["ufCrmTask"] or False, "ufTaskWebdavFiles": doc["files"] or False}
        row["ufMailMessage"] = None
    wanted = {camel(item) for item in chosen} | {"id", "ufCrmTask", "ufTaskWebdavFiles", "ufMailMessage"}
    wanted |= {"group"} | ({"creator"} if "CREATED_BY" in chosen else set())
    wanted |= {"responsible"} if "RESPONSIBLE_ID" in chosen else set()
    wanted |= {"accomplicesData"} if "ACCOMPLICES" in chosen else set()
    wanted |= {"subStatus"} if "STATUS" in chosen else set()
    return {key: value for key, value in row.items() if everything or key in wanted}


_INNER = {"requireResult", "files", "ufCrmTask", "chat"}


def _person(call: Call, number: str) -> Doc:
    user = call.store.get("user", integer(number) or 0) or {"name": "", "lastName": ""}
    name = f"{user['name']} {user['lastName']}".strip()
    link = f"/company/personal/user/{number}/"
    return {"id": str(number), "name": name, "link": link, "icon": "", "workPosition": user.get("position", "")}


def _sub_status(call: Call, doc: Doc) -> str:
    late = doc["deadline"] and doc["deadline"] < call.now() and doc["status"] in {WAITING, IN_PROGRESS}
    return "-1" if late else str(doc["status"])


def actions(call: Call, doc: Doc) -> dict[str, bool]:
    """Tell what the caller may do now."""
    work, judge, status = may_work(call, doc), may_judge(call, doc), doc["status"]
    return {
        "complete": work and status in {WAITING, IN_PROGRESS, DEFERRED},
        "approve": judge and status == CONTROL,
        "disapprove": judge and status == CONTROL,
        "start": work and status in {WAITING, DEFERRED},
        "pause": work and status == IN_PROGRESS,
        "defer": work and status in {WAITING, IN_PROGRESS},
        "renew": work and status in {DONE, CONTROL, DEFERRED},
        "delegate": work and status not in {DONE, CONTROL},
        "remove": judge,
        "edit": judge,
        "changeDeadline": judge or (work and doc["allowChangeDeadline"] == "Y"),
    }
