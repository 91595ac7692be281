"""How many orders, how long, how fast: received, outcomes, lead time, throughput, Little's law, rework."""

from __future__ import annotations

from collections import Counter

from reports.book import OUTCOMES, Book
from reports.clock import CALENDAR_DAY, DAY, HOUR
from reports.facts import DONE, Order
from reports.figures import (
    CALENDAR_DAYS,
    DAYS,
    HOURS,
    PER_WEEK,
    TIMES,
    Figure,
    Part,
    count,
    figure,
    keys,
    mean,
    quantiles,
    share,
)
from reports.period import Month

_WEEK_DAYS = 7.0


def flow(book: Book, month: Month, *, hours: bool = True) -> list[Figure]:
    """Return the figures of the flow in a month; without `hours` those that a row of months needs."""
    first, last = book.bounds(month)
    received = [o for o in book.orders if first <= o.started < last]
    duplicates = [o for o in book.duplicates if first <= o.started < last]
    running = book.open_at(last)
    found = [
        count("received", "Получено заказов", received, excluded={"повторы заявок": len(duplicates)}),
        count("duplicates", "Повторы заявок", duplicates, note="второй запуск с тем же номером, заказом не считается"),
        count("wip", "В работе на конец периода", running, note="начаты раньше его конца и ещё не закончены"),
    ]
    ended = list(book.ended_in(first, last))
    for outcome in ("delivered", "refused", "rejected", "cancelled", "removed"):
        found += _outcome(book, outcome, [o for o in ended if o.outcome == outcome], hours=hours)
    shipped = [o for o in ended if o.outcome == "delivered"]
    left_out = Counter(OUTCOMES[o.outcome] for o in ended if o.outcome != "delivered")
    found += lead_time(book, shipped, left_out)
    found += [
        each
        for version in sorted({o.version for o in shipped})
        for each in quantiles(
            *("lead_time", "Срок заказа по версиям схемы"),
            [(book.days(o, o.ended or 0), o.key) for o in shipped if o.version == version],
            DAYS,
            part=Part("version", str(version), f"версия {version}"),
        )
    ]
    span = (last - first) / CALENDAR_DAY
    weekly = len(shipped) / (span / _WEEK_DAYS) if span else None
    found.append(
        figure(
            "throughput",
            "Отгружается в неделю",
            weekly,
            PER_WEEK,
            keys(shipped),
            n=len(shipped),
            excluded=left_out,
            note="отгружены за период ÷ его недели",
        )
    )
    return [*found, little(book, month, shipped), *rework(book, ended)]


def _outcome(book: Book, outcome: str, orders: list[Order], *, hours: bool) -> list[Figure]:
    part = Part("outcome", outcome, OUTCOMES[outcome])
    counted = count("ended", f"Закончены: {OUTCOMES[outcome]}", orders, part=part)
    if not hours:
        return [counted]
    spent = [
        (sum(book.times(v).total for v in book.by_id[o.instance_id].visits if not v.customer) / HOUR, o.key)
        for o in orders
    ]
    label = f"Закончены: {OUTCOMES[outcome]}"
    return [
        counted,
        figure(
            *("ended.hours", f"{label}, рабочих часов потрачено", sum(h for h, _ in spent), HOURS, keys(orders)),
            n=len(orders),
            part=part,
            note="время шагов без ожидания заказчика",
        ),
    ]


def lead_time(book: Book, shipped: list[Order], left_out: Counter[str]) -> list[Figure]:
    """Return the lead time of shipped orders: gross, without the customer's time, and in days of the calendar."""
    gross = [(book.days(o, o.ended or 0), o.key) for o in shipped]
    net = [(book.days(o, o.ended or 0) - book.customer_time(o) / DAY, o.key) for o in shipped]
    plain = [((o.ended or 0) - o.started, o.key) for o in shipped]
    excluded = dict(left_out)
    whole = "от заявки до отгрузки, отгруженные за период"
    own = f"{whole}, без шагов, на которых ждали заказчика"
    return [
        mean("lead_time.mean", "Срок заказа, средний", gross, DAYS, excluded=excluded, note=whole),
        *quantiles("lead_time", "Срок заказа", gross, DAYS, excluded=excluded, note=whole),
        *quantiles("lead_time_net", "Срок заказа без времени заказчика", net, DAYS, excluded=excluded, note=own),
        *quantiles(
            *("lead_time_calendar", "Срок заказа по календарю"),
            [(span / CALENDAR_DAY, key) for span, key in plain],
            CALENDAR_DAYS,
            excluded=excluded,
            note=f"{whole}, с выходными",
        ),
    ]


def little(book: Book, month: Month, shipped: list[Order]) -> Figure:
    """Return average WIP ÷ (throughput · mean lead time) of the month; 1 in a steady system with sound data."""
    first, last = book.bounds(month)
    span = last - first
    spent = sum((o.ended or 0) - o.started for o in shipped)
    overlap = sum(max(0, min(o.ended or book.now, last) - max(o.started, first)) for o in book.orders)
    note = (
        "в работе ÷ (отгрузка × срок); от 0,8 до 1,25 поток устойчив; "
        "иначе заказы копятся или расходятся, либо данные неполны"
    )
    value = overlap / spent if spent and span and len(shipped) >= 5 else None
    return figure(
        *("little", "Проверка по закону Литтла", value, TIMES, keys(shipped)),
        status=None if value is not None else "few",
        note=note,
    )


def rework(book: Book, ended: list[Order]) -> list[Figure]:
    """Return which ended orders repeated a step of design or production, and their share."""
    again = [o for o in ended if reworked(book, o)]
    note = (
        "законченные за период заказы, у которых проект или производство делали больше одного раза; "
        "повтор из-за непринятого файла не считается"
    )
    return [
        count("reworked", "Заказы с переделкой", again, note=note),
        share("rework", "Доля заказов с переделкой", len(again), keys(ended), note=note),
    ]


def reworked(book: Book, order: Order) -> bool:
    """Tell whether design or production was done more than once, refused files apart."""
    visits = book.by_id[order.instance_id].visits
    done = Counter(v.stage for v in visits if v.outcome == DONE)
    return any(done[stage] > 1 for stage in ("design", "manufacture"))
