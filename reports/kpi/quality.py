"""Quality: complaints, perfect orders, what orders really cost, and whether they went as the diagram draws."""

from __future__ import annotations

from collections import Counter

from reports.book import Book
from reports.clock import CALENDAR_DAY
from reports.facts import COMPLAINT, COST, Order
from reports.figures import COMPLAINTS, PERCENT, ROUBLES, Figure, count, figure, keys, quantiles, share
from reports.kpi.promises import on_time
from reports.period import Month
from reports.targets import WARRANTY_DAYS


def quality(book: Book, month: Month, warranty_days: int = WARRANTY_DAYS) -> list[Figure]:
    """Return the figures of quality in a month."""
    first, last = book.bounds(month)
    ended = list(book.ended_in(first, last))
    shipped = [o for o in ended if o.outcome == "delivered"]
    return [
        *complaints(book, first, last, warranty_days),
        *perfect(book, shipped),
        *costs(book, first, last),
        *conformance(book, ended),
    ]


def complaints(book: Book, first: int, last: int, warranty_days: int) -> list[Figure]:
    """Return the complaints opened in a period, and their share of what was under warranty at its end."""
    begin = last - warranty_days * CALENDAR_DAY
    covered = [o for o in book.ended_in(begin, last) if o.outcome == "delivered"]
    opened = [r for r in book.records if r.kind == COMPLAINT and first <= r.at < last]
    about = [book.by_id[r.order_instance_id].order.key for r in opened if r.order_instance_id in book.by_id]
    note = f"рекламации за период на 100 заказов, отгруженных за {warranty_days} дней до его конца, на гарантии"
    return [
        figure("complaints", "Рекламации", len(opened), COMPLAINTS, about, n=len(opened), note="открыты за период"),
        share("complaint_rate", "Доля рекламаций", len(opened), keys(covered), note=note),
    ]


def perfect(book: Book, shipped: list[Order]) -> list[Figure]:
    """Return the orders on time by the last promise, with all documents and without a complaint ÷ shipped."""
    complained = {r.order_instance_id for r in book.records if r.kind == COMPLAINT}
    flaws: Counter[str] = Counter()
    good = []
    for order in shipped:
        found = [
            *(["без срока"] if not order.promises else [] if on_time(order, -1) else ["опоздали"]),
            *(["не все документы"] if _missing(book, order) else []),
            *(["с рекламацией"] if order.instance_id in complained else []),
        ]
        flaws.update(found)
        if not found:
            good.append(order)
    said = "; ".join(f"{what}: {n}" for what, n in flaws.items())
    note = "отгружены за период, вовремя по последнему сроку, со всеми документами, без рекламаций"
    why = f"{note}. {said}" if said else note
    return [
        count("perfect_orders", "Безупречные заказы", good, note=note),
        share("perfect", "Доля безупречных заказов", len(good), keys(shipped), note=why),
    ]


def costs(book: Book, first: int, last: int) -> list[Figure]:
    """Return how real costs compare with estimates: of the orders whose cost was recorded in a period."""
    last_said = {r.order_instance_id: r for r in book.records if r.kind == COST and r.at < last}
    known = [
        (book.by_id[i].order, r.cost)
        for i, r in last_said.items()
        if r.at >= first and i in book.by_id and r.cost is not None
    ]
    compared = [(o, c) for o, c in known if o.estimate]
    left = {"смета не записана": len(known) - len(compared)}
    note = "затраты, записанные за период, против сметы того же заказа; из нескольких записей последняя"
    gaps = [(100 * (c / (o.estimate or 1) - 1), o.key) for o, c in compared]
    of = [o.key for o, _ in compared]
    planned, spent = (sum(o.estimate or 0 for o, _ in compared) / 100, sum(c for _, c in compared) / 100)
    return [
        figure("cost_planned", "Сметы заказов с известными затратами", planned, ROUBLES, of, excluded=left, note=note),
        figure("cost_actual", "Фактические затраты", spent, ROUBLES, of, excluded=left, note=note),
        *quantiles(
            *("estimate_gap", "Затраты против сметы", gaps, PERCENT, (15, 50, 85)),
            excluded=left,
            note=f"{note}; меньше нуля: дешевле сметы",
        ),
    ]


def conformance(book: Book, ended: list[Order]) -> list[Figure]:
    """Return the orders without deviations ÷ those checked."""
    checked = [o for o in ended if o.instance_id in book.verdicts]
    bad = [o for o in checked if book.verdicts[o.instance_id]]
    note = "законченные за период заказы, чей путь сверен с их версией схемы, и боковые двери"
    left = {"не проверены": len(ended) - len(checked)}
    return [
        share("conformance", "Заказы без отклонений", len(checked) - len(bad), keys(checked), excluded=left, note=note,
              least=1),
        count("deviating", "Заказы с отклонениями от маршрута", bad, excluded=left, note=note),
    ]  # fmt: skip


def _missing(book: Book, order: Order) -> list[str]:
    """Return the file fields that the diagram demands at the steps the order passed, and that nobody sent."""
    if book.papers is None:
        return []
    there = book.papers.get(order.instance_id, frozenset())
    passed = {v.stage for v in book.by_id[order.instance_id].visits}
    demands = [*book.route.start_required, *(d for s in book.route.stages if s.code in passed for d in s.required)]
    fields = [*book.route.start_fields, *(f for s in book.route.stages for f in s.file_fields())]
    files = {f.name for f in fields if f.kind.holds_files}
    wanted = {d.field for d in demands if d.decision is None and d.differs is None}
    return sorted((wanted & files) - there)
