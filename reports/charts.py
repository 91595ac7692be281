"""Charts of a report as SVG: Vega-Lite drawn by vl-convert, without a browser and without a network.

A title says what was found; the numbers stand as a table below. Colours mean what they mean everywhere, and every one
of them has a word beside it, so that a black-and-white print says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import vl_convert

from orders.plural import plural
from reports.book import OUTCOMES
from reports.figures import Figure
from reports.numbers import short, with_unit
from reports.report import Report

Spec = dict[str, Any]
NEUTRAL, LATE, DONE, CUSTOMER, RISK = "#3b6ea5", "#c0392b", "#2e7d4f", "#9aa3ad", "#d08a1d"
_WIDTH, _STEP, _LEAST = 420, 24, 2
_SHORT = ("янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")
_MONTH_LABEL = f"[{list(_SHORT)}[toNumber(slice(datum.label, 0, 2)) - 1], '’' + slice(datum.label, 3)]"
_FONT = "Arial, 'Liberation Sans', sans-serif"


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart; `text` says the same to those who cannot see it."""

    id: str
    title: str
    svg: str
    note: str = ""


def charts(report: Report) -> list[Chart]:
    """Draw every chart that the report has data for."""
    made: list[Callable[[Report], tuple[str, str, Spec, str] | None]] = [
        *(_standing, _lead, _on_time, _stage_times, _spent, _delays, _load, _sums),
    ]
    return [
        Chart(id_, title, _svg(spec, title), note)
        for each in made
        if (found := each(report))
        for id_, title, spec, note in [found]
    ]


def _svg(spec: Spec, title: str) -> str:
    config = {
        "font": _FONT,
        "aria": False,  # English words about each axis; the whole chart has a Russian label
        "axis": {
            "labelFontSize": 12,
            "titleFontSize": 12,
            "labelLimit": 260,
            "titleFontWeight": "normal",
            "grid": True,
        },
        "view": {"stroke": None},
        "text": {"fontSize": 12},
        "legend": {"orient": "top", "title": None, "labelFontSize": 12, "symbolType": "square"},
    }
    whole = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "white",
        "padding": 4,
        "width": _WIDTH,
        "config": config,
        **spec,
    }
    svg = str(vl_convert.vegalite_to_svg(whole, format_locale="ru-RU"))
    label = title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _standing(report: Report) -> tuple[str, str, Spec, str] | None:
    sums = {f.key: f for f in report.kpi if f.id == "sum_stage"}
    standing = [f for f in report.kpi if f.id == "stage_open"]
    rows = [
        {"what": f.name, "n": f.value, "kind": "в работе", "text": _count_and_sum(f, sums.get(f.key))} for f in standing
    ]
    ended = [f for f in report.kpi if f.id == "ended"]
    rows += [
        {"what": f"→ {OUTCOMES[f.key]}", "n": f.value, "kind": "закончены за месяц", "text": short(f.value)}
        for f in ended
    ]
    most = max(standing, key=lambda f: f.value or 0, default=None)
    if most is None or not any(r["n"] for r in rows):
        return None
    title = "В работе заказов нет"
    if most.value:
        title = f"Больше всего заказов на шаге «{most.name}»: {short(most.value)}"
    spec = _bars(rows, "n", "заказов", colour={"в работе": NEUTRAL, "закончены за месяц": CUSTOMER})
    return "standing", title, spec, "Порядок маршрута; внизу итоги месяца. Сумма по сметам."


def _count_and_sum(figure: Figure, total: Figure | None) -> str:
    if not figure.value:
        return "0"
    return short(figure.value) + (f" · {with_unit(round(total.value), '₽')}" if total and total.value else "")


def _lead(report: Report) -> tuple[str, str, Spec, str] | None:
    return _monthly(report, "lead_time.p50", "lead", "Срок заказа p50", "рабочих дней", falling=True)


def _on_time(report: Report) -> tuple[str, str, Spec, str] | None:
    return _monthly(report, "on_time_last", "on-time", "Вовремя", "%", falling=False)


