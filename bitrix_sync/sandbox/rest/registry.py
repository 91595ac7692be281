"""The table of REST methods and what a method gets to see of its call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bitrix_sync.sandbox.envelope import Refusal, Reply
from bitrix_sync.sandbox.params import integer
from bitrix_sync.sandbox.store import Doc, Store

if TYPE_CHECKING:
    from bitrix_sync.sandbox.portal import Portal


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one method by the owner of a webhook."""

    portal: Portal
    user: Doc
    params: Mapping[str, Any]
    base: str  # "http://127.0.0.1:8100", as the caller addressed us

    @property
    def store(self) -> Store:
        """Return the portal's state."""
        return self.portal.store

    @property
    def user_id(self) -> int:
        """Return the webhook owner's id."""
        return int(self.user["id"])

    @property
    def admin(self) -> bool:
        """Tell whether the webhook owner is a portal administrator."""
        return bool(self.user.get("admin"))

    def now(self) -> str:
        """Return the present as kept in state: ISO, UTC, seconds."""
        return self.portal.now()

    def show(self, moment: str | None) -> str | None:
        """Write a kept moment the way the portal shows it, with its offset."""
        return self.portal.show(moment)

    def event(self, name: str, fields: Mapping[str, Any]) -> None:
        """Raise an event for the outgoing webhook."""
        self.portal.raise_event(name, fields)


Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Method:
    """One REST method."""

    name: str
    scope: str
    run: Handler
    in_batch: bool = True
    listing: Callable[[], Any] | None = None  # builds the empty answer of a list method
    version: int = 1


METHODS: dict[str, Method] = {}
METHODS_V3: dict[str, Method] = {}


def method(
    name: str, scope: str, *, in_batch: bool = True, empty: Callable[[], Any] | None = None
) -> Callable[[Handler], Handler]:
    """Register a method; names are compared without regard to case. `empty` marks a list method."""

    def register(run: Handler) -> Handler:
        METHODS[name.lower()] = Method(name, scope, run, in_batch, empty)
        return run

    return register


def method_v3(name: str, scope: str) -> Callable[[Handler], Handler]:
    """Register a method of REST 3.0."""

    def register(run: Handler) -> Handler:
        METHODS_V3[name.lower()] = Method(name, scope, run, version=3)
        return run

    return register


def page(rows: list[Any], params: Mapping[str, Any], size: int = 50) -> tuple[list[Any], int, int | None]:
    """Cut one page; returns (rows, total, next). `start=-1` skips counting: total 0, no next."""
    start = integer(params.get("start"))
    if start == -1:
        return rows[:size], 0, None
    start = max(0, start or 0)
    following = start + size
    return rows[start:following], len(rows), following if following < len(rows) else None


def need_admin(call: Call, code: str = "ACCESS_DENIED", text: str = "Access denied") -> None:
    """Refuse callers without administrative rights."""
    if not call.admin:
        raise Refusal(code, text)


def parse_moment(value: Any, zone: Any) -> datetime:
    """Read a date and time; without an offset it is in the portal's zone. Raises ValueError."""
    text = str(value).strip()
    for pattern in ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=zone)
        except ValueError:
            continue
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
