"""Bootstrap: make the engine's persons, groups, rights and filters equal to the staff file. Repeatable.

It compares before it writes, so a second run changes nothing and says so. Whoever has left the staff file is deleted
(history keeps the id); what that person had claimed goes to the substitute or back to the department.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from pydantic import SecretStr

from engine.accounts import Authorization, Group, User
from engine.client import EngineClient
from engine.errors import BadRequest
from engine.rights import (
    DEPLOYERS,
    FILTER_COLUMNS,
    FILTERS,
    INTEGRATION,
    MANAGED,
    TECHNICAL,
    WORKERS,
    Resource,
    department_filter,
    filter_row,
    managed,
    rows,
)
from engine.standins import hand_on
from orders.persons import GROUPS, Person, Staff

HEADS = "Heads"
DEPARTMENT, HEADS_KIND = "WORKFLOW", "HEADS"
_PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True)
class Technical:
    """The ids of the technical accounts."""

    worker: str = "worker"
    integration: str = "integration"
    deployer: str = "deployer"

    def groups(self) -> dict[str, str]:
        """Return account id -> its group."""
        return {self.worker: WORKERS, self.integration: INTEGRATION, self.deployer: DEPLOYERS}


@dataclass(slots=True)
class BootstrapReport:
    """What a bootstrap did. `passwords` holds those it had to make; they are shown once and kept nowhere."""

    changes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    passwords: dict[str, SecretStr] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Tell whether anything was written."""
        return bool(self.changes)


def bootstrap(
    client: EngineClient,
    staff: Staff,
    definitions: Mapping[str, Iterable[str]],
    passwords: Mapping[str, SecretStr] | None = None,
    *,
    technical: Technical | None = None,
    today: date | None = None,
) -> BootstrapReport:
    """Make persons, groups, rights and filters what they should be, as the admin account.

    `definitions`: process id -> groups that may start it (`engine.deploy.deployed_starters`). `passwords` are set where
    they differ; a person without one gets a generated password once, a technical account must have one. `today`: the
    plant's, for substitutes; without it the host's in UTC.
    """
    work = _Bootstrap(client, staff, passwords or {}, technical or Technical())
    work.groups()
    work.users()
    work.leavers()
    work.memberships()
    work.hand_on(definitions, today or datetime.now(UTC).date())
    work.former_groups()
    work.rights(definitions)
    work.filters()
    return work.report


def reset_password(client: EngineClient, person_id: str, password: SecretStr | None = None) -> SecretStr:
    """Give a person a new password, generated unless given, and return it once. Raises NotFound for a stranger."""
    password = password or new_password()
    client.identity.set_password(person_id, password)
    return password


def new_password() -> SecretStr:
    """Return a random password."""
    return SecretStr(secrets.token_urlsafe(_PASSWORD_BYTES))


def user_of(person: Person) -> User:
    """Return the engine's profile of a person; the first word of the name is the first name."""
    first, _, last = person.name.partition(" ")
    return User(person.id, first, last, person.email)


