"""Faults on demand: which calls go wrong, how often, and in what way. Seeded, so a run can be repeated."""

from __future__ import annotations

import fnmatch
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = {
    "lost_answer",  # done, then the connection is closed without an answer
    "refused",  # the connection is closed and nothing is done
    "query_limit",  # 503 QUERY_LIMIT_EXCEEDED, nothing is done
    "operation_limit",  # 429 OPERATION_TIME_LIMIT, nothing is done
    "error500",
    "html502",
    "truncated",  # `apply` tells how often the call is done all the same
    "unauthorized",  # 401 NO_AUTH_FOUND
    "forbidden",  # 403 INVALID_CREDENTIALS
    "redirect",  # 302 to `to`
    "slow",  # answers after `seconds`, spent before or after the work (`when`)
    "empty_list",  # list methods answer 200 without rows; `pages`: all | second
    "deep_json",  # an answer nested thousands of levels deep
}
APPLY = {"error500": 0.5, "html502": 0.5, "truncated": 1.0, "lost_answer": 1.0, "slow": 1.0, "deep_json": 1.0}


@dataclass(slots=True)
class Fault:
    """One switch; `methods` are shell patterns, `fraction` of the calls is hit, at most `count` of them."""

    kind: str
    methods: tuple[str, ...] = ("*",)
    fraction: float = 1.0
    count: int | None = None
    seconds: float = 0.0
    when: str = "before"
    pages: str = "all"
    apply: float = 1.0
    to: str = "https://example.org/"
    item: int | None = None
    skip: int = 0  # let so many matching calls pass first

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Fault:
        """Read a switch from JSON; raises ValueError that names what is wrong."""
        kind = value.get("kind")
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join(sorted(KINDS))}")
        methods = value.get("methods", ("*",))
        wrong = set(value) - set(cls.__dataclass_fields__)
        if wrong:
            raise ValueError(f"unknown keys {', '.join(sorted(wrong))}")
        given = {key: item for key, item in value.items() if key != "methods"}
        given.setdefault("apply", APPLY.get(kind, 0.0))
        return cls(**given, methods=(methods,) if isinstance(methods, str) else tuple(methods))


class Faults:
    """The switches that are on."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - chance for tests, not for secrets
        self.rules: list[Fault] = []

    def replace(self, rules: list[Mapping[str, Any]], seed: int | None = None) -> None:
        """Replace all switches; raises ValueError on a wrong one, then nothing changes."""
        read = [Fault.read(rule) for rule in rules]
        if seed is not None:
            self._random.seed(seed)
        self.rules = read

    def hit(self, method: str, kinds: set[str] | None = None, *, item: int | None = None) -> Fault | None:
        """Return the fault that strikes this call, and count it."""
        for rule in self.rules:
            if kinds is not None and rule.kind not in kinds:
                continue
            if rule.item is not None and rule.item != item:
                continue
            if not any(fnmatch.fnmatchcase(method, pattern.lower()) for pattern in rule.methods):
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            if rule.count == 0 or self._random.random() >= rule.fraction:
                continue
            if rule.count is not None:
                rule.count -= 1
            return rule
        return None

    def applies(self, rule: Fault) -> bool:
        """Decide whether a struck call is done all the same."""
        return self._random.random() < rule.apply

    def describe(self) -> list[dict[str, Any]]:
        """Return the switches with the counts that are left."""
        return [{name: getattr(rule, name) for name in Fault.__dataclass_fields__} for rule in self.rules]