def _monthly(
    report: Report, id_: str, chart: str, what: str, unit: str, *, falling: bool
) -> tuple[str, str, Spec, str] | None:
    found = [f for f in report.trend if f.id == id_]
    rows: list[Spec] = [{"month": f"{f.key[5:]}.{f.key[2:4]}", "n": f"{f.n}", "value": f.value} for f in found]
    known = [(str(r["month"]), f.value) for r, f in zip(rows, found, strict=True) if f.value is not None]
    now = next((f for f in report.kpi if f.id == id_ and not f.by), None)
    if len(known) < _LEAST or now is None:
        return None
    order = [r["month"] for r in rows]
    (old, before), (new, last) = known[0], known[-1]
    better = last < before if falling else last > before
    word = "без перемен" if last == before else "лучше" if better else "хуже"
    title = f"{what}: {short(last)} {unit}, {_month(new)}; {word}, чем {short(before)}, {_month(old)}"
    axis = {
        "field": "month",
        "type": "ordinal",
        "sort": order,
        "title": None,
        "axis": {"labelAngle": 0, "labelFontSize": 11, "grid": False, "labelExpr": _MONTH_LABEL},
    }
    scale = {"domainMin": 0, "domainMax": 100} if unit == "%" else {"domainMin": 0}
    y = {"field": "value", "type": "quantitative", "title": unit, "scale": scale}
    layers: list[Spec] = [
        {"mark": {"type": "line", "color": NEUTRAL, "strokeWidth": 2}, "encoding": {"x": axis, "y": y},
         "transform": [{"filter": "datum.value != null"}]},
        {"mark": {"type": "point", "filled": True, "size": 60, "color": NEUTRAL}, "encoding": {"x": axis, "y": y}},
        {"mark": {"type": "text", "dy": 34, "color": "#555", "fontSize": 11, "baseline": "top"},
         "encoding": {"x": axis, "y": {"value": 170}, "text": {"field": "n"}}},
    ]  # fmt: skip
    note = "Под месяцем n; месяцы, где данных мало, без точки."
    if now.target is not None:
        layers += _level(now.target, DONE, [6, 4], f"цель {short(now.target)}")
    if now.baseline is not None:
        layers += _level(now.baseline, "#555", [2, 3], "")
        note += f" Точками база, {report.baseline}: {short(now.baseline)}."
    spec: Spec = {"width": _WIDTH - 40, "height": 170, "data": {"values": rows}, "layer": layers}
    return chart, title, spec, note


def _month(key: str) -> str:
    """Return `10.26` as people say it: «окт ’26»."""
    return f"{_SHORT[int(key[:2]) - 1]}\N{NO-BREAK SPACE}’{key[3:]}"


def _level(value: float, colour: str, dash: Sequence[int], label: str) -> list[Spec]:
    """Return a line across the chart, with a word at its right end."""
    data = {"values": [{"v": value, "t": label}]}
    at = {"field": "v", "type": "quantitative"}
    word = {"type": "text", "align": "left", "dx": 4, "color": colour}
    return [
        {"data": data, "mark": {"type": "rule", "strokeDash": dash, "color": colour}, "encoding": {"y": at}},
        {"data": data, "mark": word, "encoding": {"y": at, "x": {"value": _WIDTH - 40}, "text": {"field": "t"}}},
    ]


