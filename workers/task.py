"""One external task as handlers and runtime see it, and the hold that work has on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orders.errors import OrderRouteError
from orders.ports import held


class Dropped(OrderRouteError):
    """The work is not ours any more (lock lost, instance cancelled, worker stopping): send nothing, answer nothing."""


def never() -> bool:
    """Answer for work that nobody can take away."""
    return False


@dataclass(frozen=True, slots=True)
class Task:
    """Meta data of one external task. Times are the engine's clock, UTC and aware."""

    id: str
    topic: str
    business_key: str
    instance_id: str
    definition_id: str
    process_id: str
    activity_id: str
    activity_instance_id: str  # survives retries: effect keys are built on it
    create_time: datetime
    properties: Mapping[str, str] = field(default_factory=dict)  # camunda:property of the service task
    retries: int | None = None  # None until the first failure
    age: float = 0.0  # seconds since create_time when it was fetched, by the engine's clock
    hold: Callable[[], None] = held  # before each outside call: renews the lock, raises Dropped when it is lost
    cancelled: Callable[[], bool] = never  # True as soon as the engine has said that the task is gone
