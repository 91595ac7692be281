"""Rule: page, workbook and JSON say the same numbers; each number opens its list; nothing in them can be run.

Long names, no order at all and three hundred of them are all readable Russian; bad input has one clear sentence.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from counted import CALENDAR, NOW, OCTOBER, STAFF, report
from jsonschema import Draft202012Validator
from made_history import make_history
from openpyxl import load_workbook
from pydantic import TypeAdapter
from told_history import Told

from app.outputs import write_report
from orders.errors import OrderRouteError, Refused
from reports.charts import charts
from reports.figures import STATUS_WORDS, Figure, enough, quantile
from reports.page import page
from reports.period import Month, read_month
from reports.report import Report
from reports.sheet import write_sheet
from reports.targets import TargetsError, read_baseline, read_targets

EVIL = '=HYPERLINK("http://x","<script>alert(1)</script>")'


class Tables(HTMLParser):
    """The tables of a page as text, the anchors, and the links to them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self._cell: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        named = dict(attrs)
        if named.get("id"):
            self.ids.add(str(named["id"]))
        if tag == "a" and (named.get("href") or "").startswith("#"):
            self.links.add(str(named["href"])[1:])
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self._cell = []

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            self.tables[-1][-1].append("".join(self._cell).strip())
            self._cell = None


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Report:
    history = make_history(420, CALENDAR, STAFF, seed=7, first=datetime(2026, 1, 12, 6, tzinfo=UTC))
    return report(history, tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def html(made: Report) -> str:
    return page(made, [])


def read(cell: str) -> float | str:
    """A cell of the page as a number, else as it stands."""
    plain = cell.replace("\N{NARROW NO-BREAK SPACE}", "").replace("−", "-").replace(",", ".")
    try:
        return float(plain)
    except ValueError:
        return cell


def test_page_and_report_say_the_same(made: Report, html: str) -> None:
    tables = Tables(html).tables
    whole = {row[0]: row[1:4] for row in tables[0][1:] if len(row) > 1}
    for f in made.kpi:
        if not f.by:
            shown, unit, n = whole[f.label]
            assert (read(shown), unit, n) == (f.value or STATUS_WORDS[f.status] or 0, f.unit, str(f.n)), f.id
    cells = {read(cell) for table in tables[1:] for row in table for cell in row}
    customers = list(dict.fromkeys(f.key for f in made.kpi if f.by == "customer"))
    assert len(customers) > 30
    assert f"первые 30 из {len(customers)}, остальные в книге таблиц" in html
    missing = [
        f.id for f in made.kpi
        if f.by and f.key not in customers[30:] and f.value is not None and f.value not in cells
    ]  # fmt: skip
    assert missing == []


def test_workbook_and_report_say_the_same(made: Report, tmp_path: Path) -> None:
    write_sheet(made, tmp_path / "r.xlsx")
    book = load_workbook(tmp_path / "r.xlsx")
    rows = list(book["Показатели"].iter_rows(min_row=2, values_only=True))
    assert [(r[0], r[4], r[6]) for r in rows] == [(f.id, f.value, f.n) for f in made.kpi]
    assert all(isinstance(r[4], int | float) or r[7] in STATUS_WORDS.values() for r in rows)
    listed = [(r[0], r[3]) for r in book["Заказы"].iter_rows(min_row=2, values_only=True)]
    assert listed == [(f.id, key) for f in made.kpi for key in f.orders]
    assert book["По месяцам"].max_row == len(made.trend) + 1


def test_json_and_report_say_the_same(made: Report) -> None:
    data = json.loads(made.model_dump_json(by_alias=True))
    assert {"period", "generatedAt", "timeZone", "kpi"} <= set(data)
    assert (data["period"], data["timeZone"], data["generatedAt"][-6:]) == ("2026-10", "Europe/Moscow", "+03:00")
    assert Report.model_validate(data) == made
    assert TypeAdapter(list[Figure]).validate_python(data["kpi"]) == list(made.kpi)


def test_the_json_keeps_to_the_schema_beside_it(made: Report, tmp_path: Path) -> None:
    _, schema_file = write_report(made, None, None, tmp_path / "r.json")
    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    judge = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    data = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert [e.json_path for e in judge.iter_errors(data)] == []
    assert set(data) == set(schema["properties"])
    assert set(data["kpi"][0]) == set(schema["$defs"]["Figure"]["properties"])
    for spoilt in ({"value": "много"}, {"status": "странно"}, {"orders": [1]}, {"n": None}, {"by": "цех"}):
        bad = {**data, "kpi": [{**data["kpi"][0], **spoilt}]}
        assert [e.json_path for e in judge.iter_errors(bad)] != [], spoilt
    assert not judge.is_valid({k: v for k, v in data.items() if k != "kpi"})


def test_each_number_opens_its_list(made: Report, html: str) -> None:
    read = Tables(html)
    assert read.links and read.links <= read.ids
    orders = {key for f in made.kpi for key in f.orders}
    lists = html[html.index("Списки заказов") :]
    assert [key for key in orders if key not in lists] == []


def test_the_page_needs_nothing_and_runs_nothing(made: Report, html: str) -> None:
    whole = page(made, charts(made)[:2])
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|https?://(?!www\.w3\.org)", whole)
    assert whole.count("<svg") == 2
    assert "axis for" not in whole
    assert re.search(r"<svg [^>]*aria-label=\"[А-Яа-я]", whole)


def test_a_stage_is_held_against_the_norm_of_the_diagram(made: Report) -> None:
    norms = {f.key: f.target for f in made.kpi if f.id == "stage_time.p50" and f.by == "stage"}
    assert (norms["approve"], norms["design"], norms["manufacture"]) == (8, 24, None)


def test_each_chart_has_a_finding_for_a_title(made: Report) -> None:
    drawn = charts(made)
    assert {c.id for c in drawn} == {
        *("standing", "lead", "on-time", "stage-times", "spent", "delays", "load", "sums"),
    }
    assert all(re.search(r"\d", c.title) for c in drawn)
    assert all("Infinity" not in c.svg and "NaN" not in c.svg for c in drawn)


def test_no_formula_and_no_markup_from_people(tmp_path: Path) -> None:
    told, at = Told(), datetime(2026, 10, 6, 6, tzinfo=UTC)
    order = told.order(EVIL, at)
    order.step("ApproveOrder", at, at, directorDecision="reject", directorComment=EVIL)
    order.end(at, "End_RefusedByDirector")
    evil = report(told.history, tmp_path)
    text = page(evil, [])
    assert "<script" not in text and "&lt;script&gt;" in text
    write_sheet(evil, tmp_path / "r.xlsx")
    cells = [c for sheet in load_workbook(tmp_path / "r.xlsx") for row in sheet.iter_rows() for c in row]
    assert any(c.value == EVIL for c in cells)
    assert not [c.coordinate for c in cells if c.data_type == "f" or c.hyperlink]


def test_a_page_without_a_single_order(tmp_path: Path) -> None:
    empty = report(Told().history, tmp_path)
    text = page(empty)
    assert "показывать нечего" in text
    assert Tables(text).tables
    assert charts(empty) == []


def test_only_russian_words(html: str) -> None:
    text = re.sub(r"<style>.*?</style>|<[^>]+>|ORD-\d+-\d+|p\d\d|\bn\b|Europe/Moscow", " ", html, flags=re.DOTALL)
    assert set(re.findall(r"[A-Za-z]{2,}", text)) == set()


@pytest.mark.parametrize(("values", "q", "found"), [
    ([10, 12, 14, 20, 30, 40], 0.5, 14), ([1], 0.95, 1), ([3, 1, 2, 4], 0.5, 2), (list(range(1, 21)), 0.95, 19),
    (list(range(1, 101)), 0.85, 85),
])  # fmt: skip
def test_nearest_rank(values: list[float], q: float, found: float) -> None:
    assert quantile(values, q) == found


def test_how_many_make_a_quantile() -> None:
    assert [enough(q) for q in (0.5, 0.85, 0.9, 0.95)] == [5, 7, 10, 20]


@pytest.mark.parametrize("text", ["2026-13", "октябрь", "2026-1", "10.2026", "", "2026-00"])
def test_a_month_that_is_none(text: str) -> None:
    with pytest.raises(Refused, match="не понят"):
        read_month(text, NOW, ZoneInfo("Europe/Moscow"))


def test_months_past_present_and_future() -> None:
    zone = ZoneInfo("Europe/Moscow")
    assert read_month(None, NOW, zone) == OCTOBER
    assert read_month("2026-11", NOW, zone) == Month(2026, 11)
    with pytest.raises(Refused, match="ещё не начался"):
        read_month("2026-12", NOW, zone)
    turn = datetime(2026, 11, 30, 21, tzinfo=UTC)  # midnight in Moscow, evening in London
    assert read_month("2026-12", turn, zone) == Month(2026, 12)
    assert Month(2026, 1).shifted(-1) == Month(2025, 12)


@pytest.mark.parametrize(("data", "said"), [
    ("kpi;value\nx;1", "нужен заголовок"),
    ("kpi;key;value\nlead_time.p50;;сорок", "строка 2: нужны показатель"),
    ("kpi;key;value\nlead_time.p50;;42,5\nlead_time.p50;;40", "строка 3: lead_time.p50 уже есть выше"),
    ("kpi;key;value\n", "ни одной строки"),
    ("", "нужен заголовок"),
])  # fmt: skip
def test_a_wrong_baseline_names_its_line(data: str, said: str) -> None:
    with pytest.raises(TargetsError, match=said):
        read_baseline(data.encode(), "было.csv")


def test_a_baseline_as_a_bookkeeper_saves_it() -> None:
    text = "kpi;key;value\r\nlead_time.p50;;42,5\r\nstage_time.p50;price;12\r\n;;\r\n"
    expected = {("lead_time.p50", ""): 42.5, ("stage_time.p50", "price"): 12.0}
    for data in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        assert read_baseline(data, "было.csv").values == expected


@pytest.mark.parametrize(("text", "said"), [
    ('baseline_month = "январь"', "пишите 2026-01"), ('[targets]\nx = "90"', "цель «x»"), ("[цели]", "строка 1"),
    ("[goals]\nx = 1", "«goals» неизвестно"), ("warranty_days = 0", "число дней от 1"),
    ('warranty_days = "год"', "число дней от 1"), ('alerts_to = "orlov"', "список сотрудников"),
])  # fmt: skip
def test_wrong_targets(text: str, said: str) -> None:
    with pytest.raises(OrderRouteError, match=said):
        read_targets(text)
