"""Rule: the kept discussion holds each comment once, in its order, whatever the order in which they were found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orders.discussion import MOST, Said, added, plain_words, read, write


def said(number: int) -> Said:
    return Said(number, "sokolova", "Ирина Соколова", "2026-11-28T12:00:00+00:00", f"№ {number}", ("план.pdf",))


@given(st.lists(st.integers(1, 60), max_size=80))
def test_each_comment_is_added_once(numbers: list[int]) -> None:
    held: tuple[Said, ...] = ()
    for number in numbers:
        after = added(held, said(number))
        assert after is None or read(write(after)) == after
        held = after or held
    kept = [each.id for each in held]
    assert kept == sorted(set(kept)) and len(kept) <= MOST
    assert set(kept) <= set(numbers) and max(numbers, default=0) == max(kept, default=0)
    if len(set(numbers)) <= MOST:
        assert set(kept) == set(numbers)


def test_markup_goes_and_mentions_stay() -> None:
    text = "[B]Да[/B], [USER=5]Ольга К.[/USER] [URL=https://x]здесь[/URL] [важно]"
    assert plain_words(text) == "Да, @Ольга К. здесь [важно]"
    assert read("нет") == read("") == read("[1]") == ()
