"""A name may hold anything: what is shown is NFC, short, without path, control or bidi characters, and stays stable."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attachments import names

TITLE = "Шкаф-купе №3 — «эскиз»; финал (ё, й).pdf"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (TITLE, TITLE),
        (unicodedata.normalize("NFD", TITLE), TITLE),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\fakepath\\Смета.xlsx", "Смета.xlsx"),
        ("/etc/смета.pdf", "смета.pdf"),
        ("a\x00.exe.pdf", "a.exe.pdf"),
        ("смета\u202efdp.exe", "сметаfdp.exe"),
        ("a%41+b.pdf", "a%41+b.pdf"),
        ("a\r\nb.pdf", "ab.pdf"),
        (".pdf", "файл.pdf"),
        ("..", "файл"),
        ("", "файл"),
        ("///", "файл"),
        ("смета.pdf. ", "смета.pdf"),
        ("CON.pdf", "_CON.pdf"),
        ("-=смета.pdf", "-=смета.pdf"),
        ("12:30 «а»?.pdf", "12_30 «а»_.pdf"),
        ("📐 эскиз.dwg", "📐 эскиз.dwg"),
        ("\ud800смета.pdf", "смета.pdf"),
        ("Стол.txt", "Стол.txt"),
        ("без расширения", "без расширения"),
        ("я" * 300 + ".pdf", "я" * 200 + ".pdf"),
        ("я" * 200 + ".pdf", "я" * 200 + ".pdf"),
        ("e" * 199 + "x\u0338\u0338.pdf", "e" * 199 + ".pdf"),
    ],
)
def test_names_from_the_field(sent: str, shown: str) -> None:
    assert names.clean(sent) == shown


@settings(deadline=None)
@given(st.text(max_size=400))
@example("a" * 5000 + ".pdf")
@example("е\u0308" * 300 + ".pdf")
def test_any_name_is_harmless_and_stable(sent: str) -> None:
    shown = names.clean(sent)
    stem, ending = names.split(shown)
    assert shown
    assert 0 < len(stem) <= names.MAX_STEM
    assert len(ending) <= names.MAX_EXTENSION
    assert unicodedata.is_normalized("NFC", shown)
    assert not set(shown) & set('/\\:<>"|?*\x00')
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in shown)
    assert shown not in (".", "..")
    assert names.clean(shown) == shown
    assert shown.encode("utf-8")


@settings(deadline=None)
@given(st.sampled_from(["pdf", "DWG", "Xlsx", "jpeg"]), st.text(max_size=300))
def test_ending_survives_any_stem(ending: str, stem: str) -> None:
    assert names.extension(names.clean(f"{stem}.{ending}")) == ending.lower()


def test_letters_with_marks_survive_a_round_trip() -> None:
    """«й» and «ё» are two code points in names from Apple's disks."""
    assert names.clean(unicodedata.normalize("NFD", "Чертёж йода.dxf")) == "Чертёж йода.dxf"
