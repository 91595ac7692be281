"""Targets of links and formulas that fetch or run something by themselves, shared by both families of office files."""

from __future__ import annotations

import re
from urllib.parse import unquote

_DRIVE = re.compile(r"(?:file:/{0,3}(?:localhost/)?)?[A-Za-z]:(?:[\\/]|$)", re.IGNORECASE)
_ROOTED = re.compile(r"file:/(?://)?(?![/\\])", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_TEXT = re.compile(r'"(?:[^"]|"")*"')
_QUOTED_SHEET = re.compile(r"'(?:[^']|'')*'")
_FETCHING = re.compile(r"\b(WEBSERVICE|RTD|CALL|REGISTER(?:\.ID)?|EXEC|IMAGE)\s*\(", re.IGNORECASE)
_DDE_CALL = re.compile(r"\bDDE(?:AUTO)?\s*\(", re.IGNORECASE)


def is_local(target: str) -> bool:
    """Tell whether a link stays on the reader's own disk: a drive, a home folder or a relative path.

    Such a path finds nothing on another machine; a network share or a web address is asked at opening.
    """
    path = unquote(target).strip()
    if _DRIVE.match(path) or (_ROOTED.match(path) and "\\" not in path):
        return True
    return not _SCHEME.match(path) and not path.startswith(("\\", "//"))


def is_dde(formula: str) -> bool:
    """Tell whether a formula starts another program (`cmd|'/c …'!A1`, `DDE(…)`)."""
    code = _TEXT.sub("", formula)
    return "|" in _QUOTED_SHEET.sub("", code) or _DDE_CALL.search(code) is not None


def fetches(formula: str) -> str:
    """Name the function in a formula that fetches from outside by itself, or return an empty text."""
    found = _FETCHING.search(_TEXT.sub("", formula))
    return found[1].upper() if found else ""
