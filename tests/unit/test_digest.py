"""Rule: the morning's digest names each open step once, in the most urgent of its parts, to those whose matter it is;
where nothing asks for attention it is one line.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from test_board import NOW, STAFF, board, order, paused
from worker_world import task

from orders.calendar import WorkingCalendar
from orders.messages import CHAT_LINE
from orders.persons import Period, Staff
from reports.alerts import alerts, recipients, told
from reports.digest import of_manager, of_person, readers, whole
from reports.digest_text import chat, page, table
from reports.figures import Figure
from reports.pace import Pace
from workers.handlers import send_digest

CALENDAR = WorkingCalendar()
LATE, TODAY = timedelta(hours=-2), timedelta(hours=3)
SLOW = Pace({"design": (40.0,) * 20})


def person(person_id: str):
    found = STAFF.find(person_id)
    assert found is not None
    return found


def test_each_step_stands_in_one_part() -> None:
    shown = board(
        order("late", due=LATE), order("today", due=TODAY, holder="volkov"), order("slow", due=timedelta(days=2)),
        order("free", due=timedelta(days=30)), order("held", due=timedelta(days=30), holder="volkov"),
        paused(order("still", due=LATE), 1), pace=SLOW,
    )  # fmt: skip
    found = whole(shown)
    parts = (found.late, found.will_be_late, found.today, found.unclaimed, found.paused, found.rest)
    names = [["late"], ["slow"], ["today"], ["free"], ["still"], ["held"]]
    assert [[t.row.key for t in part] for part in parts] == names
    assert "Приостановлены: 1\n• still · " in chat(found)
    assert shown.answers.by_person[0].hours == 2 + 1  # one was suspended an hour ago
    assert sorted(t.row.key for t in found.tiles) == sorted(t.row.key for t in shown.tiles)


def test_a_manager_hears_of_the_department_and_a_person_of_the_own_steps() -> None:
    shown = board(
        order("mine", holder="lebedeva", due=LATE), order("other", holder="volkov", due=LATE),
        order("director", "UserTask_ApproveOrder", due=LATE),
    )  # fmt: skip
    assert [t.row.key for t in of_person(shown, person("lebedeva")).tiles] == ["mine"]
    assert {t.row.key for t in of_manager(shown, person("volkov")).tiles} == {"mine", "other"}
    assert len(of_manager(shown, person("orlov")).tiles) == 3
    managers, others = readers(STAFF)
    assert person("volkov") in managers
    assert person("lebedeva") in others


def test_nothing_new_is_one_line() -> None:
    calm = board(order("A", due=timedelta(days=30), holder="volkov"))
    assert chat(whole(calm)) == "Всё в срок: 1 открытый шаг, ни один не опаздывает."
    assert chat(whole(board())) == "Открытых шагов нет."


def test_chat_lines_are_short_and_the_rest_is_counted() -> None:
    many = [order(f"ORD-2026-{n:05d}-{'x' * 40}", due=LATE) for n in range(25)]
    text = chat(whole(board(*many)))
    assert all(len(line) <= CHAT_LINE for line in text.splitlines())
    assert "… и ещё 15" in text
    assert "опаздывают 25" in text


def test_table_is_no_formula_and_page_is_text() -> None:
    shown = board(order("A", customerName="=HYPERLINK(1)", itemDescription="<script>alert(1)</script>"))
    rows = list(csv.reader(io.StringIO(table(whole(shown), CALENDAR.zone)), delimiter=";"))
    assert rows[1][:2] == ["A", "'=HYPERLINK(1)"]
    html = page(shown, [whole(shown)], CALENDAR.zone)
    assert "<script>" not in html
    assert "http" not in html


def test_an_alert_is_new_once_lasts_and_is_told_when_it_is_over() -> None:
    old = replace(order("old"), open=(replace(order("old").open[0], since=NOW - timedelta(days=20)),))
    stopped = replace(order("stopped"), incidents=1)
    waits = order("waits", "UserTask_AgreePrice")
    shown = board(old, stopped, replace(waits, open=(replace(waits.open[0], since=NOW - timedelta(days=20)),)))
    figure = Figure(id="on_time_last", label="В срок", value=70.0, unit="%", n=20, target=90.0, met=False)
    figures = [figure, figure.model_copy(update={"met": True, "id": "other"})]
    found = alerts(shown, figures, "октябрь 2026", [("old", "карточка удалена")])
    assert [a.id for a in found] == ["incident:stopped", "still:old:design", "kpi:on_time_last", "drift:old"]
    first = told(found, {})
    assert first.count("новое: ") == 4
    assert "В срок за октябрь 2026: 70 %, цель 90\n" in first
    assert first.endswith("old: карточка не равна заказу, карточка удалена")
    later = told(found[1:], {a.id: a.text for a in found})
    assert "новое" not in later
    assert later.endswith(f"Больше не требует: 1\n• {found[0].text}")
    assert told([], {}) == ""


def test_those_named_hear_of_it_and_the_directors_where_nobody_named_is_here() -> None:
    today = NOW.date()
    directors = [p.id for p in STAFF.members("directors") if p.present(today)]
    assert [p.id for p in recipients(STAFF, (), today)] == directors
    assert [p.id for p in recipients(STAFF, ("gromov", "gone"), today)] == ["gromov"]
    assert [p.id for p in recipients(STAFF, ("gone",), today)] == directors
    ill = replace(person("gromov"), away=(Period(today, today),))
    staff = Staff((*(p for p in STAFF.persons if p.id != ill.id), ill))
    assert [p.id for p in recipients(staff, ("gromov",), today)] == directors
    assert [p.id for p in recipients(staff, ("gromov",), today + timedelta(days=1))] == ["gromov"]


class Told:
    """A mirror that remembers whom it told what."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def tell(self, person: str, text: str, key: str, hold: object) -> None:
        self.told.append((person, text, key))


class Digests:
    def messages(self, now: object) -> list[tuple[str, str]]:
        return [("orlov", "Открытых шагов нет."), ("volkov", "Всё в срок.")]


class Clock:
    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


SATURDAY = NOW + timedelta(days=4)


@pytest.mark.parametrize(("day", "now", "people"), [(NOW, NOW, 2), (SATURDAY, SATURDAY, 0), (NOW, SATURDAY, 0)])
def test_the_step_tells_each_once_on_its_own_working_day(day: datetime, now: datetime, people: int) -> None:
    mirror = Told()
    for _ in range(2):
        send_digest(
            task("send-digest", create_time=day), digests=Digests(), mirror=mirror, calendar=CALENDAR, clock=Clock(now)
        )  # type: ignore[arg-type]
    keys = {key for _, _, key in mirror.told}
    assert len(keys) == people
    assert len(mirror.told) == 2 * people
