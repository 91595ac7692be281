"""The sweep: a cheap look at all cards, fifty a read, and a repair of those that differ."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from bitrix_sync import notes, tasks
from bitrix_sync.client import Command, rows_of
from bitrix_sync.compare import entries
from bitrix_sync.drift import CURSOR as DRIFT
from bitrix_sync.drift import after_sweep
from bitrix_sync.envelope import BatchAnswer
from bitrix_sync.errors import Unreadable
from bitrix_sync.guard import Guarded
from bitrix_sync.observe import OPEN_STATUSES, TASK_SELECT, PortalTask, comment_commands, task_of
from bitrix_sync.repair import changes_of, usable_users
from bitrix_sync.talk import strangers
from bitrix_sync.work import Work, card_key, closed_key, file_key, tell_key
from engine.rights import ROUTE
from orders.errors import OrderRouteError, PortalUnavailable, Transient
from orders.parts import in_parts

if TYPE_CHECKING:
    from bitrix_sync.reconcile import Reconciler

CARDS, WITH_TASKS = 50, 25  # of one read: a page holds 50 rows, and a card may have more than one open task
AT_ONCE = 1000  # orders that one sweep looks at, beside those that moved: a sweep must end before the next
_AFTER, _SINCE, _HEARD = "sweep:after", "sweep:since", "sweep:heard"  # ledger cursors
LATELY = timedelta(days=7)
LONG_AGO = timedelta(days=60)
MANY, HALF = 3, 0.5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Turn:
    """The orders of this sweep, where the round stands after it, and how many there are in all."""

    orders: list[str]
    last: str
    of: int


def sweeps_per_round(orders: int) -> int:
    """Return how many sweeps it takes to look at each of so many orders at least once."""
    return max(1, -(-orders // AT_ONCE))


class Sweep:
    """One pass over all orders; over very many, a slice of them."""

    def __init__(self, mirror: Reconciler, guard: Guarded) -> None:
        self._mirror, self._guard = mirror, guard
        self._left: dict[str, tuple[str, str]] = {}  # instance -> (order, why its card could not be put right)

    def run(self) -> int:
        """Look at every order whose turn it is and repair what differs; return how many were looked at."""
        began = self._mirror.now()
        known = self._orders()
        turn = self._turn(known)
        works: list[Work] = []
        repair: list[Work] = []
        for part in in_parts(turn.orders, CARDS):
            self._guard.check()
            for work in self._computed(part):
                (works if work.done(card_key(work.wish.key)) else repair).append(work)
        for some in in_parts(works, 1000):
            repair += self._look(some)
        for work in repair:
            self._repair(work)
        for work in works:
            if work not in repair:
                self._caught_up(work)
        ledger = self._mirror.ledger
        left = after_sweep(ledger.cursor(DRIFT), set(turn.orders), set(known), self._left)
        ledger.set_cursor(DRIFT, left)
        ledger.set_cursor(_AFTER, turn.last)
        ledger.set_cursor(_SINCE, began.isoformat())
        log.info("sweep_done", looked=len(turn.orders), repaired=len(repair), of=turn.of)
        return len(turn.orders)

    def _heard(self, works: Sequence[Work]) -> list[Work]:
        """Return whose comments this sweep reads: the next of the round, since an event may have been lost."""
        ledger, rest = self._mirror.ledger, sorted((w for w in works if w.order.running), key=_id)
        at = bisect_right([_id(work) for work in rest], int(ledger.cursor(_HEARD) or 0))
        some = (rest[at:] + rest[:at])[:CARDS]
        if some:
            ledger.set_cursor(_HEARD, str(_id(some[-1])))
        return some

    def _turn(self, orders: list[str]) -> _Turn:
        """Return all orders, or of very many those that moved since the last sweep and the next AT_ONCE of the rest.

        The rest goes round by instance id, so a whole round takes `sweeps_per_round` sweeps at most.
        """
        ledger = self._mirror.ledger
        if len(orders) <= AT_ONCE:
            return _Turn(orders, "", len(orders))
        known, since = set(orders), ledger.cursor(_SINCE)
        first = [each for each in self._moved(since) if each in known] if since else []
        rest = sorted(known.difference(first))
        at = bisect_right(rest, ledger.cursor(_AFTER) or "")
        others = (rest[at:] + rest[:at])[:AT_ONCE]
        return _Turn([*first, *others], others[-1] if others else "", len(orders))

    def _moved(self, since: str) -> list[str]:
        engine, moment = self._mirror.engine, datetime.fromisoformat(since)
        return list(dict.fromkeys([*engine.moved_instances(ROUTE, moment), *engine.ended_instances(ROUTE, moment)]))

    def _computed(self, instance_ids: Sequence[str]) -> list[Work]:
        """Compute the cards of these orders and read what the ledger knows of them, together."""
        works = self._mirror.works(instance_ids, self._guard, self._failed)
        keys = [set(work.keys()) for work in works]
        known = self._mirror.ledger.effects(set[str]().union(*keys))
        for work, its in zip(works, keys, strict=True):
            work.known = {key: known[key] for key in its & known.keys()}
        return works

    def _orders(self) -> list[str]:
        engine, now = self._mirror.engine, self._mirror.now()
        ended = engine.ended_instances(ROUTE, now - LONG_AGO)
        late = set(engine.ended_instances(ROUTE, now - LATELY))
        closed = self._mirror.ledger.effects(closed_key(each) for each in ended)
        unfinished = [each for each in ended if each in late or closed_key(each) not in closed]
        spoken_of = engine.orders_recorded(now - LATELY)  # a complaint may come long after the end
        return list(dict.fromkeys([*engine.running_instances(ROUTE), *unfinished, *spoken_of]))

    def _failed(self, instance_id: str, error: OrderRouteError) -> None:
        self._left[instance_id] = (instance_id, str(error))
        log.error("sweep_order_failed", instance=instance_id, reason=str(error))

    def _look(self, works: Sequence[Work]) -> list[Work]:
        """Return those whose card, files, tasks or notes are not as they should be; two requests for 1,000 orders."""
        asked = self._mirror.users_are_old()
        numbers = [p.bitrix_id for p in self._mirror.staff.persons if p.bitrix_id is not None]
        heard = self._heard(works)
        commands = _commands(works) | (notes.user_commands(numbers) if asked else {})
        commands |= {f"said{_id(w)}": comment_commands(w.schema, _id(w))["comments"] for w in heard}
        try:
            answers = self._guard.batch(commands)
        except Unreadable as error:
            log.error("sweep_answer_unreadable", reason=str(error))
            return list(works)  # one card's answer spoils the batch: look at each alone
        if asked:
            self._mirror.believe(usable_users(answers))
        cards = {int(row["id"]): row for name in commands if name.startswith("cards") for row in _rows(answers, name)}
        bound, unsure = _tasks(works, answers)
        for work in heard:
            if answers.error(f"said{_id(work)}") is None:
                work.seen.comments = rows_of(answers[f"said{_id(work)}"])
        missing = [work for work in works if _id(work) not in cards]
        if len(missing) >= MANY and len(missing) > HALF * len(works):
            self._contradiction(missing)
            raise PortalUnavailable("Битрикс24 не показывает известных карточек: сверка остановлена", 60.0)
        return [w for w in works if not self._clean(w, cards.get(_id(w)), bound.get(_id(w), []), _id(w) in unsure)]

    def _clean(self, work: Work, item: dict[str, Any] | None, bound: list[PortalTask], unsure: bool) -> bool:
        if item is None or unsure:
            return False
        work.usable = self._mirror.known_users
        work.seen.item = item
        work.seen.tasks = {task.id: task for task in bound}
        tasks.choose_people(work, {})
        return not (
            changes_of(work)
            or any(work.done(note.mark) is None for note in work.wish.notes)
            or bool(strangers(work))
            or any(work.done(tell_key(notice.key)) is None for notice in work.wish.notices)
            or _files_differ(work)
            or _tasks_differ(work)
            or (work.wish.finished and work.done(closed_key(work.order.instance_id)) is None)
        )

    def _repair(self, work: Work) -> None:
        instance = work.order.instance_id
        lease = self._mirror.try_lease(instance)
        if lease is None:
            return  # somebody works on it right now
        with lease:
            try:
                client = self._guard.client.bound(lane="people" if _waited_for(work) else "sweep")
                self._mirror.repair_one(instance, Guarded(client, self._guard.check, lease))
                self._caught_up(work)
            except PortalUnavailable:
                raise
            except Transient as error:
                self._left[instance] = (work.wish.key, str(error))
                log.info("sweep_order_waits", order=work.wish.key, reason=str(error))
            except OrderRouteError as error:
                self._left[instance] = (work.wish.key, str(error))
                log.error("sweep_order_failed", order=work.wish.key, reason=str(error))

    def _caught_up(self, work: Work) -> None:
        """Take the mark off an order whose step had opened without the portal."""
        if _waited_for(work):
            self._mirror.engine.set_variables(work.order.instance_id, {"portalPending": False})

    def _contradiction(self, missing: list[Work]) -> None:
        """Most known cards are not in the list: ask for one by its id and name what contradicts what."""
        work = missing[0]
        params = {"entityTypeId": work.schema.entity_type_id, "id": _id(work)}
        answers = self._guard.batch({"item": ("crm.item.get", params)})
        there = answers.error("item") is None
        what = f"карточка {_id(work)} открывается по номеру" if there else f"карточки {_id(work)} нет и по номеру"
        self._mirror.alarm(f"в списке нет {len(missing)} известных карточек, но {what}: сверка ничего не меняет")


def _waited_for(work: Work) -> bool:
    """Tell whether a step of people opened without the portal: its card is their step, not the sweep's own work."""
    return work.order.running and work.order.variables.get("portalPending") is True


