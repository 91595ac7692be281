"""Drawings and models of CAD programs, judged as they stream by; nothing is drawn and nothing is kept.

DWG has no open description, so only its version, the zeros that every version from R13 on keeps behind it, and a sane
body are asked for. DXF: AutoCAD DXF Reference (group codes). STEP: ISO 10303-21.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator

from attachments import sentences, signatures
from attachments.sentences import Refusal

DWG_VERSIONS = {
    b"AC1009": "R12",
    b"AC1012": "R13",
    b"AC1014": "R14",
    b"AC1015": "2000",
    b"AC1018": "2004",
    b"AC1021": "2007",
    b"AC1024": "2010",
    b"AC1027": "2013",
    b"AC1032": "2018",
}
_DWG_LEAST = 128
_BINARY_DXF = b"AutoCAD Binary DXF\r\n\x1a\x00"
_DXF_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:999\s*[\r\n]|0\s*[\r\n]+\s*SECTION\b)")
_BLOCK = 512 * 1024
_MAX_CODE_LINE = 32
_PRINTABLE = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\r\n") | frozenset(range(0xC0, 0x100))
_SCRIPT_ENTITIES = frozenset({b"VBA_PROJECT"})
_STEP_START = re.compile(rb"\s*(?:/\*.*?\*/\s*)*ISO-10303-21\s*;", re.DOTALL)
_STEP_DATA = re.compile(rb"\bDATA\s*(?:\([^;]*\)\s*)?;\s*(?:/\*.*?\*/\s*)*(?:#\s*\d+\s*=|ENDSEC\s*;)", re.DOTALL)
_STEP_END = b"END-ISO-10303-21"
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_BOM = b"\xef\xbb\xbf"


def is_dxf(data: bytes) -> bool:
    """Tell whether the first tags are those of a DXF file."""
    return data.startswith(_BINARY_DXF) or _DXF_START.match(data) is not None


def check_dwg(data: bytes) -> None:
    """Judge a DWG drawing by version, header and body. Raises Refusal."""
    version = data[:6]
    if version not in DWG_VERSIONS:
        if re.fullmatch(rb"AC\d{4}|AC\d\.\d\d", version):
            raise Refusal(sentences.mismatch("dwg", "чертёж неизвестной версии DWG"))
        raise Refusal(sentences.mismatch("dwg", signatures.name_of(data)))
    if len(data) < _DWG_LEAST:
        raise Refusal(sentences.CUT_SHORT)
    if version != b"AC1009" and any(data[6:11]):
        raise Refusal(sentences.POLYGLOT.format(what="не чертёж после заголовка DWG"))
    body = data[11:8192]
    text = sum(byte in _PRINTABLE for byte in body)
    if signatures.markup(body) or text > 0.9 * len(body) or b"DOS mode" in data or b"%%EOF" in data[-1024:]:
        raise Refusal(sentences.POLYGLOT.format(what="не чертёж после заголовка DWG"))
    if signatures.zip_at_end(data):
        raise Refusal(sentences.POLYGLOT.format(what="архив ZIP"))


def check_dxf(data: bytes) -> None:
    """Judge a DXF drawing, text or binary, tag by tag. Raises Refusal."""
    if data.startswith(_BINARY_DXF):
        names = _binary_names(data)
    else:
        if not is_dxf(data):
            raise Refusal(sentences.mismatch("dxf", signatures.name_of(data)))
        if signatures.markup(data[:4096]):
            raise Refusal(sentences.POLYGLOT.format(what="веб-страница"))
        names = _text_names(data.removeprefix(_BOM))
    _check_sections(names)


def check_step(data: bytes) -> None:
    """Judge a STEP model: head, sections, end, nothing but text. Raises Refusal."""
    start = _STEP_START.match(data.removeprefix(_BOM))
    if not start:
        raise Refusal(sentences.mismatch("step", signatures.name_of(data)))
    end = data.rfind(_STEP_END)
    if end < 0:
        raise Refusal(sentences.CUT_SHORT)
    rest = data[end + len(_STEP_END) :].strip(b" \t\r\n\x00\x1a")
    if rest[:1] != b";" or (rest[1:].strip() and not _is_signature(rest[1:])):
        raise Refusal(sentences.POLYGLOT.format(what="данные после конца модели"))
    body = data[:end]
    if _CONTROL.search(body) or signatures.markup(body[:4096]):
        raise Refusal(sentences.POLYGLOT.format(what="не модель STEP"))
    if not re.search(rb"\bHEADER\s*;", body) or not _STEP_DATA.search(body):
        raise Refusal(sentences.DAMAGED.format(detail="нет разделов HEADER и DATA"))


def _is_signature(rest: bytes) -> bool:
    return re.fullmatch(rb"\s*(?:SIGNATURE\b[A-Za-z0-9+/=\s;()'-]*ENDSEC\s*;\s*)+", rest) is not None


class _Codes(dict[bytes, int]):
    """Group codes as written, each distinct spelling read once."""

    def __missing__(self, line: bytes) -> int:
        try:
            code = int(line) if len(line) <= _MAX_CODE_LINE else -10
        except ValueError:
            code = -10
        if not -5 <= code <= 1071:
            raise Refusal(sentences.DAMAGED.format(detail="в чертеже DXF не коды, а посторонний текст"))
        self[line] = code
        return code


def _text_names(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the tags that give a drawing its structure: code 0 and 2, in order."""
    stream = io.BytesIO(data if b"\n" in data[:4096] else data.replace(b"\r", b"\n"))
    codes = _Codes()
    left: list[bytes] = []
    while block := stream.readlines(_BLOCK):
        lines = left + block
        whole = len(lines) - len(lines) % 2
        left = lines[whole:]
        for at in range(0, whole, 2):
            code = codes[lines[at]]
            if code == 0 or code == 2:
                value = lines[at + 1].strip()
                yield code, value
                if code == 0 and value == b"EOF":
                    _check_after(b"".join(lines[at + 2 :]) + stream.read())
                    return
            elif b"\x00" in lines[at + 1]:
                raise Refusal(sentences.POLYGLOT.format(what="двоичные данные в чертеже"))
    if b"".join(left).strip():
        raise Refusal(sentences.CUT_SHORT)


