"""The card equals the engine after each step, a second look writes nothing, and a step costs four requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mirrored import AHEAD, MirroredPortal, Story

KEY = "ORD-2026-00042"


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[MirroredPortal]:
    opened = MirroredPortal(tmp_path)
    yield opened
    opened.close()


def settled(mirrored: MirroredPortal, story: Story) -> None:
    """Mirror the order, and demand that nothing is left to do."""
    mirrored.mirror.reconcile(story.instance)
    assert [str(d) for d in mirrored.mirror.differences(story.instance, deep=True)] == []
    mark = mirrored.mark()
    mirrored.mirror.reconcile(story.instance)
    assert mirrored.writes_since(mark) == []
    assert mirrored.requests_since(mark) == ["batch"]


@pytest.mark.parametrize("honoured", [True, False], ids=["in their name", "named in the text"])
def test_a_comment_tells_whose_words_it_holds(mirrored: MirroredPortal, honoured: bool) -> None:
    """A portal that writes every comment in our name gets the person's name into the text."""
    mirrored.portal.settings(authors=honoured)
    story = Story(mirrored.source)
    for comment in ("Берём", "И всё же берём"):
        story.open("approve")
        mirrored.mirror.reconcile(story.instance)
        story.finish("orlov", comment, directorDecision="approve")
    story.open("design")
    mirrored.mirror.reconcile(story.instance)
    mirrored.mirror.reconcile(story.instance)
    settled(mirrored, story)
    owner = {"ENTITY_ID": mirrored.card()["id"], "ENTITY_TYPE": mirrored.schema.owner_type}
    rows = mirrored.portal.call("crm.timeline.comment.list", {"filter": owner})
    name = mirrored.staff.name("orlov")
    assert len(rows) == 2
    for row in rows:
        assert (row["AUTHOR_ID"] == "101") is honoured
        assert row["COMMENT"].startswith(f"{name}:") is not honoured


def test_a_whole_route_is_mirrored_step_by_step(mirrored: MirroredPortal) -> None:
    story = Story(mirrored.source)
    story.open("approve")
    settled(mirrored, story)
    card = mirrored.card()
    assert (mirrored.column(), card["title"]) == ("approve", f"{KEY} · Комод дубовый, шесть ящиков")
    assert card["assignedById"] == 101
    assert mirrored.value("customerName") == "ООО «Ромашка»"
    assert mirrored.value("budget") == "150000.00|RUB"
    assert set(card["observers"]) == {103, 101}

    story.finish("orlov", "Берём", directorDecision="approve")
    story.open("design")
    settled(mirrored, story)
    assert mirrored.column() == "design"
    assert mirrored.value("directorDecision") == mirrored.schema.fields["directorDecision"].choices["approve"]
    (task,) = mirrored.open_tasks()
    assert task["title"].startswith(f"Разработать документацию: {KEY}, комод") and len(task["title"]) <= 60
    assert task["allowChangeDeadline"] == "N"
    assert datetime.fromisoformat(task["deadline"]) == AHEAD + timedelta(days=2)
    assert "ООО «Ромашка»" in task["description"] and "Берём" in task["description"]
    assert [t["status"] for t in mirrored.tasks()] == ["5", "2"]
    assert len(task["accomplices"]) == len(mirrored.staff.members("designers")) - 1

    story.file("designFile", "Чертёж.dxf", b"0\nSECTION", "volkov")
    story.file("designFile_2", "Чертёж.dxf", b"0\nSECTION\n2", "volkov")
    story.finish("volkov")
    story.open("estimate")
    settled(mirrored, story)
    assert len(mirrored.value("designFile")) == 2
    assert sorted(mirrored.drive()) == ["Чертёж (2).dxf", "Чертёж.dxf", "Эскиз заказчика.pdf"]
    (task,) = mirrored.open_tasks()
    assert len(task["ufTaskWebdavFiles"]) == 3

    story.end("End_Delivered")
    story.set(closingSummary="Заказ закрыт за 5 дней.")
    settled(mirrored, story)
    assert mirrored.column() == "delivered"
    assert mirrored.open_tasks() == []
    assert any("Заказ закрыт" in text and text.endswith(f"· {KEY}/closing") for text in mirrored.comments())
    assert any(text.endswith(f"· {KEY}/c1") and "Берём" in text for text in mirrored.comments())
    assert any(line["text"].endswith(f"· {KEY}/c2") for line in mirrored.lines())