def _commands(works: Sequence[Work]) -> dict[str, Command]:
    found: dict[str, Command] = {}
    for n, part in enumerate(in_parts(works, CARDS)):
        query = {"entityTypeId": part[0].schema.entity_type_id, "filter": {"@id": [_id(w) for w in part]}, "start": 0}
        found[f"cards{n}"] = ("crm.item.list", query)
    for n, part in enumerate(in_parts(works, WITH_TASKS)):
        bound = [f"{w.schema.binding}_{_id(w)}" for w in part]
        filters = {"UF_CRM_TASK": bound, "REAL_STATUS": OPEN_STATUSES}
        found[f"tasks{n}"] = ("tasks.task.list", {"filter": filters, "select": TASK_SELECT, "order": {"ID": "DESC"}})
    return found


def _tasks(works: Sequence[Work], answers: BatchAnswer) -> tuple[dict[int, list[PortalTask]], set[int]]:
    """Return the open tasks by card, and the cards whose page was too short to tell."""
    found: dict[int, list[PortalTask]] = {}
    unsure: set[int] = set()
    by_order = {work.wish.key: _id(work) for work in works}
    for n, part in enumerate(in_parts(works, WITH_TASKS)):
        answer = answers[f"tasks{n}"]
        if answer.next is not None:
            unsure |= {_id(work) for work in part}
        for task in map(task_of, rows_of(answer, "tasks")):
            order = (task.key or "").partition(":task:")[0]
            if order in by_order:
                found.setdefault(by_order[order], []).append(task)
    return found, unsure


def _files_differ(work: Work) -> bool:
    assert work.seen.item is not None
    for variable, wanted in work.wish.files.items():
        field = work.schema.fields.get(variable)
        if field is None:
            continue
        have = {str(entry.id) for entry in entries(field, work.seen.item)}
        if have != {work.done(file_key(work.wish.key, file)) for file in wanted}:
            return True
    return False


def _tasks_differ(work: Work) -> bool:
    mine = tasks.own_tasks(work)
    if work.wish.task is None or work.addressed.responsible is None:
        return bool(mine)
    opened = tasks.open_task(work)
    return opened is None or len(mine) != 1 or bool(tasks.task_changes(work, opened))


def _id(work: Work) -> int:
    return int(work.done(card_key(work.wish.key)) or 0)


def _rows(answers: BatchAnswer, name: str) -> list[dict[str, Any]]:
    return rows_of(answers[name], "items")
