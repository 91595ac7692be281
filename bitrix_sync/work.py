"""What one reconcile of one order carries with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, tzinfo

from bitrix_sync.card import DesiredCard
from bitrix_sync.client import Command
from bitrix_sync.desk import Desk
from bitrix_sync.guard import Guarded
from bitrix_sync.observe import Observed
from bitrix_sync.once import Once
from bitrix_sync.people import Addressed
from bitrix_sync.schema import PortalSchema
from ledger import Effect, EffectState, Ledger
from orders.errors import Transient
from orders.keys import visit_key
from orders.persons import Staff
from orders.ports import Engine
from orders.snapshot import FileRef, OrderSnapshot


@dataclass(slots=True)
class Work:
    """One order: what should be, what is, what the ledger knows, and the writes collected for one batch.

    `later` holds what could not be done now without harm to the rest: raised at the end.
    """

    engine: Engine
    ledger: Ledger
    once: Once
    guard: Guarded
    schema: PortalSchema
    staff: Staff
    zone: tzinfo
    today: date
    order: OrderSnapshot
    wish: DesiredCard
    known: dict[str, Effect] = field(default_factory=dict)
    public_url: str | None = None  # where the step page is
    desk: Desk | None = None  # takes answers, and judges files that people put beside the route
    seen: Observed = field(default_factory=Observed)
    paced: bool = False  # a card that is moved again and again goes back less and less often
    answer_waits: bool = False  # somebody finished the task of a step that the engine is only opening
    rebuilding: bool = False  # the ledger knows nothing of a card that is there
    usable: frozenset[int] | None = None  # portal users who work; None = the portal does not tell
    addressed: Addressed = field(default_factory=lambda: Addressed(None))
    writes: dict[str, Command] = field(default_factory=dict)
    after: dict[str, list[tuple[str, str | None]]] = field(default_factory=dict)  # write -> effects done by it
    later: list[Transient] = field(default_factory=list)

    def done(self, key: str) -> str | None:
        """Return the remote id of an effect that is done ("" without one), else None."""
        effect = self.known.get(key)
        if effect is None or effect.state is not EffectState.DONE:
            return None
        return effect.remote_id or ""

    def note_done(self, key: str, remote_id: str | None = None) -> None:
        """Write down that an effect is there."""
        self.ledger.done(key, remote_id)
        self.known[key] = Effect(key, EffectState.DONE, remote_id)

    def forget(self, key: str) -> None:
        """Drop an effect whose object is gone."""
        self.ledger.undo(key)
        self.known.pop(key, None)

    def load_effects(self) -> None:
        """Read all effects of this order that matter now, in one query."""
        self.known = self.ledger.effects(self.keys())

    def keys(self) -> Iterator[str]:
        """Return the keys of everything this order may have in the portal."""
        key = self.wish.key
        yield from (card_key(key), folder_key(key), closed_key(self.order.instance_id))
        for visit in self.visit_keys():
            yield from (
                visit,
                f"{visit}:closed",
                f"{visit}:reset",
                f"{visit}:links",
                f"{visit}:nobody",
                f"{visit}:to",
                f"{visit}:chat",
            )
        for file in self.order.files:
            yield from (file_key(key, file), drive_key(key, file))
        yield from (note.mark for note in self.wish.notes)
        yield from (tell_key(notice.key) for notice in self.wish.notices)

    def visit_keys(self) -> list[str]:
        """Return the keys of the tasks of all visits, the open one last."""
        visits = [(each.task_id, each.visit) for each in self.order.done]
        visits += [(each.task_id, each.visit) for each in self.order.open]
        return [visit_key(self.wish.key, task, visit) for task, visit in dict.fromkeys(visits)]

    @property
    def card_id(self) -> int:
        """Return the card's id; only after it was found or made."""
        if self.seen.item_id is None:
            raise AssertionError("the card comes first")
        return self.seen.item_id

    @property
    def links(self) -> str:
        """Return the links of the open visit's task: the step page where there is one, and the card."""
        page = f"/crm/type/{self.schema.entity_type_id}/details/{self.card_id}/"
        card = f"[URL={self.guard.client.origin}{page}]Карточка заказа[/URL]"
        if self.public_url is None or self.wish.task is None:
            return card
        return f"[URL={self.public_url}/do/{self.wish.task.visit.visit}]Ответить на странице шага[/URL]\n{card}"

    def bitrix(self, person_id: str | None) -> int | None:
        """Return the portal user of a person, None for one whom the portal does not know as working."""
        person = self.staff.find(person_id)
        if person is None or person.bitrix_id is None:
            return None
        return person.bitrix_id if self.usable is None or person.bitrix_id in self.usable else None


def card_key(key: str) -> str:
    """Return the effect key of an order's card."""
    return f"{key}:card"


def folder_key(key: str) -> str:
    """Return the effect key of an order's Drive folder."""
    return f"{key}:folder"


def closed_key(instance_id: str) -> str:
    """Return the effect key of an ended order whose last state is in the portal."""
    return f"closed:{instance_id}"


def file_key(key: str, file: FileRef) -> str:
    """Return the effect key of a file in a card's field; its remote id is the portal's file id."""
    return f"{key}:file:{file.variable}:{file.sha256}"


def drive_key(key: str, file: FileRef) -> str:
    """Return the effect key of a file on the Drive."""
    return f"{key}:drive:{file.variable}:{file.sha256}"


def tell_key(key: str) -> str:
    """Return the effect key of a notice."""
    return f"tell:{key}"
