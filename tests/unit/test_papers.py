"""Rule: no paper is lost. Files of comments, chats and fields out of turn stay with the order, judged, each once."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from mirrored import ZONE, MirroredPortal, Story, the_route
from samples import make_pdf

from app.judging import StepJudge
from attachments.judge import Judge
from bitrix_sync.desk import Desk
from bitrix_sync.papers import LARGEST, Attached
from engine.client import EngineClient
from orders.discussion import read
from orders.errors import Transient
from orders.papers import BESIDE
from orders.ports import Judge as JudgePort
from orders.snapshot import FileRef

SOKOLOVA, VOLKOV = 103, 106
GOOD, PLAN, DRAFT = make_pdf("замер"), make_pdf("план"), make_pdf("черновик")
FORGED = b"MZ\x90 a program"


class Waits:
    """A judge whose scanner is away until it is said to be back."""

    def __init__(self) -> None:
        self.away, self._judge = True, StepJudge(Judge())

    def judge(self, name: str, data: bytes) -> tuple[bool, str]:
        if self.away:
            raise Transient("Антивирус не отвечает", 30.0)
        return self._judge.judge(name, data)


class Bench:
    """One order at its first step, mirrored with a desk that judges."""

    def __init__(self, mirrored: MirroredPortal) -> None:
        self.mirrored, self.story = mirrored, Story(mirrored.source)
        self.story.open("approve")
        self.judging(StepJudge(Judge()))
        self.look()

    def judging(self, judge: JudgePort) -> None:
        mirrored = self.mirrored
        engine = cast(EngineClient, None)  # nobody answers a step here
        self.desk = Desk(
            mirrored.source, engine, mirrored.ledger, mirrored.staff, judge, zone=ZONE, newest_route=the_route
        )

    def look(self) -> None:
        self.mirrored.new_mirror(desk=self.desk).reconcile(self.story.instance)

    def comment(self, user: int, text: str, **files: bytes) -> int:
        sent = [[name.replace("_", "."), base64.b64encode(data).decode()] for name, data in files.items()]
        owner = {"ENTITY_ID": self.mirrored.card()["id"], "ENTITY_TYPE": self.mirrored.schema.owner_type}
        fields: dict[str, Any] = owner | {"COMMENT": text, "FILES": sent}
        return int(self.mirrored.portal.call("crm.timeline.comment.add", {"fields": fields}, user=user))

    def put(self, user: int, **files: list[tuple[str, bytes]]) -> None:
        shown = {v: [[n, base64.b64encode(d).decode()] for n, d in held] for v, held in files.items()}
        self.mirrored.edit(shown, user=user)

    def papers(self) -> list[FileRef]:
        return [file for file in self.story.order.files if file.variable.startswith(BESIDE)]

    def told(self, user: int) -> list[str]:
        return self.mirrored.portal.notices_of(user)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    mirrored = MirroredPortal(tmp_path)
    yield Bench(mirrored)
    mirrored.close()


def test_files_of_comments_and_chats_are_papers_of_the_order(bench: Bench) -> None:
    """Byte for byte, with author and SHA-256; found once, also by an empty ledger; the next task links to them."""
    mirrored = bench.mirrored
    comment = bench.comment(SOKOLOVA, "Замер от заказчика", замер_pdf=GOOD)
    (task,) = mirrored.open_tasks()
    message = mirrored.portal.message(int(task["id"]), int(task["responsibleId"]), "И план", {"план.pdf": PLAN})
    bench.look()
    holder = mirrored.staff.of_bitrix(int(task["responsibleId"]))
    assert holder is not None
    wanted = {
        (f"{BESIDE}c{comment}_1", "замер.pdf", "sokolova", GOOD),
        (f"{BESIDE}m{message}_1", "план.pdf", holder.id, PLAN),
    }
    source, instance = mirrored.source, bench.story.instance
    found = {(f.variable, f.name, f.by, source.file_bytes(instance, f.variable)[1]) for f in bench.papers()}
    assert found == wanted
    assert {f.sha256 for f in bench.papers()} == {hashlib.sha256(data).hexdigest() for data in (GOOD, PLAN)}
    assert [said.files for said in read(source.discussion(instance))] == [("замер.pdf",), ("план.pdf",)]
    mark = mirrored.mark()
    bench.look()
    assert [m for m in mirrored.writes_since(mark) if m.startswith("im.")] == []
    mirrored.lose_ledger()
    bench.judging(StepJudge(Judge()))
    bench.look()
    assert len(bench.papers()) == 2
    bench.story.finish("belova", directorDecision="approve")
    bench.story.open("design")
    bench.look()
    assert set(mirrored.drive()) == {"Эскиз заказчика.pdf", "замер.pdf", "план.pdf"}


def test_a_hostile_a_huge_and_a_hidden_file_are_told_and_hold_up_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.comment(SOKOLOVA, "Вот", программа_pdf=FORGED, замер_pdf=GOOD)
    bench.look()
    assert [file.name for file in bench.papers()] == ["замер.pdf"]
    (told,) = [text for text in bench.told(SOKOLOVA) if "не сохранён" in text]
    assert bench.story.order.key in told and "«программа.pdf»" in told
    mark = bench.mirrored.mark()
    bench.look()
    assert len([t for t in bench.told(SOKOLOVA) if "не сохранён" in t]) == 1
    assert "disk.file.get" not in [line["method"] for line in bench.mirrored.since(mark)], "asked once"
    bench.comment(SOKOLOVA, "Тайна", тайна_pdf=GOOD)
    monkeypatch.setattr("bitrix_sync.talk.attached", lambda row: Attached("987654", "тайна.pdf", 7))
    bench.look()
    assert any("тайна.pdf" in text and "не отдаёт" in text for text in bench.told(SOKOLOVA))
    monkeypatch.setattr("bitrix_sync.talk.attached", lambda row: Attached("77", "видео.mp4", LARGEST + 1))
    bench.comment(SOKOLOVA, "Ещё видео", видео_mp4=b"x")
    bench.look()
    assert any("видео.mp4" in text and "больше 20 МБ" in text for text in bench.told(SOKOLOVA))
    assert len(bench.papers()) == 1 and bench.mirrored.column() == "approve"


def test_while_the_scanner_is_away_a_file_waits_and_the_words_do_not(bench: Bench) -> None:
    waits = Waits()
    bench.judging(waits)
    bench.comment(SOKOLOVA, "Замер", замер_pdf=GOOD)
    with pytest.raises(Transient, match="Антивирус"):
        bench.look()
    assert [said.text for said in read(bench.mirrored.source.discussion(bench.story.instance))] == ["Замер"]
    assert bench.papers() == []
    waits.away = False
    bench.look()
    assert [file.name for file in bench.papers()] == ["замер.pdf"]
    assert len(read(bench.mirrored.source.discussion(bench.story.instance))) == 1


def test_what_is_written_last_in_a_tasks_chat_is_kept_when_the_step_is_done_elsewhere(bench: Bench) -> None:
    (task,) = bench.mirrored.open_tasks()
    bench.mirrored.portal.message(int(task["id"]), int(task["responsibleId"]), "Перед самым концом", {"план.pdf": PLAN})
    bench.story.finish("belova", directorDecision="approve")
    bench.story.open("design")
    bench.look()
    assert [said.text for said in read(bench.mirrored.source.discussion(bench.story.instance))] == [
        "Перед самым концом"
    ]
    assert [file.name for file in bench.papers()] == ["план.pdf"]


def test_a_file_put_into_a_field_out_of_turn_is_kept_before_it_is_taken_off(bench: Bench) -> None:
    """Neither the look that clears a closed field nor the opening of its step loses it; our own files are left out."""
    bench.put(VOLKOV, designFile=[("Чертёж.pdf", PLAN)])
    bench.look()
    assert bench.mirrored.value("designFile") == []
    (kept,) = bench.papers()
    assert (kept.by, kept.sha256) == ("volkov", hashlib.sha256(PLAN).hexdigest())
    bench.put(VOLKOV, designFile=[("Замер.pdf", GOOD)])
    bench.story.finish("belova", directorDecision="approve")
    bench.story.open("design")
    bench.look()
    assert bench.mirrored.value("designFile") == []
    assert {f.sha256 for f in bench.papers()} == {hashlib.sha256(data).hexdigest() for data in (PLAN, GOOD)}
    bench.put(VOLKOV, designFile=[("Черновик.pdf", DRAFT)])
    bench.look()
    assert len(bench.mirrored.value("designFile")) == 1, "the open step's draft is the person's own"
    assert len(bench.papers()) == 2
    bench.story.file("designFile", "Черновик.pdf", DRAFT, "volkov")
    bench.story.finish("volkov")
    bench.story.open("estimate")
    bench.look()
    bench.story.finish("elena")
    bench.story.open("design")
    bench.look()
    assert len(bench.papers()) == 2, "what the order holds already is no paper beside it"


def test_what_is_still_being_judged_is_left_in_its_field(bench: Bench) -> None:
    bench.story.finish("belova", directorDecision="approve")
    bench.story.open("design")
    bench.look()
    bench.put(VOLKOV, designFile=[("Чертёж.pdf", PLAN)])
    bench.story.finish("volkov")  # the answer is taken, the engine's own judge has not spoken yet
    bench.look()
    assert len(bench.mirrored.value("designFile")) == 1 and bench.papers() == []
    bench.story.file("designFile", "Чертёж.pdf", PLAN, "volkov")
    bench.story.open("estimate")
    mark = bench.mirrored.mark()
    bench.look()
    assert len(bench.mirrored.value("designFile")) == 1 and bench.papers() == []
    assert "crm.item.update" not in [line["method"] for line in bench.mirrored.since(mark) if line["batch"] is None]


def test_a_sweep_finds_a_comments_file_without_any_event(bench: Bench) -> None:
    bench.comment(VOLKOV, "Держите", замер_pdf=GOOD)
    bench.mirrored.new_mirror(desk=bench.desk).sweep()
    assert [file.name for file in bench.papers()] == ["замер.pdf"]
