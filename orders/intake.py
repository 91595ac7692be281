"""New orders from outside: a table of orders (CSV) or one order (JSON). Pure: bytes in, orders and problems out.

What cannot be understood is refused by line and field and holds nobody else up. A row is known by its key; a changed
row of a known order is reported and never applied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from types import MappingProxyType

from orders.csvread import Line, control_character, decode, split
from orders.dates import parse_day, short_day
from orders.errors import Refused
from orders.keys import check_import_key, request_hash
from orders.money import AmbiguousSum, format_sum, parse_sum, stored
from orders.snapshot import Scalar
from orders.twins import find_in_id, skeleton

HEADER = ("key", "customerName", "customerContact", "itemDescription", "wishedBy", "budget", "orderFile")
LABELS: Mapping[str, str] = MappingProxyType(
    {
        "key": "Номер",
        "customerName": "Заказчик",
        "customerContact": "Контакт заказчика",
        "itemDescription": "Что изготовить",
        "wishedBy": "Желаемый срок",
        "budget": "Бюджет, ₽",
        "orderFile": "Файл заказчика",
    }
)
REQUIRED = ("customerName", "customerContact", "itemDescription")
_OPTIONAL_COLUMNS = ("orderFile",)
_TOTAL = re.compile(r"(итого|всего|total)\b", re.IGNORECASE)
_LIMITS = {"customerName": 255, "customerContact": 255, "itemDescription": 4000}


@dataclass(frozen=True, slots=True)
class NewOrder:
    """One order to start. `values` are start variables as the engine takes them, absent ones left out."""

    key: str
    values: Mapping[str, str]
    order_file: str | None = None  # path as given; None: a request sheet is made from the row
    line: int | None = None
    initiator: str | None = None

    @property
    def fingerprint(self) -> str:
        """Return a SHA-256 over what the row says, to tell a repeat from a changed row."""
        return request_hash(*(f"{n}={self.values.get(n, '')}" for n in HEADER[1:-1]), self.order_file or "")

    def sheet(self) -> list[tuple[str, str]]:
        """Return the lines of a request sheet: label and value, for orders that bring no file of their own."""
        values = {"key": self.key, **self.values}
        return [(LABELS[n], readable(n, values[n])) for n in HEADER if values.get(n)]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row or a field was refused; `ask` marks what only a person can decide."""

    line: int | None
    name: str | None
    text: str
    ask: bool = False

    def __str__(self) -> str:
        """Say it with line and column."""
        place = [f"строка {self.line}"] if self.line else []
        place += [f"столбец {self.name}"] if self.name else []
        return f"{', '.join(place)}: {self.text}" if place else self.text


@dataclass(frozen=True, slots=True)
class Intake:
    """What a table held. Row numbers are physical lines of the file."""

    orders: tuple[NewOrder, ...] = ()
    problems: tuple[Problem, ...] = ()
    totals: tuple[int, ...] = ()  # lines of total rows, left out
    columns: tuple[str, ...] = field(default=HEADER)


@dataclass(frozen=True, slots=True)
class Change:
    """One field in which a row differs from the order it names."""

    name: str
    known: str
    given: str

    def __str__(self) -> str:
        """Say both values."""
        return f"{LABELS[self.name]}: в заказе «{self.known or '—'}», в файле «{self.given or '—'}»"


def read_table(data: bytes) -> Intake:
    """Read a CSV. Never raises for what people save: a file that is no table at all is one problem."""
    try:
        lines, delimiter = split(decode(data), HEADER)
    except Refused as error:
        return Intake(problems=(Problem(None, None, str(error)),))
    lines = [line for line in lines if line.problem or any(line.cells)]
    if not lines:
        return Intake(problems=(Problem(None, None, "файл пуст"),))
    columns = tuple(cell.lstrip("\ufeff") for cell in lines[0].cells)
    wrong = _header_problems(lines[0], columns)
    if wrong:
        return Intake(problems=tuple(wrong), columns=columns)
    return _rows(lines[1:], columns, delimiter)


def _header_problems(line: Line, columns: tuple[str, ...]) -> list[Problem]:
    found = []
    for name in columns:
        twin = find_in_id(name) if find_in_id(name) and skeleton(name).isascii() else None
        if name and name not in HEADER:
            found.append(Problem(line.number, None, f"столбец «{name}» неизвестен{f': {twin}' if twin else ''}"))
        elif name and columns.count(name) > 1:
            found.append(Problem(line.number, name, "столбец стоит дважды"))
    missing = [n for n in HEADER if n not in columns and n not in _OPTIONAL_COLUMNS]
    if missing:
        text = f"в заголовке нет {', '.join(missing)}; он пишется так: {';'.join(HEADER)}"
        found.append(Problem(line.number, None, text))
    return found


def _rows(lines: list[Line], columns: tuple[str, ...], delimiter: str) -> Intake:
    orders: list[NewOrder] = []
    problems: list[Problem] = []
    totals: list[int] = []
    seen: dict[str, tuple[str, int]] = {}
    for line in lines:
        if _is_total(line, columns):
            totals.append(line.number)
            continue
        order, wrong = _row(line, columns, delimiter)
        key = _cell(line, columns, "key")
        if key and skeleton(key) in seen:
            wrong.append(Problem(line.number, "key", _repeated(key, *seen[skeleton(key)])))
        elif key:
            seen[skeleton(key)] = (key, line.number)
        problems += wrong
        if order is not None and not wrong:
            orders.append(order)
    return Intake(tuple(orders), tuple(problems), tuple(totals), columns)


