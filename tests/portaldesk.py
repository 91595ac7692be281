"""What persons do in the portal with one order of the chain: fill the card, finish tasks, and what they were told."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from chain import Chain

from engine.processes import Instance


class Desk:
    """What persons do in the portal with one order."""

    def __init__(self, chain: Chain, order: Instance) -> None:
        self.chain, self.book, self.order, self.key = chain, chain.book, order, order.business_key

    def task(self, element: str) -> dict[str, Any]:
        """Return the portal's open task of a step, as soon as the step is open in the engine too."""
        self.chain.step(self.order, element)

        def look() -> dict[str, Any] | None:
            return next((t for t in self.book.open_tasks(self.key) if f":task:{element}:" in t["description"]), None)

        return self.chain.wait(look, f"the portal's task of {element}")

    def fill(self, person: str, **values: Any) -> None:
        """Write into the card as a person; choices by the value in the diagram."""
        fields = self.book.schema.fields
        shown = {n: fields[n].choices.get(v, v) if isinstance(v, str) else v for n, v in values.items()}
        self.book.edit(shown, key=self.key, user=self.user(person))

    def finish(self, element: str, person: str) -> dict[str, Any]:
        task = self.task(element)
        self.book.portal.call("tasks.task.complete", {"taskId": task["id"]}, user=self.user(person))
        return task

    def user(self, person: str) -> int:
        found = self.chain.shop.staff.find(person)
        assert found is not None and found.bitrix_id is not None
        return found.bitrix_id

    def done(self, element: str) -> list[Any]:
        return [v for v in self.chain.shop.reader.snapshot(self.order.id).done if v.task_id == element]

    def wait_done(self, element: str) -> Any:
        return self.chain.wait(lambda: self.done(element), f"{element} of {self.key} done")[-1]

    def told(self, person: str) -> list[str]:
        return [text for text in notices(self.chain, self.user(person), f"Заказ {self.key},") if "не принят" in text]

    def refused(self, task: Mapping[str, Any], person: str, times: int = 1) -> str:
        """Wait until the person was told and the same task is open again; return the sentence."""
        text = self.chain.wait(lambda: self.told(person)[times - 1 :], f"{person} told why")[0]
        self.chain.wait(lambda: any(t["id"] == task["id"] for t in self.book.open_tasks(self.key)), "the task renewed")
        return text


def file(name: str, data: bytes) -> list[str]:
    return [name, base64.b64encode(data).decode()]


def notices(chain: Chain, user: int, about: str) -> list[str]:
    return [text for text in chain.portal.notices_of(user) if about in text]
