"""Rule: on a day the substitutes of the absent, and nobody else, stand in at an open step; the note says for whom."""

from __future__ import annotations

from datetime import date

import pytest

from orders.persons import Period, Person, Staff, Substitute
from orders.standins import note, read_note, stand_ins, substituted

DAY, LATER = date(2026, 11, 25), date(2026, 12, 25)
AWAY = Period(DAY, DAY)
ANNA = Person("anna", "Анна", ("designers",), substitutes=(Substitute("boris", AWAY),))
BORIS = Person("boris", "Борис", ("shipping",))
VERA = Person("vera", "Вера", ("designers",))
STAFF = Staff((ANNA, BORIS, VERA))


@pytest.mark.parametrize(
    ("groups", "assignee", "day", "expected"),
    [
        (("designers",), None, DAY, {"boris": "anna"}),
        (("designers",), "anna", DAY, {"boris": "anna"}),
        (("designers",), "vera", DAY, {}),
        (("designers",), "gone", DAY, {}),
        (("designers",), None, LATER, {}),
        (("shipping",), None, DAY, {}),
        ((), "anna", DAY, {"boris": "anna"}),
    ],
)
def test_who_stands_in(groups: tuple[str, ...], assignee: str | None, day: date, expected: dict[str, str]) -> None:
    assert stand_ins(STAFF, groups, assignee, day) == expected


def test_a_colleague_needs_no_right_of_a_substitute_at_a_free_step() -> None:
    inside = Staff((Person("anna", "Анна", ("designers",), substitutes=(Substitute("vera", AWAY),)), VERA))
    assert stand_ins(inside, ("designers",), None, DAY) == {}
    assert stand_ins(inside, ("designers",), "anna", DAY) == {"vera": "anna"}
    assert (substituted(inside, DAY), substituted(inside, LATER)) == (True, False)


@pytest.mark.parametrize("text", [None, 7, "{", "[]", '{"task": "t1"}', '{"task": "t2", "for": {"a": "b"}}'])
def test_a_note_of_another_visit_or_none_at_all_says_nothing(text: object) -> None:
    assert read_note(text, "t1") == {}


def test_a_note_reads_as_it_was_written() -> None:
    assert read_note(note("t1", {"boris": "anna"}), "t1") == {"boris": "anna"}
