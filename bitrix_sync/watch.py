"""The look at what people do in the portal: on an event within a second or two, else every few seconds.

One request shows 2,500 cards with who changed them last; what a person touched is looked at whole and repaired. No
filter by time is used: a portal's silence would prove nothing. Events (the inbox) only bring the next look forward,
so a copied, late, forged or lost one changes nothing in the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from bitrix_sync import handmade
from bitrix_sync.client import Command, rows_of
from bitrix_sync.desk import Desk
from bitrix_sync.envelope import BatchAnswer
from bitrix_sync.guard import Guarded
from bitrix_sync.handmade import LOOKS, HandMade
from bitrix_sync.hints import Hint
from bitrix_sync.observe import CLOSED, OPEN_STATUSES, mark_of
from bitrix_sync.php import as_list
from bitrix_sync.reconcile import Reconciler
from bitrix_sync.schema import PortalSchema
from bitrix_sync.sweep import CARDS, HALF, LATELY, MANY, WITH_TASKS
from bitrix_sync.work import card_key
from engine.rights import ROUTE
from ledger import Lease, Ledger
from orders.errors import OrderRouteError, PortalUnavailable, Transient
from orders.parts import in_parts

LEASE = "portal-watch"
LEASE_SECONDS = 10.0  # one process looks; when it dies another takes over after so long
GAP_SECONDS = 1.5  # between two looks that events asked for
ECHO_SECONDS = 6.0  # after our own work on a card its event is our echo: the ordinary look will do
STEP_SECONDS = 45.0
MOST_COMMENTS = 50  # of one look
MOST = 20  # orders of one turn, so that the loop is seen to turn
CARD_SELECT = ["id", "xmlId", "stageId", "updatedTime", "updatedBy", "movedTime"]
DONE_SELECT = ["ID", "DESCRIPTION", "UF_CRM_TASK", "CLOSED_BY", "CLOSED_DATE"]
TASK_SELECT = [
    "ID", "STATUS", "RESPONSIBLE_ID", "DEADLINE", "CHANGED_DATE", "CHANGED_BY", "ACTIVITY_DATE", "UF_CRM_TASK",
]  # fmt: skip

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Face:
    """What one card showed: enough to tell that a person changed it or one of our open tasks."""

    stage: str
    changed: str
    by: str
    # id -> (what it shows, who changed it, when something happened in it: a word in its chat changes nothing else)
    tasks: Mapping[int, tuple[str, str, str]] = field(default_factory=dict)


class Recent:
    """Which cards this process worked on lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at: dict[int, float] = {}

    def note(self, card: int) -> None:
        """Note that we worked on a card."""
        now = self._clock()
        self._at = {each: at for each, at in self._at.items() if now - at < ECHO_SECONDS} | {card: now}

    def busy(self) -> bool:
        """Tell whether this process worked on any card lately: an event about a comment may be its echo."""
        return any(self._clock() - at < ECHO_SECONDS for at in self._at.values())

    def fresh(self, card: int) -> bool:
        """Tell whether an event about this card is most likely our own echo."""
        return self._clock() - self._at.get(card, float("-inf")) < ECHO_SECONDS


