"""What people do in the portal is found by events or without them, and the end is the same.

A dragged card goes back, whoever moved it is told and named, a robot that fights is paced and an operator told; copied,
shuffled, lost and forged events change nothing; our own echo costs no request.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mirrored import MirroredPortal, Story, full_story
from portal import wait_until
from pydantic import SecretStr

from app.hooks import LAST_EVENT, add_hooks, into_inbox
from app.web import Site, public_site, serve
from bitrix_sync import back
from bitrix_sync.watch import ECHO_SECONDS, GAP_SECONDS, Recent, Watch
from orders import discussion
from orders.errors import PortalUnavailable

KEY = "ORD-2026-00042"
POLL = 10.0
SOKOLOVA = 103


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """One portal, one order in «Разработка документации», and the watch of one process."""

    def __init__(self, mirrored: MirroredPortal) -> None:
        self.mirrored, self.clock = mirrored, Clock()
        self.recent = Recent(self.clock)
        mirrored.mirror = mirrored.new_mirror(touched=self.recent.note)
        self.watch = self.new_watch()
        people = [{"id": p.bitrix_id, "mayMove": True} for p in mirrored.staff.persons if p.bitrix_id]
        mirrored.portal.set_users(people)
        self.story = self.order(KEY)
        self.pass_time(POLL)

    def new_watch(self) -> Watch:
        mirrored = self.mirrored
        return Watch(lambda: mirrored.mirror, mirrored.ledger, poll_seconds=POLL, recent=self.recent, clock=self.clock)

    def order(self, key: str) -> Story:
        story = Story(self.mirrored.source, key)
        story.open("design")
        self.mirrored.mirror.reconcile(story.instance)
        return story

    def pass_time(self, seconds: float) -> None:
        """Let time pass in small turns, as the loop does."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            self.clock.now += 0.5
            self.watch.turn()

    def drag(self, column: str, user: int = SOKOLOVA, key: str = KEY) -> None:
        self.mirrored.edit({"stageId": self.mirrored.schema.columns[column]}, key=key, user=user)

    def notices(self, user: int) -> list[str]:
        return self.mirrored.portal.notices_of(user)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    mirrored = MirroredPortal(tmp_path)
    yield Bench(mirrored)
    mirrored.close()


def test_a_dragged_card_goes_back_without_any_event(bench: Bench) -> None:
    bench.drag("payment")
    bench.pass_time(POLL)
    assert bench.mirrored.column() == "design"
    (line,) = [line for line in bench.mirrored.lines() if "передвинули" in line["title"]]
    assert "Ирина Соколова" in line["text"] and "Ожидание оплаты" in line["text"]
    (told,) = bench.notices(SOKOLOVA)
    assert KEY in told and "возвращена" in told
    mark = bench.mirrored.mark()
    bench.pass_time(5 * POLL)
    assert bench.mirrored.writes_since(mark) == []
    assert len(bench.mirrored.requests_since(mark)) <= 6, "quiet looks cost one request each"


def test_a_hint_brings_the_look_forward(bench: Bench) -> None:
    bench.pass_time(ECHO_SECONDS)
    bench.drag("payment")
    bench.mirrored.ledger.hint(f"item:{bench.mirrored.schema.entity_type_id}", str(bench.mirrored.card()["id"]))
    bench.pass_time(GAP_SECONDS)
    assert bench.mirrored.column() == "design"
    assert bench.mirrored.ledger.hints() == []


