"""The whole table of methods: importing this module registers every one of them."""

from bitrix_sync.sandbox.rest import (
    disk,
    im,
    items,
    stages,
    task_actions,
    task_results,
    tasks,
    tasks_v3,
    timeline,
    types,
    userfields,
    users,
)
from bitrix_sync.sandbox.rest.registry import METHODS, METHODS_V3, Call, Method

PARTS = (
    disk,
    im,
    items,
    stages,
    task_actions,
    task_results,
    tasks,
    tasks_v3,
    timeline,
    types,
    userfields,
    users,
)

__all__ = ["METHODS", "METHODS_V3", "PARTS", "Call", "Method"]
