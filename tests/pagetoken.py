"""The mark that the engine's pages send with each change."""

from __future__ import annotations

import requests


def page_headers(session: requests.Session) -> dict[str, str]:
    """Return the headers of a page's own call."""
    return {"X-XSRF-TOKEN": session.cookies.get("XSRF-TOKEN", ""), "Accept": "application/json"}
