"""What handlers may ask of the world. The composition root (`app`) fills these in; handlers see nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from orders.adjustment import StepLog
from orders.persons import Staff
from orders.snapshot import OrderSnapshot, Promise, Scalar
from orders.stage import Route

Hold = Callable[[], None]
"""Called before each outside call: returns while the work is still ours (its lock is renewed when less than half
is left) and raises when it is not, so that nothing is sent for work that somebody else now does."""


def held() -> None:
    """Hold nothing: for callers that run outside an external task."""


class Engine(Protocol):
    """The part of the engine that a handler may use, through the integration account."""

    def snapshot(self, instance_id: str) -> OrderSnapshot:
        """Read one order, running or ended."""
        ...

    def snapshots(self, instance_ids: Sequence[str]) -> Iterable[OrderSnapshot]:
        """Read many orders in few requests, in this order; one that is gone by now is left out."""
        ...

    def variables(self, instance_id: str) -> Mapping[str, Scalar]:
        """Read one order's variables, running or ended, files left out: one request, a snapshot takes many."""
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

    def file_names(self, instance_id: str) -> Mapping[str, str]:
        """Return the names, as uploaded, of all files that the instance holds now, judged or not, by variable."""
        ...

    def running_instances(self, process_id: str) -> list[str]:
        """Return the ids of the running instances of a process (any version), oldest first."""
        ...

    def moved_instances(self, process_id: str, since: datetime) -> list[str]:
        """Return the ids of the running instances of a process in which a step began or ended since then."""
        ...

    def order_keys(self, process_id: str, since: datetime) -> Mapping[str, str]:
        """Return the business keys, by instance id, of all that run and of those that ended at or after `since`."""
        ...

    def ended_instances(self, process_id: str, since: datetime) -> list[str]:
        """Return the ids of the instances of a process (any version) that ended at or after `since`, oldest first."""
        ...

    def orders_recorded(self, since: datetime) -> list[str]:
        """Return the ids of the orders that a complaint or a cost was recorded about at or after `since`."""
        ...

    def set_variables(self, instance_id: str, variables: Mapping[str, Scalar]) -> None:
        """Write variables of a running instance; only those that the integration account may write."""
        ...

    def discussion(self, instance_id: str) -> str:
        """Return what the order holds of its card's comments (`orders.discussion`), "" for nothing."""
        ...

    def write_discussion(self, instance_id: str, text: str) -> None:
        """Write it, of a running order."""
        ...

    def fit_stand_ins(self, staff: Staff, day: date) -> int:
        """Make the substitutes of that day candidates of the open steps; return how many steps changed."""
        ...

    def write_paper(self, instance_id: str, variable: str, name: str, data: bytes, info: str) -> None:
        """Write a judged file that people added beside the route, and its Info, of a running order."""
        ...

    def promises(self) -> list[Promise]:
        """Return the promised dates of all orders that are in production now."""
        ...

    def step_log(self, instance_id: str) -> StepLog:
        """Return who took an order's steps when, and when the order was suspended."""
        ...

    def entries(self, key: str) -> list[str]:
        """Return the ids of the entries of the register under a key, oldest first, ended ones included."""
        ...

    def propose(self, key: str, values: Mapping[str, Scalar]) -> None:
        """Begin an entry of the register; nothing happens in an engine that does not keep one."""
        ...


class Mirror(Protocol):
    """The card in the portal. Every method is safe to repeat."""

    def reconcile(self, instance_id: str, hold: Hold = held) -> None:
        """Make the card equal to the engine; `hold` before each call. Raises Transient or Permanent."""
        ...

    def tell(self, person: str, text: str, key: str, hold: Hold = held) -> None:
        """Send one notice to a person of the staff file, once per key; `hold` before each call."""
        ...

    def sweep(self, hold: Hold = held) -> int:
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


class Digests(Protocol):
    """The morning's digest."""

    def messages(self, now: datetime) -> Sequence[tuple[str, str]]:
        """Return (person id, text) for everybody who gets one that day."""
        ...


class Clock(Protocol):
    """The present."""

    def now(self) -> datetime:
        """Return the present in UTC, aware."""
        ...
