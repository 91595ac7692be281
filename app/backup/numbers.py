"""The highest order number that was given out, as far as anything but the lost engine knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from app.settings import Settings
from bitrix_sync.client import PortalClient
from bitrix_sync.read_schema import TITLE, find_type
from ledger import Ledger
from orders.errors import OrderRouteError

_NUMBER = re.compile(r"ORD-(\d{4})-(\d+)")
UNKNOWN = 1000  # numbers left out where the portal cannot be asked


def highest(keys: Iterable[str]) -> dict[int, int]:
    """Return the highest number by year among business keys."""
    found: dict[int, int] = {}
    for key in keys:
        if match := _NUMBER.fullmatch(key):
            year, number = int(match[1]), int(match[2])
            found[year] = max(found.get(year, 0), number)
    return found


def on_cards(settings: Settings, ledger: Ledger) -> list[str]:
    """Return the business keys of the portal's cards, none where no portal is set. Raises OrderRouteError."""
    if settings.bitrix_webhook_url is None:
        return []
    portal = PortalClient(
        settings.bitrix_webhook_url, ledger, rate=settings.bitrix_rate, burst=float(settings.bitrix_burst)
    )
    return list(_keys(portal, settings.bitrix_entity_type_id))


def _keys(portal: PortalClient, entity_type_id: int | None) -> Iterator[str]:
    kind = find_type(portal, entity_type_id, TITLE)
    if kind is None:
        return
    query = {"entityTypeId": int(kind["entityTypeId"]), "select": ["id", "xmlId"]}
    for row in portal.items("crm.item.list", query, path=("items",)):
        yield str(row.get("xmlId") or "").removeprefix("order:")


def given_out(settings: Settings, ledger: Ledger, before: Iterable[str], now: datetime) -> tuple[dict[int, int], bool]:
    """Return the highest number by year, and whether the portal could be asked.

    `before`: keys that a newer ledger knew. Without an answer from the portal a thousand numbers of this year are left
    out instead: a gap harms nobody, the same number on two orders does.
    """
    known = [*before, *ledger.claimed()]
    try:
        known += on_cards(settings, ledger)
    except OrderRouteError:
        found = highest(known)
        found[now.year] = found.get(now.year, 0) + UNKNOWN
        return found, False
    return highest(known), True
