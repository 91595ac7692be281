"""What a run of bytes looks like, by its first and last bytes alone. The browser's word is never asked."""

from __future__ import annotations

import re
import struct
import zlib

import puremagic

from attachments import sentences
from attachments.sentences import Refusal

MAX_RATIO = 100
# Blank sheets and repeated XML honestly pack better than 100:1; below this size that harms nobody.
RATIO_FROM = 8 * 1024 * 1024
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
_ZIP_END = b"PK\x05\x06"
_ZIP_DIRECTORY = b"PK\x01\x02"
_ZIP_TAIL = 65557  # the longest possible end record with its comment

_ARCHIVES: tuple[tuple[bytes, str], ...] = (
    (b"Rar!\x1a\x07", "архив RAR"),
    (b"7z\xbc\xaf\x27\x1c", "архив 7z"),
    (b"\x1f\x8b", "архив GZIP"),
    (b"BZh", "архив BZIP2"),
    (b"\xfd7zXZ\x00", "архив XZ"),
    (b"MSCF\x00\x00\x00\x00", "архив CAB"),
    (b"\x28\xb5\x2f\xfd", "архив ZSTD"),
)
_PROGRAMS: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", "программа"),
    (b"\xca\xfe\xba\xbe", "программа"),
    (b"\xcf\xfa\xed\xfe", "программа"),
    (b"\xce\xfa\xed\xfe", "программа"),
    (b"#!", "сценарий"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "ярлык Windows"),
)
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "документ PDF"),
    (b"\xff\xd8\xff", "картинка JPEG"),
    (b"\x89PNG\r\n\x1a\n", "картинка PNG"),
    (b"GIF8", "картинка GIF"),
    (b"II*\x00", "картинка TIFF"),
    (b"MM\x00*", "картинка TIFF"),
    (b"{\\rtf", "документ RTF"),
    (b"AC10", "чертёж DWG"),
    (b"ISO-10303-21;", "модель STEP"),
    (b"AutoCAD Binary DXF", "чертёж DXF"),
    (OLE, "документ старого формата Office"),
)
_MARKUP = re.compile(rb"<\s*(?:!doctype\s+html|html|script|svg|body|iframe|hta:|\?php|\?xml-stylesheet)", re.IGNORECASE)
_SCRIPT = re.compile(rb"(?:@echo off|<\?php|<%@|function\s*\(|eval\s*\(|powershell|wscript\.|cmd\.exe)", re.IGNORECASE)
_DOS_STUB = b"This program cannot be run in DOS mode"


def program(data: bytes) -> str:
    """Name the kind of program that `data` begins with, or return an empty text."""
    if data[:2] == b"MZ" and (_is_portable_executable(data) or _DOS_STUB in data[:1024]):
        return "программа"
    return next((name for magic, name in _PROGRAMS if data.startswith(magic)), "")


def _is_portable_executable(data: bytes) -> bool:
    if len(data) < 64:
        return len(data) < 4 or not data[:64].isascii()
    (offset,) = struct.unpack_from("<I", data, 60)
    return offset > len(data) or data[offset : offset + 2] in (b"PE", b"NE", b"LE", b"LX")


def archive(data: bytes) -> str:
    """Name the kind of archive that `data` begins with (ZIP included), or return an empty text."""
    if data.startswith((ZIP, _ZIP_END, b"PK00PK")):
        return "архив ZIP"
    if data[257:262] == b"ustar":
        return "архив TAR"
    return next((name for magic, name in _ARCHIVES if data.startswith(magic)), "")


def markup(data: bytes) -> bool:
    """Tell whether `data` holds HTML, SVG or PHP that a browser or server would run."""
    return _MARKUP.search(data) is not None


def foreign(data: bytes) -> str:
    """Name what a body glued to a good file is, judged by its beginning; empty if it is nothing known."""
    head = data[:4096].lstrip(b"\r\n\t \x00")
    found = program(head) or archive(head) or ("вторая картинка или документ" if _other(head) else "")
    if found:
        return found
    if head[:2] == b"MZ":
        return "программа"
    return "сценарий" if markup(head) or _SCRIPT.search(head) else ""


def begins_foreign(data: bytes) -> bool:
    """Tell whether `data`, after blanks, begins as a program, an archive or a page."""
    head = data[:1024].lstrip(b"\r\n\t \x00")
    return bool(program(head) or archive(head) or head[:2] == b"MZ" or _MARKUP.match(head))


def zip_at_end(data: bytes) -> bool:
    """Tell whether an unpacker that looks from the end, as unpackers do, would find a ZIP archive in `data`."""
    tail = data[-_ZIP_TAIL:]
    start = len(data) - len(tail)
    at = tail.rfind(_ZIP_END)
    while at >= 0:
        if at + 22 <= len(tail):
            (size,) = struct.unpack_from("<I", tail, at + 12)
            directory = start + at - size
            if size and directory >= 0 and data[directory : directory + 4] == _ZIP_DIRECTORY:
                return True
        at = tail.rfind(_ZIP_END, 0, at)
    return False


def inflate(packed: bytes, limit: int) -> bytes:
    """Inflate a zlib stream, stopping at `limit` bytes. Raises Refusal (bomb or damaged)."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(packed, limit + 1)
    except zlib.error as error:
        raise Refusal(sentences.DAMAGED.format(detail="вложение не распаковывается")) from error
    if len(plain) > limit:
        raise Refusal(sentences.BOMB)
    return plain


def name_of(data: bytes) -> str:
    """Say in Russian what the bytes look like, for a sentence; empty if nothing is recognised."""
    known = program(data) or archive(data) or _other(data)
    if known:
        return known
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "картинка WebP"
    if data[4:8] == b"ftyp":
        return "картинка или видео"
    if markup(data[:4096]):
        return "веб-страница или сценарий"
    return _by_library(data)


def _other(data: bytes) -> str:
    return next((name for magic, name in _OTHERS if data.startswith(magic)), "")


def _by_library(data: bytes) -> str:
    try:
        found = puremagic.from_string(data[:8192])
    except (puremagic.PureError, ValueError):
        return ""
    ending = str(found).lstrip(".")
    return f"файл вида .{ending}" if ending.isalnum() and len(ending) <= 5 else ""
