"""Boxes of the ISO base media file format: HEIC pictures and the films of motion photos (ISO 14496-12, 23008-12)."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import pi_heif

from attachments import sentences
from attachments.sentences import Refusal

HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_CONTAINER_BRANDS = frozenset({b"mif1", b"msf1", b"mif2", b"miaf"})
_FOREIGN_BRANDS = frozenset({b"avif", b"avis"})
_CONTAINERS = frozenset({b"iprp", b"ipco"})
_MAX_BOXES = 20_000


def is_heic(data: bytes) -> bool:
    """Tell whether the first box names a picture compressed by HEVC."""
    if data[4:8] != b"ftyp" or len(data) < 16:
        return False
    (length,) = struct.unpack_from(">I", data)
    names = {data[at : at + 4] for at in (8, *range(16, min(length, 256, len(data)), 4))}
    return bool(names & HEIC_BRANDS) or (data[8:12] in _CONTAINER_BRANDS and not names & _FOREIGN_BRANDS)


def is_film(data: bytes) -> bool:
    """Tell whether `data` is a whole chain of boxes that begins as a film does and ends with the data."""
    if data[4:8] not in (b"ftyp", b"mpvd"):
        return False
    try:
        return any(kind in (b"moov", b"mpvd") for kind, _, _ in list(_boxes(data, 0, len(data.rstrip(b"\x00")))))
    except Refusal:
        return False


def size(data: bytes) -> tuple[int, int]:
    """Walk a HEIC picture; return the size of its largest image, of all described in it. Raises Refusal."""
    kinds = {}
    for kind, start, end in _boxes(data, 0, len(data)):
        kinds[kind] = (start, end)
    if b"meta" not in kinds:
        raise Refusal(sentences.DAMAGED.format(detail="в картинке нет описания"))
    start, end = kinds[b"meta"][0] + 4, kinds[b"meta"][1]
    if b"mdat" not in kinds and all(kind != b"idat" for kind, _, _ in _boxes(data, start, end)):
        raise Refusal(sentences.CUT_SHORT)
    sizes = list(_sizes(data, start, end))
    if not sizes:
        raise Refusal(sentences.DAMAGED.format(detail="в картинке нет размеров"))
    return max(sizes, key=lambda pair: pair[0] * pair[1])


def check_opens(data: bytes) -> None:
    """Let the decoder's own parser read the header; no pixel is decoded. Raises Refusal."""
    try:
        picture = pi_heif.open_heif(io.BytesIO(data))  # type: ignore[attr-defined]  # re-exported without __all__
        if not len(picture):
            raise Refusal(sentences.DAMAGED.format(detail="в картинке нет изображения"))
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError) as error:
        raise Refusal(sentences.DAMAGED.format(detail="картинка HEIC не читается")) from error


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start of the content, end) of the boxes in a range that they must fill."""
    for _ in range(_MAX_BOXES):
        if at >= end or not data[at:end].strip(b"\x00"):
            return
        if at + 8 > end:
            raise Refusal(sentences.POLYGLOT.format(what="данные после картинки"))
        (length,), kind, start = struct.unpack_from(">I", data, at), data[at + 4 : at + 8], at + 8
        if length == 1 and at + 16 <= end:
            (length,), start = struct.unpack_from(">Q", data, at + 8), at + 16
        stop = end if length == 0 else at + length
        if stop < start or not kind.isascii() or not kind.replace(b" ", b"a").replace(b"-", b"a").isalnum():
            raise Refusal(sentences.POLYGLOT.format(what="данные после картинки"))
        if stop > end:
            raise Refusal(sentences.CUT_SHORT)
        yield kind, start, stop
        at = stop
    raise Refusal(sentences.BOMB)


def _sizes(data: bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    for kind, start, stop in _boxes(data, at, end):
        if kind in _CONTAINERS:
            yield from _sizes(data, start, stop)
        elif kind == b"ispe" and stop - start >= 12:
            width, height = struct.unpack_from(">II", data, start + 4)
            yield width, height
