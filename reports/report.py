"""The report of a month: one model, from which page, table and JSON are made, so that no two of them can differ."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orders.plural import count
from orders.worktime import NOT_APPROVED
from reports.book import Book
from reports.clock import moment
from reports.figures import Figure
from reports.kpi.flow import flow
from reports.kpi.money import money, shipped_sum
from reports.kpi.people import overdue_whole, people
from reports.kpi.promises import late_now, promises
from reports.kpi.quality import quality
from reports.kpi.stages import stages
from reports.kpi.upkeep import upkeep
from reports.period import Month, months_until
from reports.targets import WARRANTY_DAYS, Baseline, Targets

TREND_MONTHS = 13
NOT_HERE: Mapping[str, str] = {
    "Качество прогноза": "прогноз ещё не строится",
}
"""KPI without a source so far -> why. Said in the report, so that nobody takes their absence for a zero."""
_TREND = (
    *("received", "duplicates", "ended", "wip", "lead_time.p50", "lead_time.p85", "on_time_last", "on_time_first"),
    *("throughput", "rework", "sum_shipped", "overdue_hours"),
)


class Narrow(BaseModel):
    """One of the narrowest places: a stage, the hours lost there past its norm, the orders that stand there."""

    model_config = ConfigDict(frozen=True)

    stage: str
    name: str
    hours_lost: float
    orders: tuple[str, ...]


class Strayed(BaseModel):
    """One deviation of an ended order from its own version of the diagram."""

    model_config = ConfigDict(frozen=True)

    order: str
    what: str
    at: datetime | None
    who: str


class Conformity(BaseModel):
    """Whether the orders that ended in the month went as their diagram draws."""

    model_config = ConfigDict(frozen=True)

    checked: int
    unchecked: int
    line: str = Field(description="«0 отклонений», or how many")
    found: tuple[Strayed, ...] = ()


class Report(BaseModel):
    """Everything that a report says."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    period: str = Field(description="month of the plant, YYYY-MM")
    title: str
    generated_at: datetime = Field(alias="generatedAt")
    time_zone: str = Field(alias="timeZone", description="the plant's zone: «today» and «month» are its")
    complete: bool = Field(description="false while the month still runs: figures are as of generatedAt")
    state: Literal["ok", "empty"]
    remarks: tuple[str, ...] = ()
    baseline: str | None = Field(default=None, description="the month or file that figures are compared with")
    kpi: tuple[Figure, ...]
    trend: tuple[Figure, ...] = Field(description="the same figures for months up to this one; key = month")
    narrow: tuple[Narrow, ...]
    conformity: Conformity
    not_here: dict[str, str] = Field(alias="notHere", description="KPI without a source so far, and why")

    def find(self, id_: str, key: str = "") -> Figure | None:
        """Return a figure by id and part, or None."""
        return next((f for f in self.kpi if f.id == id_ and f.key == key), None)

    def parts(self, by: str) -> list[Figure]:
        """Return the figures about one kind of part."""
        return [f for f in self.kpi if f.by == by]


def figures(book: Book, month: Month, warranty_days: int = WARRANTY_DAYS) -> list[Figure]:
    """Return every figure of a month's orders, without targets."""
    late = late_now(book, book.bounds(month)[1])
    return [
        *flow(book, month),
        *promises(book, month),
        late,
        *stages(book, month),
        *people(book, month),
        *money(book, month),
        *quality(book, month, warranty_days),
    ]


def make_report(book: Book, month: Month, targets: Targets, baseline: Baseline | None = None) -> Report:
    """Make the report of a month as it is known at the book's `now`."""
    zone = book.calendar.zone
    last = book.bounds(month)[1]
    compared = baseline or _of_month(book, targets)
    made = [*figures(book, month, targets.warranty_days), *upkeep(book)]
    kpi = [_judged(f, targets, compared) for f in made]
    begun = [o.started for o in book.orders if o.started < last]
    return Report(
        period=str(month),
        title=month.title,
        generatedAt=moment(book.now).astimezone(zone),
        timeZone=str(zone),
        complete=month.bounds(zone)[1] <= book.now,
        state="ok" if begun else "empty",
        remarks=tuple(_remarks(book, month, begun)),
        baseline=compared.name if compared else None,
        kpi=tuple(kpi),
        trend=tuple(_trend(book, month)),
        narrow=tuple(narrowest(kpi)),
        conformity=_conformity(book, month),
        notHere=dict(NOT_HERE),
    )


