"""Read the staff file (TOML): every problem at once, each with its line, nothing half applied."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from orders.dates import parse_day
from orders.errors import Refused
from orders.persons import GROUPS, TECHNICAL_GROUPS, Period, Person, Staff, StaffError, Substitute
from orders.tomlread import TomlProblem, load_toml
from orders.twins import find_in_id

__all__ = ["GROUPS", "Period", "Person", "Staff", "StaffError", "Substitute", "id_problem", "read_staff"]

_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_DAYS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
_KNOWN = {"id", "name", "groups", "heads", "phone", "email", "bitrix", "language", "substitute", "week", "away"}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def read_staff(text: str) -> Staff:
    """Read `[[person]]` and `[[group]]` tables. Raises StaffError with all problems; no persons at all is one."""
    try:
        data = load_toml(text)
    except TomlProblem as error:
        raise StaffError([str(error)]) from None
    tables = data.get("person")
    known = ("person", "group", "sharedBitrix")
    problems = [f"«{name}» здесь неизвестно, сотрудники пишутся как [[person]]" for name in data if name not in known]
    own_groups = _own_groups(data.get("group", []), problems)
    shared = data.get("sharedBitrix")
    if shared is not None and (isinstance(shared, bool) or not isinstance(shared, int) or shared < 1):
        problems.append(f"sharedBitrix «{shared}»: нужен номер пользователя Битрикс24, целое число больше нуля")
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables) or not tables:
        raise StaffError([*problems, "нет ни одного сотрудника [[person]]"])
    lines = _table_lines(text)
    lines += [1] * (len(tables) - len(lines))  # tables written inline have no heading of their own
    readers = [_Reader(table, line, {**GROUPS, **own_groups}) for table, line in zip(tables, lines, strict=False)]
    persons = [reader.person() for reader in readers]
    for reader in readers:
        problems += reader.problems
    problems += _between(persons, lines, shared)
    if problems:
        raise StaffError(problems)
    return Staff(tuple(persons), own_groups, shared_bitrix=shared)


def _own_groups(tables: Any, problems: list[str]) -> dict[str, str]:
    """Read the departments that the file adds: `[[group]]` with id and name. Problems are added to the list."""
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        problems.append('отделы пишутся как [[group]] с полями id = "…" и name = "…"')
        return {}
    found: dict[str, str] = {}
    for table in tables:
        id_, name = str(table.get("id", "")), str(table.get("name", "")).strip()
        why = id_problem("группа", id_)
        if why is None and (id_ in GROUPS or id_ in TECHNICAL_GROUPS or id_ in found):
            why = f"группа «{id_}» уже есть"
        if why is None and id_.lower().endswith("heads"):
            why = f"группа «{id_}»: на Heads кончаются группы руководителей"
        if why is None and (not name or set(table) != {"id", "name"}):
            why = f"группа «{id_}»: нужны ровно id и name"
        if why:
            problems.append(why)
        else:
            found[id_] = name
    return found


def id_problem(kind: str, value: str) -> str | None:
    """Say what is wrong with an id of a person or a group, or None; the engine takes letters and digits only."""
    if twin := find_in_id(value):
        return f"{kind}: {twin}"
    if not _ID.fullmatch(value):
        return f"{kind} «{value}»: допустимы только латинские буквы и цифры, без дефисов и пробелов, не больше 64"
    return None


def _table_lines(text: str) -> list[int]:
    return [n for n, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*person\s*]]", line)]


class _Reader:
    """One table; collects what is wrong instead of stopping at the first thing."""

    def __init__(self, table: Mapping[str, Any], line: int, known: Mapping[str, str]) -> None:
        self.table, self.line, self.known, self.problems = table, line, known, list[str]()

    def problem(self, text: str | None) -> None:
        """Note a problem of this person."""
        if text:
            self.problems.append(f"строка {self.line}, сотрудник «{self.table.get('id', '?')}»: {text}")

    def person(self) -> Person:
        """Build the person; what is wrong gets a harmless stand-in and a problem."""
        for name in sorted(set(self.table) - _KNOWN):
            self.problem(f"поле «{name}» неизвестно")
        person_id = self.line_of("id", needed=True)
        self.problem(id_problem("id", person_id) if person_id else None)
        email = self.line_of("email")
        if email and not _EMAIL.fullmatch(email):
            self.problem(f"email «{email}» не похож на адрес")
        language = self.line_of("language") or "ru"
        if language not in ("ru", "en"):
            self.problem(f"language «{language}»: есть ru и en")
        return Person(
            id=person_id,
            name=self.line_of("name", needed=True),
            groups=self.groups("groups", needed=True),
            heads=self.groups("heads"),
            phone=self.line_of("phone"),
            email=email,
            bitrix_id=self.bitrix(),
            language=language,
            substitutes=self.substitutes(),
            week=self.week(),
            away=tuple(p for text in self.strings("away") if (p := self.period(text))),
        )

    def line_of(self, name: str, *, needed: bool = False) -> str:
        """Read one line of text."""
        value = self.table.get(name, "")
        if not isinstance(value, str):
            self.problem(f"{name} должно быть текстом в кавычках")
            return ""
        if needed and not value.strip():
            self.problem(f"не указано {name}")
        return value.strip()

    def strings(self, name: str) -> list[str]:
        """Read a list of texts."""
        value = self.table.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.problem(f'{name} должно быть списком: ["…", "…"]')
            return []
        return value

    def groups(self, name: str, *, needed: bool = False) -> tuple[str, ...]:
        """Read a list of groups; each must be known."""
        values = self.strings(name)
        if needed and not values:
            self.problem("не указана ни одна группа")
        for value in values:
            if value in TECHNICAL_GROUPS:
                self.problem(f"группа «{value}» служебная, людей в ней нет")
            elif value not in self.known:
                why = id_problem("группа", value)
                self.problem(why or f"нет группы «{value}»; есть: {', '.join(self.known)}")
        return tuple(dict.fromkeys(values))

    def bitrix(self) -> int | None:
        """Read the Bitrix24 user id: a positive whole number, or nothing."""
        value = self.table.get("bitrix")
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            self.problem(f"bitrix «{value}»: нужен номер пользователя Битрикс24, целое число больше нуля")
            return None
        return value

    def week(self) -> frozenset[int]:
        """Read the weekdays that the person works."""
        names = self.strings("week") or list(_DAYS)
        for name in names:
            if name not in _DAYS:
                self.problem(f"день недели «{name}»: есть {', '.join(_DAYS)}")
        return frozenset(_DAYS[name] for name in names if name in _DAYS)

    def substitutes(self) -> tuple[Substitute, ...]:
        """Read `substitute`: one table or a list of tables {person, from, to}."""
        value = self.table.get("substitute", [])
        entries = value if isinstance(value, list) else [value]
        found = []
        for entry in entries:
            if not isinstance(entry, dict) or set(entry) != {"person", "from", "to"}:
                self.problem('substitute пишется как { person = "…", from = "02.11.2026", to = "13.11.2026" }')
                continue
            period = self.period(f"{entry['from']}..{entry['to']}")
            if period:
                found.append(Substitute(str(entry["person"]), period))
        return tuple(found)

    def period(self, text: str) -> Period | None:
        """Read `dd.mm.yyyy..dd.mm.yyyy` (ISO too) or one day."""
        first, _, last = text.partition("..")
        try:
            days = parse_day(first), parse_day(last or first)
        except Refused as error:
            self.problem(str(error))
            return None
        if days[0] > days[1]:
            self.problem(f"период «{text}» кончается раньше, чем начинается")
            return None
        return Period(*days)


def _between(persons: list[Person], lines: list[int], shared: object) -> Iterable[str]:
    """Return the problems that show only when all persons are known."""
    where = list(zip(persons, lines, strict=False))
    ids = Counter(p.id for p in persons if p.id)
    portal = Counter(p.bitrix_id for p in persons if p.bitrix_id is not None)
    lower: dict[str, str] = {}
    for person, line in where:
        place = f"строка {line}, сотрудник «{person.id}»"
        other = lower.setdefault(person.id.lower(), person.id)
        if person.id and ids[person.id] > 1:
            yield f"{place}: такой id стоит в файле {ids[person.id]} раза"
        elif other != person.id:
            yield f"{place}: id отличается от «{other}» только размером букв"
        if person.bitrix_id not in (None, shared) and portal[person.bitrix_id] > 1:
            yield f"{place}: номер Битрикс24 {person.bitrix_id} указан у нескольких сотрудников"
        for entry in person.substitutes:
            if entry.person == person.id:
                yield f"{place}: замещает сам себя"
            elif entry.person not in {p.id for p in persons}:
                yield f"{place}: заместителя «{entry.person}» нет в файле{_hint(entry.person)}"


def _hint(person_id: str) -> str:
    twin = find_in_id(person_id)
    return f" ({twin})" if twin else ""
