"""Cyrillic letters that look like Latin ones, in words that must be Latin: ids, groups, topics, decisions.

A twin letter makes two different names out of one on the screen; forms and conditions then silently use both.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

TWINS = dict(
    zip(
        "АВСЕНІЈКМОРЅТУХЬЗабвсԁеһіјкӏмнпорԛѕтцѵхуԝг",  # Cyrillic, in the order of the Latin letters below
        "ABCEHIJKMOPSTYXb3a6bcdehijklmhnopqstuvxywr",
        strict=True,
    )
)
"""Cyrillic letter -> the Latin letter or figure that it is mistaken for."""

_PIECES = re.compile(r"[^\W_]+")
_PLAIN = dict(zip("АВСЕНІЈКМОРЅТУХаԁеіјӏорԛѕухсһԝ", "ABCEHIJKMOPSTYXadeijlopqsyxchw", strict=True))
"""Only the pairs that print alike: enough to say that a word was meant to be Latin."""


@dataclass(frozen=True, slots=True)
class Twin:
    """One foreign letter in a word; `position` counts letters from 1."""

    word: str
    letter: str
    position: int
    likely: str

    def __str__(self) -> str:
        """Say it to a person: the letter, where it stands, and the word that was probably meant."""
        return f"«{self.letter}» кириллическая, {self.position}-я буква в «{self.word}», вероятно «{self.likely}»"


def is_cyrillic(letter: str) -> bool:
    """Tell whether one character is a Cyrillic letter."""
    return unicodedata.name(letter, "").startswith("CYRILLIC")


def likely_word(word: str) -> str:
    """Return the word with each twin letter replaced by its Latin double; other letters stay."""
    return "".join(_PLAIN.get(c) or TWINS.get(c, c) for c in word)


def find_in_id(word: str) -> Twin | None:
    """Return the first Cyrillic letter of a name that may hold none (an id, a group, a topic, a decision)."""
    for position, letter in enumerate(word, start=1):
        if is_cyrillic(letter):
            return Twin(word, letter, position, likely_word(word))
    return None


def find_in_text(text: str) -> list[Twin]:
    """Return the words of a free text that mix both alphabets, one finding a word.

    A word wholly in Cyrillic is Russian and fine; a word with one Latin letter among Cyrillic ones is reported too,
    because nobody can say which of the two was meant.
    """
    found = []
    for match in _PIECES.finditer(text):
        word = match.group()
        latin = any(c.isascii() and c.isalpha() for c in word)
        twin = find_in_id(word) if latin else None
        if twin is not None:
            found.append(twin)
    return found


def skeleton(word: str) -> str:
    """Fold a word so that two spellings which print alike become equal (case is kept)."""
    return "".join(_PLAIN.get(c, c) for c in word)
