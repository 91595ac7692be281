"""Nothing that opens the portal may reach a log, an error or an incident."""

from __future__ import annotations

import logging
import re

_PATH = re.compile(r"(/rest/(?:api/)?\d+/)[^/\s?\"']+")
_QUERY = re.compile(r"((?:auth|token|access_token|application_token|sessid)=)[^&\s\"'<>]+", re.IGNORECASE)
_HEADER = re.compile(r"((?:Authorization|Cookie):?\s+)\S.*", re.IGNORECASE)
_LOGGERS = ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")


def mask(text: str) -> str:
    """Return the text with webhook tokens and link tokens replaced by ***."""
    return _HEADER.sub(r"\1***", _QUERY.sub(r"\1***", _PATH.sub(r"\1***", text)))


class MaskFilter(logging.Filter):
    """Rewrites records that carry an address; at DEBUG urllib3 writes each request's path."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the finished message; never drops a record."""
        message = record.getMessage()
        masked = mask(message)
        if masked != message:
            record.msg, record.args = masked, ()
        return True


def protect_logs() -> None:
    """Put the filter on the HTTP library's loggers, once."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, MaskFilter) for each in logger.filters):
            logger.addFilter(MaskFilter())
