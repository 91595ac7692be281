"""The portal's rate is never exceeded, people go before sweeps, a refusal halves the rate for a minute."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger
from ledger.bucket import PEOPLE, SWEEP, Level, penalised, take


def taken(lane: str, state: Level, now: float, rate: float = 2, burst: float = 50) -> tuple[Level, int]:
    count = 0
    while True:
        state, wait = take(state, rate, burst, lane, now)
        if wait > 0:
            return state, count
        count += 1


def test_people_may_burst_and_then_go_at_the_rate() -> None:
    state, count = taken(PEOPLE, Level(at=1000), 1000)
    assert count == 50
    assert take(state, 2, 50, PEOPLE, 1000)[1] == 0.5
    assert taken(PEOPLE, state, 1010)[1] == 20


def test_sweeps_leave_half_of_the_bucket_to_people() -> None:
    state, count = taken(SWEEP, Level(at=1000), 1000)
    assert count == 25
    assert taken(PEOPLE, state, 1000)[1] == 25


def test_sweeps_wait_while_people_use_the_bucket() -> None:
    state, _ = taken(PEOPLE, Level(at=1000), 1000)
    assert take(state, 2, 50, SWEEP, 1000)[1] > 12


def test_sweeps_alone_go_at_half_the_rate() -> None:
    state, _ = taken(SWEEP, Level(at=1000), 1000)
    assert taken(SWEEP, state, 1010)[1] == 10


def test_a_refusal_halves_the_rate_for_a_minute() -> None:
    state, _ = taken(PEOPLE, Level(at=1000), 1000)
    slow = penalised(state, 1000)
    assert taken(PEOPLE, slow, 1010)[1] == 10
    assert take(slow, 2, 50, PEOPLE, 1000)[1] == 1.0
    assert taken(PEOPLE, slow, 1070)[1] == 50
    only_the_minute, _ = taken(PEOPLE, penalised(state, 990), 1000)
    assert taken(PEOPLE, only_the_minute, 1060)[1] == 50


@given(st.lists(st.tuples(st.sampled_from([PEOPLE, SWEEP]), st.floats(0, 3)), max_size=200))
def test_never_more_requests_than_the_portal_allows(steps: list[tuple[str, float]]) -> None:
    now, state, times = 1000.0, Level(at=1000), []
    for lane, pause in steps:
        now += pause
        state, wait = take(state, 2, 5, lane, now)
        if wait == 0:
            times.append(now)
    level, last = 0.0, 1000.0
    for at in times:  # the portal's own counter (bitrix24.md 1: +1 per request, -Y per second, block above X)
        level, last = max(0.0, level - 2 * (at - last)) + 1, at
        assert level <= 5 + 1e-6


def test_the_bucket_is_shared_through_the_ledger(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    one, two = Ledger(url), Ledger(url)
    assert [one.take_token("p", 0.001, 2), two.take_token("p", 0.001, 2)] == [0, 0]
    assert one.take_token("p", 0.001, 2) > 900
    assert two.take_token("other", 0.001, 2) == 0
    two.penalise("other")
    assert one.take_token("other", 0.001, 2) == 0
    assert one.take_token("other", 0.001, 2) > 1900