class _Bootstrap:
    def __init__(
        self, client: EngineClient, staff: Staff, passwords: Mapping[str, SecretStr], technical: Technical
    ) -> None:
        self.client, self.api = client, client.identity
        self.staff, self.passwords, self.technical = staff, passwords, technical
        self.report = BootstrapReport()
        self._members: dict[str, set[str]] = {}
        self._moved: set[str] = set()

    def done(self, text: str) -> None:
        """Note a change."""
        self.report.changes.append(text)

    def groups(self) -> None:
        """Create what is missing, rename what is called otherwise."""
        there = {g.id: g for g in self.api.groups()}
        for group in wanted_groups(self.staff.groups):
            if group.id not in there:
                self.api.create_group(group)
                self.done(f"Создана группа {group.id}")
            elif there[group.id] != group:
                self.api.update_group(group)
                self.done(f"Переименована группа {group.id}")

    def users(self) -> None:
        """Create and update persons and technical accounts."""
        there = {u.id: u for u in self.api.users()}
        wanted = [user_of(p) for p in self.staff.persons]
        wanted += [User(account, account, "(служебная)") for account in self.technical.groups()]
        for user in wanted:
            if user.id not in there:
                self.api.create_user(user, self._first_password(user.id))
                self.done(f"Добавлена учётная запись {user.id}")
                continue
            if there[user.id] != user:
                self.api.update_user(user)
                self.done(f"Обновлены данные {user.id}")
            given = self.passwords.get(user.id)
            if given is not None and not self.api.password_is(user.id, given):
                self.api.set_password(user.id, given)
                self.done(f"Сменён пароль {user.id}")

    def leavers(self) -> None:
        """Delete users of our groups who stand in the staff file no more; name those of no group."""
        present = self._present()
        self._members = {group.id: self.api.members(group.id) for group in wanted_groups(self.staff.groups)}
        former = [self.api.members(group.id) for group in self._former()]
        leaving = set[str]().union(*self._members.values(), *former) - present
        for user_id in sorted(leaving):
            self.api.delete_user(user_id)
            self.done(f"Удалён {user_id}: в файле сотрудников его нет")
        self._members = {name: members - leaving for name, members in self._members.items()}

    def hand_on(self, definitions: Mapping[str, Iterable[str]], today: date) -> None:
        """Take steps from people who are gone or have left the department."""
        kept = set(self.technical.groups()) | {self.client.user}
        said = hand_on(self.client, self.staff, definitions, today, moved=self._moved, kept=kept)
        self.report.changes.extend(said)

    def former_groups(self) -> None:
        """Delete departments that the staff file names no more, with their rights, unless steps wait for them."""
        for group in self._former():
            waiting = len(self.client.tasks.find(candidate_group=group.id, include_assigned_tasks=True))
            if waiting:
                self.report.warnings.append(
                    f"Группы {group.id} в файле сотрудников нет, но её ждут шаги ({waiting}): она осталась без людей"
                )
            for user_id in sorted(self.api.members(group.id)):
                self.api.remove_member(group.id, user_id)
                self.done(f"{user_id}: исключён из группы {group.id}")
            for row in self.api.authorizations(groups=[group.id]) if not waiting else ():
                if managed(row) and row.id:
                    self.api.delete_authorization(row.id)
            if not waiting:
                self.api.delete_group(group.id)
                self.done(f"Удалена группа {group.id}: в файле сотрудников её нет")

    def _former(self) -> list[Group]:
        """Return departments and their heads that were made from an earlier staff file."""
        wanted = {group.id for group in wanted_groups(self.staff.groups)}
        return [g for g in self.api.groups() if g.kind in (DEPARTMENT, HEADS_KIND) and g.id not in wanted]

    def _present(self) -> set[str]:
        return {p.id for p in self.staff.persons} | set(self.technical.groups()) | {self.client.user}

    def memberships(self) -> None:
        """Put everybody into exactly their groups."""
        wanted: dict[str, set[str]] = {group.id: set() for group in wanted_groups(self.staff.groups)}
        for person in self.staff.persons:
            for name in person.groups:
                wanted[name].add(person.id)
            for name in person.heads:
                wanted[name + HEADS].add(person.id)
        for account, name in self.technical.groups().items():
            wanted[name].add(account)
        for name, members in wanted.items():
            there = self._members[name]
            for user_id in sorted(members - there):
                self.api.add_member(name, user_id)
                self.done(f"{user_id}: добавлен в группу {name}")
            for user_id in sorted(there - members):
                self._moved.add(user_id)
                self.api.remove_member(name, user_id)
                self.done(f"{user_id}: исключён из группы {name}")

    def rights(self, definitions: Mapping[str, Iterable[str]]) -> None:
        """Write one row per group and resource; delete rows of ours that the table does not hold."""
        ours = [group.id for group in wanted_groups(self.staff.groups)]
        there = {row.key: row for only in MANAGED for row in self.api.authorizations(groups=ours, only=only)}
        wanted = {row.key: row for row in rows(definitions, self.staff.groups)}
        self._write_rows(there, wanted.values())
        for key, row in there.items():
            if key not in wanted and managed(row) and row.id:
                self.api.delete_authorization(row.id)
                self.done(f"Отобрано право: {row.who}, ресурс {row.resource} {row.resource_id}")

    def filters(self) -> None:
        """Write the Tasklist's filters: those for everybody, and one for the heads of each department.

        One of an earlier name goes, people's own stay.
        """
        wanted = _wanted_filters(self.staff)
        names = {name for name, _, _ in wanted}
        there = {f["name"]: f for f in self.api.filters()}
        for name in sorted(name for name, old in there.items() if name not in names and not old.get("owner")):
            self.api.delete_filter(str(there[name]["id"]))
            self.done(f"Удалён фильтр «{name}»")
        heads = [group + HEADS for group in self.staff.groups]
        seen = [
            *self.api.authorizations(everybody=True),
            *self.api.authorizations(groups=heads, only={"resourceType": int(Resource.FILTER)}),
        ]
        shown = {row.key: row for row in seen}
        for place, (name, query, group) in enumerate(wanted, 1):
            properties = _filter_properties(place)
            try:
                filter_id = self._filter(there.get(name), name, dict(query), properties)
            except BadRequest as error:
                if "stored queries" not in str(error):
                    raise
                self.report.warnings.append("Фильтры Tasklist не созданы: движок запрещает выражения в фильтрах")
                return
            self._write_rows(shown, [filter_row(filter_id, group)])

    def _filter(
        self, old: Mapping[str, object] | None, name: str, query: dict[str, object], properties: dict[str, object]
    ) -> str:
        if old is None:
            created = self.api.create_filter(name, query, properties)
            self.done(f"Создан фильтр «{name}»")
            return created
        filter_id = str(old["id"])
        if not _same_filter(old, query, properties):
            self.api.update_filter(filter_id, name, query, properties)
            self.done(f"Обновлён фильтр «{name}»")
        return filter_id

    def _write_rows(
        self, there: Mapping[tuple[int, str, int, str], Authorization], wanted: Iterable[Authorization]
    ) -> None:
        for row in wanted:
            old = there.get(row.key)
            if old is None:
                self.api.create_authorization(row)
                self.done(f"Дано право: {row.who}, ресурс {row.resource} {row.resource_id}")
            elif old.permissions != row.permissions and old.id:
                self.api.update_authorization(old.id, row)
                self.done(f"Изменено право: {row.who}, ресурс {row.resource} {row.resource_id}")

    def _first_password(self, user_id: str) -> SecretStr:
        if user_id in self.passwords:
            return self.passwords[user_id]
        self.report.passwords[user_id] = new_password()
        return self.report.passwords[user_id]


