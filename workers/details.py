"""What a person reads of a failure: one masked sentence, and the traceback apart from it."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable

MESSAGE_LENGTH = 666
"""The engine cuts an error message here; ours ends with … instead of in the middle."""

DETAILS_LENGTH = 16_000
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")  # NUL is refused by PostgreSQL, surrogates by UTF-8


def unmasked(text: str) -> str:
    """Leave a text as it is: for tests, where nothing is secret."""
    return text


def sentence(text: str, mask: Callable[[str], str] = unmasked) -> str:
    """Return one line for people, at most MESSAGE_LENGTH characters, secrets masked first, never empty."""
    line = " ".join(_CONTROLS.sub(" ", mask(text)).split()) or "причина не указана"
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 1] + "…"


def traceback_text(error: BaseException, mask: Callable[[str], str] = unmasked) -> str:
    """Return the traceback, masked, its end kept when it is too long."""
    text = _CONTROLS.sub(" ", mask("".join(traceback.format_exception(error, limit=-30))))
    return text if len(text) <= DETAILS_LENGTH else "…" + text[-DETAILS_LENGTH + 1 :]
