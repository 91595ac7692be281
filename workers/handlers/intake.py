"""Begin an order: one instance per key, and files that are what they say."""

from __future__ import annotations

from collections.abc import Callable

from orders.attachment_info import judged, judged_element, judgement, sent_files
from orders.errors import BusinessError
from orders.ports import Claims, Engine, Judge
from workers.registry import Output, Values, topic
from workers.task import Task

DUPLICATE = "ORDER_DUPLICATE"


class Registered(Output):
    """The order's number as a variable, and the secret part of the customer's link to the state of the order.

    Staff may not read an instance's business key, only the variables of their own task: forms show the number by this.
    """

    order_key: str
    track_token: str


@topic("register-order")
def register_order(task: Task, *, claims: Claims, engine: Engine, new_token: Callable[[], str]) -> Registered:
    """Take the order's key; the oldest instance of a key goes on. Running twice keeps the owner.

    Raises BusinessError ORDER_DUPLICATE for a later instance. A lost ledger does not turn an old order into a
    duplicate: the engine's own oldest instance is asked first.
    """
    oldest = (engine.instances_of(task.business_key) or [task.instance_id])[0]
    if claims.claim(task.business_key, oldest) != task.instance_id:
        raise BusinessError(DUPLICATE, f"Заказ {task.business_key} уже есть: второй запуск остановлен")
    return Registered(order_key=task.business_key, track_token=new_token())


@topic("validate-attachments", limit=2)
def validate_attachments(task: Task, *, engine: Engine, judge: Judge) -> Values:
    """Judge the files that came with the step before. Running twice gives the same verdicts.

    Raises BusinessError ATTACHMENT_REJECTED with one sentence per refused file. Limit: a judge may take 300 MB.
    """
    route = engine.route(task.definition_id)
    element = judged_element(route, task.activity_id)
    files = []
    for variable in sent_files(route, element, engine.file_names(task.instance_id)):
        name, data = engine.file_bytes(task.instance_id, variable)
        files.append(judged(variable, data, judge.judge(name, data)))
    return judgement(files, engine.snapshot(task.instance_id), element, route.start_id)
