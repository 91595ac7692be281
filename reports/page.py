"""The report as one Russian page that needs nothing else: no script, no network; it prints on A4.

Each number leads to the list of orders behind it, further down on the same page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orders.plural import count, plural
from reports.charts import Chart, charts
from reports.figures import COMPLAINTS, ORDERS, STATUS_WORDS, Figure, digits
from reports.numbers import fixed, short, with_unit
from reports.report import Report

_MOST = (60, 30, 15)  # orders of one list on the page, fewer in a large shop; the workbook and the JSON hold all
_NUMBERS = 6000  # of orders in all lists of a page
_ROWS = 30  # of a table that grows with the shop
_TEMPLATES = Path(__file__).parent / "templates"
_TILES = (
    "received",
    "ended:delivered",
    "wip",
    "late_open",
    "on_time_last",
    "lead_time.p50",
    "sum_shipped",
    "complaints",
)
_TABLES: Sequence[tuple[str, str, str, tuple[tuple[str, str], ...]]] = (
    (
        "Шаги",
        "stage",
        "рабочие часы; ответы за месяц, открытые на конец периода",
        (
            ("stage_time.p50", "время p50, ч"), ("stage_time.p85", "p85, ч"), ("stage_time.p90", "p90, ч"),
            ("stage_wait.p50", "ждёт p50, ч"), ("stage_touch.p50", "делается p50, ч"),
            ("stage_efficiency", "доля работы, %"), ("first_pass", "с первого раза, %"),
            ("stage_lost", "сверх срока, ч"), ("stage_open", "стоят"), ("stage_oldest", "дольше всех, ч"),
            ("stage_ageing.p50", "дольше p50"), ("stage_ageing.p85", "p85"), ("stage_ageing.p95", "p95"),
            ("sum_stage", "сумма смет, ₽"),
        ),
    ),
    (
        "Куда ушло время",
        "stage",
        "рабочие часы всех ответов за месяц; сумма по строке и есть всё время шага",
        (
            ("stage_hours.wait", "ждали исполнителя, ч"), ("stage_hours.touch", "делали, ч"),
            ("stage_hours.customer", "ждали заказчика, ч"), ("stage_hours.away", "исполнитель отсутствовал, ч"),
            ("stage_hours.unknown", "неизвестно, ч"),
        ),
    ),
    (
        "Отделы",
        "department",
        "просрочка за месяц, открытые задачи на конец периода",
        (
            ("overdue_tasks", "просрочено задач"), ("overdue_hours", "просрочено, ч"),
            ("open_tasks", "открыто задач"), ("open_overdue", "из них с просрочкой"),
        ),
    ),
    (
        "Сотрудники",
        "person",
        "соблюдение сроков: в срок 1, с опозданием 0,5, не сделано к сроку 0",
        (
            ("tasks_done", "сделано задач"), ("tasks_in_time", "в срок"), ("schedule", "соблюдение сроков, %"),
            ("overdue_tasks", "просрочено задач"), ("overdue_hours", "просрочено, ч"),
            ("open_tasks", "открыто задач"), ("open_overdue", "из них с просрочкой"),
        ),
    ),
    (
        "Чем закончились заказы",
        "outcome",
        "часы шагов без ожидания заказчика",
        (("ended", "заказов"), ("ended.hours", "рабочих часов")),
    ),
    (
        "Версии схемы",
        "version",
        "срок заказа в рабочих днях, время шага в рабочих часах",
        (
            ("lead_time.p50", "срок p50, дн."), ("lead_time.p85", "срок p85, дн."), ("lead_time.p95", "срок p95, дн."),
            ("stage_time.p50", "шаг p50, ч"), ("stage_time.p85", "шаг p85, ч"), ("stage_time.p90", "шаг p90, ч"),
        ),
    ),
    (
        "Заказчики",
        "customer",
        "заказы, которые шли или закончились за месяц",
        (("sum_customer", "сумма смет, ₽"), ("sum_customer.refused", "из них без сделки, ₽")),
    ),
    ("Причины отказов директора", "reason", "", (("refusals", "заказов"),)),
)  # fmt: skip
_COUNTED = (ORDERS, COMPLAINTS)  # units that the label names already
_GROUPS: Sequence[tuple[str, tuple[str, ...]]] = (
    ("Сколько заказов", ("received", "duplicates", "wip", "order_ageing", "throughput", "little")),
    ("Срок заказа", ("lead_time",)),
    ("Обещанные сроки", ("on_time", "late", "days_late", "promise")),
    ("Работа и просрочка", ("flow_efficiency", "overdue")),
    (
        "Качество и соответствие маршруту",
        ("rework", "perfect", "complaint", "conformance", "deviating"),
    ),
    ("Карточки и программы", ("sync", "failed")),
    ("Корректировки премии", ("register",)),
    ("Решения", ("director_refusal", "price_")),
    ("Деньги", ("sum_", "ready_unpaid", "cost_", "estimate_gap")),
)
_MONTHS = (
    ("received", "получено"), ("ended:delivered", "отгружено"), ("ended:refused", "отказ"),
    ("ended:rejected", "цена"), ("ended:cancelled", "отменено"), ("wip", "в работе"),
    ("lead_time.p50", "срок p50, дн."),
    ("on_time_last", "вовремя, %"), ("on_time_first", "по первому сроку, %"), ("overdue_hours", "просрочено, ч"),
    ("rework", "переделка, %"), ("sum_shipped", "отгружено, ₽"),
)  # fmt: skip


@dataclass
class Lists:
    """The lists of orders at the end of the page: equal ones stand once."""

    numbers: dict[tuple[str, ...], int] = field(default_factory=dict)
    titles: dict[int, list[str]] = field(default_factory=dict)

    def ref(self, figure: Figure) -> int | None:
        """Return the number of a figure's list; None where no order stands behind it."""
        if not figure.orders:
            return None
        number = self.numbers.setdefault(figure.orders, len(self.numbers) + 1)
        title = f"{figure.label}: {figure.name}" if figure.name else figure.label
        if title not in self.titles.setdefault(number, []):
            self.titles[number].append(title)
        return number


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its name and a cell per column, None where there is no such figure."""

    name: str
    cells: tuple[Figure | None, ...]


def page(report: Report, drawn: Sequence[Chart] | None = None) -> str:
    """Return the page of a report."""
    lists = Lists()
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "short": short,
        "said": said,
        "against": against,
        "left_out": left_out,
        "beside": beside,
        "tied": _tied,
    }
    environment.globals |= {"ref": lists.ref, "with_unit": with_unit, "standing": _standing, "counted": _COUNTED}
    body = environment.get_template("report.html.j2").render(
        report=report,
        charts=charts(report) if drawn is None else drawn,
        tiles=[f for id_ in _TILES if (f := _tile(report, id_))],
        groups=_groups(report),
        tables=[
            (title, _cut(note, rows), columns, rows[:_ROWS])
            for title, by, note, columns in _TABLES
            if (rows := _rows(report, by, columns))
        ],
        months=_MONTHS,
        trend=_trend(report),
        css=(_TEMPLATES / "report.css").read_text(encoding="utf-8"),
    )
    found = [(number, lists.titles[number], keys) for keys, number in lists.numbers.items()]
    numbered = environment.get_template("lists.html.j2").render(lists=found, most=_most(lists.numbers))
    return body.replace("<!--lists-->", numbered)


def _most(lists: Iterable[Sequence[str]]) -> int:
    """Return how many orders of each list fit on a page."""
    sizes = [len(keys) for keys in lists]
    return next((m for m in _MOST if sum(min(m, n) for n in sizes) <= _NUMBERS), _MOST[-1])


def _cut(note: str, rows: Sequence[object]) -> str:
    """Add to a table's note that only its first rows are shown."""
    if len(rows) <= _ROWS:
        return note
    said = f"первые {_ROWS} из {len(rows)}, остальные в книге таблиц"
    return f"{note}; {said}" if note else said