class Watch:
    """One per process; `turn` is called again and again by a loop, and only one process at a time looks."""

    def __init__(
        self,
        mirror: Callable[[], Reconciler],
        ledger: Ledger,
        *,
        poll_seconds: float,
        recent: Recent | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mirror, self._ledger, self._poll_seconds, self._clock = mirror, ledger, poll_seconds, clock
        self._recent = recent or Recent(clock)
        self._lease: Lease | None = None
        self._last = float("-inf")
        self._faces: dict[int, Face] = {}
        self._cards: dict[int, str] = {}  # card -> instance
        self._again: dict[str, float] = {}  # instance -> when to look anew
        self._hand_made: HandMade | None = None
        self._answered: dict[str, int] = {}  # tasks that people finished -> how often they were looked at

    def turn(self) -> bool:
        """Look if it is time; True if it was. Raises PortalUnavailable: what was named stays in the inbox."""
        now = self._clock()
        hints = self._ledger.hints()
        comments = [hint for hint in hints if hint.kind == "comment"]
        hints = [hint for hint in hints if hint.kind != "comment"] + comments[:MOST_COMMENTS]
        due = now - self._last >= self._poll_seconds
        hurry = now - self._last >= GAP_SECONDS and any(self._urgent(Hint(h.kind, h.number)) for h in hints)
        if not (due or hurry or any(at <= now for at in self._again.values())) or not self._mine():
            return False
        self._last = now
        self._look([Hint(h.kind, h.number) for h in hints])
        self._ledger.drop_hints(hints)
        return True

    def release(self) -> None:
        """Let another process look."""
        if self._lease is not None:
            self._lease.release()
            self._lease = None

    def _mine(self) -> bool:
        if self._lease is None or not self._lease.keep():
            self._lease = self._ledger.lease(LEASE, LEASE_SECONDS)
        return self._lease is not None

    def _hold(self) -> None:
        if self._lease is None or not self._lease.keep():
            raise Transient("за порталом смотрит другой процесс", 1.0)

    def _urgent(self, hint: Hint) -> bool:
        if hint.kind == "comment":
            return not self._recent.busy()
        if hint.kind == "task":
            number = int(hint.number)
            card = next((card for card, face in self._faces.items() if number in face.tasks), None)
            return card is not None and not self._recent.fresh(card)
        return not self._recent.fresh(int(hint.number))

    def _look(self, hints: list[Hint]) -> None:
        mirror = self._mirror()
        guard = Guarded(mirror.portal.bound(lane="people", deadline=time.monotonic() + STEP_SECONDS), self._hold)
        self._know(mirror)
        strangers = {
            int(h.number)
            for h in hints
            if h.kind not in ("task", "comment") and h.entity_type_id in (None, mirror.schema.entity_type_id)
        } - set(self._cards)
        asked = _commands(mirror.schema, list(self._cards), sorted(strangers), mirror.portal.user_id)
        if mirror.desk is not None:
            asked |= handmade.commands(mirror.schema, self._ledger)
        spoken = [h.number for h in hints if h.kind == "comment"]
        asked |= {f"comment{n}": ("crm.timeline.comment.get", {"id": n}) for n in spoken}
        answers = guard.batch(asked)
        rows = {int(row["id"]): row for row in _rows(answers, "cards", "items")}
        faces = _faces(mirror.schema, rows, _rows(answers, "tasks", "tasks"))
        us, now = str(mirror.portal.user_id), self._clock()
        gone = [card for card in self._cards if card not in faces and card in self._faces]
        if len(gone) >= MANY and len(gone) > HALF * len(self._cards):
            log.error("portal_hides_cards", missing=len(gone))  # the sweep asks by id and raises the alarm
            gone = []
        changed = [card for card, face in faces.items() if card in self._cards and self._touched(card, face, us)]
        finished = self._finished(mirror.schema, _rows(answers, "finished", "tasks"), us)
        wanted = [self._cards[card] for card in (*gone, *changed, *finished)]
        wanted += [instance for instance, at in self._again.items() if at <= now]
        wanted += [self._cards[card] for card in _commented(mirror.schema, answers, spoken) if card in self._cards]
        for row in _rows(answers, "strangers", "items"):
            wanted += _instances(mirror, row)[:1]
        if mirror.desk is not None:
            self._take_in(mirror, mirror.desk, guard, answers)
        self._repair_all(mirror, list(dict.fromkeys(wanted)))
        for card, face in faces.items():
            if self._cards.get(card) not in self._again:
                self._faces[card] = face
        for card in gone:
            if self._cards[card] not in self._again:
                del self._faces[card]  # said once; the sweep goes on asking

    def _know(self, mirror: Reconciler) -> None:
        """Learn which cards belong to orders that run or ended lately."""
        keys = mirror.engine.order_keys(ROUTE, mirror.now() - LATELY)
        effects = self._ledger.effects(card_key(key) for key in keys.values())
        known = {i: effects.get(card_key(key)) for i, key in keys.items()}
        self._cards = {int(e.remote_id): i for i, e in known.items() if e and e.state == "done" and e.remote_id}
        self._faces = {card: face for card, face in self._faces.items() if card in self._cards}
        self._again = {i: at for i, at in self._again.items() if i in keys}

    def _touched(self, card: int, new: Face, us: str) -> bool:
        old = self._faces.get(card)
        if old is None:  # what a person did before the first look shows only in who did it
            return new.by != us or any(shown[1] not in (us, "None", "0") for shown in new.tasks.values())
        if (new.changed, new.by) != (old.changed, old.by) and new.by != us:  # the portal's times are whole seconds
            return True
        if any(_news(old.tasks.get(number), shown, us) for number, shown in new.tasks.items()):
            return True
        return bool(old.tasks) and not new.tasks and new.stage == old.stage  # finished or deleted there

    def _take_in(self, mirror: Reconciler, desk: Desk, guard: Guarded, answers: BatchAnswer) -> None:
        """Look at cards that people made; one that cannot be settled now is there at the next look."""
        self._hand_made = self._hand_made or HandMade(self._ledger, mirror.staff)
        try:
            self._hand_made.look(guard, mirror.schema, desk, answers)
        except PortalUnavailable:
            raise
        except OrderRouteError as error:
            log.warning("hand_made_card_waits", reason=str(error))

    def _finished(self, schema: PortalSchema, rows: list[dict[str, Any]], us: str) -> list[int]:
        """Return the cards with a task that a person finished and whose answer nobody has taken.

        The portal's times are whole seconds: one that is given back and finished again within its second looks the
        same, so each is looked at twice.
        """
        by_people = [row for row in rows if str(row.get("closedBy")) not in (us, "0", "None")]
        fresh = {f"{row['id']}|{row.get('closedDate')}": row for row in by_people}
        new = {name: row for name, row in fresh.items() if self._answered.get(name, 0) < LOOKS}
        self._answered = {name: self._answered.get(name, 0) + 1 for name in fresh}
        marks = {name: mark_of(str(row.get("description") or "")) for name, row in new.items()}
        known = self._ledger.effects(f"{mark}:closed" for mark in marks.values())
        left = [row for name, row in new.items() if f"{marks[name]}:closed" not in known]
        return [card for row in left for card in _bound(schema, row) if card in self._cards]

    def _repair_all(self, mirror: Reconciler, wanted: list[str]) -> None:
        left = dict.fromkeys(wanted)
        try:
            for instance in wanted[:MOST]:
                self._again.pop(instance, None)
                self._repair(mirror, instance)
                left.pop(instance)
        finally:
            now = self._clock()
            self._again |= dict.fromkeys(left, now)  # too many for one turn, or the portal went away meanwhile

    def _repair(self, mirror: Reconciler, instance: str) -> None:
        lease = mirror.try_lease(instance)
        if lease is None:
            self._again[instance] = self._clock() + 1.0
            return
        with lease:
            client = mirror.portal.bound(lane="people", deadline=time.monotonic() + STEP_SECONDS)
            try:
                mirror.repair_one(instance, Guarded(client, self._hold, lease), paced=True)
            except PortalUnavailable:
                raise
            except Transient as error:
                wait = self._poll_seconds if error.retry_after is None else error.retry_after
                self._again[instance] = self._clock() + max(1.0, wait)
            except OrderRouteError as error:
                log.error("watch_order_failed", instance=instance, reason=str(error))


def _news(old: tuple[str, str, str] | None, new: tuple[str, str, str], us: str) -> bool:
    """Tell whether a person changed a task, or somebody wrote in its chat."""
    if old is None or old[:2] != new[:2]:
        return new[1] != us
    return old[2] != new[2]


def _commands(schema: PortalSchema, cards: list[int], strangers: list[int], us: int) -> dict[str, Command]:
    found: dict[str, Command] = {}
    for name, numbers in (("cards", cards), ("strangers", strangers)):
        for n, part in enumerate(in_parts(numbers, CARDS)):
            query = {"entityTypeId": schema.entity_type_id, "filter": {"@id": part}, "select": CARD_SELECT, "start": -1}
            found[f"{name}{n}"] = ("crm.item.list", query)
    for n, part in enumerate(in_parts(cards, WITH_TASKS)):
        bound = [f"{schema.binding}_{card}" for card in part]
        filters = {"UF_CRM_TASK": bound, "REAL_STATUS": OPEN_STATUSES, "CREATED_BY": us}
        query = {"filter": filters, "select": TASK_SELECT, "order": {"ID": "DESC"}, "start": -1}
        found[f"tasks{n}"] = ("tasks.task.list", query)
    if cards:  # a task may come and be finished between two looks: the newest that were finished are seen as well
        query = {"filter": {"REAL_STATUS": CLOSED, "CREATED_BY": us}, "select": DONE_SELECT}
        found["finished"] = ("tasks.task.list", query | {"order": {"CLOSED_DATE": "DESC"}, "start": -1})
    return found


def _rows(answers: BatchAnswer, name: str, path: str) -> list[dict[str, Any]]:
    return [row for each in answers.names() if each.startswith(name) for row in rows_of(answers[each], path)]


def _faces(
    schema: PortalSchema, rows: Mapping[int, Mapping[str, Any]], tasks: Iterable[Mapping[str, Any]]
) -> dict[int, Face]:
    held: dict[int, dict[int, tuple[str, str, str]]] = {}
    for task in tasks:
        shown = "|".join(str(task.get(name)) for name in ("status", "responsibleId", "deadline", "changedDate"))
        for card in _bound(schema, task):
            held.setdefault(card, {})[int(task["id"])] = (
                shown,
                str(task.get("changedBy")),
                str(task.get("activityDate")),
            )
    return {
        card: Face(
            str(row.get("stageId")),
            f"{row.get('updatedTime')}|{row.get('movedTime')}|{row.get('stageId')}",
            str(row.get("updatedBy")),
            held.get(card, {}),
        )
        for card, row in rows.items()
    }


def _bound(schema: PortalSchema, task: Mapping[str, Any]) -> list[int]:
    """Return the cards of our smart process that a task is bound to."""
    codes = (str(code).partition("_") for code in as_list(task.get("ufCrmTask")))
    return [int(number) for kind, _, number in codes if kind.lower() == schema.binding.lower() and number.isdigit()]


def _commented(schema: PortalSchema, answers: BatchAnswer, comments: Iterable[str]) -> list[int]:
    """Return the cards of our smart process that comments were written on by others than us."""
    found = []
    for number in comments:
        if answers.error(f"comment{number}") is not None:
            continue  # deleted meanwhile, or not ours to read
        row = answers[f"comment{number}"].map()
        ours = mark_of(str(row.get("COMMENT") or "")) is not None
        if not ours and str(row.get("ENTITY_TYPE") or "").lower() == schema.owner_type:
            found.append(int(row.get("ENTITY_ID") or 0))
    return found


def _instances(mirror: Reconciler, row: Mapping[str, Any]) -> list[str]:
    """Return the order of a card that is not among the known ones: one that ended long ago, or nothing."""
    key = str(row.get("xmlId") or "")
    return mirror.engine.instances_of(key.removeprefix("order:")) if key.startswith("order:") else []
