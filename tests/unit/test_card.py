"""The card that should be follows from the order alone: column, fields, drafts, texts, keys, people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from mirrored import BEGIN, ZONE, Source, Story, the_route, the_staff

from bitrix_sync.card import DesiredCard, desired, has_card
from bitrix_sync.files import numbered
from bitrix_sync.observe import mark_of
from bitrix_sync.people import address
from bitrix_sync.schema import CardField, code_of, columns_of, fields_of
from bitrix_sync.texts import TITLE, cut, plain
from bitrix_sync.values import day_of, same, to_portal
from orders.errors import Permanent
from orders.persons import Period, Person, Staff, Substitute
from orders.snapshot import OpenVisit, Pause, Record, RecordKind
from orders.stage import FieldKind

ROUTE = the_route()
STAFF = the_staff()
KEY = "ORD-2026-00042"


@pytest.fixture
def story() -> Story:
    return Story(Source(ROUTE))


def card_of(story: Story) -> DesiredCard:
    return desired(story.order, ROUTE, STAFF, ZONE, lambda visit, stage: visit.due)


def field(kind: FieldKind, **choices: int) -> CardField:
    return CardField("x", kind, "ufCrm13X", "UF_CRM_13_X", "Поле", choices)


def test_an_order_has_a_card_from_its_first_step_on_and_a_duplicate_never(story: Story) -> None:
    assert not has_card(story.order)
    story.open("approve")
    assert has_card(story.order)
    story.end("End_Duplicate")
    assert not has_card(story.order)


def test_between_two_steps_the_column_is_left_alone(story: Story) -> None:
    story.open("approve")
    story.finish("orlov", "да", directorDecision="approve")
    assert card_of(story).stage is None
    assert card_of(story).task is None


def test_fields_of_the_open_stage_are_a_draft_and_reset_once(story: Story) -> None:
    story.set(estimateSum="100.00", estimateComment="старый")
    story.file("estimateFile", "Смета.xlsx", b"PK", "petrova")
    story.open("estimate")
    card = card_of(story)
    assert not {"estimateSum", "estimateComment", "estimateFile"} & (set(card.fields) | set(card.files))
    assert card.reset == {"estimateFile": None, "estimateSum": "100.00", "estimateComment": None}
    story.finish("petrova", "новый", estimateSum="100.00")
    card = card_of(story)
    assert card.fields["estimateComment"] == "новый"
    assert [f.name for f in card.files["estimateFile"]] == ["Смета.xlsx"]
    assert card.reset == {}


def test_every_comment_and_line_ends_with_a_key_of_its_own(story: Story) -> None:
    story.open("approve")
    story.finish("orlov", "Берём\n· чужой ключ", directorDecision="approve")
    story.open("design")
    story.finish("volkov")
    story.open("manufacture")
    flags = '[{"readyBy":"2026-03-05T15:00:00Z","at":"2026-03-05T15:00:01Z"}]'
    story.set(lateFlags=flags, readyBy="2026-03-09T18:00:00+03:00", moveReason="Нет дуба", closingSummary="Итог")
    notes = card_of(story).notes
    assert [mark_of(note.body) for note in notes] == [
        f"{KEY}/c1",
        f"{KEY}/c2",
        f"{KEY}/late:2026-03-05T15:00:00Z",
        f"{KEY}/moved:2026-03-09T18:00:00+03:00",
        f"{KEY}/closing",
    ]
    assert [note.author for note in notes] == ["orlov", None, None, None, None]
    assert [note.is_log for note in notes] == [False, True, True, True, False]
    assert all(len(note.mark) <= 200 for note in notes)


def test_what_is_written_beside_the_steps_stands_on_the_card(story: Story) -> None:
    """Corrections, complaints and costs are comments of their authors, each with a key of its own."""
    at = story.order.started
    records = (
        Record(RecordKind.CORRECTED, "1", "sokolova", at, "Опечатка [b]в имени[/b]"),
        Record(RecordKind.COMPLAINT, "RCL-2026-00007", "sokolova", at, "Скрипит дверца"),
        Record(RecordKind.COST, "1", "elena", at, "110000.50", "125000.00"),
        Record(RecordKind.COST, "2", "elena", at, "120000.00"),
    )
    story.change(records=records)
    notes = card_of(story).notes
    marks = ["corrected:1", "RCL-2026-00007", "cost:1", "cost:2"]
    assert [mark_of(note.body) for note in notes] == [f"{KEY}/{mark}" for mark in marks]
    assert [note.author for note in notes] == ["sokolova", "sokolova", "elena", "elena"]
    assert "［b］в имени" in notes[0].text
    assert "Рекламация RCL-2026-00007" in notes[1].text and "Скрипит дверца" in notes[1].text
    assert "110\u202f000,50\u202f₽" in notes[2].text and "По смете: 125\u202f000\u202f₽" in notes[2].text
    assert "По смете" not in notes[3].text


def test_a_persons_words_cannot_act_as_markup_or_as_a_key() -> None:
    assert plain("[URL=http://x]жми[/URL]") == "［URL=http://x］жми［/URL］"
    assert mark_of("· ORD-1/c1\nтекст после ключа") is None
    assert mark_of("текст") is None


@pytest.mark.parametrize("item", ["комод", "Комод дубовый " * 20, "", "ШКАФ-купе", "Ъ" * 300])
@pytest.mark.parametrize("key", ["7", KEY, "Заказ-клиента-2026-очень-длинный-номер-на-64-знака-ровно-0123456"])
def test_a_task_title_fits_a_phone_and_keeps_the_number_whole(item: str, key: str) -> None:
    story = Story(Source(ROUTE), key)
    story.set(itemDescription=item)
    for stage in ROUTE.stages:
        story.open(stage.code)
        wish = card_of(story).task
        assert wish is not None
        assert key in wish.title
        assert len(wish.title) <= TITLE or len(key) > TITLE - 10
    story.open("estimate")
    wish = card_of(story).task
    assert wish is not None and (key != KEY or item != "комод" or wish.title == f"Рассчитать смету: {KEY}, комод")


def test_a_task_says_customer_item_action_due_link_and_ends_with_its_key(story: Story) -> None:
    story.open("estimate", due=datetime(2026, 3, 6, 15, 0, tzinfo=UTC))
    wish = card_of(story).task
    assert wish is not None
    body = wish.body("[URL=https://p/crm/type/1/details/2/]Карточка заказа[/URL]")
    for part in (KEY, "ООО «Ромашка»", "Комод дубовый", "Рассчитать смету", "пт 6 марта, 18:00", "[URL=https://p/"):
        assert part in body
    assert mark_of(body) == wish.key == f"{KEY}:task:UserTask_PrepareEstimate:UserTask_PrepareEstimate:1:9f1c"
    assert "t" * 32 not in body, "the customer's link is not the staff's"


def test_who_a_step_is_for_is_read_from_the_diagram_while_its_sync_stage_is_open(story: Story) -> None:
    visit = OpenVisit("v1", "UserTask_FixRequest", BEGIN)
    story.change(open=(visit,))
    wish = card_of(story).task
    assert wish is not None and wish.visit.assignee == "sokolova"
    story.change(open=(OpenVisit("v2", "UserTask_PrepareDesign", BEGIN),))
    wish = card_of(story).task
    assert wish is not None and wish.visit.groups == ("designers",)


def test_due_is_asked_for_the_visit_and_shown_until_the_order_ends(story: Story) -> None:
    story.open("estimate", due=BEGIN + timedelta(days=1))
    assert card_of(story).fields["stageDue"] == (BEGIN + timedelta(days=1)).isoformat()
    story.end("End_PriceRejected")
    card = card_of(story)
    assert (card.fields["stageDue"], card.stage, card.task, card.finished) == (None, "rejected", None, True)


def test_a_cancelled_order_carries_its_reason_and_no_reminders(story: Story) -> None:
    story.open("manufacture")
    story.set(lateFlags='[{"readyBy":"2026-03-05T15:00:00Z","at":"2026-03-05T15:00:01Z"}]')
    assert card_of(story).notices
    story.set(cancelReason="Передумали", cancelledBy="sokolova")
    story.end("End_Cancelled")
    card = card_of(story)
    assert (card.cancelled, card.stage, card.notices) == ("Передумали", "cancelled", ())


def test_one_notice_per_person_promise_and_day(story: Story) -> None:
    story.open("manufacture")
    flags = [f'{{"readyBy":"2026-03-0{day}T15:00:00Z","at":"2026-03-0{day}T15:00:01Z"}}' for day in (5, 6)]
    story.set(lateFlags=f"[{','.join(flags)}]", lateReminder="2026-03-09")
    notices = card_of(story).notices
    assert len({notice.key for notice in notices}) == len(notices)
    assert {notice.key.rsplit(":", 1)[0] for notice in notices} == {
        f"{KEY}:late:2026-03-05T15:00:00Z",
        f"{KEY}:late:2026-03-06T15:00:00Z",
        f"{KEY}:late:2026-03-06T15:00:00Z:2026-03-09",
    }


def test_one_reminder_when_the_norm_of_any_step_has_passed(story: Story) -> None:
    """Whoever has it, else the department, and the manager; once a visit; production has its own flag.

    Nobody is reminded of an order that is suspended.
    """
    due = datetime(2026, 3, 5, 15, tzinfo=UTC)

    def keys(now: datetime, *paused: Pause) -> list[str]:
        found = desired(replace(story.order, paused=paused), ROUTE, STAFF, ZONE, lambda visit, stage: due, now).notices
        assert all("просрочен, срок был чт 5 марта, 18:00" in notice.text for notice in found)
        return [notice.key for notice in found]

    story.open("estimate")
    assert keys(due - timedelta(seconds=1)) == []
    assert keys(due, (due - timedelta(hours=3), None)) == []
    first = keys(due, (due - timedelta(hours=3), due - timedelta(hours=2)))
    assert len(first) == len(set(first)) > 0 and {k.rsplit(":", 2)[1] for k in first} == {"overdue"}
    assert {k.rsplit(":", 1)[1] for k in first} == {
        *(p.id for p in STAFF.members("accounting")),
        *(p.id for p in STAFF.managers(["accounting"])),
    }
    assert keys(due + timedelta(days=9)) == first
    story.open("manufacture")
    assert keys(due + timedelta(days=9)) == []


# columns and fields


def test_columns_follow_the_route_then_the_outcomes() -> None:
    columns = columns_of(ROUTE)
    assert [c.code for c in columns if not c.semantics] == [stage.code for stage in ROUTE.stages]
    assert [c.code for c in columns if c.semantics == "S"] == ["delivered"]
    assert {c.code for c in columns if c.semantics == "F"} == {"refused", "rejected", "cancelled"}
    assert next(c.label for c in columns if c.code == "approve") == "Согласование у директора"


def test_field_labels_are_all_different_and_codes_are_letters_within_the_limit() -> None:
    fields = fields_of(ROUTE)
    labels = [each.label for each in fields]
    codes = [code_of(each.name) for each in fields]
    assert len(set(labels)) == len(labels)
    assert len(set(codes)) == len(codes)
    assert all(len(f"UF_CRM_1032_{code}") <= 50 and code.replace("_", "").isalpha() for code in codes)
    assert code_of("sizeTwo2") == "SIZE_TWOC"


# values


@pytest.mark.parametrize(
    ("kind", "shown", "value", "equal"),
    [
        (FieldKind.SUM, "125000|RUB", "125000.00", True),
        (FieldKind.SUM, "125000.5|RUB", "125000.00", False),
        (FieldKind.SUM, None, "", True),
        (FieldKind.MOMENT, "2027-01-01T01:00:00+10:00", "2026-12-31T18:00:00+03:00", True),
        (FieldKind.MOMENT, "2026-12-31T18:00:00+10:00", "2026-12-31T18:00:00+03:00", False),
        (FieldKind.DATE, "2026-12-31T10:00:00+10:00", "2026-12-31", True),
        (FieldKind.DATE, "2026-12-30T19:00:00-05:00", "2026-12-31", True),
        (FieldKind.DATE, "2026-12-31T00:00:00+03:00", "2026-12-31", True),
        (FieldKind.DATE, "2026-12-31", "2027-01-01", False),
        (FieldKind.CHOICE, 7, "yes", True),
        (FieldKind.CHOICE, "8", "yes", False),
        (FieldKind.TEXT, "один\r\nдва ", "один\nдва", True),
        (FieldKind.LINE, "", None, True),
        (FieldKind.LINE, "x", None, False),
    ],
)
def test_values_are_compared_by_meaning(kind: FieldKind, shown: Any, value: Any, equal: bool) -> None:
    assert same(field(kind, yes=7, no=8), shown, value, ZONE) is equal


def test_a_choice_that_the_portal_lacks_is_named() -> None:
    with pytest.raises(Permanent, match=r"later.*bitrix setup"):
        to_portal(field(FieldKind.CHOICE, yes=7), "later", ZONE)


def test_a_day_is_the_same_day_in_every_notation() -> None:
    texts = ("31.12.2026", "2026-12-31", "2026-12-31T03:00:00+03:00", "2026-12-30T14:00:00-10:00")
    assert {day_of(text) for text in texts} == {date(2026, 12, 31)}


def test_a_second_file_of_one_name_gets_a_number_before_its_ending() -> None:
    name = "Шкаф-купе №3 — «эскиз»; финал (ё, й).pdf"
    assert numbered(name, 1) == name
    assert numbered(name, 2) == "Шкаф-купе №3 — «эскиз»; финал (ё, й) (2).pdf"
    assert numbered('a/b:c*?"<>|.pdf', 1) == "a-b-c------.pdf"
    assert numbered("a%41+b.pdf", 1) == "a%41+b.pdf"


# people


def person(name: str, number: int | None, **more: Any) -> Person:
    return Person(name, name.title(), ("designers",), bitrix_id=number, **more)


DAY = date(2026, 3, 2)
VISIT = OpenVisit("v", "UserTask_PrepareDesign", BEGIN, "t1", None, ("designers",))


def chosen(staff: Staff, visit: OpenVisit = VISIT, **more: Any) -> tuple[str | None, list[str]]:
    usable = more.pop("usable", lambda p: p.bitrix_id is not None)
    load, current = more.pop("load", {}), more.pop("current", None)
    got = address(staff, visit, DAY, usable, load, current)
    return got.responsible.id if got.responsible else None, [p.id for p in got.accomplices]


def test_the_present_member_with_the_fewest_open_tasks_is_responsible() -> None:
    staff = Staff((person("a", 1), person("b", 2), person("c", 3)))
    assert chosen(staff) == ("a", ["b", "c"])
    assert chosen(staff, load={"a": 2, "b": 1, "c": 1}) == ("b", ["a", "c"])
    assert chosen(staff, load={"a": 2, "b": 1}, current="a") == ("a", ["b", "c"]), "who has it keeps it"
    assert chosen(staff, replace(VISIT, assignee="c"), current="a") == ("c", ["a", "b"])


def test_absent_and_unknown_persons_are_passed_over_but_never_all_of_them() -> None:
    away = (Period(DAY, DAY),)
    staff = Staff((person("a", 1, away=away), person("b", None), person("c", 3)))
    assert chosen(staff, current="a") == ("c", ["a"])
    assert chosen(Staff((person("a", 1, away=away),))) == ("a", [])
    assert chosen(Staff((person("b", None),))) == (None, [])


def test_an_absent_or_dismissed_assignee_gives_way_to_the_substitute_then_to_the_others() -> None:
    absent = person("a", 1, substitutes=(Substitute("c", Period(DAY, DAY)),))
    staff = Staff((absent, person("b", 2), person("c", 3)))
    visit = replace(VISIT, assignee="a")
    assert chosen(staff, visit)[0] == "c"
    assert chosen(staff, visit, usable=lambda p: p.id == "b")[0] == "b"
    assert chosen(staff, replace(VISIT, assignee="left"))[0] == "b"


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("Комод дубовый", 13, "Комод дубовый"),
        ("кухонный гарнитур угловой с пеналом", 30, "кухонный гарнитур угловой с…"),
        ("кухонный гарнитур угловой", 18, "кухонный гарнитур…"),
        ("светодиодноподсвеченный стеллаж", 12, "светодиодно…"),
        ("дуб, ясень, бук", 12, "дуб, ясень…"),
        ("", 0, ""),
    ],
)
def test_a_cut_falls_between_words_where_that_costs_little(text: str, room: int, shown: str) -> None:
    assert cut(text, room) == shown and len(shown) <= max(room, 0)
