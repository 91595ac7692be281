"""Promises: ready by the first and by the last promised date, how often and how far dates moved."""

from __future__ import annotations

from reports.book import Book
from reports.clock import DAY, WorkClock
from reports.facts import Order
from reports.figures import CHANGES, DAYS, Figure, figure, keys, mean, quantiles, share
from reports.period import Month


def promises(book: Book, month: Month) -> list[Figure]:
    """Return the figures of the orders that became ready in a month."""
    first, last = book.bounds(month)
    ready = [o for o in book.orders if o.ready is not None and first <= o.ready < last]
    promised = [o for o in ready if o.promises]
    left = {"готовы без назначенного срока": len(ready) - len(promised)}
    note = "готовы за период; вовремя = не позже обещанного дня и часа"
    found = [
        _on_time("on_time_last", "Вовремя по последнему сроку", promised, -1, left, note),
        _on_time("on_time_first", "Вовремя по первому сроку", promised, 0, left, note),
        _late(promised, left),
        *quantiles(
            "days_late",
            "На сколько опоздали",
            _days_late(book, promised),
            DAYS,
            (50, 85),
            excluded=left,
            note="рабочие дни от последнего срока до готовности, только опоздавшие",
        ),
    ]
    moves = [(float(len(o.promises) - 1), o.key) for o in promised]
    shifts = [
        (book.clock.worked(o.promises[0].ready_by, o.promises[-1].ready_by) / DAY, o.key)
        for o in promised
        if len(o.promises) > 1
    ]
    return [
        *found,
        mean(
            "promise_moves",
            "Переносов срока на заказ",
            moves,
            CHANGES,
            excluded=left,
            note="сколько раз срок меняли до готовности",
        ),
        mean(
            "promise_shift",
            "Средний сдвиг перенесённого срока",
            shifts,
            DAYS,
            excluded={"срок не переносили": len(promised) - len(shifts)},
            note="последний срок минус первый",
        ),
    ]


def on_time(order: Order, which: int) -> bool:
    """Tell whether an order was ready by its first (0) or last (-1) promise."""
    return order.ready is not None and order.ready <= order.promises[which].ready_by


def _on_time(id_: str, label: str, orders: list[Order], which: int, left: dict[str, int], note: str) -> Figure:
    good = [o for o in orders if on_time(o, which)]
    return share(id_, label, len(good), keys(orders), excluded=left, note=note)


def _late(orders: list[Order], left: dict[str, int]) -> Figure:
    late = [o for o in orders if not on_time(o, -1)]
    note = "готовы за период позже последнего обещанного срока"
    return figure(
        "late", "Готовы с опозданием", len(late), "заказов", keys(late), n=len(late), excluded=left, note=note
    )


def _days_late(book: Book, orders: list[Order]) -> list[tuple[float, str]]:
    clock: WorkClock = book.clock
    late = [o for o in orders if not on_time(o, -1)]
    return [(clock.worked(o.promises[-1].ready_by, o.ready or 0) / DAY, o.key) for o in late]


def late_now(book: Book, at: int) -> Figure:
    """Return the orders in production whose last promise has passed at an instant."""
    # A date that was moved afterwards does not change what was late then.
    given = {o: [p.ready_by for p in o.promises if p.at < at] for o in book.open_at(at)}
    late = [o for o, dates in given.items() if dates and dates[-1] < at and (o.ready is None or o.ready >= at)]
    note = "срок прошёл, заказ ещё не готов"
    return figure("late_open", "Просрочены на конец периода", len(late), "заказов", keys(late), n=len(late), note=note)
