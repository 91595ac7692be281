"""The mirror: make cards equal to the engine, one order at a time under its lease, all of them in a sweep."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import NoReturn

import structlog

from bitrix_sync import claims, notes, proof, talk
from bitrix_sync.card import Notice, desired, has_card
from bitrix_sync.client import PortalClient
from bitrix_sync.compare import Difference
from bitrix_sync.desk import Desk
from bitrix_sync.erase import erase_order
from bitrix_sync.guard import Guarded
from bitrix_sync.inward import Taken, take
from bitrix_sync.leases import lease_name, wait_for_lease
from bitrix_sync.once import SETTLE_SECONDS, Once
from bitrix_sync.repair import CardVanished, observe, repair
from bitrix_sync.schema import PortalSchema
from bitrix_sync.sweep import Sweep
from bitrix_sync.work import Work, card_key, folder_key
from ledger import Lease, Ledger
from orders.dates import local_day
from orders.errors import OrderRouteError, Permanent, PortalUnavailable, Transient
from orders.persons import Staff
from orders.ports import Clock, Deadlines, Engine, Hold, held
from orders.snapshot import OpenVisit, OrderSnapshot
from orders.stage import Stage

USERS_SECONDS = 60.0  # how long we believe who works in the portal
LEASE_WAIT = 5.0  # seconds to wait for another process that holds the order
MOST_HANDS = 3  # changes of a step's holder that one repair follows
VANISHED_MANY, VANISHED_SECONDS = 3, 600.0

log = structlog.get_logger(__name__)


class Reconciler:
    """Fulfils `orders.ports.Mirror`; one per process, thread-safe.

    `lease_seconds` = LOCK_SECONDS; `step_seconds` bounds one order's repair in front of people; `touched` hears the id
    of each card that was worked on: the portal's next event about it is most likely our own echo; `public_url` is where
    the step page is; `desk` takes the answers of people who finish their tasks in the portal.
    """

    def __init__(
        self,
        engine: Engine,
        portal: PortalClient,
        ledger: Ledger,
        staff: Staff,
        schema: PortalSchema,
        *,
        zone: tzinfo,
        deadlines: Deadlines | None = None,
        clock: Clock | None = None,
        lease_seconds: float = 30.0,
        step_seconds: float = 45.0,
        settle_seconds: float = SETTLE_SECONDS,
        on_alarm: Callable[[str], None] | None = None,
        touched: Callable[[int], None] = lambda _card: None,
        public_url: str | None = None,
        desk: Desk | None = None,
    ) -> None:
        self._touched, self._public_url, self.desk = touched, public_url, desk
        self.engine, self.portal, self.ledger, self.staff, self.schema = engine, portal, ledger, staff, schema
        self._zone, self._deadlines, self._clock = zone, deadlines, clock
        self._lease_seconds, self._step_seconds = lease_seconds, step_seconds
        self._once = Once(ledger, settle_seconds=settle_seconds)
        self._on_alarm = on_alarm
        self._users: tuple[float, frozenset[int] | None] = (float("-inf"), None)
        self._vanished: dict[str, float] = {}
        self._alarmed = float("-inf")

    # the port

    def reconcile(self, instance_id: str, hold: Hold = held) -> None:
        """Make one card equal to the engine. Raises PortalUnavailable, Transient or Permanent; safe to repeat."""
        deadline = time.monotonic() + self._step_seconds
        with self._lease(instance_id) as lease:
            self.repair_one(instance_id, Guarded(self.portal.bound(lane="people", deadline=deadline), hold, lease))

    def tell(self, person: str, text: str, key: str, hold: Hold = held) -> None:
        """Send one notice to a person of the staff file, once per key."""
        guard = Guarded(self.portal.bound(deadline=time.monotonic() + self._step_seconds), hold)
        known = self.staff.find(person)
        notes.send(guard, self.ledger, Notice(key, person, text), known, known.bitrix_id if known else None)

    def sweep(self, hold: Hold = held) -> int:
        """Repair all open orders and those that ended lately; return how many were looked at.

        One order's trouble is logged and does not stop the others; PortalUnavailable does.
        """
        return Sweep(self, Guarded(self.portal.bound(lane="sweep"), hold)).run()

    # for commands

    def differences(self, instance_id: str, *, deep: bool = False) -> list[Difference]:
        """Name everything in which card and engine differ, without writing.

        `deep` downloads every file and compares its SHA-256. An order without a card has none.
        """
        work = self.work(instance_id, Guarded(self.portal.bound(), held))
        return [] if work is None else proof.differences(work, ask_users=self.users_are_old(), deep=deep)

    def mend(self, instance_id: str) -> None:
        """Repair one card by what the portal really shows, whatever the ledger holds to be there."""
        with self._lease(instance_id) as lease:
            guard = Guarded(self.portal.bound(), held, lease)
            work = self.work(instance_id, guard)
            if work is None:
                return
            try:
                observe(work, ask_users=self.users_are_old(), full=True)
            except CardVanished:
                self._vanish(work)
            proof.forget_lost(work)
            self.repair_one(instance_id, guard)

    def recreate(self, instance_id: str) -> None:
        """Make the card of an order anew that somebody deleted: the operator's choice."""
        snapshot = self.engine.snapshot(instance_id)
        work = self.work(instance_id, Guarded(self.portal.bound(), held))
        if work is not None:
            work.load_effects()
            proof.forget_lost_files(work)
        self.ledger.undo(card_key(snapshot.key))
        self.ledger.done(recreate_key(snapshot.key))
        self.reconcile(instance_id)

    def erase(self, key: str) -> dict[str, int]:
        """Take an ended order's content out of the portal; return what went, with counts. Raises PortalUnavailable.

        The caller holds the order's lease.
        """
        tags = [each.removeprefix("tell:") for each in self.ledger.keys_of(key) if each.startswith("tell:")]
        folder = self.ledger.effect(folder_key(key)).remote_id
        return erase_order(self.portal.bound(), self.schema, key, tags, folder)

    # for the sweep

    def work(self, instance_id: str, guard: Guarded) -> Work | None:
        """Read the order and compute its card, None for one that has none."""
        return self._work(self.engine.snapshot(instance_id), guard)

    def works(
        self, instance_ids: Sequence[str], guard: Guarded, failed: Callable[[str, OrderRouteError], None]
    ) -> list[Work]:
        """Read many orders together and compute their cards; `failed` hears of those where that is not possible."""
        found: list[Work] = []
        try:
            orders: Iterable[OrderSnapshot] = list(self.engine.snapshots(instance_ids))
        except Transient:
            raise
        except OrderRouteError:  # one order spoils the read of all: read each alone
            orders = self._each_alone(instance_ids, failed)
        for order in orders:
            try:
                work = self._work(order, guard)
            except Transient:
                raise
            except OrderRouteError as error:
                failed(order.instance_id, error)
                continue
            if work is not None:
                found.append(work)
        return found

    def _each_alone(
        self, instance_ids: Sequence[str], failed: Callable[[str, OrderRouteError], None]
    ) -> Iterator[OrderSnapshot]:
        for instance_id in instance_ids:
            try:
                yield self.engine.snapshot(instance_id)
            except Transient:
                raise
            except OrderRouteError as error:
                failed(instance_id, error)

    def _work(self, order: OrderSnapshot, guard: Guarded) -> Work | None:
        if not has_card(order):
            return None
        route = self.engine.route(order.definition_id)

        def due(visit: OpenVisit, stage: Stage) -> datetime | None:
            if visit.engine_task is None and self._deadlines is not None:
                return self._deadlines.due(visit.since, stage.norm, order.variables)
            return visit.due

        return Work(
            engine=self.engine,
            ledger=self.ledger,
            once=self._once,
            guard=guard,
            schema=self.schema,
            staff=self.staff,
            zone=self._zone,
            today=local_day(self.now(), self._zone),
            order=order,
            wish=desired(order, route, self.staff, self._zone, due, self.now()),
            usable=self._users[1],
            public_url=self._public_url,
            desk=self.desk,
        )

    def repair_one(self, instance_id: str, guard: Guarded, *, paced: bool = False) -> None:
        """Repair one card; the caller holds its lease through the guard. `paced`: a caller that comes often."""
        guard.check()
        work = self.work(instance_id, guard)
        if work is None:
            return
        work.paced = paced
        asked = self.users_are_old()
        wanted = self.ledger.effect(recreate_key(work.wish.key)).state == "done"
        try:
            observe(work, ask_users=asked, may_be_gone=wanted)
        except CardVanished:
            self._vanish(work)
        if asked:
            self.believe(work.usable)
        talk.collect(work)
        if self.desk is not None and (taken := take(work, self.desk)) is not Taken.NOTHING:
            if taken is Taken.MOVED_ON:
                return  # the next step's sync-stage brings the card up to it
            work.answer_waits = taken is Taken.WAITS
        for _ in range(MOST_HANDS):  # somebody may give it on while we look
            if self.desk is None or not claims.follow(work, self.desk):
                break
            again = self.work(instance_id, guard)
            if again is None:
                return
            again.paced = paced
            observe(again, ask_users=False)
            again.later += work.later
            work = again
        try:
            repair(work)
        finally:
            if work.seen.item_id is not None:
                self._touched(work.seen.item_id)
        self._vanished.pop(work.wish.key, None)
        if wanted:
            self.ledger.undo(recreate_key(work.wish.key))

    def now(self) -> datetime:
        """Return the present in UTC."""
        return self._clock.now() if self._clock else datetime.now(UTC)

    def users_are_old(self) -> bool:
        """Tell whether it is time to ask again who works in the portal."""
        return time.monotonic() - self._users[0] > USERS_SECONDS

    @property
    def known_users(self) -> frozenset[int] | None:
        """Return the portal users who work there, as last asked; None where the portal does not tell."""
        return self._users[1]

    def believe(self, usable: frozenset[int] | None) -> None:
        """Remember who works in the portal."""
        self._users = (time.monotonic(), usable)

    def try_lease(self, instance_id: str) -> Lease | None:
        """Take an order's lease, None while another works on it."""
        return self.ledger.lease(lease_name(instance_id), self._lease_seconds)

    def alarm(self, text: str) -> None:
        """Raise one alarm for the operator; the same trouble is not repeated for ten minutes."""
        if time.monotonic() - self._alarmed < VANISHED_SECONDS:
            return
        self._alarmed = time.monotonic()
        log.error("portal_contradiction", reason=text)
        if self._on_alarm:
            self._on_alarm(text)

    def _lease(self, instance_id: str) -> Lease:
        return wait_for_lease(self.ledger, instance_id, self._lease_seconds, LEASE_WAIT, "заказом занят другой процесс")

    def _vanish(self, work: Work) -> NoReturn:
        """One card that is gone is an operator's choice; many at once are the portal's error, and nothing is made."""
        key, now = work.wish.key, time.monotonic()
        self._vanished[key] = now
        recent = [each for each, at in self._vanished.items() if now - at < VANISHED_SECONDS]
        if len(recent) >= VANISHED_MANY:
            names = ", ".join(sorted(recent)[:5])
            text = f"пропали карточки сразу {len(recent)} заказов ({names}): ничего не создаётся"
            self.alarm(text)
            raise PortalUnavailable(f"Битрикс24: {text}")
        raise Permanent(
            f"карточка заказа {key} удалена в Битрикс24: верните её из корзины, создайте заново "
            "(bitrix reconcile --recreate) или отмените заказ"
        )


def recreate_key(key: str) -> str:
    """Return the effect key of an operator's wish to have a deleted card made anew."""
    return f"{key}:recreate"
