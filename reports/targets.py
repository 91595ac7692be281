"""Targets and the baseline: what the numbers are compared with. Both files are read whole, or refused by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orders.csvread import decode, split
from orders.errors import OrderRouteError, Refused
from orders.tomlread import TomlProblem, load_toml
from reports.period import Month

_GOAL = re.compile(r"(>=|<=)\s*(\d+(?:[.,]\d+)?)")
HEADER = ("kpi", "key", "value")
WARRANTY_DAYS = 365
_MOST_DAYS = 3650


class TargetsError(OrderRouteError):
    """A file of targets or of a baseline is wrong; `problems` lists everything that is. Nothing was taken over."""

    def __init__(self, what: str, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{what} с ошибками:\n" + "\n".join(f"— {p}" for p in self.problems))


@dataclass(frozen=True, slots=True)
class Goal:
    """At least or at most so much."""

    at_least: bool
    value: float

    def met(self, value: float) -> bool:
        """Tell whether a value meets the goal."""
        return value >= self.value if self.at_least else value <= self.value


@dataclass(frozen=True, slots=True)
class Targets:
    """Goals by the figure's id, the month that others are compared with, the warranty, and who hears of trouble."""

    goals: Mapping[str, Goal] = field(default_factory=dict)
    baseline_month: Month | None = None
    warranty_days: int = WARRANTY_DAYS
    alerts_to: tuple[str, ...] = ()  # persons; nobody named: the directors


@dataclass(frozen=True, slots=True)
class Baseline:
    """Older numbers by (id, part), and what they are called."""

    name: str
    values: Mapping[tuple[str, str], float]


def read_targets(text: str) -> Targets:
    """Read `baseline_month`, `warranty_days`, `alerts_to` and the table `[targets]`. Raises TargetsError."""
    try:
        data = load_toml(text)
    except TomlProblem as error:
        raise TargetsError("Файл целей", [str(error)]) from None
    problems = [f"«{name}» неизвестно, есть {_SAID} и [targets]" for name in data if name not in _KNOWN]
    month = _month(str(data.get("baseline_month", "")), problems)
    days = _days(data.get("warranty_days", WARRANTY_DAYS), problems)
    to = _persons(data.get("alerts_to", []), problems)
    goals: dict[str, Goal] = {}
    table = data.get("targets", {})
    for name, value in table.items() if isinstance(table, dict) else ():
        match = _GOAL.fullmatch(str(value).strip())
        if match:
            goals[name] = Goal(match[1] == ">=", float(match[2].replace(",", ".")))
        else:
            problems.append(f'цель «{name}»: пишите ">= 90" или "<= 20"')
    if problems:
        raise TargetsError("Файл целей", problems)
    return Targets(goals, month, days, to)


_KNOWN = ("baseline_month", "warranty_days", "alerts_to", "targets")
_SAID = ", ".join(_KNOWN[:-1])


def _days(value: object, problems: list[str]) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_DAYS:
        problems.append(f"warranty_days «{value}»: пишите число дней от 1 до {_MOST_DAYS}")
        return WARRANTY_DAYS
    return value


def _persons(value: object, problems: list[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
        problems.append('alerts_to: пишите список сотрудников, например ["orlov"]')
        return ()
    return tuple(dict.fromkeys(each.strip() for each in value))


def _month(text: str, problems: list[str]) -> Month | None:
    if not text:
        return None
    match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text)
    if not match:
        problems.append(f"baseline_month «{text}»: пишите 2026-01")
        return None
    return Month(int(match[1]), int(match[2]))


def read_baseline(data: bytes, name: str) -> Baseline:
    """Read a CSV `kpi;key;value`: numbers from before this system. Raises TargetsError, which names the lines."""
    what = f"База сравнения {name}"
    try:
        rows, _ = split(decode(data), HEADER)
    except Refused as error:
        raise TargetsError(what, [str(error)]) from None
    if not rows or tuple(cell.strip() for cell in rows[0].cells) != HEADER:
        raise TargetsError(what, [f"строка 1: нужен заголовок {';'.join(HEADER)}"])
    values: dict[tuple[str, str], float] = {}
    problems = []
    for row in rows[1:]:
        cells = [cell.strip() for cell in row.cells]
        if not any(cells) and not row.problem:
            continue
        if row.problem or len(cells) != len(HEADER) or not re.fullmatch(r"-?\d+(?:[.,]\d+)?", cells[2]):
            problems.append(f"строка {row.number}: нужны показатель, часть и число, например lead_time.p50;;42,5")
        elif (cells[0], cells[1]) in values:
            problems.append(f"строка {row.number}: {cells[0]} уже есть выше, у базы одно значение")
        else:
            values[cells[0], cells[1]] = float(cells[2].replace(",", "."))
    if problems or not values:
        raise TargetsError(what, problems or ["в таблице нет ни одной строки"])
    return Baseline(name, values)
