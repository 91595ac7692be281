"""The persons of the demo: each acts by the engine's REST as themselves, with their own account and rights."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping

from pydantic import SecretStr

from app.demo.files import MadeFile
from engine.client import EngineClient
from engine.processes import Instance
from engine.variables import FileValue
from orders.persons import Person, Staff


class People:
    """Clients of all persons, made when they first act; safe to use from several threads."""

    def __init__(self, url: str, staff: Staff, passwords: Mapping[str, str]) -> None:
        self._url, self._staff, self._passwords = url, staff, passwords
        self._clients: dict[str, EngineClient] = {}
        self._lock = threading.Lock()

    def pick(self, group: str, rng: random.Random) -> Person:
        """Choose a member of a group."""
        return rng.choice(self._staff.members(group))

    def known(self, person: str) -> Person:
        """Return a person of the staff file."""
        found = self._staff.find(person)
        if found is None:
            raise KeyError(person)
        return found

    def client(self, person: str) -> EngineClient:
        """Return the client of a person's own account."""
        with self._lock:
            if person not in self._clients:
                self._clients[person] = EngineClient(self._url, person, SecretStr(self._passwords[person]))
            return self._clients[person]

    def start(self, person: str, process: str, values: Mapping[str, object], key: str | None = None) -> Instance:
        """Start a process as that person. Raises GateRefused with the sentence."""
        return self.client(person).processes.start(process, wire(values), business_key=key)

    def finish(self, person: str, task_id: str, values: Mapping[str, object]) -> None:
        """Claim a task and complete it as that person."""
        self.client(person).tasks.claim(task_id, person)
        self.complete(person, task_id, values)

    def complete(self, person: str, task_id: str, values: Mapping[str, object]) -> None:
        """Complete a task as that person, claimed before or not at all."""
        self.client(person).tasks.complete(task_id, wire(values))

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()


def wire(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values as the engine's client takes them: files become typed file variables."""
    return {
        name: FileValue(value.name, value.data, value.mime) if isinstance(value, MadeFile) else value
        for name, value in values.items()
    }
