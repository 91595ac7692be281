"""Pictures, judged by header and structure. Nothing large is ever decoded."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from attachments import bmff, jpeg, sentences, signatures
from attachments.sentences import Refusal

MAX_MEGAPIXELS = 50
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_TEXTS = frozenset({b"tEXt", b"iTXt", b"zTXt"})
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_INFLATE_UP_TO = 64 * 1024 * 1024
_STEP = 256 * 1024
_MAX_CHUNKS = 200_000


def kind_of(data: bytes) -> str:
    """Return the true ending of a picture (jpg, png, webp, heic) by its first bytes, or an empty text."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if data.startswith(_PNG):
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return "heic" if bmff.is_heic(data) else ""


def check(kind: str, data: bytes) -> None:
    """Judge a picture of a known kind. Raises Refusal."""
    if data.find(b"%PDF-", 0, 1024) >= 0:
        raise Refusal(sentences.POLYGLOT.format(what="документ PDF"))
    width, height = {"jpg": jpeg.size, "png": _png, "webp": _webp, "heic": bmff.size}[kind](data)
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise Refusal(sentences.TOO_MANY_PIXELS.format(limit=MAX_MEGAPIXELS))
    if signatures.zip_at_end(data):
        raise Refusal(sentences.POLYGLOT.format(what="архив ZIP"))
    if kind == "heic":
        bmff.check_opens(data)


def _png(data: bytes) -> tuple[int, int]:
    dimensions, expected, packed, end = (0, 0), 0, [], 0
    for number, (kind, start, stop) in enumerate(_png_chunks(data)):
        end = stop + 4
        if (number == 0) != (kind == b"IHDR"):
            raise Refusal(sentences.DAMAGED.format(detail="картинка PNG испорчена внутри"))
        if kind == b"IHDR":
            dimensions, expected = _png_header(data[start:stop])
        elif kind == b"IDAT":
            packed.append((start, stop))
        elif kind in _PNG_TEXTS and signatures.markup(data[start:stop]):
            raise Refusal(sentences.POLYGLOT.format(what="сценарий в описании картинки"))
    if not packed:
        raise Refusal(sentences.DAMAGED.format(detail="в картинке нет изображения"))
    if expected <= _INFLATE_UP_TO:
        _check_pixels((data[start:stop] for start, stop in packed), expected)
    _check_end(data[end:])
    return dimensions


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start, end) of each chunk up to IEND, its checksum proved."""
    at = len(_PNG)
    for _ in range(_MAX_CHUNKS):
        if at + 12 > len(data):
            raise Refusal(sentences.CUT_SHORT)
        length, kind = struct.unpack_from(">I4s", data, at)
        start, stop = at + 8, at + 8 + length
        if stop + 4 > len(data):
            raise Refusal(sentences.CUT_SHORT)
        (crc,) = struct.unpack_from(">I", data, stop)
        if zlib.crc32(memoryview(data)[at + 4 : stop]) != crc:
            raise Refusal(sentences.DAMAGED.format(detail="картинка PNG испорчена внутри"))
        yield kind, start, stop
        if kind == b"IEND":
            return
        at = stop + 4
    raise Refusal(sentences.BOMB)


def _png_header(body: bytes) -> tuple[tuple[int, int], int]:
    """Return the size and the number of bytes that the pixels take, at most (interlaced ones take a little more)."""
    if len(body) != 13:
        raise Refusal(sentences.DAMAGED.format(detail="в картинке нет размеров"))
    width, height, depth, colour, _, _, _ = struct.unpack(">IIBBBBB", body)
    if not width or not height or colour not in _CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise Refusal(sentences.DAMAGED.format(detail="в картинке нет размеров"))
    row = (width * depth * _CHANNELS[colour] + 7) // 8 + 1
    return (width, height), row * height


def _check_pixels(pieces: Iterator[bytes], expected: int) -> None:
    inflater = zlib.decompressobj()
    total = 0
    try:
        for piece in pieces:
            rest = piece
            while rest and not inflater.eof:
                total += len(inflater.decompress(rest, _STEP))
                rest = inflater.unconsumed_tail
                if total > expected * 2 + 1024:
                    raise Refusal(sentences.BOMB)
        total += len(inflater.flush(_STEP))
    except zlib.error as error:
        raise Refusal(sentences.DAMAGED.format(detail="картинка PNG испорчена внутри")) from error
    if total * 2 < expected:
        raise Refusal(sentences.DAMAGED.format(detail="в картинке не хватает изображения"))


def _check_end(rest: bytes) -> None:
    if jpeg.is_samsung_block(rest) or not rest.strip(b"\x00\r\n\t "):
        return
    raise Refusal(sentences.POLYGLOT.format(what=signatures.foreign(rest) or "данные после картинки"))


def _webp(data: bytes) -> tuple[int, int]:
    (length,) = struct.unpack_from("<I", data, 4)
    end = 8 + length
    if end > len(data):
        raise Refusal(sentences.CUT_SHORT)
    _check_end(data[end + (end & 1 and data[end : end + 1] == b"\x00") :])
    sizes, pictures, at = [], 0, 12
    while at + 8 <= end:
        kind, size = struct.unpack_from("<4sI", data, at)
        start = at + 8
        if start + size > end:
            raise Refusal(sentences.CUT_SHORT)
        pictures += kind in (b"VP8 ", b"VP8L", b"ANMF")
        if found := _webp_size(kind, data[start : min(start + size, start + 32)]):
            sizes.append(found)
        if kind in (b"XMP ", b"EXIF") and signatures.markup(data[start : start + size]):
            raise Refusal(sentences.POLYGLOT.format(what="сценарий в описании картинки"))
        at = start + size + (size & 1)
    if not pictures or not sizes:
        raise Refusal(sentences.DAMAGED.format(detail="в картинке нет изображения"))
    return max(sizes, key=lambda pair: pair[0] * pair[1])


def _webp_size(kind: bytes, body: bytes) -> tuple[int, int] | None:
    if kind == b"VP8X" and len(body) >= 10:
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind in (b"VP8 ", b"VP8L", b"VP8X"):
        raise Refusal(sentences.DAMAGED.format(detail="картинка WebP испорчена внутри"))
    return None
