"""Judging bytes against the ending they came under. Runs in the child process; nothing here trusts its input."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from attachments import cad, kinds, names, office, opendocument, pdf, pictures, sentences, signatures
from attachments.sentences import Refusal
from attachments.zipread import Archive

_MAX_DEPTH = 1
# What a PDF may carry along without harm: the XML of an electronic invoice (PDF/A-3), notes, tables as text.
_HARMLESS_TEXT = frozenset({"xml", "txt", "csv"})
_BAD_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True)
class Found:
    """What accepted bytes really are: kind (see `kinds.MIME`) and the ending that is true to them."""

    kind: str
    extension: str


def examine(extension: str, data: bytes, allowed: tuple[str, ...], depth: int = 0) -> Found:
    """Judge `data` that came under an ending (lower case, already allowed). Raises Refusal with the sentence."""
    kind = kinds.kind_of(extension)
    if kind in kinds.PICTURES:
        return _picture(extension, data, allowed)
    if kind in kinds.PACKAGES:
        _package(extension, data, depth)
    elif kind == "pdf":
        pdf.check(data, lambda name, body: _embedded(name, body, allowed, depth))
    elif kind == "dwg":
        cad.check_dwg(data)
    elif kind == "dxf":
        cad.check_dxf(data)
    elif kind == "step":
        cad.check_step(data)
    elif kind == "zip":
        _archive(data, allowed)
    else:
        _text(extension, data)
    return Found(kind, extension)


def _picture(extension: str, data: bytes, allowed: tuple[str, ...]) -> Found:
    true = pictures.kind_of(data)
    if not true or not any(kinds.kind_of(ending) == true for ending in allowed):
        raise Refusal(_mismatch(extension, data))
    pictures.check(true, data)
    return Found(true, extension if kinds.kind_of(extension) == true else true)


def _mismatch(extension: str, data: bytes) -> str:
    found = signatures.archive(data)
    if found:
        return sentences.archive_inside(extension, found)
    return sentences.mismatch(extension, signatures.name_of(data))


def _package(extension: str, data: bytes, depth: int) -> None:
    if data.startswith(signatures.OLE):
        raise Refusal(_old_office(data))
    if not data.startswith(signatures.ZIP):
        raise Refusal(_mismatch(extension, data))
    kind = _kind_of_package(Archive(data), depth)
    if kind != extension:
        named = f"документ .{kind}" if kind in kinds.PACKAGES else kind
        archive = sentences.archive_inside(extension, "архив ZIP")
        raise Refusal(sentences.mismatch(extension, named) if kind else archive)


def _kind_of_package(archive: Archive, depth: int) -> str:
    members = {member.name.casefold(): member for member in archive.members}
    mimetype = members.get(opendocument.MIMETYPE)
    if mimetype and archive.head(mimetype).startswith(opendocument.PREFIX):
        return opendocument.examine(archive, lambda body: _nested(body, depth))
    if office.CONTENT_TYPES.casefold() in members:
        return office.examine(archive, lambda body: _nested(body, depth))
    return ""


def _nested(data: bytes, depth: int) -> None:
    """Judge a package inside a package: the workbook of a chart is fine, archives and deeper nesting are not."""
    if depth >= _MAX_DEPTH:
        raise Refusal(sentences.NESTED_TOO_DEEP)
    if not data.startswith(signatures.ZIP):
        raise Refusal(sentences.EMBEDDED_OBJECT.format(what=signatures.archive(data)))
    kind = _kind_of_package(Archive(data), depth + 1)
    if kind not in kinds.PACKAGES:
        raise Refusal(sentences.EMBEDDED_OBJECT.format(what=kind or "архив ZIP"))


def _old_office(data: bytes) -> str:
    """Tell a locked workbook or document from one of the old format by the names in its directory."""
    if any(mark.encode("utf-16-le") in data for mark in ("EncryptedPackage", "EncryptionInfo", "DRMEncrypted")):
        return sentences.LOCKED
    return sentences.OLD_FORMAT_INSIDE


def _embedded(name: str, data: bytes, allowed: tuple[str, ...], depth: int) -> None:
    extension = names.extension(name)
    if depth >= _MAX_DEPTH or (extension not in allowed and extension not in _HARMLESS_TEXT):
        raise Refusal(sentences.PDF_EMBEDDED.format(what=name))
    if extension in _HARMLESS_TEXT:
        if signatures.program(data) or signatures.archive(data) or b"\x00" in data[:4096]:
            raise Refusal(sentences.PDF_EMBEDDED.format(what=name))
        return
    examine(extension, data, allowed, depth + 1)


def _archive(data: bytes, allowed: tuple[str, ...]) -> None:
    """Judge an archive where the settings allow ZIP: every member must be a file that would be taken by itself."""
    if not data.startswith(signatures.ZIP):
        raise Refusal(sentences.mismatch("zip", signatures.name_of(data)))
    archive = Archive(data)
    taken = tuple(ending for ending in allowed if ending != "zip")
    for member in archive.members:
        if member.is_folder:
            continue
        extension = names.extension(names.clean(member.name))
        if sentence := kinds.refusal_of(extension, (*taken, "txt", "csv")):
            raise Refusal(sentence)
        examine(extension, archive.read(member, office.MAX_NESTED), taken, depth=_MAX_DEPTH)


def _text(extension: str, data: bytes) -> None:
    """Judge plain text: UTF-8, UTF-16 with its mark, or cp1251; no controls, no program, no page."""
    if found := signatures.program(data) or signatures.archive(data):
        raise Refusal(sentences.mismatch(extension, found))
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", "replace")
    else:
        text = data.decode("utf-8", "replace")
    if _BAD_TEXT.search(text):
        raise Refusal(sentences.mismatch(extension, signatures.name_of(data)))
    if signatures.markup(data[:4096].lstrip()):
        raise Refusal(sentences.mismatch(extension, "веб-страница или сценарий"))
