"""The mark that the engine's pages send with each change."""

from __future__ import annotations

import requests


def page_headers(session: requests.Session) -> dict[str, str]:
    """Return the headers of a page's own call."""
    marks = [cookie.value or "" for cookie in session.cookies if cookie.name.startswith("XSRF-TOKEN")]
    return {"X-XSRF-TOKEN": marks[-1] if marks else "", "Accept": "application/json"}
