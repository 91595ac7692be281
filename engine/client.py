"""The client of the engine: one account, many threads, every call with a time limit.

    client = EngineClient(url, "integration", SecretStr("…"))
    client.as_person("ivanov").tasks.complete(task_id, {"directorDecision": "approve"})

Calls stand by subject: `tasks`, `processes`, `external`, `history`, `deployments`, `identity`, `migrations`.
pycamunda's request classes build what they can build; our own session sends it (see `engine.rest`), so limits, account
and the errors of `engine.errors` are the same for every call.
"""

from __future__ import annotations

import re
from types import TracebackType

from pydantic import SecretStr

from engine.accounts import Identity
from engine.calls import Caller
from engine.deploy import Deployments
from engine.external import External
from engine.history import History
from engine.migration import Migrations
from engine.processes import Processes
from engine.rest import CONNECT_SECONDS, READ_SECONDS, Transport
from engine.steps import Steps
from engine.tasks import Tasks

_PERSON = re.compile(r"[A-Za-z0-9]{1,64}")


class EngineClient:
    """Calls the engine as one account, or with `on_behalf_of` as one person of the staff.

    `timeout` is the longest wait for an answer in seconds. Clients made by `as_person` share the connections.
    """

    def __init__(
        self,
        base_url: str,
        user: str,
        password: SecretStr,
        *,
        timeout: float = READ_SECONDS,
        connect_timeout: float = CONNECT_SECONDS,
        on_behalf_of: str | None = None,
    ) -> None:
        transport = Transport(base_url, user, password, connect=connect_timeout, timeout=timeout)
        self._wire(Caller(transport, _checked(on_behalf_of)))

    def _wire(self, caller: Caller) -> None:
        self.caller = caller
        self.tasks = Tasks(caller)
        self.processes = Processes(caller)
        self.external = External(caller)
        self.history = History(caller)
        self.steps = Steps(caller)
        self.deployments = Deployments(caller)
        self.identity = Identity(caller)
        self.migrations = Migrations(caller)

    @property
    def user(self) -> str:
        """Return whom the engine takes the caller for: the person acted for, else the account."""
        return self.caller.on_behalf_of or self.caller.transport.user

    def as_person(self, person_id: str) -> EngineClient:
        """Return a client that acts as that person (the account must be the integration's)."""
        return self._twin(_checked(person_id))

    def direct(self) -> EngineClient:
        """Return a client that acts as the account itself."""
        return self._twin(None)

    def version(self) -> str:
        """Read the engine's version; a cheap way to prove address and account."""
        return str(self.caller.rest("GET", "/version").json()["version"])

    def close(self) -> None:
        """Close the connections of this client and its twins."""
        self.caller.transport.close()

    def _twin(self, on_behalf_of: str | None) -> EngineClient:
        twin = object.__new__(EngineClient)
        twin._wire(Caller(self.caller.transport, on_behalf_of))
        return twin

    def __enter__(self) -> EngineClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EngineClient({self.caller.url!r}, as {self.user!r})"


def _checked(person_id: str | None) -> str | None:
    if person_id is not None and not _PERSON.fullmatch(person_id):
        raise ValueError("a person's id is letters and digits: it travels in a header")
    return person_id
