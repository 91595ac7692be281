"""What handlers may ask of the world. The composition root (`app`) fills these in; handlers see nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from orders.snapshot import OrderSnapshot, Scalar
from orders.stage import Route


class Engine(Protocol):
    """The part of the engine that a handler may use, through the integration account."""

    def snapshot(self, instance_id: str) -> OrderSnapshot:
        """Read one order, running or ended."""
        ...

    def route(self, definition_id: str) -> Route:
        """Read the deployed diagram of that version (cached)."""
        ...

    def file_bytes(self, instance_id: str, variable: str) -> tuple[str, bytes]:
        """Return (name as uploaded, bytes) of a file variable of a running or ended order."""
        ...

    def correlate(self, message: str, instance_id: str, variables: Mapping[str, Scalar]) -> bool:
        """Send a message to one instance; False where nothing waits for it any more."""
        ...

    def instances_of(self, business_key: str) -> list[str]:
        """Return the ids of all instances of the route with that key, oldest first, ended ones included."""
        ...


class Mirror(Protocol):
    """The card in the portal. Every method is safe to repeat."""

    def reconcile(self, instance_id: str) -> None:
        """Make the card equal to the engine. Raises PortalUnavailable, Transient or Permanent."""
        ...

    def tell(self, person: str, text: str, key: str) -> None:
        """Send one notice to a person of the staff file, once per key."""
        ...

    def sweep(self) -> int:
        """Repair every open order's card and those ended lately; return how many orders were looked at."""
        ...


class Claims(Protocol):
    """Unique starts: the first instance of a key goes on."""

    def claim(self, business_key: str, instance_id: str) -> str:
        """Return the instance id that owns the key; it is `instance_id` if this call took it."""
        ...


class Judge(Protocol):
    """The file judge."""

    def judge(self, name: str, data: bytes) -> tuple[bool, str]:
        """Return (accepted, clean name) or (False, one Russian sentence that says why and what to do)."""
        ...


class Deadlines(Protocol):
    """Norms on the plant's working calendar."""

    def due(self, start: datetime, norm: str, variables: Mapping[str, Scalar]) -> datetime | None:
        """Return the instant (UTC) at which a norm that began at `start` has passed."""
        ...


class Mail(Protocol):
    """Outgoing e-mail; absent unless SMTP is set."""

    def send(self, to: str, subject: str, text: str, key: str) -> None:
        """Send one message, once per key (its Message-ID)."""
        ...


class Clock(Protocol):
    """The present."""

    def now(self) -> datetime:
        """Return the present in UTC, aware."""
        ...
