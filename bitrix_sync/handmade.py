"""A card that somebody made by hand: the request of an order, if that person may start one.

The order gets the card's own number as its key, so a repeat finds what was started. What is missing is told once, and
the card is looked at again whenever it changes; the card of a person who may not start orders goes to the lost column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from bitrix_sync.card import Notice
from bitrix_sync.client import Command, rows_of
from bitrix_sync.desk import NO_CREATOR, Desk, NotEntitled
from bitrix_sync.envelope import BatchAnswer
from bitrix_sync.errors import PortalRefused
from bitrix_sync.guard import Guarded
from bitrix_sync.inward import read_fields
from bitrix_sync.notes import comment_params, send
from bitrix_sync.retry import Kind
from bitrix_sync.schema import PortalSchema, columns_of
from bitrix_sync.values import instant
from bitrix_sync.work import card_key
from ledger import Ledger
from orders import keys
from orders.errors import Refused
from orders.persons import CREATORS, Person, Staff
from orders.stage import Route

AFTER = "hand:after"  # the ledger's cursor: all cards up to this id are settled
PATIENCE = timedelta(days=7)  # so long a card that lacks something may wait for its author
LOOKS = 2  # at each state of a card that lacks something
SELECT = ["id", "xmlId", "createdBy", "createdTime", "updatedTime", "stageId"]

log = structlog.get_logger(__name__)


def commands(schema: PortalSchema, ledger: Ledger) -> dict[str, Command]:
    """Return the reads that show new cards: the first that are not settled, and the newest of all."""
    base: dict[str, Any] = {"entityTypeId": schema.entity_type_id, "select": SELECT, "start": -1}
    after = int(ledger.cursor(AFTER) or 0)
    return {
        "made": ("crm.item.list", base | {"filter": {">id": after}, "order": {"id": "ASC"}}),
        "newest": ("crm.item.list", base | {"order": {"id": "DESC"}, "filter": {">id": after}}),
    }


class HandMade:
    """Looks at the cards of one portal; one per process."""

    def __init__(self, ledger: Ledger, staff: Staff) -> None:
        self._ledger, self._staff = ledger, staff
        self._seen: dict[int, tuple[str, int]] = {}  # card that lacks something -> when it was changed, looks since

    def look(self, guard: Guarded, schema: PortalSchema, desk: Desk, answers: BatchAnswer) -> None:
        """Start, refuse or leave waiting what the reads of `commands` show. Raises Transient: looked at again."""
        rows = {int(r["id"]): r for name in ("made", "newest") for r in rows_of(answers[name], "items")}
        route = desk.newest_route()
        settled = self._ledger.effects(hand_key(schema, card) for card in rows)
        open_cards = []
        for card in sorted(rows):
            if hand_key(schema, card) in settled or not self._by_hand(guard, rows[card]):
                continue
            # The portal's times are whole seconds: what was changed right after the first look shows at the second.
            changed, looks = self._seen.get(card, ("", 0))
            same = changed == str(rows[card].get("updatedTime")) and looks >= LOOKS
            if same or not self._take(guard, schema, desk, route, rows[card]):
                open_cards.append(card)
        first = rows_of(answers["made"], "items")
        last = max((int(row["id"]) for row in first), default=0)
        after = min(open_cards) - 1 if open_cards else last
        if after > int(self._ledger.cursor(AFTER) or 0):
            self._ledger.set_cursor(AFTER, str(after))

    def _by_hand(self, guard: Guarded, row: Mapping[str, Any]) -> bool:
        ours = str(row.get("createdBy")) == str(guard.client.user_id)
        return not ours and not str(row.get("xmlId") or "").startswith("order:")

    def _take(self, guard: Guarded, schema: PortalSchema, desk: Desk, route: Route, row: Mapping[str, Any]) -> bool:
        """Settle one card if that is possible now."""
        card, key = int(row["id"]), keys.card_key(schema.entity_type_id, int(row["id"]))
        made = instant(row.get("createdTime"))
        if made is not None and datetime.now(UTC) - made > PATIENCE:
            self._ledger.done(hand_key(schema, card))
            return True
        person = self._staff.of_bitrix(int(row.get("createdBy") or 0))
        if person is None or CREATORS not in person.groups:
            return self._turn_away(guard, schema, route, row, person, NO_CREATOR)
        try:
            item = guard.call("crm.item.get", {"entityTypeId": schema.entity_type_id, "id": card}).map("item")
        except PortalRefused as error:
            if error.not_found:
                return True  # deleted meanwhile
            raise
        self._ledger.done(card_key(key), str(card))  # before the start: its first step finds the card by its number
        try:
            desk.start(key, person.id, route, read_fields(guard, schema, item, route.start_fields, desk.zone))
        except NotEntitled as refused:
            self._ledger.undo(card_key(key))
            return self._turn_away(guard, schema, route, row, person, str(refused))
        except Refused as refused:
            self._ledger.undo(card_key(key))
            changed, looks = self._seen.get(card, ("", 0))
            now = str(row.get("updatedTime"))
            self._seen[card] = (now, looks + 1 if changed == now else 1)
            self._ask(guard, schema, card, person, str(refused))
            return False
        self._ledger.done(hand_key(schema, card))
        self._seen.pop(card, None)
        return True

    def _ask(self, guard: Guarded, schema: PortalSchema, card: int, person: Person, sentence: str) -> None:
        """Tell the author what the card lacks, each thing once."""
        mark = hashlib.sha256(sentence.encode()).hexdigest()[:12]
        text = (
            f"{_link(guard, schema, card)}: заказ пока не заведён. {sentence.rstrip('.')}. "
            "Заполните карточку, заказ заведётся сам."
        )
        notice = Notice(f"{hand_key(schema, card)}:{mark}", person.id, text)
        send(guard, self._ledger, notice, person, person.bitrix_id)

    def _turn_away(
        self,
        guard: Guarded,
        schema: PortalSchema,
        route: Route,
        row: Mapping[str, Any],
        person: Person | None,
        sentence: str,
    ) -> bool:
        """Move a card to the lost column and say why, on the card and to its author; nothing is started."""
        card, key = int(row["id"]), hand_key(schema, int(row["id"]))
        log.warning("card_turned_away", card=card, by=person.id if person else row.get("createdBy"))
        lost = lost_column(schema, route)
        if lost is not None and row.get("stageId") != lost:
            params = {"entityTypeId": schema.entity_type_id, "id": card, "fields": {"stageId": lost}}
            guard.call("crm.item.update", params, kind=Kind.WRITE)
        user = int(row.get("createdBy") or 0)
        text = f"{_link(guard, schema, card)}: заказ не заведён. {sentence}."
        send(guard, self._ledger, Notice(f"{key}:away", person.id if person else "", text), person, user)
        if self._ledger.intend(f"{key}:said").state == "new":
            words = f"Заказ не заведён. {sentence}.\n· {key}"
            guard.call("crm.timeline.comment.add", comment_params(schema, card, words))
        self._ledger.done(f"{key}:said")
        self._ledger.done(key)
        return True


def hand_key(schema: PortalSchema, card: int) -> str:
    """Return the effect key of a settled card that people made."""
    return f"hand:{keys.card_key(schema.entity_type_id, card)}"


def lost_column(schema: PortalSchema, route: Route) -> str | None:
    """Return the portal's column for what is not carried on: that of cancelled orders, else the first lost one."""
    lost = [column.code for column in columns_of(route) if column.semantics == "F"]
    code = "cancelled" if "cancelled" in lost else next(iter(lost), "")
    return schema.columns.get(code)


def _link(guard: Guarded, schema: PortalSchema, card: int) -> str:
    return f"[URL={guard.client.origin}/crm/type/{schema.entity_type_id}/details/{card}/]Карточка № {card}[/URL]"
