"""Read TOML that people edit: a slip is named by its line in plain words."""

from __future__ import annotations

import re
import tomllib
from typing import Any


class TomlProblem(ValueError):
    """The text is not TOML; the message is one Russian sentence with the line."""


def load_toml(text: str) -> dict[str, Any]:
    """Return the tables of a text. Raises TomlProblem."""
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise TomlProblem(_words(text, str(error))) from None


def _words(text: str, message: str) -> str:
    match = re.search(r"\(at line (\d+), column (\d+)\)", message)
    if match is None:
        return f"строка {len(text.rstrip().splitlines())}: файл оборван, закройте кавычку или скобку"
    return f"строка {match[1]}, знак {match[2]}: так в TOML не пишут, проверьте кавычки, скобки и повторы"
