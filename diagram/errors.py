"""What a diagram can get wrong, said to the analyst."""

from __future__ import annotations

from orders.errors import OrderRouteError


class DiagramError(OrderRouteError, ValueError):
    """One fault of one element, in Russian: the element, what is wrong with it and what to do."""

    def __init__(self, problem: str, remedy: str, element_id: str | None = None, label: str | None = None) -> None:
        self.problem = problem
        self.remedy = remedy
        self.element_id = element_id
        self.label = label
        super().__init__(f"{self._element()}{problem}. {remedy}.")

    def _element(self) -> str:
        if self.label and self.element_id:
            return f"«{self.label}» ({self.element_id}): "
        return f"{self.element_id}: " if self.element_id else ""
