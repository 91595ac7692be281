"""Users, groups, memberships, authorizations and filters: the calls that bootstrap is made of.

Authorizations go by plain REST: pycamunda calls `/auth`, the engine answers at `/authorization`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pycamunda.group
import pycamunda.user
from pydantic import SecretStr

from engine.calls import Caller
from engine.rest import path_id

GLOBAL, GRANT = 0, 1


@dataclass(frozen=True, slots=True)
class User:
    """A user's profile."""

    id: str
    first: str
    last: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A group; `kind` is WORKFLOW, HEADS or SYSTEM."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Authorization:
    """One row of rights. There is one row per (who, resource, resource id); a second is refused with 500."""

    who: str  # group id, or "*" for everybody (kind GLOBAL)
    resource: int
    resource_id: str
    permissions: frozenset[str]
    kind: int = GRANT
    id: str | None = None

    @property
    def key(self) -> tuple[int, str, int, str]:
        """Return what may exist only once."""
        return self.kind, self.who, self.resource, self.resource_id


class Identity:
    """Calls on users, groups and rights; they need the admin account."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def users(self, **query: Any) -> list[User]:
        """Read users; `query` in pycamunda's names (member_of_group, id_, …)."""
        rows = self._caller.query(pycamunda.user.GetList, sort_by="id_", **query)
        return [User(r["id"], r["firstName"] or "", r["lastName"] or "", r["email"] or "") for r in rows]

    def create_user(self, user: User, password: SecretStr) -> None:
        """Create a user who signs in with that password."""
        request = self._caller.build(
            pycamunda.user.Create,
            id_=user.id,
            first_name=user.first,
            last_name=user.last,
            email=user.email,
            password=password.get_secret_value(),
        )
        self._caller.send(request, "POST", once=True)

    def update_user(self, user: User) -> None:
        """Write a user's name and address."""
        body = {"id": user.id, "firstName": user.first, "lastName": user.last, "email": user.email}
        self._caller.rest("PUT", f"/user/{path_id(user.id)}/profile", body=body)

    def delete_user(self, user_id: str) -> None:
        """Delete a user with all memberships; history keeps the id."""
        self._caller.send(self._caller.build(pycamunda.user.Delete, id_=path_id(user_id)), "DELETE")

    def set_password(self, user_id: str, password: SecretStr) -> None:
        """Set a user's password and lift the wait that failed attempts left.

        The engine asks for the admin's own password in the same call.
        """
        body = {
            "password": password.get_secret_value(),
            "authenticatedUserPassword": self._caller.transport.password.get_secret_value(),
        }
        self._caller.rest("PUT", f"/user/{path_id(user_id)}/credentials", body=body)
        self._caller.send(self._caller.build(pycamunda.user.Unlock, id_=path_id(user_id)), "POST")

    def password_is(self, user_id: str, password: SecretStr) -> bool:
        """Tell whether a user signs in with that password. A wrong one counts as a failed attempt:
        for some seconds after it the engine says no to the right one too.
        """
        body = {"username": user_id, "password": password.get_secret_value()}
        return bool(self._caller.rest("POST", "/identity/verify", body=body).json()["authenticated"])

    def groups(self) -> list[Group]:
        """Read all groups."""
        rows = self._caller.query(pycamunda.group.GetList)
        return [Group(r["id"], r["name"] or "", r["type"] or "") for r in rows]

    def create_group(self, group: Group) -> None:
        """Create a group."""
        request = self._caller.build(pycamunda.group.Create, id_=group.id, name=group.name, type_=group.kind)
        self._caller.send(request, "POST", once=True)

    def update_group(self, group: Group) -> None:
        """Write a group's name and type."""
        body = {"id": group.id, "name": group.name, "type": group.kind}
        self._caller.rest("PUT", f"/group/{path_id(group.id)}", body=body)

    def delete_group(self, group_id: str) -> None:
        """Delete a group with its memberships."""
        self._caller.rest("DELETE", f"/group/{path_id(group_id)}")

    def members(self, group_id: str) -> set[str]:
        """Read the ids of a group's members."""
        return {user.id for user in self.users(member_of_group=group_id)}

    def add_member(self, group_id: str, user_id: str) -> None:
        """Put a user into a group."""
        self._caller.rest("PUT", f"/group/{path_id(group_id)}/members/{path_id(user_id)}", body={}, once=True)

    def remove_member(self, group_id: str, user_id: str) -> None:
        """Take a user out of a group."""
        request = self._caller.build(pycamunda.group.MemberDelete, id_=path_id(group_id), user_id=path_id(user_id))
        self._caller.send(request, "DELETE")

    def authorizations(
        self, *, groups: Iterable[str] = (), everybody: bool = False, only: Mapping[str, Any] | None = None
    ) -> list[Authorization]:
        """Read the rows of these groups, or those for everybody; `only` as in `rights.MANAGED`."""
        query: dict[str, Any] = {"type": GLOBAL} if everybody else {"type": GRANT, "groupIdIn": list(groups)}
        rows = self._caller.rows("/authorization", {**query, **(only or {})}, sort="resourceId")
        return [
            Authorization(
                who=r["groupId"] or r["userId"] or "*",
                resource=r["resourceType"],
                resource_id=r["resourceId"],
                permissions=frozenset(r["permissions"]),
                kind=r["type"],
                id=r["id"],
            )
            for r in rows
        ]

    def create_authorization(self, row: Authorization) -> None:
        """Create a row of rights."""
        self._caller.rest("POST", "/authorization/create", body=_body(row), once=True)

    def update_authorization(self, row_id: str, row: Authorization) -> None:
        """Replace the permissions of a row."""
        self._caller.rest("PUT", f"/authorization/{path_id(row_id)}", body=_body(row))

    def delete_authorization(self, row_id: str) -> None:
        """Delete a row of rights."""
        self._caller.rest("DELETE", f"/authorization/{path_id(row_id)}")

    def filters(self) -> list[dict[str, Any]]:
        """Read all task filters as they come."""
        return list(self._caller.rows("/filter", {"resourceType": "Task"}, sort="filterId"))

    def create_filter(self, name: str, query: dict[str, Any], properties: dict[str, Any]) -> str:
        """Create a task filter and return its id."""
        body = {"resourceType": "Task", "name": name, "query": query, "properties": properties}
        return str(self._caller.rest("POST", "/filter/create", body=body, once=True).json()["id"])

    def update_filter(self, filter_id: str, name: str, query: dict[str, Any], properties: dict[str, Any]) -> None:
        """Replace a task filter."""
        body = {"resourceType": "Task", "name": name, "query": query, "properties": properties}
        self._caller.rest("PUT", f"/filter/{path_id(filter_id)}", body=body)

    def delete_filter(self, filter_id: str) -> None:
        """Delete a task filter."""
        self._caller.rest("DELETE", f"/filter/{path_id(filter_id)}")


def _body(row: Authorization) -> dict[str, Any]:
    return {
        "type": row.kind,
        "permissions": sorted(row.permissions),
        "userId": "*" if row.kind == GLOBAL else None,
        "groupId": row.who if row.kind == GRANT else None,
        "resourceType": row.resource,
        "resourceId": row.resource_id,
    }
