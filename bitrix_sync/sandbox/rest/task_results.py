"""Results of tasks, REST 1 and 2, and the counter of open tasks."""

from __future__ import annotations

from bitrix_sync.sandbox.envelope import Refusal, Reply
from bitrix_sync.sandbox.params import integer
from bitrix_sync.sandbox.rest.registry import Call, method
from bitrix_sync.sandbox.rest.task_fields import DONE, visible
from bitrix_sync.sandbox.store import Doc, Store


@method("tasks.task.result.list", "task", empty=list)
def results(call: Call) -> Reply:
    """List a task's results, newest first. `commentId` is 0: results come from the task's chat."""
    number = integer(call.params.get("taskId"))
    if number is None:
        raise Refusal(
            "100",
            f"Invalid value {{{call.params.get('taskId', '')}}} to match with parameter {{taskId}}. "
            "Should be value of type int.",
        )
    doc = call.store.get("task", number)
    if doc is None or not visible(call, doc):
        raise Refusal("0", "Access denied.")
    rows = call.store.of("result", task=number)
    return Reply([_shown(call, item) for item in reversed(rows)])


def _shown(call: Call, doc: Doc) -> Doc:
    return {
        "id": doc["id"],
        "taskId": doc["task"],
        "commentId": 0,
        "createdBy": doc["author"],
        "createdAt": call.show(doc["created"]),
        "updatedAt": call.show(doc["created"]),
        "status": 0 if doc["open"] else 1,
        "text": doc["text"],
        "formattedText": doc["text"],
        "files": doc["files"],
    }


def _gone(_call: Call) -> Reply:
    raise Refusal("0", "Comment not found.")


method("tasks.task.result.addFromComment", "task")(_gone)


def open_tasks(store: Store, person: int) -> list[Doc]:
    """Return a person's open tasks, the most urgent first; as responsible person or as one who helps."""
    mine = str(person)
    rows = [
        doc
        for doc in store.all("task")
        if doc["status"] != DONE and mine in {doc["responsibleId"], *doc["accomplices"]}
    ]
    return sorted(rows, key=lambda doc: (doc["deadline"] or "9", doc["id"]))
