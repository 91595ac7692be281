"""Pages that people look at."""

from __future__ import annotations

from flask import Blueprint

from bitrix_sync.sandbox.portal import Portal


def pages(portal: Portal) -> Blueprint:
    """Build the pages."""
    site = Blueprint("pages", __name__)

    @site.get("/")
    def kanban() -> str:
        return str(len(portal.store.all("type")))

    return site