def _stage_times(report: Report) -> tuple[str, str, Spec, str] | None:
    found: dict[str, dict[str, Any]] = {}
    for f in report.kpi:
        if f.id in ("stage_time.p50", "stage_time.p85") and f.by == "stage" and f.value is not None:
            row = found.setdefault(f.key, {"what": f.name, "n": f"n={f.n}"})
            row["p50" if f.id.endswith("50") else "p85"] = f.value
            row["norm"] = f.target if f.target is not None else row.get("norm")
    rows = [
        {**r, "end": r.get("p85", r["p50"]), "label": max(r.get("p85", r["p50"]), r.get("norm") or 0)}
        for r in found.values()
        if "p50" in r
    ]
    if not rows:
        return None
    slowest = max(rows, key=lambda r: r["p50"])
    title = f"Дольше всего шаг «{slowest['what']}»: половина дольше {short(slowest['p50'])} ч"
    y = {"field": "what", "type": "nominal", "sort": [r["what"] for r in rows], "title": None}
    x = {"field": "p50", "type": "quantitative", "title": "рабочих часов: кружок p50, черта p85, ромб норма"}
    end = {"field": "end", "type": "quantitative"}
    spec: Spec = {
        "height": {"step": _STEP},
        "data": {"values": rows},
        "layer": [
            {"mark": {"type": "rule", "strokeWidth": 6, "color": "#b9cbe0"}, "encoding": {"y": y, "x": x, "x2": end}},
            {"mark": {"type": "tick", "thickness": 3, "color": NEUTRAL}, "encoding": {"y": y, "x": end}},
            {"mark": {"type": "point", "filled": True, "size": 90, "color": NEUTRAL}, "encoding": {"y": y, "x": x}},
            {"mark": {"type": "point", "shape": "diamond", "filled": False, "size": 70, "color": "#1d2733"},
             "encoding": {"y": y, "x": {"field": "norm", "type": "quantitative"}},
             "transform": [{"filter": "datum.norm != null"}]},
            {"mark": {"type": "text", "align": "left", "dx": 8, "color": "#555"},
             "encoding": {"y": y, "x": {"field": "label", "type": "quantitative"}, "text": {"field": "n"}}},
        ],
    }  # fmt: skip
    return "stage-times", title, spec, "Ответы, данные за месяц; шаги с малым числом ответов не показаны."


_KINDS = {
    "wait": ("ждёт исполнителя", RISK),
    "touch": ("делается", NEUTRAL),
    "customer": ("ждёт заказчика", "#cdd4da"),
    "away": ("исполнитель отсутствует", "#4b3f72"),
    "unknown": ("неизвестно", "#f4f4f4"),
}


def _spent(report: Report) -> tuple[str, str, Spec, str] | None:
    rows = []
    sums = dict.fromkeys(_KINDS, 0.0)
    for f in report.kpi:
        kind = f.id.removeprefix("stage_hours.")
        if kind in _KINDS and f.id != kind and f.value:
            rows.append({"what": f.name, "h": f.value, "kind": _KINDS[kind][0], "place": list(_KINDS).index(kind)})
            sums[kind] += f.value
    ours = sums["wait"] + sums["touch"]
    if not rows or not ours:
        return None
    title = f"Из {short(round(ours))} ч наших шагов {short(round(sums['wait']))} ч ждали исполнителя"
    order = list(dict.fromkeys(r["what"] for r in rows))
    kinds = [v for k, v in _KINDS.items() if sums[k]]
    spec: Spec = {
        "height": {"step": _STEP},
        "data": {"values": rows},
        "mark": {"type": "bar", "stroke": "#5b6673", "strokeWidth": 0.5},
        "encoding": {
            "y": {"field": "what", "type": "nominal", "sort": order, "title": None},
            "x": {"field": "h", "type": "quantitative", "title": "рабочих часов за месяц"},
            "color": {"field": "kind", "type": "nominal", "legend": {"columns": 3},
                      "scale": {"domain": [k for k, _ in kinds], "range": [c for _, c in kinds]}},
            "order": {"field": "place"},
        },
    }  # fmt: skip
    return "spent", title, spec, "Ждёт: до взятия в работу. Делается: от взятия до ответа."


def _delays(report: Report) -> tuple[str, str, Spec, str] | None:
    late = [f for f in report.kpi if f.id == "overdue_hours" and f.by == "person" and f.value]
    rows = [
        {"what": f.name, "h": f.value, "kind": "просрочка", "text": f"{with_unit(f.value, 'ч')} · {_tasks(f.n)}"}
        for f in late
    ]
    rows = sorted(rows, key=lambda r: -(r["h"] or 0))[:12]  # type: ignore[operator]  # a number, as `late` says
    if not rows:
        return None
    title = f"Больше всего просрочки: {rows[0]['what']}, {rows[0]['text']}"
    return (
        "delays",
        title,
        _bars(rows, "h", "рабочих часов после срока", colour={"просрочка": LATE}),
        "Не больше 12 человек.",
    )


