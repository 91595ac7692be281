"""Who works here: persons, groups, heads, substitutes. Values only; `orders.staff` reads the file.

Groups are those of the diagram. The manager of a task is the head of its group, else the production directors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from orders.errors import OrderRouteError

GROUPS: dict[str, str] = {
    "orderCreators": "создатели заказов",
    "commercial": "коммерческий отдел",
    "directors": "дирекция",
    "designers": "конструкторское бюро",
    "accounting": "бухгалтерия",
    "productionDirectors": "директор по производству",
    "workshop": "экспериментальный цех",
    "shipping": "служба доставки",
    "analysts": "аналитики процессов",
    "auditors": "аудиторы",
    "operators": "операторы системы",
}
"""Staff groups: id -> how people call the department."""

CREATORS = "orderCreators"  # who may start an order
TECHNICAL_GROUPS = ("workers", "integration", "deployers", "operaton-admin")
FALLBACK_MANAGERS = "productionDirectors"


class StaffError(OrderRouteError):
    """The staff file is wrong; `problems` lists everything that is, each a Russian sentence naming the line."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("Файл сотрудников с ошибками:\n" + "\n".join(f"— {p}" for p in self.problems))


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in the plant's zone, both ends included."""

    first: date
    last: date

    def __contains__(self, day: object) -> bool:
        """Tell whether a day lies in the period."""
        return isinstance(day, date) and self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Substitute:
    """Who stands in for a person, and when; during it the person is away."""

    person: str
    period: Period


@dataclass(frozen=True, slots=True)
class Person:
    """One member of staff. `week` holds the weekdays worked, Monday = 0."""

    id: str
    name: str
    groups: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    phone: str = ""
    email: str = ""
    bitrix_id: int | None = None
    language: str = "ru"
    substitutes: tuple[Substitute, ...] = ()
    week: frozenset[int] = frozenset(range(7))
    away: tuple[Period, ...] = ()

    def present(self, day: date) -> bool:
        """Tell whether the person works on a day; the plant's holidays are the calendar's matter, not asked here."""
        absent = any(day in p for p in self.away) or any(day in s.period for s in self.substitutes)
        return not absent and day.weekday() in self.week


@dataclass(frozen=True, slots=True)
class Staff:
    """All persons in the order of the file; that order breaks ties."""

    persons: tuple[Person, ...] = ()
    own_groups: Mapping[str, str] = field(
        default_factory=dict, hash=False
    )  # departments that the file adds: id -> name
    shared_bitrix: int | None = None  # a portal user who stands for several persons: nobody's own number
    _by_id: dict[str, Person] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the persons by id."""
        self._by_id.update({p.id: p for p in self.persons})

    @property
    def groups(self) -> dict[str, str]:
        """Return all departments, those of the file included: id -> how people call it."""
        return {**GROUPS, **self.own_groups}

    def title(self, group: str) -> str:
        """Return how people call a department, or the id of one that nobody knows."""
        return self.groups.get(group, group)

    def find(self, person_id: str | None) -> Person | None:
        """Return the person with that id, or None."""
        return self._by_id.get(person_id) if person_id else None

    def name(self, person_id: str | None) -> str:
        """Return how to call a person: the name, else the id of someone who has left the file, else «—»."""
        person = self.find(person_id)
        return person.name if person else (person_id or "—")

    def of_bitrix(self, bitrix_id: int) -> Person | None:
        """Return the person with that Bitrix24 user id, None for a number that several share."""
        if bitrix_id == self.shared_bitrix:
            return None
        return next((p for p in self.persons if p.bitrix_id == bitrix_id), None)

    def members(self, *groups: str) -> tuple[Person, ...]:
        """Return the members of any of the groups, each once, in file order."""
        return tuple(p for p in self.persons if set(groups) & set(p.groups))

    def head(self, group: str) -> Person | None:
        """Return the first head of a group, or None."""
        return next(iter(self.heads(group)), None)

    def heads(self, *groups: str) -> tuple[Person, ...]:
        """Return those who head any of the groups, in file order."""
        return tuple(p for p in self.persons if set(groups) & set(p.heads))

    def managers(self, groups: Iterable[str]) -> tuple[Person, ...]:
        """Return who answers for a task of these groups: their heads, else the production directors."""
        return self.heads(*groups) or self.members(FALLBACK_MANAGERS)

    def manager(self, group: str) -> Person | None:
        """Return the manager of a task of one group, or None in a staff without production directors."""
        return next(iter(self.managers((group,))), None)

    def substitutes(self, person_id: str, day: date) -> tuple[Person, ...]:
        """Return the present persons who stand in for someone on a day; a substitute's own substitute counts."""
        found: list[Person] = []
        queue, seen = [person_id], {person_id}
        while queue:
            person = self.find(queue.pop(0))
            for entry in person.substitutes if person else ():
                stand_in = self.find(entry.person)
                if day not in entry.period or stand_in is None or stand_in.id in seen:
                    continue
                seen.add(stand_in.id)
                if stand_in.present(day):
                    found.append(stand_in)
                else:
                    queue.append(stand_in.id)
        return tuple(found)

    def substituted_in(self, groups: Iterable[str], day: date) -> tuple[Person, ...]:
        """Return outsiders who stand in for absent members of the groups: candidate users of their open tasks."""
        members = self.members(*groups)
        stand_ins = [s for m in members if not m.present(day) for s in self.substitutes(m.id, day)]
        return tuple(dict.fromkeys(s for s in stand_ins if s not in members))

    def holder_candidates(
        self, groups: Iterable[str], day: date, *, users: Iterable[str] = (), assignee: str | None = None
    ) -> tuple[Person, ...]:
        """Return who may be addressed with a step, best first.

        With an assignee: that person if present, else the substitutes, else the person all the same. Without: present
        members, then present candidate users and substitutes, then absent members (a step is never left to nobody).
        """
        if assignee:
            person = self.find(assignee)
            if person is None or not person.present(day):
                away = (person,) if person else ()
                return self.substitutes(assignee, day) or away or self.holder_candidates(groups, day, users=users)
            return (person,)
        groups = tuple(groups)
        members = self.members(*groups)
        extra = [p for u in users if (p := self.find(u)) is not None and p.present(day)]
        present = [p for p in members if p.present(day)]
        absent = [p for p in members if not p.present(day)]
        return tuple(dict.fromkeys([*present, *extra, *self.substituted_in(groups, day), *absent]))

    def department(self, person_id: str | None, groups: Iterable[str] = ()) -> str:
        """Return the department's name that a person works in, preferring the task's own groups."""
        person = self.find(person_id)
        wanted = tuple(groups)
        own = person.groups if person else ()
        ranked = [g for g in wanted if g in own] or list(wanted) or [g for g in own if g != "orderCreators"]
        return self.title(ranked[0]) if ranked else "—"
