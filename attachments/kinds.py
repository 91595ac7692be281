"""The kinds of files that can be judged: endings, media types, and what to say about endings that are near misses."""

from __future__ import annotations

from attachments import sentences

DEFAULT = ("pdf", "dwg", "dxf", "step", "stp", "xlsx", "docx", "ods", "odt", "jpg", "jpeg", "png", "webp", "heic")
OPTIONAL = ("txt", "csv", "zip")
JUDGED = DEFAULT + OPTIONAL

MIME = {
    "pdf": "application/pdf",
    "dwg": "image/vnd.dwg",
    "dxf": "image/vnd.dxf",
    "step": "model/step",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "heic": "image/heic",
    "txt": "text/plain",
    "csv": "text/csv",
    "zip": "application/zip",
}
PICTURES = frozenset({"jpg", "png", "webp", "heic"})
PACKAGES = frozenset({"xlsx", "docx", "ods", "odt"})

_ALIASES = {"stp": "step", "jpeg": "jpg"}
_SIGNATURES = frozenset({"p7s", "sig", "sgn", "p7m", "asc"})
_ARCHIVES = frozenset({"zip", "rar", "7z", "tar", "gz", "tgz", "bz2", "xz", "zst", "cab", "arj", "lzh", "iso", "jar"})
_MACRO_FORMATS = {"xlsm": ".xlsx", "xltm": ".xlsx", "xlsb": ".xlsx", "xlam": ".xlsx", "docm": ".docx", "dotm": ".docx"}
_OLD_FORMATS = {"xls": ".xlsx", "xlt": ".xlsx", "doc": ".docx", "dot": ".docx", "rtf": ".docx"}


def kind_of(extension: str) -> str:
    """Return the kind an ending (lower case) stands for: jpeg is jpg, stp is step."""
    return _ALIASES.get(extension, extension)


def refusal_of(extension: str, allowed: tuple[str, ...]) -> str:
    """Return the sentence for an ending (lower case) that is not taken, or an empty text where it is."""
    if not extension:
        return sentences.NO_EXTENSION
    if extension in allowed:
        return ""
    if extension in _SIGNATURES:
        return sentences.DETACHED_SIGNATURE
    if extension in _ARCHIVES:
        return sentences.ARCHIVE
    if extension in _MACRO_FORMATS:
        return sentences.MACRO_FORMAT.format(better=_MACRO_FORMATS[extension])
    if extension in _OLD_FORMATS:
        return sentences.OLD_FORMAT.format(extension=extension, better=_OLD_FORMATS[extension])
    return sentences.not_allowed(extension, allowed)


def checked(types: tuple[str, ...]) -> tuple[str, ...]:
    """Return a list of endings as the setting gives them, tidied. Raises ValueError naming what cannot be judged."""
    tidy = tuple(dict.fromkeys(ending.strip().lstrip(".").lower() for ending in types if ending.strip()))
    unknown = [ending for ending in tidy if ending not in JUDGED]
    if unknown or not tidy:
        raise ValueError(f"ATTACHMENT_TYPES: {', '.join(unknown) or 'empty'}; can be judged: {', '.join(JUDGED)}")
    return tidy
