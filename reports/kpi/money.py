"""Money and refusals: sums by stage and outcome, what was lost at the price, what is ready and unpaid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from reports.book import Book
from reports.clock import DAY, HOUR
from reports.facts import Decision, Order
from reports.figures import DAYS, HOURS, ROUBLES, Figure, Part, figure, keys, share
from reports.period import Month

_NO_REASON = "причина не названа"
_NO_NAME = "заказчик не назван"


def money(book: Book, month: Month) -> list[Figure]:
    """Return the figures of money and refusals in a month."""
    first, last = book.bounds(month)
    decided = [d for f in book.facts for d in f.decisions if first <= d.at < last]
    ended = list(book.ended_in(first, last))
    return [
        *_refusals(book, decided),
        *_price(book, decided, ended),
        *_sums(book, ended, last),
        *_customers([*book.open_at(last), *ended], last),
    ]


def shipped_sum(book: Book, first: int, last: int) -> Figure:
    """Return the sum of the estimates of what was shipped in a period."""
    return _sum(
        "sum_shipped", "Отгружено по сметам", [o for o in book.ended_in(first, last) if o.outcome == "delivered"]
    )


def _refusals(book: Book, decided: Sequence[Decision]) -> list[Figure]:
    decisions = [d for d in decided if d.stage == "approve"]
    refused = [d for d in decisions if not d.positive]
    note = "отказы ÷ решения директора за период"
    found = [share("director_refusal", "Отказы директора", len(refused), _orders(book, decisions), note=note)]
    reasons: defaultdict[str, list[Decision]] = defaultdict(list)
    for each in refused:
        reasons[(each.comment or "").strip() or _NO_REASON].append(each)
    for reason, those in sorted(reasons.items(), key=lambda r: (-len(r[1]), r[0])):
        part = Part("reason", reason, reason)
        found.append(
            figure(
                "refusals", "Отказы по причинам", len(those), "заказов", _orders(book, those), n=len(those), part=part
            )
        )
    return found


def _price(book: Book, decided: Sequence[Decision], ended: Sequence[Order]) -> list[Figure]:
    decisions = [d for d in decided if d.stage == "price"]
    rejected = [d for d in decisions if not d.positive]
    lost = [o for o in ended if o.outcome == "rejected"]
    hours = sum(book.times(v).total for o in lost for v in book.by_id[o.instance_id].visits if not v.customer) / HOUR
    unknown = {"смета не записана": sum(o.estimate is None for o in lost)}
    return [
        share(
            "price_rejection",
            "Цена не принята",
            len(rejected),
            _orders(book, decisions),
            note="заказчик не согласился ÷ решения о цене за период",
        ),
        figure(
            "price_lost_sum",
            "Сумма непринятых смет",
            _roubles(lost),
            ROUBLES,
            keys(lost),
            excluded=unknown,
            note="заказы, которые за период кончились на цене",
        ),
        figure(
            *("price_lost_hours", "Рабочих часов до отказа от цены", hours, HOURS, keys(lost)),
            n=len(lost),
            note="время шагов без ожидания заказчика",
        ),
    ]


def _sums(book: Book, ended: Sequence[Order], last: int) -> list[Figure]:
    found = []
    running = book.open_at(last)
    at_stage = {v.instance_id: v.stage for v in book.visits_open_at(last)}
    for stage in book.stages:
        here = [o for o in running if at_stage.get(o.instance_id) == stage.code]
        found.append(_sum("sum_stage", "Сумма смет в работе", here, Part("stage", stage.code, stage.label)))
    shipped = [o for o in ended if o.outcome == "delivered"]
    ready = [o for o in running if o.ready is not None and o.ready < last and (o.paid is None or o.paid >= last)]
    ages = [(book.clock.worked(o.ready or 0, last) / DAY, o.key) for o in ready]
    oldest = max((age for age, _ in ages), default=None)
    found += [
        _sum("sum_running", "Сумма смет в работе, всего", running, note="на конец периода"),
        _sum("sum_shipped", "Отгружено по сметам", shipped, note="сметы заказов, отгруженных за период"),
        _paid("sum_paid", "Отгружено, получено денег", shipped),
        figure(
            "ready_unpaid",
            "Готовы и не оплачены",
            len(ready),
            "заказов",
            keys(ready),
            n=len(ready),
            note="изготовлены, оплата на конец периода не отмечена",
        ),
        _sum("sum_ready_unpaid", "Готово и не оплачено", ready, note="сметы этих заказов"),
    ]
    if oldest is not None:
        orders = [key for age, key in ages if age == oldest]
        found.append(
            figure(
                "ready_unpaid_age",
                "Дольше всех ждёт оплаты после готовности",
                oldest,
                DAYS,
                orders,
                note="на конец периода",
            )
        )
    return found


def _customers(orders: Sequence[Order], last: int) -> list[Figure]:
    """Return the estimates of each customer, largest first, and what of them came to nothing."""
    groups: defaultdict[str, list[Order]] = defaultdict(list)
    for order in orders:
        groups[(order.customer or "").strip() or _NO_NAME].append(order)
    found = []
    for name, those in sorted(groups.items(), key=lambda g: (-_roubles(g[1]), g[0])):
        part = Part("customer", name, name)
        over = [o for o in those if o.ended is not None and o.ended < last]
        lost = [o for o in over if o.outcome in ("refused", "rejected", "cancelled")]
        found.append(_sum("sum_customer", "Сумма смет по заказчикам", those, part))
        found.append(_sum("sum_customer.refused", "Сумма смет по заказчикам, без сделки", lost, part))
    return found


def _sum(id_: str, label: str, orders: Sequence[Order], part: Part = Part(), note: str = "") -> Figure:  # noqa: B008
    unknown = {"смета не записана": sum(o.estimate is None for o in orders)}
    known = [o for o in orders if o.estimate is not None]
    return figure(
        id_, label, _roubles(known), ROUBLES, keys(known), n=len(known), part=part, excluded=unknown, note=note
    )


def _paid(id_: str, label: str, orders: Sequence[Order]) -> Figure:
    known = [o for o in orders if o.paid_sum is not None]
    value = sum(o.paid_sum or 0 for o in known) / 100
    left = {"сумма оплаты не записана": len(orders) - len(known)}
    note = "оплаты заказов, отгруженных за период"
    return figure(id_, label, value, ROUBLES, keys(known), n=len(known), excluded=left, note=note)


def _roubles(orders: Iterable[Order]) -> float:
    return sum(o.estimate or 0 for o in orders) / 100


def _orders(book: Book, decisions: Iterable[Decision]) -> list[str]:
    return [book.by_id[d.instance_id].order.key for d in decisions]
