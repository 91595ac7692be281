"""Logs: standard error, pretty on a terminal, JSON otherwise; secrets and personal data never pass.

Standard output belongs to the commands' answers, so that `order-route status | …` stays clean.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

# The webhook's token is part of its path; file links of the portal carry `auth` and `token` parameters.
_SECRETS = (
    (re.compile(r"(/rest/(?:api/)?\d+/)[^/\s\"']+"), r"\1***"),
    (re.compile(r"((?:auth|token|access_token|application_token|password)=)[^&\s\"']+", re.IGNORECASE), r"\1***"),
    (re.compile(r"(\w+://[^:/\s]+:)[^@\s]+@"), r"\1***@"),
    (re.compile(r"(Basic |Bearer )[A-Za-z0-9+/=._-]+"), r"\1***"),
)
_SIGN = re.compile(r"/rest/|=|://|Basic |Bearer ")  # what each of them contains: most texts have none of it
_HIDDEN = {"password", "token", "secret", "authorization", "customercontact", "customername", "phone", "email"}


def mask(text: str) -> str:
    """Return the text with every known form of secret replaced by ``***``."""
    if _SIGN.search(text):
        for pattern, replacement in _SECRETS:
            text = pattern.sub(replacement, text)
    return text


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask secrets in every text of an event, and drop the values of personal fields (structlog processor)."""
    for key, value in list(event.items()):
        if key.replace("_", "").lower() in _HIDDEN:
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = mask(value)
    return event


def configure(log_format: str = "auto", out: TextIO | None = None, *, quiet: bool = False) -> None:
    """Set structlog up for this process; `log_format` is auto, json or console, `out` standard error unless given.

    `quiet` leaves only what ends a program.
    """
    stream = out or sys.stderr
    pretty = log_format == "console" or (log_format == "auto" and stream.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(ensure_ascii=False)
    level = logging.CRITICAL if quiet else logging.INFO
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    _adopt_libraries(stream, max(level, logging.WARNING), shared, renderer)


class _Libraries(logging.StreamHandler[TextIO]):
    """What libraries say through `logging`, in the same shape and as free of secrets as our own lines."""


def _adopt_libraries(stream: TextIO, level: int, shared: list[Any], renderer: Any) -> None:
    handler = _Libraries(stream)
    handler.setLevel(level)
    ends = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    named = [structlog.stdlib.add_logger_name, *shared]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=named, processors=ends))
    root = logging.getLogger()
    root.handlers = [h for h in root.handlers if not isinstance(h, _Libraries)] + [handler]
