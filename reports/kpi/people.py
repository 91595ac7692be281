"""Who delays, who is loaded: overdue hours by department and person, schedule kept, open tasks, age of open work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reports.book import Book
from reports.clock import HOUR
from reports.facts import CANCELLED, OPEN, Visit
from reports.figures import (
    HOURS,
    ORDERS,
    PERCENT,
    TASKS,
    WHOLE,
    Figure,
    Part,
    Status,
    enough,
    figure,
    quantile,
)  # fmt: skip
from reports.period import Month

UNCLAIMED = "—"
_AGES = (50, 85, 95)
_NOTE = "рабочие часы после срока задачи, которые пришлись на период, без приостановки; шаги заказчика не считаются"


def people(book: Book, month: Month) -> list[Figure]:
    """Return the figures of departments and persons in a month."""
    first, last = book.bounds(month)
    active = [v for v in book.visits if v.created < last and (v.ended is None or v.ended >= first)]
    ours = [v for v in active if not v.customer]
    left = {"шаги, где ждали заказчика": len(active) - len(ours), "без срока": sum(v.due is None for v in ours)}
    found = _overdue(book, active, Part(), first, last, left)
    for part, visits in _parts(book, active):
        found += _overdue(book, visits, part, first, last, {})
        if part.by == "person":
            found += _worked(book, visits, part, first, last)
    open_visits = book.visits_open_at(last)
    for part, visits in _parts(book, open_visits):
        found.append(_open("open_tasks", "Открыто задач", book, visits, part))
        overdue = [v for v in visits if v.due is not None and v.due < last and not book.suspended_at(v, last)]
        found.append(_open("open_overdue", "Открыто с просрочкой", book, overdue, part))
    return found + ageing(book, open_visits, last) + order_ageing(book, last)


def overdue_whole(book: Book, first: int, last: int) -> Figure:
    """Return the overdue working hours of the whole plant in a period."""
    visits = [v for v in book.late_visits if v.created < last and (v.ended is None or v.ended >= first)]
    return _overdue(book, visits, Part(), first, last, {})[1]


def _parts(book: Book, visits: Iterable[Visit]) -> list[tuple[Part, list[Visit]]]:
    """Group visits by department, and by person where somebody holds or answered them."""
    groups: defaultdict[str, list[Visit]] = defaultdict(list)
    persons: defaultdict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        groups[visit.department].append(visit)
        persons[visit.person or UNCLAIMED].append(visit)
    made = [(Part("department", g, book.department_name(g)), v) for g, v in groups.items()]
    made.sort(key=lambda each: each[0].name)
    named = [(Part("person", p, _name(book, p)), v) for p, v in persons.items()]
    return made + sorted(named, key=lambda each: (each[0].key == UNCLAIMED, each[0].name))


def _name(book: Book, person: str) -> str:
    return "никто не взял" if person == UNCLAIMED else book.staff.name(person)


def _overdue(
    book: Book, visits: Iterable[Visit], part: Part, first: int, last: int, left: dict[str, int]
) -> list[Figure]:
    late = [(book.overdue(v, first, last), book.key(v)) for v in visits if not v.customer]
    late = [(span, key) for span, key in late if span > 0]
    orders = [key for _, key in late]
    hours = sum(span for span, _ in late) / HOUR
    return [
        figure(
            "overdue_tasks",
            "Просрочено задач",
            len(late),
            TASKS,
            orders,
            n=len(late),
            part=part,
            excluded=left,
            note="задачи, чья просрочка пришлась на период",
        ),
        figure(
            *("overdue_hours", "Просрочено рабочих часов", hours, HOURS, orders),
            n=len(late),
            part=part,
            excluded=left,
            note=_NOTE,
        ),
    ]


def _worked(book: Book, visits: list[Visit], part: Part, first: int, last: int) -> list[Figure]:
    """Return how many tasks a person did, and how well the schedule was kept.

    (in time · 1 + done late · 0,5 + open late · 0) ÷ all of them.
    """
    if part.key == UNCLAIMED:
        return []
    done = [v for v in visits if v.ended is not None and first <= v.ended < last and v.outcome != CANCELLED]
    waited = [v for v in done if v.customer]
    timed = [v for v in done if v.due is not None and not v.customer]
    good = [v for v in timed if v.ended is not None and v.due is not None and v.ended <= v.due]
    late = [v for v in visits if v.due is not None and v.due < last and not v.customer]
    still = [v for v in late if v.outcome == OPEN or (v.ended or last) >= last]
    total = len(timed) + len(still)
    points = len(good) + 0.5 * (len(timed) - len(good))
    orders = [book.key(v) for v in [*timed, *still]]
    few = total < 5
    return [
        figure("tasks_done", "Сделано задач", len(done), TASKS, [book.key(v) for v in done], n=len(done), part=part),
        figure("tasks_in_time", "Сделано в срок", len(good), TASKS, map(book.key, good), n=len(good), part=part),
        figure(
            *("schedule", "Соблюдение сроков", None if few else 100 * points / total, PERCENT, orders),
            n=total,
            part=part,
            status="few" if few else "ok",
            excluded={"без срока": len(done) - len(timed) - len(waited), "ждали заказчика": len(waited)},
            note="в срок 1, с опозданием 0,5, не сделано к сроку 0",
        ),
    ]


def _open(id_: str, label: str, book: Book, visits: list[Visit], part: Part) -> Figure:
    return figure(id_, label, len(visits), TASKS, [book.key(v) for v in visits], n=len(visits), part=part)


def ageing(book: Book, open_visits: list[Visit], at: int) -> list[Figure]:
    """Return the oldest open step of each stage beside what is usual there: p85 of all answers before."""
    found = []
    for stage in book.stages:
        visits = [v for v in open_visits if v.stage == stage.code]
        part = Part("stage", stage.code, stage.label)
        ages = [(book.clock.worked(v.created, at) / HOUR, book.key(v)) for v in visits]
        found.append(figure("stage_open", "Стоят на шаге", len(visits), "заказов", _keys(ages), n=len(ages), part=part))
        if not ages:
            continue
        oldest = max(age for age, _ in ages)
        found.append(
            figure("stage_oldest", "Дольше всех стоит", oldest, HOURS, [k for a, k in ages if a == oldest], part=part)
        )
        before = [v for v in book.visits if v.stage == stage.code and v.ended is not None and v.ended < at]
        usual = [book.clock.worked(v.created, v.ended or at) / HOUR for v in before]
        found += [_older("stage_ageing", "Стоят дольше обычного", ages, usual, q, "на этом шаге", part) for q in _AGES]
    return found


def order_ageing(book: Book, at: int) -> list[Figure]:
    """Return the running orders that are older than 50, 85 and 95 of 100 shipped before were at their end."""
    ages = [(book.days(o, at), o.key) for o in book.open_at(at)]
    shipped = [o for o in book.orders if o.outcome == "delivered" and o.ended is not None and o.ended < at]
    usual = [book.days(o, o.ended or at) for o in shipped]
    return [_older("order_ageing", "В работе дольше прежних", ages, usual, q, "от заявки до отгрузки") for q in _AGES]


def _older(
    id_: str, label: str, ages: list[tuple[float, str]], usual: list[float], q: int, where: str, part: Part = WHOLE
) -> Figure:
    limit = quantile(usual, q / 100) if len(usual) >= enough(q / 100) else None
    old = [key for age, key in ages if limit is not None and age > limit]
    value = None if limit is None else len(old)
    status: Status = "few" if value is None else "ok"
    note = f"дольше, чем {q} из 100 прежних {where}; прежних {len(usual)}, сейчас {len(ages)}"
    return figure(
        f"{id_}.p{q}", f"{label}, p{q}", value, ORDERS, old, n=len(old), part=part, status=status, note=note,
        excluded={} if limit is not None else {"прежних мало": len(usual)},
    )  # fmt: skip


def _keys(pairs: list[tuple[float, str]]) -> list[str]:
    return [key for _, key in pairs]
