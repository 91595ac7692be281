"""Bytes of a table as a bookkeeper saves it -> rows of text, each with the line it begins on.

UTF-8 with and without a mark, UTF-16, cp1251; semicolon, comma or tab; a `sep=` line; quoted line breaks.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orders.errors import Refused

DELIMITERS = (";", ",", "\t")
_UNKNOWN = "Кодировка файла не распознана или файл повреждён: сохраните его в UTF-8 или Windows-1251"
_LETTER = re.compile(r"[А-Яа-яЁё]")


@dataclass(frozen=True, slots=True)
class Line:
    """One record: the physical line it begins on (from 1), its cells, or why it could not be split."""

    number: int
    cells: tuple[str, ...]
    problem: str | None = None


def decode(data: bytes) -> str:
    """Return the text of a file. Raises Refused where it is no text or its encoding cannot be told."""
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Refused("Это книга Excel, а не CSV: сохраните её как «CSV (разделители — точка с запятой)»")
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _as(data, name)
    if data.count(0) * 8 > len(data):  # a stray NUL is a bad cell, many are the other half of UTF-16
        even, odd = data[::2].count(0), data[1::2].count(0)
        return _as(data, "utf-16-be" if even > odd else "utf-16-le")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _cp1251(data)


def _as(data: bytes, name: str) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        raise Refused(_UNKNOWN) from None


def _cp1251(data: bytes) -> str:
    """Decode cp1251, unless the result does not look Russian: cp866 and others decode too, but to nonsense."""
    text = _as(data, "cp1251")
    foreign = [c for c in text if not c.isascii()]
    russian = sum(bool(_LETTER.match(c)) or c in "«»№–—…“”„’\u00a0×" for c in foreign)
    swapped = len(re.findall(r"\b[а-яё][А-ЯЁ]{2,}", text))  # KOI8-R read as cp1251 turns capitals round
    if russian < 0.9 * len(foreign) or swapped * 8 > len(foreign):
        raise Refused(_UNKNOWN)
    return text


def split(text: str, header: Sequence[str]) -> tuple[list[Line], str]:
    """Return the records and the delimiter, taken from a `sep=` line, else from the line that holds the header.

    The `sep=` line is left out; line numbers stay those of the file.
    """
    first = text.lstrip("\ufeff").split("\n", 1)[0].strip()
    match = re.fullmatch(r'"?sep=(.|\\t)"?', first, re.IGNORECASE)
    if match:
        delimiter = match[1].replace("\\t", "\t")
        rest = text.split("\n", 1)[1] if "\n" in text else ""
        return list(_records(rest, delimiter, 1)), delimiter
    named = [sum(name in _cells(first, d) for name in header) for d in DELIMITERS]
    delimiter = DELIMITERS[named.index(max(named))]
    return list(_records(text.lstrip("\ufeff"), delimiter, 0)), delimiter


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(delimiter)]


def _records(text: str, delimiter: str, before: int) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        start = before + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(start, (), _csv_words(str(error)))
            continue
        yield Line(start, tuple(clean(cell) for cell in cells))


def _csv_words(message: str) -> str:
    if "end of data" in message:
        return "кавычка открыта и не закрыта до конца файла"
    if "field larger" in message:
        return "в ячейке больше 131 072 знаков: вероятно, не закрыта кавычка"
    return "кавычки внутри ячейки надо удваивать"


def clean(cell: str) -> str:
    """Return a cell as it is meant: composed letters, plain line breaks, no blanks around."""
    return unicodedata.normalize("NFC", cell.replace("\r\n", "\n").replace("\r", "\n")).strip()


def control_character(text: str) -> str | None:
    """Return the name of the first character that no text of a person holds, or None."""
    for char in text:
        if (
            char not in "\n\t" and unicodedata.category(char) in ("Cc", "Cs", "Co")
        ) or char in "\u202a\u202b\u202d\u202e":
            return f"U+{ord(char):04X}"
    return None