def _tasks(n: int) -> str:
    return f"{n}\N{NO-BREAK SPACE}{plural(n, 'задача', 'задачи', 'задач')}"


def _load(report: Report) -> tuple[str, str, Spec, str] | None:
    open_ = {f.key: f for f in report.kpi if f.id == "open_tasks" and f.by == "person"}
    late = {f.key: f.value or 0 for f in report.kpi if f.id == "open_overdue" and f.by == "person"}
    rows = []
    for key, f in sorted(open_.items(), key=lambda each: -(each[1].value or 0))[:12]:
        overdue = late.get(key, 0)
        rows += [
            {"what": f.name, "n": overdue, "kind": "просрочены", "place": 0},
            {"what": f.name, "n": (f.value or 0) - overdue, "kind": "в срок", "place": 1},
        ]
    if not rows:
        return None
    most = max(f.value or 0 for f in open_.values())
    total = sum(f.value or 0 for f in open_.values())
    title = f"Открыто {_tasks(int(total))}, из них с просрочкой {short(sum(late.values()))}"
    spec: Spec = {
        "height": {"step": _STEP},
        "data": {"values": rows},
        "mark": {"type": "bar", "stroke": "white"},
        "encoding": {
            "y": {"field": "what", "type": "nominal", "sort": [r["what"] for r in rows], "title": None},
            "x": {"field": "n", "type": "quantitative", "title": "задач на конец периода", "axis": _whole_ticks(most)},
            "color": {"field": "kind", "type": "nominal",
                      "scale": {"domain": ["просрочены", "в срок"], "range": [LATE, "#8fb0d3"]}},
            "order": {"field": "place"},
        },
    }  # fmt: skip
    return "load", title, spec, "Не больше 12 строк; «никто не взял» = ждёт в отделе."


def _sums(report: Report) -> tuple[str, str, Spec, str] | None:
    found = [f for f in report.kpi if f.id == "sum_stage" and f.value]
    total = report.find("sum_running")
    if not found or total is None:
        return None
    rows = [
        {"what": f.name, "s": (f.value or 0) / 1000, "kind": "сумма", "text": with_unit(round(f.value or 0), "₽")}
        for f in found
    ]
    title = f"В работе на {with_unit(round(total.value or 0), '₽')} по сметам"
    return "sums", title, _bars(rows, "s", "тысяч рублей", colour={"сумма": DONE}), "Заказы без сметы не вошли."


def _whole_ticks(most: float) -> Spec:
    """Return an axis without halves of an order."""
    return {"format": "d", "tickCount": max(1, min(8, int(most))), "tickMinStep": 1}


def _bars(rows: Sequence[dict[str, Any]], value: str, unit: str, *, colour: dict[str, str]) -> Spec:
    y = {"field": "what", "type": "nominal", "sort": [r["what"] for r in rows], "title": None}
    # Room for the words at the end of the longest bar.
    top = max((r[value] or 0) for r in rows) * 1.45 or 1
    x = {
        "field": value,
        "type": "quantitative",
        "title": unit,
        "scale": {"domain": [0, top]},
        "axis": _whole_ticks(top) if unit == "заказов" else {"tickCount": 6},
    }
    legend = None if len(colour) == 1 else {"columns": 2}
    scale = {"domain": list(colour), "range": list(colour.values())}
    kind = {"field": "kind", "type": "nominal", "scale": scale, "legend": legend}
    return {
        "height": {"step": _STEP},
        "data": {"values": list(rows)},
        "layer": [
            {"mark": {"type": "bar", "height": 15}, "encoding": {"y": y, "x": x, "color": kind}},
            {"mark": {"type": "text", "align": "left", "dx": 4, "color": "#333"},
             "encoding": {"y": y, "x": x, "text": {"field": "text"}}},
        ],
    }  # fmt: skip
