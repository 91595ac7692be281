"""File names as browsers send them: they may hold anything, and are only ever shown, never used as a path."""

from __future__ import annotations

import unicodedata

MAX_STEM = 200
MAX_EXTENSION = 16
UNNAMED = "файл"

# What Windows and the portal's disk refuse in a name; a colon would also name a hidden stream of another file.
_REPLACED = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
_DEVICES = frozenset({"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)})
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, bidi and other invisible marks, lone surrogates
_MAX_READ = 4096


def clean(name: str) -> str:
    """Return the name to show: NFC, no path, control or bidi characters, at most 200 characters before the ending.

    Percent signs and plus signs are ordinary characters: nothing is decoded. Cleaning twice changes nothing.
    """
    visible = "".join(char for char in name[-_MAX_READ:] if unicodedata.category(char) not in _DROPPED)
    last = visible.replace("\\", "/").rstrip("/ ").rpartition("/")[2].translate(_REPLACED)
    return _composed(_trimmed(unicodedata.normalize("NFC", last)))


def split(name: str) -> tuple[str, str]:
    """Split a clean name into stem and ending (as written, without the dot; empty if there is none)."""
    stem, dot, ending = name.rpartition(".")
    if not dot or not ending or len(ending) > MAX_EXTENSION or any(char.isspace() for char in ending):
        return name, ""
    return stem, ending


def extension(name: str) -> str:
    """Return the ending of a clean name in lower case, without the dot."""
    return split(name)[1].lower()


def with_extension(name: str, ending: str) -> str:
    """Return a clean name with another ending, keeping the stem."""
    return f"{split(name)[0]}.{ending}"


def _trimmed(name: str) -> str:
    return name.strip().rstrip(". ").strip()


def _composed(name: str) -> str:
    stem, ending = split(name)
    stem = _cut(stem.lstrip(". ")).rstrip(". ")
    if not stem:
        stem = UNNAMED
    elif stem.split(".")[0].rstrip().lower() in _DEVICES:
        stem = f"_{stem}"[:MAX_STEM]
    return f"{stem}.{ending}" if ending else stem


def _cut(stem: str) -> str:
    """Cut at a letter: a mark that belongs to the letter before is never left without it."""
    if len(stem) <= MAX_STEM:
        return stem
    end = MAX_STEM
    while end > 1 and unicodedata.category(stem[end]).startswith("M"):
        end -= 1
    return stem[:end]
