"""Real orders at every stage and every end, made by the real engine, worker and portal: what copies are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chain import Chain
from shop import good_answer

from engine.processes import Instance
from engine.tasks import Task
from engine.variables import FileValue

Answer = Callable[[], dict[str, object]]

STAGES = (
    *("FixRequest", "ApproveOrder", "PrepareDesign", "PrepareEstimate", "AgreePrice", "SetReadyDate"),
    *("Manufacture", "TellCustomer", "IssueInvoice", "TakePayment", "Ship"),
)


@dataclass
class Template:
    """A real order: where it stopped (a user task, or None at an end) and how it was answered there and before."""

    name: str
    stop: str | None
    special: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    forged: bool = False
    cancel_at: str | None = None
    claim: bool = False
    instance: Instance | None = None
    done: bool = False

    @property
    def id(self) -> str:
        """Return the instance id."""
        assert self.instance is not None
        return self.instance.id

    @property
    def key(self) -> str:
        """Return the business key."""
        assert self.instance is not None and self.instance.business_key
        return self.instance.business_key


def plan() -> list[Template]:
    """Return what is to be made: each stage (also claimed), each end, and the loops."""
    found = [Template(f"at {s}", f"UserTask_{s}", forged=s == "FixRequest") for s in STAGES]
    found += [Template(f"at {s}, claimed", f"UserTask_{s}", claim=True) for s in STAGES[1:]]
    refuse: dict[str, object] = {"directorDecision": "reject", "directorComment": "Не наш профиль"}
    reject: dict[str, object] = {"priceDecision": "reject", "priceComment": "Дорого"}
    back: dict[str, object] = {"readyDecision": "return", "readyComment": "Нет узла крепления"}
    returned = {"UserTask_SetReadyDate": [back]}
    found += [
        Template(
            "returned, at PrepareDesign again", "UserTask_PrepareDesign", {**returned, "UserTask_PrepareDesign": [{}]}
        ),
        Template("delivered", None),
        Template("delivered, second", None),
        Template("delivered, returned once", None, returned),
        Template("delivered, request refused once", None, forged=True),
        Template("refused by the director", None, {"UserTask_ApproveOrder": [refuse]}),
        Template("price rejected", None, {"UserTask_AgreePrice": [reject]}),
        Template("cancelled in production", None, cancel_at="UserTask_Manufacture"),
    ]
    return found


def make(chain: Chain, times: int = 1) -> list[Template]:
    """Carry all of them to where they stop, so many of each; their cards equal the engine. A worker runs already."""
    templates = [each for _ in range(times) for each in plan()]
    for n, each in enumerate(templates):
        broken = FileValue("заявка.pdf", b"MZ not a PDF", "application/pdf")
        key = f"TPL-{n:05d}"
        each.instance = chain.shop.start_order(None, key=key, **({"orderFile": broken} if each.forged else {}))
    carry_all(chain, templates)
    for each in templates:
        chain.parts.cards().reconcile(each.id)
    return templates


def carry_all(chain: Chain, orders: list[Template]) -> None:
    """Answer open tasks until every order is where it is to stop."""
    chain.wait(
        lambda: sum(_go_on(chain, each) for each in orders) == len(orders), "all orders where they are to stop", 1800.0
    )


def _go_on(chain: Chain, order: Template) -> bool:
    if order.done:
        return True
    tasks = chain.shop.integration.tasks.of_instance(order.id)
    for task in tasks:
        if task.element == order.stop and not order.special.get(task.element):
            _stop_here(chain, order, task)
        elif task.element == order.cancel_at:
            chain.cancel(order.instance)  # type: ignore[arg-type]  # it was started
            order.cancel_at = None
        else:
            chain.complete(task, _answer(order, task.element))
    if not tasks and order.stop is None:
        order.done = chain.shop.integration.history.instance(order.id).ended is not None
    return order.done


def _stop_here(chain: Chain, order: Template, task: Task) -> None:
    stage = chain.shop.reader.route(task.definition_id).stage(task.element)
    assert stage is not None
    if order.claim and task.assignee is None:
        who = chain.shop.staff.members(stage.groups[0])[-1].id
        chain.shop.person(who).tasks.claim(task.id, who)
    order.done = True


def _answer(order: Template, element: str) -> dict[str, object]:
    waiting = order.special.get(element)
    return (waiting.pop(0) if waiting else None) or good_answer(element)