@pytest.mark.parametrize("moves", [4, pytest.param(20, marks=pytest.mark.soak)])
def test_every_card_moved_at_random_goes_back(bench: Bench, moves: int) -> None:
    """With an event at once, without one at the next look; nobody is taken for a robot, three moves of an order."""
    chance = random.Random(moves)
    keys = [f"ORD-2026-{n:05}" for n in range(-(-moves // 3))]
    for key in keys:
        bench.order(key)
    bench.pass_time(POLL)
    for move in range(moves):
        key = keys[move % len(keys)]
        column = chance.choice([each for each in bench.mirrored.schema.columns if each != "design"])
        mover = chance.choice([p for p in bench.mirrored.staff.persons if p.bitrix_id])
        bench.mirrored.portal.clock(later(bench, key))
        bench.pass_time(ECHO_SECONDS)
        bench.drag(column, user=mover.bitrix_id or 0, key=key)
        if move % 2:
            entity = bench.mirrored.schema.entity_type_id
            bench.mirrored.ledger.hint(f"item:{entity}", str(bench.mirrored.card(key)["id"]))
        bench.pass_time(GAP_SECONDS if move % 2 else POLL)
        assert bench.mirrored.column(key) == "design", f"move {move + 1} by {mover.name} into {column}"
        lines = [line["text"] for line in bench.mirrored.lines(key) if "передвинули" in line["title"]]
        assert len(lines) == move // len(keys) + 1 and any(mover.name in line for line in lines)


def test_our_own_echo_costs_nothing(bench: Bench) -> None:
    bench.clock.now += POLL
    assert bench.watch.turn()
    bench.story.finish("volkov")
    bench.story.open("estimate")
    bench.mirrored.mirror.reconcile(bench.story.instance)
    mark = bench.mirrored.mark()
    entity = bench.mirrored.schema.entity_type_id
    bench.mirrored.ledger.hint(f"item:{entity}", str(bench.mirrored.card()["id"]))
    for task in bench.mirrored.tasks():
        bench.mirrored.ledger.hint("task", task["id"])
    bench.pass_time(GAP_SECONDS)
    assert bench.mirrored.requests_since(mark) == ["crm.item.list", "tasks.task.list"], "only those of this test"
    bench.pass_time(POLL)
    assert bench.mirrored.writes_since(mark) == [] and bench.mirrored.ledger.hints() == []


def test_a_deleted_task_is_made_again_and_a_finished_one_renewed(bench: Bench) -> None:
    (task,) = bench.mirrored.open_tasks()
    bench.mirrored.portal.call("tasks.task.delete", {"taskId": task["id"]})
    bench.pass_time(POLL)
    (again,) = bench.mirrored.open_tasks(KEY)
    assert again["id"] != task["id"]
    bench.pass_time(POLL)
    bench.mirrored.portal.call("tasks.task.complete", {"taskId": again["id"]}, user=int(again["responsibleId"]))
    bench.pass_time(POLL)
    assert [t["id"] for t in bench.mirrored.open_tasks(KEY)] == [again["id"]]


def test_a_deleted_card_is_asked_for_once_and_never_made_silently(bench: Bench) -> None:
    card = {"entityTypeId": bench.mirrored.schema.entity_type_id, "id": bench.mirrored.card()["id"]}
    bench.mirrored.portal.call("crm.item.delete", card)
    mark = bench.mirrored.mark()
    bench.pass_time(4 * POLL)
    assert bench.mirrored.cards() == [] and bench.mirrored.writes_since(mark) == []
    assert len(bench.mirrored.requests_since(mark)) <= 8, "four looks, and one order looked at whole"


def test_a_card_of_an_ended_order_goes_back_too(bench: Bench) -> None:
    bench.story.finish("volkov")
    bench.story.end("End_Delivered")
    bench.mirrored.mirror.reconcile(bench.story.instance)
    bench.pass_time(POLL)
    bench.drag("design")
    bench.pass_time(POLL)
    assert bench.mirrored.column() == "delivered"
    assert any("передвинули" in line["title"] for line in bench.mirrored.lines())


def test_a_robot_that_fights_is_paced_and_an_operator_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger's clock is real here: what is compared is how often the card goes back, not when."""
    operator = bench.mirrored.staff.members("operators")[0].bitrix_id
    assert operator is not None
    for _ in range(back.FIGHT):
        bench.drag("payment")
        bench.pass_time(POLL)
        assert bench.mirrored.column() == "design"
        bench.mirrored.portal.clock(later(bench))
    assert len(bench.notices(SOKOLOVA)) == back.FIGHT
    (told,) = bench.notices(operator)
    assert KEY in told and "роботов" in told and "Ирина Соколова" in told
    bench.drag("payment")
    bench.pass_time(POLL)
    assert bench.mirrored.column() == "payment", "the fourth time waits"
    monkeypatch.setattr(back, "PAUSES", ((0, 0.0),))
    bench.pass_time(2 * POLL)
    assert bench.mirrored.column() == "design", "it goes back when the pause is over"
    assert len(bench.notices(operator)) == 1, "told once an hour"


def later(bench: Bench, key: str = KEY) -> str:
    """Return a moment a minute after the portal's newest move: its clock counts whole seconds."""
    return (datetime.fromisoformat(bench.mirrored.card(key)["movedTime"]) + timedelta(minutes=1)).isoformat()


def test_a_backlog_is_worked_off_in_parts_and_survives_an_outage(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bitrix_sync.watch.MOST", 2)
    keys = [f"ORD-2026-{n:05}" for n in range(100, 105)]
    for key in keys:
        bench.order(key)
    bench.pass_time(POLL)
    for key in keys:
        bench.drag("payment", key=key)
    bench.mirrored.portal.faults({"kind": "unauthorized"})
    with pytest.raises(PortalUnavailable):
        bench.pass_time(POLL)
    bench.mirrored.portal.faults()
    bench.mirrored.mirror = bench.mirrored.new_mirror(touched=bench.recent.note)  # its breaker is closed
    bench.pass_time(2 * POLL)
    assert {bench.mirrored.column(key) for key in keys} == {"design"}


def test_one_process_looks_and_another_takes_over(bench: Bench) -> None:
    other = bench.new_watch()
    bench.pass_time(POLL)
    bench.clock.now += POLL
    assert other.turn() is False
    bench.watch.release()
    assert other.turn() is True


def test_a_portal_that_hides_its_cards_is_not_believed(bench: Bench) -> None:
    for n in range(3):
        bench.order(f"ORD-2026-{n:05}")
    bench.pass_time(POLL)
    mark = bench.mirrored.mark()
    bench.mirrored.portal.faults({"kind": "empty_list", "methods": ["crm.item.list"]})
    bench.pass_time(2 * POLL)
    assert bench.mirrored.writes_since(mark) == []


@pytest.fixture
def door(bench: Bench) -> Iterator[Site]:
    tokens = [SecretStr("new-token"), SecretStr("old-token")]
    site = serve(
        public_site(list, lambda each: add_hooks(each, tokens, into_inbox(bench.mirrored.ledger))),
        "127.0.0.1:0",
        "ORDER_ROUTE_WEB_LISTEN",
    )
    yield site
    site.close()


def test_the_portals_own_events_bring_the_card_back(bench: Bench, door: Site) -> None:
    bench.pass_time(ECHO_SECONDS)
    bench.mirrored.portal.events(f"http://127.0.0.1:{door.port}/hooks/bitrix24", "old-token", duplicate=0.5)
    bench.drag("payment")
    wait_until("the event in the inbox", bench.mirrored.ledger.hints)
    wait_until("the note that events come", lambda: bench.mirrored.ledger.cursor(LAST_EVENT))
    bench.pass_time(GAP_SECONDS)
    assert bench.mirrored.column() == "design"


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=st.permutations(["payment", "ship", "approve"]), named=st.lists(st.integers(0, 3), max_size=12))
def test_every_order_of_arrival_ends_the_same(bench: Bench, moves: list[str], named: list[int]) -> None:
    """Events of two cards, one unknown card and one task: copied, lost, too early, too late."""
    (task,) = bench.mirrored.open_tasks(KEY)
    entity = bench.mirrored.schema.entity_type_id
    hints = [
        (f"item:{entity}", str(bench.mirrored.card()["id"])),
        (f"item:{entity}", "99999"),
        (f"item:{entity + 2}", "1"),
        ("task", task["id"]),
    ]
    for n, number in enumerate(named):
        if n < len(moves):
            bench.drag(moves[n])
        bench.mirrored.ledger.hint(*hints[number])
        if n % 3 == 0:
            bench.pass_time(1)
    bench.pass_time(3 * POLL)
    bench.mirrored.mirror.sweep()
    assert bench.mirrored.column() == "design" and bench.mirrored.ledger.hints() == []
    assert len(bench.mirrored.open_tasks(KEY)) == 1 and len(bench.mirrored.cards()) == 1


def test_a_whole_order_is_untouched_by_looks(bench: Bench) -> None:
    story = full_story(bench.mirrored.source, "ORD-2026-00077")
    bench.mirrored.mirror.reconcile(story.instance)
    mark = bench.mirrored.mark()
    bench.pass_time(3 * POLL)
    assert bench.mirrored.writes_since(mark) == []


def test_what_people_write_in_the_tasks_chat_is_kept_once(bench: Bench) -> None:
    """Found by the ordinary look, since a word in a chat moves only the task's activity; a lost ledger repeats none."""
    mirrored, instance = bench.mirrored, bench.story.instance
    bench.pass_time(2 * ECHO_SECONDS)
    (task,) = mirrored.open_tasks(KEY)
    designers = mirrored.staff.members("designers")[:2]
    for person, text in zip(designers, ("[USER=103]Ирина Соколова[/USER], дуб?", "Ясень"), strict=True):
        mirrored.portal.clock((datetime.now(UTC) + timedelta(minutes=5 * len(text))).isoformat())
        body = {"fields": {"taskId": int(task["id"]), "text": text}}
        hook = mirrored.portal.webhook_of(person.bitrix_id or 0).replace("/rest/", "/rest/api/")
        assert requests.post(f"{hook}tasks.task.chat.message.send", json=body, timeout=10).status_code == 200
    bench.pass_time(2 * POLL)

    def kept() -> list[tuple[str, str, str]]:
        return [(s.person, s.text, s.source) for s in discussion.read(mirrored.source.discussion(instance))]

    words = {(designers[0].id, "@Ирина Соколова, дуб?", "task"), (designers[1].id, "Ясень", "task")}
    assert len(kept()) == 2 and set(kept()) == words
    mark = mirrored.mark()
    bench.pass_time(3 * POLL)
    assert mirrored.writes_since(mark) == []
    mirrored.lose_ledger().reconcile(instance)
    assert len(kept()) == 2


def test_a_comment_is_kept_once_however_its_event_comes(bench: Bench) -> None:
    """Copied, late and forged events, deleted comments and our own ones: the same two comments are kept."""
    mirrored, instance = bench.mirrored, bench.story.instance
    bench.pass_time(2 * ECHO_SECONDS)
    owner = {"ENTITY_ID": mirrored.card(KEY)["id"], "ENTITY_TYPE": mirrored.schema.owner_type}
    add = "crm.timeline.comment.add"
    first = mirrored.portal.call(add, {"fields": owner | {"COMMENT": "Дуб или ясень?"}}, user=SOKOLOVA)
    for number in (first, first, 999_999):
        mirrored.ledger.hint("comment", str(number))
    bench.pass_time(GAP_SECONDS + 1)
    kept = discussion.read(mirrored.source.discussion(instance))
    assert [(s.id, s.person, s.text) for s in kept] == [(first, "sokolova", "Дуб или ясень?")]
    ours = mirrored.portal.call(add, {"fields": owner | {"COMMENT": f"Ответ\n· {KEY}/c9"}})
    second = mirrored.portal.call(add, {"fields": owner | {"COMMENT": "Ясень"}}, user=106)
    for number in (second, ours, first):
        mirrored.ledger.hint("comment", str(number))
    bench.pass_time(2 * POLL)
    assert [s.id for s in discussion.read(mirrored.source.discussion(instance))] == [first, second]
    assert mirrored.ledger.hints() == []
