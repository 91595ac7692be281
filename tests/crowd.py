"""Many orders at once, each on a way of its own that a seed has chosen, answered as fast as their steps open."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Callable, Sequence

from chain import Chain
from shop import good_answer

from engine.errors import EngineError
from engine.processes import Instance
from engine.tasks import Task

REFUSED, TOO_DEAR, CANCELLED, HOME = "End_RefusedByDirector", "End_PriceRejected", "End_Cancelled", "End_Delivered"
SHORT = (REFUSED, CANCELLED, TOO_DEAR)
_TURNS = {  # what is answered otherwise than well on the way to an end
    REFUSED: ("UserTask_ApproveOrder", {"directorDecision": "reject", "directorComment": "Не наше"}),
    TOO_DEAR: ("UserTask_AgreePrice", {"priceDecision": "reject", "priceComment": "Дорого"}),
}


class Crowd:
    """Starts orders and answers for everybody. `ends` are dealt out in turn, shuffled by the seed."""

    def __init__(self, chain: Chain, seed: int, ends: Sequence[str] = SHORT) -> None:
        self.chain, self.chance, self._ends = chain, random.Random(seed), list(ends)
        self.orders: list[Instance] = []
        self.planned: dict[str, str] = {}
        self._cancelled: set[str] = set()

    def start(self, count: int) -> list[Instance]:
        """Start so many orders; each that is returned was acknowledged."""
        ends = [self._ends[n % len(self._ends)] for n in range(count)]
        self.chance.shuffle(ends)
        for end in ends:
            order = self.chain.shop.start_order()
            self.orders.append(order)
            self.planned[order.id] = end
        return self.orders[-count:]

    def carry_to_the_ends(self, seconds: float) -> None:
        """Answer until every order has ended as planned; deaths of workers are looked after meanwhile."""
        self.chain.wait(self._answered_and_ended, f"{len(self.orders)} orders ended", seconds)
        got = {order.id: self.chain.shop.reader.snapshot(order.id).end_id for order in self.orders}
        assert Counter(got.values()) == Counter(self.planned.values()) and got == self.planned

    def turn(self) -> None:
        """Answer every step that is open now."""
        for task in self.open_tasks():
            self.chain.look_after()
            with contextlib.suppress(EngineError):  # the order was cancelled meanwhile, or the engine is away
                self._answer(task)

    def open_tasks(self) -> list[Task]:
        """Return the open steps of this crowd's orders."""
        try:
            found = self.chain.shop.integration.tasks.find()
        except EngineError:
            return []
        return [task for task in found if task.instance_id in self.planned]

    def _answer(self, task: Task) -> None:
        end = self.planned[task.instance_id]
        turn, values = _TURNS.get(end, ("", {}))
        if end == CANCELLED and task.element == "UserTask_PrepareDesign":
            if task.instance_id not in self._cancelled:
                self._cancelled.add(task.instance_id)
                self.chain.cancel(next(o for o in self.orders if o.id == task.instance_id))
            return
        self.chain.complete(task, dict(values) if task.element == turn else good_answer(task.element))

    def _answered_and_ended(self) -> bool:
        self.turn()
        return self._all_ended()

    def _all_ended(self) -> bool:
        running = self.chain.shop.integration.history.instances(
            processDefinitionKey="custom-furniture-order", unfinished=True
        )
        return not {instance.id for instance in running} & set(self.planned)


def said(chain: Chain, event: str) -> Callable[[], int]:
    """Return a function that counts the workers' log lines of one event."""
    log = chain.folder / "worker.log"
    return lambda: log.read_text(encoding="utf-8", errors="replace").count(f'"{event}"')