def test_a_step_without_files_costs_four_requests_and_each_file_at_most_three_more(mirrored: MirroredPortal) -> None:
    story = Story(mirrored.source)
    story.open("approve")
    mark = mirrored.mark()
    mirrored.mirror.reconcile(story.instance)
    assert len(mirrored.requests_since(mark)) <= 4 + 3
    story.finish("orlov", "Берём", directorDecision="approve")
    story.open("design")
    mark = mirrored.mark()
    mirrored.mirror.reconcile(story.instance)
    assert len(mirrored.requests_since(mark)) <= 4
    story.file("designFile", "Чертёж.dxf", b"0\nSECTION", "volkov")
    story.finish("volkov")
    story.open("estimate")
    mark = mirrored.mark()
    mirrored.mirror.reconcile(story.instance)
    assert len(mirrored.requests_since(mark)) <= 4 + 3


def test_the_draft_of_the_open_stage_is_the_persons_own(mirrored: MirroredPortal) -> None:
    story = Story(mirrored.source)
    story.open("approve")
    settled(mirrored, story)
    mirrored.edit({"directorComment": "Пишу причину"})
    settled(mirrored, story)
    assert mirrored.value("directorComment") == "Пишу причину"
    story.finish("orlov", "Другое решение", directorDecision="reject")
    story.end("End_RefusedByDirector")
    settled(mirrored, story)
    assert (mirrored.column(), mirrored.value("directorComment")) == ("refused", "Другое решение")


def test_a_draft_survives_a_lost_ledger_and_the_next_visit_starts_empty(mirrored: MirroredPortal) -> None:
    story = Story(mirrored.source)
    story.open("design")
    settled(mirrored, story)
    mirrored.edit({"designComment": "Черновик"})
    mirrored.lose_ledger()
    settled(mirrored, story)
    assert mirrored.value("designComment") == "Черновик"
    story.finish("volkov", "Черновик")
    story.open("design")
    settled(mirrored, story)
    assert mirrored.value("designComment") in ("", None)


def test_files_of_an_earlier_visit_are_taken_off_when_the_engine_dropped_them(mirrored: MirroredPortal) -> None:
    story = Story(mirrored.source)
    for number, variable in enumerate(("designFile", "designFile_2", "designFile_3"), 1):
        story.file(variable, f"Лист {number}.pdf", b"%PDF sheet " + str(number).encode(), "volkov")
    story.open("design")
    story.finish("volkov")
    story.open("estimate")
    settled(mirrored, story)
    assert len(mirrored.value("designFile")) == 3
    story.drop_file("designFile_2")
    settled(mirrored, story)
    assert len(mirrored.value("designFile")) == 2


@pytest.mark.parametrize(
    ("end", "column"),
    [
        ("End_Delivered", "delivered"),
        ("End_RefusedByDirector", "refused"),
        ("End_PriceRejected", "rejected"),
        ("End_Cancelled", "cancelled"),
    ],
)
def test_each_outcome_has_its_column_also_while_its_sync_stage_is_open(
    mirrored: MirroredPortal, end: str, column: str
) -> None:
    story = Story(mirrored.source)
    story.open("manufacture")
    settled(mirrored, story)
    story.change(open=(), closing=end)
    settled(mirrored, story)
    assert (mirrored.column(), mirrored.open_tasks()) == (column, [])


def test_a_cancelled_order_marks_and_closes_its_task_and_says_why_once(mirrored: MirroredPortal) -> None:
    story = Story(mirrored.source)
    story.open("manufacture", assignee=mirrored.staff.members("workshop")[0].id)
    settled(mirrored, story)
    story.set(cancelReason="Заказчик передумал", cancelledBy="sokolova", refundDue=True)
    story.end("End_Cancelled")
    settled(mirrored, story)
    (task,) = mirrored.tasks()
    assert task["title"].startswith("ОТМЕНЁН · ") and task["status"] == "5"
    sent = mirrored.portal.log("tasks.task.chat.message.send")
    assert len(sent) == 1 and "Заказчик передумал" in str(sent[0]["params"])
    assert sum("Заказчик передумал" in text for text in mirrored.comments()) == 1


