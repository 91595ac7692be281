"""What people do with tasks: complete, renew, start, pause, defer, delegate, approve, disapprove."""

from __future__ import annotations

from collections.abc import Callable

from bitrix_sync.sandbox.envelope import Refusal, Reply, missing
from bitrix_sync.sandbox.params import integer
from bitrix_sync.sandbox.rest.registry import Call, method
from bitrix_sync.sandbox.rest.task_fields import CONTROL, DENIED, DONE, actions, may_judge, need_task, shown
from bitrix_sync.sandbox.rest.tasks import save
from bitrix_sync.sandbox.store import Doc


def _to(call: Call, doc: Doc, status: str, *, active: bool = False) -> Doc:
    values: Doc = {"status": status, "statusChangedBy": str(call.user_id), "statusChangedDate": call.now()}
    if status == "3":
        values["dateStart"] = call.now()
    if status == DONE:
        values |= {"closedBy": str(call.user_id), "closedDate": call.now()}
    elif doc["closedDate"]:
        values |= {"closedBy": "0", "closedDate": None}
    return save(call, doc, values, active=active)


def _action(name: str, code: str, status: str, *, active: bool) -> Callable[[Call], Reply]:
    def run(call: Call) -> Reply:
        doc = need_task(call, code)
        if not actions(call, doc)[name]:
            raise Refusal(code, DENIED)
        return Reply({"task": shown(call, _to(call, doc, status, active=active))})

    run.__doc__ = f"Do {name!r}; refused where the task's status or the caller's part in it does not allow it."
    return run


start = method("tasks.task.start", "task")(_action("start", "0", "3", active=False))
pause = method("tasks.task.pause", "task")(_action("pause", "0", "2", active=False))
defer = method("tasks.task.defer", "task")(_action("defer", "0", "6", active=False))
renew = method("tasks.task.renew", "task")(_action("renew", "1048582", "2", active=True))
approve = method("tasks.task.approve", "task")(_action("approve", "1048582", DONE, active=True))
disapprove = method("tasks.task.disapprove", "task")(_action("disapprove", "1048582", "2", active=True))


@method("tasks.task.complete", "task")
def complete(call: Call) -> Reply:
    """Finish a task: closed, or waiting for its creator where TASK_CONTROL asks for that."""
    doc = need_task(call)
    if not actions(call, doc)["complete"]:
        raise Refusal("0", DENIED)
    results = call.store.of("result", task=doc["id"], open=True)
    if doc["requireResult"] and not results:
        raise Refusal("0", DENIED)
    controlled = doc["taskControl"] == "Y" and not may_judge(call, doc)
    for item in results:
        call.store.put("result", item["id"], {**item, "open": False})
    changed = _to(call, doc, CONTROL if controlled else DONE, active=True)
    return Reply({"task": shown(call, changed)})


@method("tasks.task.delegate", "task")
def delegate(call: Call) -> Reply:
    """Give the task to somebody else; the former responsible person becomes an accomplice."""
    doc = need_task(call)
    if call.params.get("userId") in (None, ""):
        raise missing("userId")
    person = integer(call.params["userId"])
    if not actions(call, doc)["delegate"] or call.store.get("user", person or 0) is None:
        raise Refusal("0", DENIED)
    helpers = [number for number in doc["accomplices"] if number != str(person)]
    if doc["responsibleId"] != str(person) and doc["responsibleId"] not in helpers:
        helpers.append(doc["responsibleId"])
    values = {"responsibleId": str(person), "accomplices": helpers, "status": "2"}
    return Reply({"task": shown(call, save(call, doc, values, active=True))})
