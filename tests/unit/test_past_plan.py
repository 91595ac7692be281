"""Rule: a history is planned by its seed alone, holds every story, follows the seasons and ends before the present."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.demo.past.plan import PastOrder, make_past, slowness
from app.demo.past.versions import versions
from app.demo.plan import Story
from diagram.stages import read_route
from orders.calendar import read_calendar

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def planned(months: int = 24, monthly: float = 8, seed: int = 1) -> list[PastOrder]:
    calendar = read_calendar((ROOT / "config" / "calendar.toml").read_text(encoding="utf-8"))
    return make_past(months, monthly, seed, NOW, calendar)


def test_the_same_seed_plans_the_same_history_and_another_one_another() -> None:
    assert planned() == planned()
    assert planned() != planned(seed=2)


def test_every_story_happens_even_in_a_short_history() -> None:
    assert {order.plan.story for order in planned(6, 2)} == set(Story)


def test_orders_come_in_working_hours_of_all_months_and_none_after_now() -> None:
    orders = planned()
    assert [o.at for o in orders] == sorted(o.at for o in orders)
    assert max(o.at for o in orders) < NOW - timedelta(hours=1)
    assert {f"{o.at:%Y-%m}" for o in orders} == {f"{2024 + m // 12}-{m % 12 + 1:02d}" for m in range(10, 35)}
    calendar = read_calendar((ROOT / "config" / "calendar.toml").read_text(encoding="utf-8"))
    assert all(calendar.is_working(o.at.date()) and 9 <= o.at.hour < 17 for o in orders)


def test_autumn_brings_more_orders_than_summer_and_the_shop_learns() -> None:
    by_month = Counter(o.at.month for o in planned())
    assert by_month[10] > 1.3 * by_month[7]
    begin = NOW - timedelta(days=730)
    assert slowness(begin, begin, NOW) > 1.6 * slowness(NOW, begin, NOW)


def test_complaints_and_costs_come_after_some_orders_only() -> None:
    orders = planned()
    complained = [o for o in orders if o.complaint(1.0)]
    assert 0 < len(complained) < len(orders) / 5
    assert len(orders) / 2 < len([o for o in orders if o.cost()]) < len(orders)


def test_each_version_of_the_route_is_another_and_the_last_is_todays(tmp_path: Path) -> None:
    made = [next(f for f in files if f.name == "custom-furniture-order.bpmn") for files in versions(tmp_path)]
    texts = [file.read_bytes() for file in made]
    assert len(set(texts)) == len(texts) == 3
    assert made[-1] == ROOT / "bpmn" / "custom-furniture-order.bpmn"
    norms = [{s.code: s.norm for s in read_route(text).stages} for text in texts]
    assert norms[0]["design"] == "5d" and norms[2]["design"] == "3d"