def test_a_duplicate_start_never_gets_a_card(mirrored: MirroredPortal) -> None:
    story = Story(mirrored.source, instance="second")
    story.end("End_Duplicate")
    mark = mirrored.mark()
    mirrored.mirror.reconcile("second")
    assert mirrored.requests_since(mark) == []
    assert mirrored.mirror.differences("second") == []


def test_a_card_dragged_by_hand_is_put_back_and_says_who_moved_it(mirrored: MirroredPortal) -> None:
    story = Story(mirrored.source)
    story.open("estimate")
    settled(mirrored, story)
    mirrored.portal.set_users([{"id": 103, "name": "Ирина", "lastName": "Соколова", "active": True, "admin": True}])
    mirrored.edit({"stageId": mirrored.schema.columns["ship"]}, user=103)
    assert [d.what for d in mirrored.mirror.differences(story.instance)] == ["Колонка"]
    settled(mirrored, story)
    assert mirrored.column() == "estimate"
    assert [line["title"] for line in mirrored.lines()] == ["Карточку передвинули вручную"]
    assert "Ирина Соколова" in mirrored.lines()[0]["text"]


def test_a_moved_deadline_moves_on_the_task_and_one_written_otherwise_does_not(mirrored: MirroredPortal) -> None:
    mirrored.portal.settings(offset="+10:00")
    story = Story(mirrored.source)
    visit = story.open("manufacture", due=datetime(2026, 12, 31, 15, 0, tzinfo=UTC))
    story.set(readyBy="2026-12-31T18:00:00+03:00", paidOn="2026-12-31", wishedBy="2027-01-01")
    settled(mirrored, story)
    (task,) = mirrored.open_tasks()
    assert task["deadline"] == "2027-01-01T01:00:00+10:00"
    story.set(readyBy="2026-12-31T15:00:00Z")
    settled(mirrored, story)
    later = datetime(2027, 1, 1, 0, 30, tzinfo=UTC)
    story.change(open=(replace(visit, due=later),))
    settled(mirrored, story)
    (task,) = mirrored.open_tasks()
    assert datetime.fromisoformat(task["deadline"]) == later
    assert "ср 31 декабря" not in task["description"].split("Срок:")[1]


def test_late_flags_tell_holder_and_manager_once_and_remind_once_a_day(mirrored: MirroredPortal) -> None:
    story = Story(mirrored.source)
    makers = mirrored.staff.members("workshop")
    story.open("manufacture", assignee=makers[0].id)
    flags = '[{"readyBy":"2026-03-05T15:00:00Z","at":"2026-03-05T15:00:01Z"}]'
    story.set(readyBy="2026-03-05T18:00:00+03:00", lateFlags=flags)
    settled(mirrored, story)
    told = mirrored.portal.log("im.notify.personal.add", applied=True)
    persons = {makers[0].bitrix_id, *(p.bitrix_id for p in mirrored.staff.managers(["workshop"]))}
    assert {int(line["params"]["USER_ID"]) for line in told} == persons
    story.set(lateReminder="2026-03-06")
    settled(mirrored, story)
    settled(mirrored, story)
    assert len(mirrored.portal.log("im.notify.personal.add", applied=True)) == 2 * len(persons)
    assert [line["title"] for line in mirrored.lines()] == ["Срок изготовления прошёл"]


def test_tell_sends_each_notice_once(mirrored: MirroredPortal) -> None:
    for _ in range(3):
        mirrored.mirror.tell("sokolova", "Директор отказал", "ORD-1:note:x:sokolova")
    (sent,) = mirrored.portal.log("im.notify.personal.add", applied=True)
    assert int(sent["params"]["USER_ID"]) == 103
    mirrored.mirror.tell("nobody", "Текст", "ORD-1:note:x:nobody")
    assert len(mirrored.portal.log("im.notify.personal.add")) == 1


def test_a_refused_file_is_explained_on_the_card_and_in_the_new_task(mirrored: MirroredPortal) -> None:
    story = Story(mirrored.source)
    story.open("design")
    settled(mirrored, story)
    story.finish("volkov", "вот")
    story.open("design", refusal="Файл «Чертёж.pdf» не похож на PDF.")
    settled(mirrored, story)
    assert mirrored.value("refusal") == "Файл «Чертёж.pdf» не похож на PDF."
    (task,) = mirrored.open_tasks()
    assert "не похож на PDF" in task["description"]
    assert len(mirrored.tasks()) == 2
