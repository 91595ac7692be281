"""The mirror of a shop with a portal: built when it is first needed, anew when a deployed diagram asks for more.

A worker must start while the portal is away, and a newly deployed stage brings a column that the names read at the
start do not hold.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bitrix_sync.client import PortalClient
from bitrix_sync.compare import Difference
from bitrix_sync.errors import NoColumn
from bitrix_sync.php import as_map
from bitrix_sync.provision import provision
from bitrix_sync.read_schema import column_directory, read_schema
from bitrix_sync.reconcile import Reconciler
from bitrix_sync.schema import PortalSchema
from bitrix_sync.values import instant
from orders.ports import Hold, held
from orders.stage import Route


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card as the kanban shows it. `order` is the business key of ours, None for a card that people made."""

    item_id: int
    title: str
    column: str
    order: str | None = None
    made: datetime | None = None


class LazyMirror:
    """Fulfils `orders.ports.Mirror`.

    `route` gives the newest deployed route as seen lately, `forget` makes it look anew, `build` gives the reconciler
    for the portal's names.
    """

    def __init__(
        self,
        portal: PortalClient,
        entity_type_id: int | None,
        route: Callable[[], Route],
        build: Callable[[PortalSchema], Reconciler],
        forget: Callable[[], None],
    ) -> None:
        self._portal, self._entity, self._route, self._build = portal, entity_type_id, route, build
        self._forget = forget
        self._made: tuple[Route, Reconciler] | None = None
        self._lock = threading.Lock()

    def reconcile(self, instance_id: str, hold: Hold = held) -> None:
        """Make one card equal to the engine.

        A diagram may be newer than the one seen last: before an order is said to have no column, it is read anew.
        """
        try:
            self.real().reconcile(instance_id, hold)
        except NoColumn:
            self._forget()
            self.real().reconcile(instance_id, hold)

    def tell(self, person: str, text: str, key: str, hold: Hold = held) -> None:
        """Send one notice, once per key."""
        self.real().tell(person, text, key, hold)

    def sweep(self, hold: Hold = held) -> int:
        """Repair every open order's card and those ended lately."""
        return self.real().sweep(hold)

    def differences(self, instance_id: str, *, deep: bool = False) -> list[Difference]:
        """Name everything in which card and engine differ."""
        return self.real().differences(instance_id, deep=deep)

    def mend(self, instance_id: str) -> None:
        """Repair one card by what the portal really shows, whatever the ledger holds to be there."""
        self.real().mend(instance_id)

    def recreate(self, instance_id: str) -> None:
        """Make a deleted card anew."""
        self.real().recreate(instance_id)

    def erase(self, key: str) -> dict[str, int]:
        """Take an ended order's content out of the portal."""
        return self.real().erase(key)

    def provision(self) -> PortalSchema:
        """Set the portal up for the newest route; repeatable."""
        return provision(self._portal, self._route(), entity_type_id=self._entity)

    def columns(self) -> list[str]:
        """Return the titles of the funnel's columns in their order."""
        return list(self._titles().values())

    def cards(self) -> list[ShownCard]:
        """Return all cards of the smart process with the titles of their columns."""
        schema, titles = self.real().schema, self._titles()
        rows = self._portal.items("crm.item.list", {"entityTypeId": schema.entity_type_id}, path=("items",))
        return [_shown(row, titles) for row in rows]

    def real(self) -> Reconciler:
        """Return the reconciler for the newest route. Raises PortalUnavailable while the names cannot be read."""
        route = self._route()
        with self._lock:
            if self._made is None or self._made[0] is not route:
                schema = read_schema(self._portal, route, entity_type_id=self._entity)
                self._made = (route, self._build(schema))
            return self._made[1]

    def orphans(self, known: Set[str], since: datetime) -> list[ShownCard]:
        """Return the cards made since then whose order the engine does not know: what a restore leaves behind.

        An older card may belong to an order whose history the engine has removed in its time.
        """
        cards = [card for card in self.cards() if card.order is not None and card.order not in known]
        return [card for card in cards if card.made is None or card.made >= since]

    def _titles(self) -> dict[str, str]:
        schema = self.real().schema
        directory = column_directory(schema.entity_type_id, schema.category_id)
        query = {"filter": {"ENTITY_ID": directory}, "order": {"SORT": "ASC"}}
        rows = self._portal.call("crm.status.list", query).result
        return {str(as_map(r)["STATUS_ID"]): str(as_map(r)["NAME"]) for r in rows}


def _shown(row: Mapping[str, Any], titles: Mapping[str, str]) -> ShownCard:
    key = str(row.get("xmlId") or "")
    return ShownCard(
        item_id=int(row["id"]),
        title=str(row["title"]),
        column=titles.get(str(row["stageId"]), "—"),
        order=key.removeprefix("order:") if key.startswith("order:") else None,
        made=instant(row.get("createdTime")),
    )
