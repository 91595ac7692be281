"""Any portal for the contract tests: a smart process of our own in it, taken away with all that hangs on it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mirrored import the_route
from pydantic import SecretStr

from bitrix_sync.client import PortalClient, rows_of
from bitrix_sync.errors import PortalRefused
from bitrix_sync.provision import provision
from bitrix_sync.read_schema import DEMO, FOLDER, root_folder
from bitrix_sync.schema import PortalSchema
from ledger import Ledger


@dataclass
class Contract:
    """A portal under test: our client, a smart process of our own in it, and a mark that our things carry."""

    client: PortalClient
    schema: PortalSchema
    title: str
    mark: str
    ledger: Ledger

    def add_card(self, **fields: object) -> int:
        """Make a card and return its number."""
        params = {"entityTypeId": self.schema.entity_type_id, "fields": {"title": self.mark, **fields}}
        return int(self.client.call("crm.item.add", params).map("item")["id"])

    def card(self, number: int) -> dict[str, object]:
        """Read a card."""
        params = {"entityTypeId": self.schema.entity_type_id, "id": number}
        return self.client.call("crm.item.get", params).map("item")


def opened(url: str, folder: Path, *, rate: float, burst: float) -> Iterator[Contract]:
    """Set a portal up, yield it, and take away what the tests made."""
    mark = secrets.token_hex(4)
    title = f"Order Route {mark}{DEMO}"
    ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}")
    client = PortalClient(SecretStr(url), ledger, rate=rate, burst=burst)
    had_folder = root_folder(client, f"{FOLDER}{DEMO}")[1] is not None
    schema = provision(client, the_route(), title=title)
    try:
        yield Contract(client, schema, title, mark, ledger)
    finally:
        _clean(client, schema, had_folder=had_folder)
        ledger.close()


def _clean(client: PortalClient, schema: PortalSchema, *, had_folder: bool) -> None:
    for row in client.items("crm.item.list", {"entityTypeId": schema.entity_type_id}, path=("items",)):
        bound = {"filter": {"UF_CRM_TASK": f"{schema.binding}_{row['id']}"}, "select": ["ID"]}
        for task in rows_of(client.call("tasks.task.list", bound), "tasks"):
            client.call("tasks.task.delete", {"taskId": task["id"]})
        client.call("crm.item.delete", {"entityTypeId": schema.entity_type_id, "id": row["id"]})
    if not had_folder:
        client.call("disk.folder.deletetree", {"id": schema.folder_id})
    with suppress(PortalRefused):  # where fields must go first: the process is empty and named as a demo
        client.call("crm.type.delete", {"id": schema.type_id})