def said(figure: Figure) -> str:
    """Render a figure's value, or the words for its absence."""
    return STATUS_WORDS[figure.status] if figure.value is None else fixed(figure.value, digits(figure.unit))


def against(ratio: float | None) -> str:
    """Say how a number compares with the baseline's: «в 1,5 раза больше»."""
    if not ratio:
        return ""
    if 0.995 <= ratio < 1.005:
        return "столько же"
    times = short(round(max(ratio, 1 / ratio), 2))
    return f"в {times} раза {'больше' if ratio > 1 else 'меньше'}"


def left_out(figure: Figure) -> str:
    """Say what was left out: «не вошли: отменены 1, отказ директора 2»."""
    listed = ", ".join(f"{what}\N{NO-BREAK SPACE}{n}" for what, n in figure.excluded.items())
    return f"не вошли: {listed}" if listed else ""


def beside(figure: Figure) -> str:
    """Return what stands below a number of the first rows: how many values, the target, the baseline."""
    said = []
    if figure.n and figure.unit not in _COUNTED:
        said.append(f"n={figure.n}")
    if figure.target is not None:
        met = {None: "", True: ", выполнена ✓", False: ", не выполнена ✗"}[figure.met]
        said.append(f"цель {short(figure.target)}{met}")
    if figure.ratio:
        said.append(f"{against(figure.ratio)}, чем в базе")
    return " · ".join(said)


def _groups(report: Report) -> list[tuple[str, list[Figure]]]:
    left = [f for f in report.kpi if not f.by]
    found = []
    for title, starts in _GROUPS:
        mine = [f for f in left if f.id.startswith(starts)]
        left = [f for f in left if f not in mine]
        found.append((title, mine))
    return [(title, mine) for title, mine in [*found, ("Прочее", left)] if mine]


def _tied(heading: str) -> str:
    """Keep the unit of a heading with its last word, and a preposition with its noun."""
    return re.sub(r"(,|\b[а-я]{1,2}) ", "\\1\N{NO-BREAK SPACE}", heading)


def _standing(n: int) -> str:
    return f"{plural(n, 'стоит', 'стоят', 'стоят')} {count(n, 'заказ', 'заказа', 'заказов')}"


def _tile(report: Report, id_: str) -> Figure | None:
    name, _, key = id_.partition(":")
    return report.find(name, key)


def _rows(report: Report, by: str, columns: Sequence[tuple[str, str]]) -> list[Row]:
    parts: dict[str, dict[str, Figure]] = {}
    wanted = {id_ for id_, _ in columns}
    for figure in report.parts(by):
        if figure.id in wanted:
            parts.setdefault(figure.key, {})[figure.id] = figure
    return [
        Row(next(iter(cells.values())).name, tuple(cells.get(id_) for id_, _ in columns)) for cells in parts.values()
    ]


def _trend(report: Report) -> list[Row]:
    by_month: dict[str, dict[str, Figure]] = {}
    names: dict[str, str] = {}
    for figure in report.trend:
        month, _, key = figure.key.partition(":")
        by_month.setdefault(month, {})[f"{figure.id}:{key}" if key else figure.id] = figure
        names[month] = figure.name.partition(":")[0]
    return [Row(names[month], tuple(cells.get(id_) for id_, _ in _MONTHS)) for month, cells in by_month.items()]