def narrowest(kpi: list[Figure]) -> list[Narrow]:
    """Return the three stages that cost most working hours past their norms."""
    lost = sorted((f for f in kpi if f.id == "stage_lost" and f.value), key=lambda f: (-(f.value or 0), f.key))
    standing = {f.key: f.orders for f in kpi if f.id == "stage_open"}
    return [
        Narrow(stage=f.key, name=f.name, hours_lost=f.value or 0.0, orders=standing.get(f.key, ())) for f in lost[:3]
    ]


def _conformity(book: Book, month: Month) -> Conformity:
    ended = list(book.ended_in(*book.bounds(month)))
    checked = [o for o in ended if o.instance_id in book.verdicts]
    zone = book.calendar.zone
    found = [
        Strayed(order=o.key, what=d.text, at=None if d.at is None else moment(d.at).astimezone(zone), who=d.who)
        for o in checked
        for d in book.verdicts[o.instance_id]
    ]
    orders = count(len(checked), "заказ", "заказа", "заказов")
    many = count(len(found), "отклонение", "отклонения", "отклонений")
    line = f"Путь сверен со схемой у {len(checked)} из {len(ended)} законченных: {many}" if ended else "Законченных нет"
    if ended and len(checked) == len(ended):
        line = f"Проверено {orders}: {many}"
    return Conformity(checked=len(checked), unchecked=len(ended) - len(checked), line=line, found=tuple(found))


def _judged(figure: Figure, targets: Targets, baseline: Baseline | None) -> Figure:
    changes: dict[str, object] = {}
    goal = targets.goals.get(figure.id) if not figure.by else None
    if goal is not None:
        changes["target"] = goal.value
        if figure.value is not None:
            changes["met"] = goal.met(figure.value)
    if baseline is not None and (old := baseline.values.get((figure.id, figure.key))) is not None:
        changes["baseline"] = old
        if old and figure.value is not None:
            changes["ratio"] = round(figure.value / old, 2)
    return figure.model_copy(update=changes) if changes else figure


def _of_month(book: Book, targets: Targets) -> Baseline | None:
    month = targets.baseline_month
    if month is None or not any(o.started < book.bounds(month)[1] for o in book.orders):
        return None
    values = {(f.id, f.key): f.value for f in figures(book, month, targets.warranty_days) if f.value is not None}
    return Baseline(month.title, values)


def _trend(book: Book, month: Month) -> list[Figure]:
    """Return the figures over months, from the first month with an order on."""
    first = min((o.started for o in book.orders), default=book.now)
    found: list[Figure] = []
    for each in months_until(month, TREND_MONTHS):
        if each.bounds(book.calendar.zone)[1] <= first:
            continue
        begin, end = book.bounds(each)
        made = [*flow(book, each, hours=False), *promises(book, each)]
        made += [overdue_whole(book, begin, end), shipped_sum(book, begin, end)]
        for figure in made:
            if figure.id in _TREND and figure.by in ("", "outcome"):
                part = f"{each}:{figure.key}" if figure.key else str(each)
                name = f"{each.title}: {figure.name}" if figure.name else each.title
                found.append(figure.model_copy(update={"by": "month", "key": part, "name": name}))
    return found


def _remarks(book: Book, month: Month, begun: list[int]) -> list[str]:
    zone = book.calendar.zone
    first, last = month.bounds(zone)
    found = []
    if not begun:
        found.append(f"Заказов на {month.title} ещё не было: показывать нечего, все счётчики равны нулю.")
    elif not any(first <= o.started < last or (o.ended or book.now) >= first for o in book.orders if o.started < last):
        found.append(f"За {month.title} ничего не происходило: новых, идущих и законченных заказов нет.")
    if last > book.now:
        found.append(f"Месяц ещё идёт: числа на {moment(book.now).astimezone(zone):%d.%m.%Y %H:%M}.")
    if not book.calendar.approved(month.year):
        found.append(f"{NOT_APPROVED.capitalize()}: рабочие часы {month.year} года могут измениться.")
    return found
