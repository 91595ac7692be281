"""A card that somebody moved by hand goes back: who did it is written down and told; a robot that fights is named.

Only the route moves cards (reliability.md B9). The first three times within an hour a card goes back at once; whoever
goes on moving it, usually a robot of the smart process, meets growing pauses, and an operator is told.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bitrix_sync.card import Note, Notice
from bitrix_sync.notes import send
from bitrix_sync.schema import outcome_code
from bitrix_sync.work import Work, closed_key
from orders.errors import Transient

HOUR = 3600.0
FIGHT = 3  # times within an hour: more than a person's slip
PAUSES = ((10, 60.0), (FIGHT, 15.0), (0, 0.0))  # from so many times on, seconds between two moves back

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PutBack:
    """One move by hand. `times`: moves back within the last hour, this one included; `user`: 0 for a robot."""

    note: Note
    user: int
    who: str
    column: str  # where the card was moved to, as people call it
    home: str  # where it belongs
    times: int
    wait: float  # seconds until it is time to move it back


def judge(work: Work) -> PutBack | None:
    """Tell a card that somebody moved from one that the route moves now."""
    item, stage = work.seen.item or {}, work.wish.stage
    if stage is None or item.get("stageId") == work.schema.columns[stage] or not _settled(work):
        return None
    user = int(item.get("movedBy") or 0)
    user = 0 if user == work.guard.client.user_id else user  # in our own name: a robot
    person = work.staff.of_bitrix(user) if user else None
    who = person.name if person else f"пользователь {user}" if user else "Робот портала"
    marks = f"{work.wish.key}/back:"
    times, last = work.ledger.recent(marks, HOUR)
    pause = next(seconds for least, seconds in PAUSES if times >= least)
    left = last + pause - work.ledger.now()
    column = _title(work, work.schema.column_code(str(item.get("stageId"))) or "")
    text = f"{who}: карточка возвращена из «{column}», колонку меняет только маршрут."
    note = Note(f"{marks}{item.get('movedTime')}", text, title="Карточку передвинули вручную", icon="attention")
    return PutBack(note, user, who, column, _title(work, stage), times + 1, min(max(0.0, left), pause))


def hold(work: Work, found: PutBack) -> None:
    """Leave the card where it is for now; the caller comes again."""
    work.later.append(Transient(f"карточку двигают снова и снова, вернётся через {found.wait:.0f} с", found.wait))


def tell(work: Work, found: PutBack) -> None:
    """Tell whoever moved the card, and from the third time on an operator, once an hour."""
    key = work.wish.key
    log.warning("card_put_back", order=key, moved_by=found.who, column=found.column, times=found.times)
    if found.user and found.times <= FIGHT:
        text = (
            f"Заказ {key}: карточка возвращена в «{found.home}». Колонку меняет только маршрут: "
            "завершите свой шаг, и она перейдёт сама."
        )
        person = work.staff.of_bitrix(found.user)
        notice = Notice(found.note.mark, person.id if person else str(found.user), text)
        send(work.guard, work.ledger, notice, person, found.user)
    if found.times < FIGHT:
        return
    hour = int(work.ledger.now() // HOUR)
    text = (
        f"Заказ {key}: карточку за час передвинули вручную раз: {found.times} (последним {found.who}, в "
        f"«{found.column}»). Проверьте роботов и триггеры смарт-процесса."
    )
    for operator in work.staff.members("operators"):
        if (user := work.bitrix(operator.id)) is not None:
            send(
                work.guard, work.ledger, Notice(f"{key}/fight:{hour}:{operator.id}", operator.id, text), operator, user
            )


def _settled(work: Work) -> bool:
    """Tell whether the card had reached its column before: then it did not come here by the route."""
    if work.wish.task is not None:
        return work.done(f"{work.wish.task.key}:reset") is not None
    return work.wish.finished and work.done(closed_key(work.order.instance_id)) is not None


def _title(work: Work, code: str) -> str:
    route = work.engine.route(work.order.definition_id)
    stage = route.stage_of_code(code)
    if stage is not None:
        return stage.label or stage.name
    ends = {outcome_code(end): name for end, name in route.end_names.items()}
    return ends.get(code, code or "другая колонка")