def _repeated(key: str, first: str, line: int) -> str:
    if key == first:
        return f"номер «{key}» уже стоит в строке {line}"
    return f"номер «{key}» отличается от строки {line} только буквами, похожими на вид: {find_in_id(key) or first}"


def _cell(line: Line, columns: tuple[str, ...], name: str) -> str:
    index = columns.index(name) if name in columns else len(line.cells)
    return line.cells[index] if index < len(line.cells) else ""


def _is_total(line: Line, columns: tuple[str, ...]) -> bool:
    key = _cell(line, columns, "key")
    first = key or next((c for c in line.cells if c), "")
    return bool(_TOTAL.match(first))


def _row(line: Line, columns: tuple[str, ...], delimiter: str) -> tuple[NewOrder | None, list[Problem]]:
    if line.problem:
        return None, [Problem(line.number, None, line.problem)]
    extra = [c for c in line.cells[len(columns) :] if c]
    if extra:
        hint = ", сумму с запятой возьмите в кавычки" if delimiter == "," else ""
        text = f"ячеек больше, чем столбцов: {len(line.cells)} вместо {len(columns)}{hint}"
        return None, [Problem(line.number, None, text)]
    given = {name: _cell(line, columns, name) for name in columns if name}
    return _order(given, line.number)


def _order(given: Mapping[str, str], line: int | None) -> tuple[NewOrder, list[Problem]]:
    """Build an order from texts by field; all problems of the row at once."""
    problems: list[Problem] = []
    values: dict[str, str] = {}

    def read(name: str, reader: Callable[[str], str]) -> str:
        try:
            return reader(given.get(name, ""))
        except Refused as error:
            problems.append(Problem(line, name, str(error), ask=isinstance(error, AmbiguousSum)))
            return ""

    key = read("key", check_import_key)
    for name in REQUIRED:
        values[name] = read(name, partial(_text, name))
    values["wishedBy"] = read("wishedBy", lambda text: parse_day(text).isoformat() if text else "")
    values["budget"] = read("budget", lambda text: stored(parse_sum(text)) if text else "")
    order_file = read("orderFile", _path)
    kept = MappingProxyType({name: value for name, value in values.items() if value})
    return NewOrder(key, kept, order_file or None, line), problems


def _text(name: str, text: str) -> str:
    if not text:
        raise Refused(f"не указано: {LABELS[name].lower()}")
    if code := control_character(text):
        raise Refused(f"в тексте недопустимый знак {code}")
    if name != "itemDescription":
        text = " ".join(text.split("\n"))
    if len(text) > _LIMITS[name]:
        raise Refused(f"длиннее {_LIMITS[name]} знаков: {len(text)}")
    return text


def _path(text: str) -> str:
    if control_character(text) or "\n" in text:
        raise Refused("в имени файла недопустимый знак")
    return text


def readable(name: str, value: str) -> str:
    """Render a start variable for people."""
    if name == "budget":
        return format_sum(value)
    return short_day(parse_day(value)) if name == "wishedBy" else value


def changes(order: NewOrder, known: Mapping[str, Scalar]) -> tuple[Change, ...]:
    """Return the fields in which a row differs from the start variables of the order that has its key."""
    found = []
    for name in HEADER[1:-1]:
        was, given = str(known.get(name) or ""), order.values.get(name, "")
        if was != given:
            found.append(Change(name, *(readable(name, v) if v else "" for v in (was, given))))
    return tuple(found)


class IntakeError(Refused):
    """One order could not be understood; `problems` lists all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in problems))


def read_order(text: str) -> NewOrder:
    """Read the JSON of `order-route start`: key, initiator, the start's variables, orderFile as a path.

    Raises IntakeError with all problems; numbers are taken as they are, so `budget: 1.250` is not ambiguous here.
    """
    try:
        data = json.loads(text.removeprefix("\ufeff"), parse_float=Decimal, parse_int=Decimal)
    except json.JSONDecodeError as error:
        raise IntakeError([Problem(error.lineno, None, "это не JSON, проверьте кавычки и запятые")]) from None
    if not isinstance(data, dict):
        raise IntakeError([Problem(None, None, "нужен один заказ: { … }")])
    known = {*HEADER, "initiator"}
    problems = [Problem(None, None, f"поле «{name}» неизвестно") for name in data if name not in known]
    given: dict[str, str] = {}
    for name in known & set(data):
        value = data[name]
        if isinstance(value, Decimal):
            value = f"{value:.2f}" if name == "budget" and value == value.quantize(Decimal("0.01")) else str(value)
        if value is not None and not isinstance(value, str):
            problems.append(Problem(None, None, f"поле «{name}»: нужен текст или число"))
            value = ""
        given[name] = (value or "").strip()
    order, wrong = _order(given, None)
    problems += [Problem(None, None, f"поле «{p.name}»: {p.text}") for p in wrong]
    initiator = given.get("initiator", "")
    if not initiator:
        problems.append(Problem(None, None, "поле «initiator»: не указано, кто заводит заказ"))
    elif twin := find_in_id(initiator):
        problems.append(Problem(None, None, f"поле «initiator»: {twin}"))
    if problems:
        raise IntakeError(problems)
    return NewOrder(order.key, order.values, order.order_file, None, initiator)
