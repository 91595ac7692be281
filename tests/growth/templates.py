"""Real orders at every stage and every end, made by the real engine, worker and portal: what copies are made of."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from chain import PAUSE, Chain
from shop import good_answer

from engine.processes import Instance
from engine.tasks import Task
from engine.variables import FileValue

Answer = Callable[[], dict[str, object]]

STAGES = (
    *("FixRequest", "ApproveOrder", "PrepareDesign", "PrepareEstimate", "AgreePrice", "SetReadyDate"),
    *("Manufacture", "TellCustomer", "IssueInvoice", "TakePayment", "Ship"),
)
AT_ONCE, BATCH = 2, 100  # people who answer at the same time, each so many orders
LOOK_SECONDS = 2.0  # between two looks of theirs: the engine is to work, not to be asked


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
    def running(self) -> bool:
        """Tell whether it stops before its end."""
        return self.stop is not None

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

    def returned(**more: list[dict[str, object]]) -> dict[str, list[dict[str, object]]]:
        return {"UserTask_SetReadyDate": [back], **more}

    found += [
        Template("returned, at PrepareDesign again", "UserTask_PrepareDesign", returned(UserTask_PrepareDesign=[{}])),
        Template("delivered", None),
        Template("delivered, second", None),
        Template("delivered, returned once", None, returned()),
        Template("delivered, request refused once", None, forged=True),
        Template("refused by the director", None, {"UserTask_ApproveOrder": [refuse]}),
        Template("price rejected", None, {"UserTask_AgreePrice": [reject]}),
        Template("cancelled in production", None, cancel_at="UserTask_Manufacture"),
    ]
    return found


def make(chain: Chain, times: int = 1) -> list[Template]:
    """Carry all of them to where they stop, so many of each; their cards equal the engine. A worker runs already."""
    templates = [each for _ in range(times) for each in plan()]
    _start(chain, templates, "TPL")
    carry_all(chain, templates)
    for each in templates:
        chain.parts.cards().reconcile(each.id)
    return templates


def live(chain: Chain, running: int, finished: int, first: int, tell: Callable[[int], None]) -> list[Template]:
    """Let the real engine live through so many orders more, of each kind in turn; `tell` hears how many are done.

    Their numbers begin at `first`. Nothing is copied: people answer through the API, a worker does the rest.
    """
    orders = [
        *itertools.islice(_kinds(running=True), running),
        *itertools.islice(_kinds(running=False), finished),
    ]
    batches = [orders[at : at + BATCH] for at in range(0, len(orders), BATCH)]
    done = 0

    def carry(n: int) -> int:
        _start(chain, batches[n], "REAL", first + n * BATCH)
        carry_all(chain, batches[n], LOOK_SECONDS)
        return len(batches[n])

    with ThreadPoolExecutor(AT_ONCE) as people:
        for count in people.map(carry, range(len(batches))):
            done += count
            tell(done)
    return orders


def _kinds(*, running: bool) -> Iterator[Template]:
    while True:
        yield from (each for each in plan() if each.running is running)


def _start(chain: Chain, orders: Sequence[Template], series: str, first: int = 0) -> None:
    broken = FileValue("заявка.pdf", b"MZ not a PDF", "application/pdf")
    for n, each in enumerate(orders, first):
        file = {"orderFile": broken} if each.forged else {}
        each.instance = chain.shop.start_order(None, key=f"{series}-{n:05d}", **file)


def carry_all(chain: Chain, orders: list[Template], pause: float = PAUSE) -> None:
    """Answer open tasks until every order is where it is to stop; so many seconds between two looks."""
    chain.wait(
        lambda: sum(_go_on(chain, each) for each in orders) == len(orders),
        "all orders where they are to stop",
        1800.0,
        pause,
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
