"""Rule: a Cyrillic letter in a Latin word is named with its position and the word that was meant."""

from __future__ import annotations

import pytest

from orders.twins import find_in_id, find_in_text, skeleton


@pytest.mark.parametrize(
    ("word", "letter", "position", "likely"),
    [
        ("UserTask_PrеpareDesign", "е", 12, "UserTask_PrepareDesign"),
        ("аpprove", "а", 1, "approve"),
        ("Сommercial", "С", 1, "Commercial"),
        ("sync-stаge", "а", 8, "sync-stage"),
        ("reasonСhange", "С", 7, "reasonChange"),
        ("shiрping", "р", 4, "shipping"),
        ("дизайн", "д", 1, None),
    ],
)
def test_a_twin_in_an_id(word: str, letter: str, position: int, likely: str | None) -> None:
    """Ids, groups, topics and decisions hold no Cyrillic letter at all."""
    twin = find_in_id(word)
    assert twin is not None
    assert (twin.letter, twin.position) == (letter, position)
    assert likely is None or twin.likely == likely
    assert f"«{letter}» кириллическая, {position}-я буква" in str(twin)


@pytest.mark.parametrize("word", ["UserTask_PrepareDesign", "until:readyBy", "naïve", "", "№ 5"])
def test_clean_words(word: str) -> None:
    """Latin letters, figures and signs are no twins."""
    assert find_in_id(word) is None


def test_text_may_be_russian_but_not_mixed() -> None:
    """Whole Russian words are fine, a word of both alphabets is not, each is found once."""
    assert find_in_text("Смета: ORD-2026, комод дубовый, 2 шт, К-17") == []
    assert [t.word for t in find_in_text("designFilе, Смeта, estimateSum")] == ["designFilе", "Смeта"]


def test_skeletons_of_lookalikes_are_equal() -> None:
    """Two spellings that print alike fold into one."""
    assert skeleton("К-17") == skeleton("K-17")
    assert skeleton("К-17") != skeleton("к-17")