def wanted_groups(departments: Mapping[str, str] = GROUPS) -> list[Group]:
    """Return all groups: departments, their heads, technical ones."""
    return [
        *(Group(name, title, DEPARTMENT) for name, title in departments.items()),
        *(Group(name + HEADS, f"руководители: {title}", HEADS_KIND) for name, title in departments.items()),
        *(Group(name, title, "SYSTEM") for name, title in TECHNICAL.items()),
    ]


def _wanted_filters(staff: Staff) -> list[tuple[str, Mapping[str, object], str | None]]:
    """Return (name, query, group that sees it or None for everybody) in the order in which people see them."""
    common: list[tuple[str, Mapping[str, object], str | None]] = [(n, q, None) for n, q in FILTERS.items()]
    headed = {group for person in staff.persons for group in person.heads}
    return common + [
        (f"Отдел: {title}", department_filter(group), group + HEADS)
        for group, title in staff.groups.items()
        if group in headed
    ]


def _filter_properties(place: int) -> dict[str, object]:
    return {
        "priority": place,
        "refresh": True,
        "variables": [{"name": name, "label": label} for name, label in FILTER_COLUMNS],
    }


def _same_filter(old: Mapping[str, object], query: dict[str, object], properties: dict[str, object]) -> bool:
    """Compare what we set; the engine adds fields of its own to both."""
    return all(_holds(old.get(part), wanted) for part, wanted in (("query", query), ("properties", properties)))


def _holds(there: object, wanted: Mapping[str, object]) -> bool:
    return isinstance(there, Mapping) and all(there.get(name) == value for name, value in wanted.items())
