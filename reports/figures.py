"""One number of a report with all it needs to be believed: unit, n, target, the orders behind it, what is left out.

A quantile is by nearest rank, and is given only where n lets it be more than the largest value; a share needs five.
Where n is smaller the number is left out, «мало данных»; where nobody knows it, «неизвестно». Neither is ever 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.facts import Order

LEAST = 5  # values behind a share, a mean or a median
PERCENT, HOURS, DAYS, CALENDAR_DAYS, ORDERS, TASKS, ROUBLES, PER_WEEK, TIMES, CHANGES = (
    "%",
    "ч",
    "раб. дн.",
    "дн.",
    "заказов",
    "задач",
    "₽",
    "заказов в неделю",
    "раз",
    "переносов на заказ",
)
COMPLAINTS, ENTRIES, ATTEMPTS, POINTS, SECONDS = ("рекламаций", "записей", "попыток", "баллов", "с")
_DIGITS = {
    PERCENT: 1, ORDERS: 0, TASKS: 0, COMPLAINTS: 0, HOURS: 1, DAYS: 1, CALENDAR_DAYS: 1, PER_WEEK: 1, ENTRIES: 0,
    ATTEMPTS: 0, POINTS: 0, SECONDS: 1,
}  # fmt: skip

Status = Literal["ok", "few", "unknown"]
STATUS_WORDS: Mapping[Status, str] = {"ok": "", "few": "мало данных", "unknown": "неизвестно"}


class Figure(BaseModel):
    """One number. `by` and `key` say which part of the whole it is about: a stage, a department, a person, …"""

    model_config = ConfigDict(frozen=True)

    id: str
    label: str
    by: Literal["", "stage", "department", "person", "version", "month", "reason", "outcome", "customer"] = ""
    key: str = ""
    name: str = Field("", description="how people call the part")
    value: float | None
    unit: str
    n: int = Field(description="how many values stand behind it")
    status: Status = "ok"
    target: float | None = None
    met: bool | None = Field(default=None, description="whether the target is met; null without target or value")
    baseline: float | None = Field(default=None, description="the same number in the baseline")
    ratio: float | None = Field(default=None, description="value ÷ baseline; null without one of them")
    orders: tuple[str, ...] = Field((), description="numbers of the orders behind it")
    excluded: dict[str, int] = Field(default_factory=dict, description="what is left out, and how much of it")
    note: str = Field("", description="how it is counted")


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the whole a figure is about."""

    by: Literal["", "stage", "department", "person", "version", "month", "reason", "outcome", "customer"] = ""
    key: str = ""
    name: str = ""


WHOLE = Part()


def digits(unit: str) -> int:
    """Return how many decimals numbers of a unit have, in every output and in every row."""
    return _DIGITS.get(unit, 2)


def rounded(value: float, unit: str) -> float:
    """Round once, for all outputs alike."""
    return round(value, digits(unit))


def figure(
    id_: str,
    label: str,
    value: float | None,
    unit: str,
    orders: Iterable[str],
    *,
    n: int | None = None,
    part: Part = WHOLE,
    status: Status | None = None,
    excluded: Mapping[str, int] | None = None,
    note: str = "",
) -> Figure:
    """Make a figure; without a value it is unknown unless `status` says otherwise."""
    keys = tuple(dict.fromkeys(orders))
    return Figure(
        id=id_,
        label=label,
        by=part.by,
        key=part.key,
        name=part.name,
        value=None if value is None else rounded(value, unit),
        unit=unit,
        n=len(keys) if n is None else n,
        status=status or ("unknown" if value is None else "ok"),
        orders=keys,
        excluded={k: v for k, v in (excluded or {}).items() if v},
        note=note,
    )


def count(id_: str, label: str, orders: Sequence[Order], unit: str = ORDERS, **more: object) -> Figure:
    """Count orders; nothing is a number too."""
    return figure(id_, label, len(orders), unit, keys(orders), n=len(orders), **more)  # type: ignore[arg-type]  # passed on


def share(
    id_: str, label: str, hits: float, of: Sequence[str], *, n: int | None = None, part: Part = WHOLE,
    excluded: Mapping[str, int] | None = None, note: str = "", least: int = LEAST,
) -> Figure:  # fmt: skip
    """Return hits ÷ all in per cent, or «мало данных»."""
    total = len(of) if n is None else n
    few = total < least
    value = None if few else 100 * hits / total
    status: Status = "few" if few else "ok"
    return figure(id_, label, value, PERCENT, of, n=total, part=part, status=status, excluded=excluded, note=note)


def quantile(values: Sequence[float], q: float) -> float:
    """Return the q-quantile by nearest rank: a value that was really seen. Raises ValueError for nothing."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(1, math.ceil(q * len(values) - 1e-9)) - 1]


def enough(q: float) -> int:
    """Return how many values a quantile needs to say more than the largest of them."""
    return max(LEAST, math.ceil(1 / (1 - q) - 1e-9))


def quantiles(
    id_: str, label: str, values: Sequence[tuple[float, str]], unit: str, qs: Sequence[int] = (50, 85, 95), *,
    part: Part = WHOLE, excluded: Mapping[str, int] | None = None, note: str = "", unknown: bool = False,
) -> list[Figure]:  # fmt: skip
    """Return one figure per quantile of (value, order) pairs. `unknown`: nothing at all is not known, not few."""
    made = []
    for q in qs:
        few = len(values) < enough(q / 100)
        status: Status = "ok" if not few else "unknown" if unknown and not values else "few"
        value = None if few else quantile([v for v, _ in values], q / 100)
        orders = [key for _, key in values]
        made.append(
            figure(
                *(f"{id_}.p{q}", f"{label}, p{q}", value, unit, orders),
                n=len(values),
                part=part,
                status=status,
                excluded=excluded,
                note=note,
            )
        )
    return made


def mean(
    id_: str, label: str, values: Sequence[tuple[float, str]], unit: str, *, part: Part = WHOLE,
    excluded: Mapping[str, int] | None = None, note: str = "",
) -> Figure:  # fmt: skip
    """Return the mean of (value, order) pairs, or «мало данных»."""
    few = len(values) < LEAST
    value = None if few else sum(v for v, _ in values) / len(values)
    status: Status = "few" if few else "ok"
    orders = [key for _, key in values]
    return figure(
        id_, label, value, unit, orders, n=len(values), part=part, status=status, excluded=excluded, note=note
    )


def keys(orders: Iterable[Order]) -> list[str]:
    """Return the numbers of orders."""
    return [o.key for o in orders]