def _check_after(rest: bytes) -> None:
    if rest.strip(b" \t\r\n\x00\x1a"):
        raise Refusal(sentences.POLYGLOT.format(what="данные после конца чертежа"))


def _check_sections(names: Iterator[tuple[int, bytes]]) -> None:
    inside, expects_name, sections, ended = False, False, 0, False
    for code, value in names:
        if expects_name and code != 2:
            raise Refusal(sentences.DAMAGED.format(detail="раздел чертежа без имени"))
        expects_name = False
        if code != 0:
            continue
        if value in _SCRIPT_ENTITIES:
            raise Refusal(sentences.MACROS)
        ended = value == b"EOF"
        if (value == b"SECTION") == inside and value in (b"SECTION", b"ENDSEC"):
            raise Refusal(sentences.DAMAGED.format(detail="разделы чертежа перепутаны"))
        if value == b"SECTION":
            inside, expects_name, sections = True, True, sections + 1
        elif value == b"ENDSEC":
            inside = False
    if not ended or inside:
        raise Refusal(sentences.CUT_SHORT)
    if not sections:
        raise Refusal(sentences.DAMAGED.format(detail="в чертеже нет разделов"))


def _binary_names(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield codes 0 and 2 of a binary DXF; from R13 on codes take two bytes, before one (255 announces two)."""
    wide = data[len(_BINARY_DXF) + 1 : len(_BINARY_DXF) + 2] == b"\x00"
    at, end = len(_BINARY_DXF), len(data)
    while at < end:
        try:
            if wide:
                (code,), at = struct.unpack_from("<H", data, at), at + 2
            elif data[at] == 255:
                (code,), at = struct.unpack_from("<H", data, at + 1), at + 3
            else:
                code, at = data[at], at + 1
            value, at = _binary_value(data, code, at)
        except (struct.error, IndexError, ValueError) as error:
            raise Refusal(sentences.CUT_SHORT) from error
        if code in (0, 2):
            yield code, value
            if code == 0 and value == b"EOF":
                _check_after(data[at:])
                return
        if code > 1071:
            raise Refusal(sentences.DAMAGED.format(detail="неизвестный код в чертеже"))


def _binary_value(data: bytes, code: int, at: int) -> tuple[bytes, int]:
    """Return (text value or nothing, position after it); widths by the table of group codes."""
    if 10 <= code < 60 or 110 <= code < 150 or 210 <= code < 240 or 460 <= code < 470 or 1010 <= code < 1060:
        return b"", at + 8
    if 60 <= code < 80 or 170 <= code < 180 or 270 <= code < 290 or 370 <= code < 390 or 400 <= code < 410:
        return b"", at + 2
    if 1060 <= code < 1071:
        return b"", at + 2
    if 90 <= code < 100 or 420 <= code < 430 or 440 <= code < 460 or code == 1071:
        return b"", at + 4
    if 160 <= code < 170:
        return b"", at + 8
    if 290 <= code < 300:
        return b"", at + 1
    if 310 <= code < 320 or code == 1004:
        return b"", at + 1 + data[at]
    stop = data.index(b"\x00", at)
    return data[at:stop], stop + 1
