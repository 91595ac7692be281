"""Health of the mirror, and the register of bonus adjustments: counts and points, no persons."""

from __future__ import annotations

from collections.abc import Sequence

from reports.adjustments import State
from reports.book import Book
from reports.figures import ATTEMPTS, ENTRIES, ORDERS, POINTS, SECONDS, Figure, figure, quantiles
from reports.upkeep import Entry, Upkeep

_NO_PORTAL = "портал не подключён"
_BY_PERSON = "по сотрудникам: в выгрузке для зарплаты"
_STATES = (
    ("register_open", "Записи, по которым решения ещё нет", State.OPEN),
    ("register_confirmed", "Подтверждённые записи", State.CONFIRMED),
    ("register_annulled", "Отменённые записи", State.ANNULLED),
    ("register_withdrawn", "Записи, снятые программой", State.WITHDRAWN),
)


def upkeep(book: Book) -> list[Figure]:
    """Return the figures of what the book knows besides its orders; all of them unknown where it knows nothing."""
    return [*health(book, book.upkeep), *register(book.upkeep)]


def health(book: Book, known: Upkeep | None) -> list[Figure]:
    """Return how long cards took to follow, which differ now, and how often a program's step failed."""
    portal = known is not None and known.portal
    synced = known.synced if known and portal else ()
    lags = [(took / 1000, book.by_id[i].order.key) for i, took in synced if i in book.by_id]
    note = "от очереди шага до равной ему карточки, шаги за период; при молчащем портале шаг опережает карточку"
    drift = known.drift if known and portal else ()
    failed = [book.by_id[i].order.key for i in known.failed if i in book.by_id] if known else []
    return [
        *quantiles(
            *("sync_lag", "Карточка догоняет заказ", lags, SECONDS, (50, 95)),
            note=note if portal else _NO_PORTAL,
            unknown=not portal,
        ),
        figure(
            *("sync_drift", "Карточки, не равные заказу", len(drift) if portal else None, ORDERS, drift),
            note="сейчас, дольше одной сверки" if portal else _NO_PORTAL,
        ),
        figure(
            *("failed_steps", "Неудачные попытки шагов программ", len(failed) if known else None, ATTEMPTS, failed),
            n=len(failed),
            note="за период; повтор после сбоя портала тоже попытка",
        ),
    ]


def register(known: Upkeep | None) -> list[Figure]:
    """Return how many entries about promises of the month there are, what became of them, and the confirmed points."""
    entries: Sequence[Entry] = known.entries if known else ()
    confirmed = [e for e in entries if e.state is State.CONFIRMED]
    points = sum(e.points for e in confirmed) if known else None
    about = "о сроках, которые прошли за период"
    return [
        _entries(known, "register_entries", "Записи о корректировке премии", entries, f"{about}; {_BY_PERSON}"),
        _entries(known, "register_explained", "Записи с объяснением сотрудника", [e for e in entries if e.explained]),
        *(_entries(known, id_, label, [e for e in entries if e.state is state]) for id_, label, state in _STATES),
        _entries(known, "register_appealed", "Записи, с которыми не согласились", [e for e in entries if e.appealed]),
        figure(
            *("register_points", "Баллы подтверждённых записей", points, POINTS, [e.order for e in confirmed]),
            n=len(confirmed),
            note="баллы, а не деньги: сколько стоит балл, решает локальный акт",
        ),
    ]


def _entries(known: Upkeep | None, id_: str, label: str, entries: Sequence[Entry], note: str = "") -> Figure:
    value = len(entries) if known else None
    return figure(id_, label, value, ENTRIES, [e.order for e in entries], n=len(entries), note=note)
