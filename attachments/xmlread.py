"""Reading XML parts in pieces, without entities, external references or a tree in memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from xml.parsers import expat

from attachments import sentences
from attachments.sentences import Refusal

MAX_DEPTH = 512
MAX_PROVED = 32 * 1024 * 1024  # a larger part is only read that far: a table that long is a table
_TAIL = 16 * 1024  # the longest formula fits
_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)", re.IGNORECASE)
_BYTEWISE = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "windows-1251", "windows-1252", "iso-8859-1"})


class Handler:
    """What is told about each element, to be overridden where it matters; names are `uri}local`."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take an opening tag."""

    def end(self, tag: str) -> None:
        """Take a closing tag."""

    def data(self, text: str) -> None:
        """Take character data, possibly a piece of it."""


class _Deep:
    """Pass events on, and stop at absurd depth."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Refusal(sentences.DAMAGED.format(detail="слишком глубокая вложенность"))
        self._handler.start(tag, attributes)

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._handler.end(tag)


def parse(pieces: Iterable[bytes], handler: Handler | None = None) -> None:
    """Read one part; without a handler only its form is proved. Raises Refusal (damaged, or a document type in it).

    Bare expat, because defusedxml's parser calls Python for every token (14 MB/s); the rule is the same as there:
    no document type, hence no entities and nothing external.
    """
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = _forbid_document_type
    if handler:
        deep = _Deep(handler)
        parser.buffer_text = True
        parser.StartElementHandler = deep.start
        parser.EndElementHandler = deep.end
        parser.CharacterDataHandler = handler.data
    proved = 0
    try:
        for piece in pieces:
            if handler or proved <= MAX_PROVED:
                parser.Parse(piece, False)
                proved += len(piece)
        if handler or proved <= MAX_PROVED:
            parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Refusal(sentences.DAMAGED.format(detail="XML внутри с ошибкой")) from error


def _forbid_document_type(*_: object) -> None:
    raise Refusal(sentences.ACTIVE_CONTENT.format(what="объявления DTD"))


class Watch:
    """Look for words in pieces that pass by, also across their borders, to save a second, slower reading.

    A part in an encoding where ASCII words are not ASCII bytes (UTF-16) always counts as hit.
    """

    def __init__(self, pieces: Iterable[bytes], words: re.Pattern[bytes]) -> None:
        self._pieces = pieces
        self._words = words
        self.hit = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces unchanged."""
        tail = b""
        for number, piece in enumerate(self._pieces):
            if not self.hit:
                self.hit = (number == 0 and not _is_bytewise(piece)) or self._words.search(tail + piece) is not None
                tail = piece[-_TAIL:]
            yield piece


def _is_bytewise(head: bytes) -> bool:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in head[:4]:
        return False
    declared = _DECLARED.match(head.lstrip(codecs.BOM_UTF8)[:200])
    return declared is None or declared[1].decode("ascii").lower() in _BYTEWISE
