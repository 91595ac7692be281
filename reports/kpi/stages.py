"""Stages: how long each takes, wait and touch, first pass at the gates, where time is lost."""

from __future__ import annotations

from collections.abc import Sequence

from orders.norms import parse_norm
from orders.stage import Stage
from reports.book import Book, Times
from reports.clock import HOUR
from reports.facts import DONE, REFUSED_FILES, Visit
from reports.figures import HOURS, PERCENT, Figure, Part, Status, figure, quantiles, share
from reports.period import Month

_QS = (50, 85, 90)


def stages(book: Book, month: Month) -> list[Figure]:
    """Return the figures of every stage in a month: of the answers given in it."""
    first, last = book.bounds(month)
    answered = [v for v in book.visits if v.ended is not None and first <= v.ended < last]
    by_stage: dict[str, list[Visit]] = {s.code: [] for s in book.stages}
    for visit in answered:
        by_stage[visit.stage].append(visit)
    found: list[Figure] = []
    for stage in book.stages:
        visits = [v for v in by_stage[stage.code] if v.outcome in (DONE, REFUSED_FILES)]
        found += _durations(book, stage, visits)
        found += _first_pass(book, stage, visits)
    found.append(_efficiency(book, "flow_efficiency", "Доля работы во времени шагов", answered))
    for stage in book.stages:
        found.append(_lost(book, stage, first, last))
    return found


def of_stage(stage: Stage) -> Part:
    """Return the part of a stage."""
    return Part("stage", stage.code, stage.label)


def _durations(book: Book, stage: Stage, visits: Sequence[Visit]) -> list[Figure]:
    part = of_stage(stage)
    timed = [(book.times(v), book.key(v), v) for v in visits]
    total = [(t.total / HOUR, key) for t, key, _ in timed]
    wait = [(t.wait / HOUR, key) for t, key, _ in timed if t.wait is not None]
    touch = [(t.touch / HOUR, key) for t, key, _ in timed if t.touch is not None]
    unknown = {"не отмечено, когда взят в работу": len(visits) - len(wait)}
    found = [
        *_against_norm(stage, quantiles("stage_time", "Время шага", total, HOURS, _QS, part=part)),
        *_hours(timed, part),
    ]
    if stage.waits != "customer":  # there the time is the customer's: neither waiting nor work of ours
        found += [
            *quantiles("stage_wait", "Ждёт исполнителя", wait, HOURS, (50,), part=part, excluded=unknown, unknown=True),
            *quantiles("stage_touch", "Делается", touch, HOURS, (50,), part=part, excluded=unknown, unknown=True),
            _efficiency(book, "stage_efficiency", "Доля работы", visits, part),
        ]
    versions = sorted({v.version for v in visits})
    if len(versions) > 1:
        for version in versions:
            pairs = [(t.total / HOUR, key) for t, key, v in timed if v.version == version]
            name = f"{stage.label}, версия {version}"
            own = Part("version", f"{stage.code}:{version}", name)
            found += quantiles("stage_time", "Время шага по версиям схемы", pairs, HOURS, _QS, part=own)
    return found


def _against_norm(stage: Stage, made: list[Figure]) -> list[Figure]:
    """Set the norm of the diagram as the target of the median, where it is a number of hours."""
    hours = parse_norm(stage.norm).hours if stage.norm else None
    if not hours:
        return made
    median, *others = made
    met = None if median.value is None else median.value <= hours
    return [median.model_copy(update={"target": hours, "met": met}), *others]


def _hours(timed: Sequence[tuple[Times, str, Visit]], part: Part) -> list[Figure]:
    """Return where the working hours of a stage went: they add up to all of its time."""
    kinds: dict[str, tuple[str, list[tuple[int, str]]]] = {
        "customer": ("Часы: ждали заказчика", [(t.total, k) for t, k, v in timed if v.customer]),
        "wait": (
            "Часы: ждали исполнителя",
            [(t.wait, k) for t, k, v in timed if not v.customer and t.wait is not None],
        ),
        "touch": ("Часы: делали", [(t.touch, k) for t, k, v in timed if not v.customer and t.touch is not None]),
        "away": ("Часы: исполнитель отсутствовал", [(t.away, k) for t, k, v in timed if not v.customer and t.away]),
        "unknown": ("Часы: неизвестно", [(t.total, k) for t, k, v in timed if not v.customer and t.wait is None]),
    }
    return [
        figure(
            f"stage_hours.{kind}",
            label,
            sum(s for s, _ in spans) / HOUR,
            HOURS,
            [k for _, k in spans],
            n=len(spans),
            part=part,
        )
        for kind, (label, spans) in kinds.items()
    ]


def _efficiency(book: Book, id_: str, label: str, visits: Sequence[Visit], part: Part = Part()) -> Figure:  # noqa: B008
    """Return Σ touch ÷ Σ (touch + wait); the customer's steps and those without a claim left out."""
    own = [v for v in visits if not v.customer and v.outcome in (DONE, REFUSED_FILES)]
    known = [(book.times(v), book.key(v)) for v in own if v.claimed is not None]
    touch = sum(t.touch or 0 for t, _ in known)
    spent = touch + sum(t.wait or 0 for t, _ in known)
    left = {
        "не отмечено, когда взят в работу": len(own) - len(known),
        "ждали заказчика": sum(v.customer for v in visits),
    }
    keys = [key for _, key in known]
    note = "сделано ÷ (ждали исполнителя + сделано), рабочие часы ответов за период"
    if own and not known:
        return figure(id_, label, None, PERCENT, keys, n=0, part=part, excluded=left, note=note)
    few = len(known) < 5 or not spent
    value = None if few else 100 * touch / spent
    status: Status = "few" if few else "ok"
    return figure(id_, label, value, PERCENT, keys, n=len(known), part=part, status=status, excluded=left, note=note)


def _first_pass(book: Book, stage: Stage, visits: Sequence[Visit]) -> list[Figure]:
    """Return approvals at the first decision ÷ first decisions, for a stage where something is approved."""
    first = [v for v in visits if v.positive is not None and _is_first(book, v)]
    if not any(v.positive is not None for v in visits):
        return []
    good = [v for v in first if v.positive]
    return [
        share(
            *("first_pass", "Согласовано с первого раза", len(good), [book.key(v) for v in first]),
            part=of_stage(stage),
            excluded={"повторные решения": sum(v.positive is not None for v in visits) - len(first)},
        )
    ]


def _is_first(book: Book, visit: Visit) -> bool:
    decisions = book.by_id[visit.instance_id].decisions
    return next(d.visit_id for d in decisions if d.stage == visit.stage) == visit.id


def _lost(book: Book, stage: Stage, first: int, last: int) -> Figure:
    """Return the working hours past the norm that a stage cost in the month; the customer's stages are not ours."""
    late = [(book.overdue(v, first, last), book.key(v)) for v in book.late_visits if v.stage == stage.code]
    late = [(span, key) for span, key in late if span > 0]
    total = sum(span for span, _ in late) / HOUR
    return figure(
        *("stage_lost", "Потеряно сверх срока", total, HOURS, [key for _, key in late]),
        n=len(late),
        part=of_stage(stage),
        note="рабочие часы после срока шага, которые пришлись на период",
    )
