"""Rule: a business key is at most 64 characters and never looks like one of our own forms when it is not."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from orders import keys
from orders.errors import Refused


@pytest.mark.parametrize("key", ["2026/К-17", "S-01", "1032-57", "ORD-2026-00042", "№ 5", "K" * 64, "заказ_1"])
def test_numbers_of_other_books_are_taken_as_they_are(key: str) -> None:
    """Cyrillic, slashes and both reserved forms are good names for an imported order."""
    assert keys.check_import_key(key) == key


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "пуст"),
        ("K" * 65, "длиннее 64"),
        ("a\nb", "недопустимый знак"),
        ("-1", "недопустимый знак"),
        ("a\u202eb", "недопустимый знак"),
        ("ОRD-2026-00042", "«О» кириллическая, 1-я буква"),
        ("ORD-2026-42", "похож на номер"),
        ("ord-2026-00042", "похож на номер"),
    ],
)
def test_other_keys_are_refused(key: str, why: str) -> None:
    """Empty, long, with control characters, or a twin of our own numbers."""
    with pytest.raises(Refused, match=why):
        keys.check_import_key(key)


def test_forms() -> None:
    """A card's key, a numbered key, and what a person may choose."""
    assert keys.card_key(1032, 57) == "1032-57"
    assert keys.numbered_key(2026, 42) == "ORD-2026-00042"
    assert keys.is_card_key("1032-57")
    assert not keys.is_card_key("1032-57a")
    assert not keys.is_card_key("١-٢")
    assert keys.is_numbered_key("ORD-2026-00042")
    assert [keys.is_own_key(k) for k in ("my.key_1", "1032-57", "ORD-2026-00042", "ord-1", "К17", "a" * 65)] == [
        True,
        False,
        False,
        False,
        False,
        False,
    ]


def test_one_promise_has_one_key_in_any_notation() -> None:
    """Instants are compared, not texts."""
    moscow, utc = datetime.fromisoformat("2026-12-31T18:00+03:00"), datetime.fromisoformat("2026-12-31T15:00Z")
    assert keys.late_key("K", moscow) == keys.late_key("K", utc) == "K:late:2026-12-31T15:00:00Z"
    assert keys.reminder_key("K", utc, date(2027, 1, 11)) == "K:late:2026-12-31T15:00:00Z:2027-01-11"


def test_effect_keys_differ_by_what_they_are_about() -> None:
    """Visit, note and person each make another key."""
    assert len({keys.visit_key("K", "T", "v1"), keys.visit_key("K", "T", "v2"), keys.note_key("K", "v1", "p")}) == 3
    assert keys.note_key("K", "v", "p") != keys.note_key("K", "v", "q")


def test_a_request_hash_keeps_parts_apart() -> None:
    """("ab", "c") is another request than ("a", "bc")."""
    assert keys.request_hash("ab", "c") != keys.request_hash("a", "bc")
    assert keys.request_hash("a", 1) == keys.request_hash("a", 1)
