"""Ended orders that a person looks for by number, customer or item: out of the history store, by the board's rights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from orders.access import SEE_ALL, Readers
from orders.persons import Person
from reports.clock import moment
from reports.facts import Order, Visit

MOST = 30  # the newest of them


@dataclass(frozen=True, slots=True)
class Past:
    """One ended order; `readers` may see more of it than its number."""

    key: str
    customer: str
    item: str
    ended: datetime
    outcome: str
    readers: Readers


def past_of(order: Order, visits: Iterable[Visit]) -> Past:
    """Return an ended order with those who had to do with it. Raises ValueError for a running one."""
    if order.ended is None:
        raise ValueError(order.key)
    seen = list(visits)
    persons = frozenset(filter(None, (order.initiator, *(v.person for v in seen))))
    groups = SEE_ALL | {v.department for v in seen if v.department}
    return Past(
        *(order.key, order.customer or "", order.item or "", moment(order.ended), order.outcome),
        Readers(persons, frozenset(groups)),
    )


def found(orders: Iterable[Past], person: Person | None, text: str) -> list[Past]:
    """Return what the person may find by these words, newest first: others' orders by their whole number only."""
    wanted = text.casefold().strip()
    hits = [
        past
        for past in orders
        if past.key.casefold() == wanted
        or (past.readers.allow(person) and any(wanted in t.casefold() for t in (past.key, past.customer, past.item)))
    ]
    return sorted(hits, key=lambda p: p.ended, reverse=True)
