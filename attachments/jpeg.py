"""JPEG: segments, scans, and what phones honestly put behind the end of a picture.

Source of the form: ITU-T T.81 annex B. Behind the end stand, harmlessly: zeros; further pictures (CIPA DC-007
multi-picture format, gain maps of HDR photos); the film of a motion photo (ISO base media boxes); Samsung's own block.
"""

from __future__ import annotations

import json
import re
import struct

from attachments import bmff, sentences, signatures
from attachments.sentences import Refusal

_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TEXTS = frozenset({0xFE}) | frozenset(range(0xE0, 0xF0))
_END, _SCAN, _START = 0xD9, 0xDA, 0xD8
_SMALL_TRAILER = 32
_MAX_PICTURES = 16
_VENDORS = (b"vivo{", b"cameraalbum", b"DualShot", b"oppo", b"mi_", b"HUAWEI", b"MOTO", b"LG")


def size(data: bytes) -> tuple[int, int]:
    """Walk a JPEG picture and all that follows it; return width and height. Raises Refusal."""
    end, dimensions = _picture(data, 0)
    _check_trailer(data, end)
    return dimensions


def _picture(data: bytes, at: int) -> tuple[int, tuple[int, int]]:
    """Return (position after the picture that begins at `at`, its size)."""
    dimensions: tuple[int, int] | None = None
    scans = 0
    position = at + 2
    while True:
        code, position = _next_marker(data, position)
        if code == _END:
            break
        if code == 0x01:
            continue
        body, position = _segment(data, position)
        if code in _FRAMES:
            dimensions = _dimensions(body)
        elif code in _TEXTS and (signatures.markup(body) or body.startswith((b"%PDF-", signatures.ZIP))):
            raise Refusal(sentences.POLYGLOT.format(what="сценарий в описании картинки"))
        elif code == _SCAN:
            scans += 1
            position = _skip_scan(data, position)
    if dimensions is None or not scans:
        raise Refusal(sentences.DAMAGED.format(detail="в картинке нет изображения"))
    return position, dimensions


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise Refusal(sentences.CUT_SHORT)
    if data[at] != 0xFF:
        raise Refusal(sentences.DAMAGED.format(detail="картинка JPEG испорчена внутри"))
    while at < len(data) and data[at] == 0xFF:
        at += 1
    if at >= len(data):
        raise Refusal(sentences.CUT_SHORT)
    return data[at], at + 1


def _segment(data: bytes, at: int) -> tuple[bytes, int]:
    if at + 2 > len(data):
        raise Refusal(sentences.CUT_SHORT)
    (length,) = struct.unpack_from(">H", data, at)
    if length < 2:
        raise Refusal(sentences.DAMAGED.format(detail="картинка JPEG испорчена внутри"))
    if at + length > len(data):
        raise Refusal(sentences.CUT_SHORT)
    return data[at + 2 : at + length], at + length


def _dimensions(body: bytes) -> tuple[int, int]:
    if len(body) < 6:
        raise Refusal(sentences.DAMAGED.format(detail="в картинке нет размеров"))
    height, width = struct.unpack_from(">HH", body, 1)
    if not width or not height:
        raise Refusal(sentences.DAMAGED.format(detail="в картинке нет размеров"))
    return width, height


def _skip_scan(data: bytes, at: int) -> int:
    """Return where the next marker after the compressed data begins."""
    head = data[at : at + 64]
    if (len(head) == 64 and head.isascii() and head.decode("ascii").replace("\n", "").isprintable()) or (
        signatures.program(head) or signatures.archive(head)
    ):
        raise Refusal(sentences.POLYGLOT.format(what="не картинка после заголовка JPEG"))
    found = _MARKER.search(data, at)
    if not found:
        raise Refusal(sentences.CUT_SHORT)
    return found.start()


def _check_trailer(data: bytes, at: int) -> None:
    """Judge what stands behind the picture."""
    for _ in range(_MAX_PICTURES):
        rest = data[at:]
        if is_samsung_block(rest) or bmff.is_film(rest):
            return
        at += _padding(rest)
        if at == len(data):
            return
        if not data.startswith(b"\xff\xd8\xff", at):
            _check_foreign(data[at:])
            return
        at, _ = _picture(data, at)
    raise Refusal(sentences.POLYGLOT.format(what="слишком много картинок подряд"))


def _padding(rest: bytes) -> int:
    """Return how many bytes of filling come first; 0xFF may belong to the start of the next picture."""
    count = len(rest) - len(rest.lstrip(b"\x00\xff\r\n\t "))
    return count - 1 if count and rest[count - 1 : count + 2] == b"\xff\xd8\xff" else count


def _check_foreign(rest: bytes) -> None:
    what = signatures.foreign(rest)
    if not what and (bmff.is_film(rest) or len(rest) <= _SMALL_TRAILER or _is_vendor_note(rest)):
        return
    raise Refusal(sentences.POLYGLOT.format(what=what or "данные после картинки"))


def is_samsung_block(rest: bytes) -> bool:
    """Tell whether Samsung's directory of extra data closes `rest`, with all its entries inside it."""
    if len(rest) < 20 or rest[-4:] != b"SEFT":
        return False
    (length,) = struct.unpack_from("<I", rest, len(rest) - 8)
    start = len(rest) - 8 - length
    if start < 0 or rest[start : start + 4] != b"SEFH" or length < 12:
        return False
    (count,) = struct.unpack_from("<I", rest, start + 8)
    if count > 256 or 12 + 12 * count > length:
        return False
    for number in range(count):
        offset, size_ = struct.unpack_from("<II", rest, start + 16 + 12 * number)
        if offset > start or size_ > offset or not _is_harmless(rest[start - offset : start - offset + size_]):
            return False
    return True


def _is_harmless(block: bytes) -> bool:
    """A block: two zeros, its type, the length of its name, the name, the data."""
    if len(block) < 8:
        return True
    (length,) = struct.unpack_from("<I", block, 4)
    body = block[8 + length :] if length < 256 else block
    return not signatures.foreign(body) or body.startswith(b"\xff\xd8\xff")


def _is_vendor_note(rest: bytes) -> bool:
    """Some phones append a short note of their own, as JSON or behind their name."""
    if len(rest) > 16 * 1024:
        return False
    if rest.startswith(_VENDORS):
        return True
    try:
        return isinstance(json.loads(rest), dict)
    except (ValueError, RecursionError):
        return False
