"""`GET /track/{token}` on `WEB_LISTEN`: one order for the one who has its link.

The link is the secret: 24 random bytes, kept with the order in the engine, so that a lost ledger loses no links. A
revoked or wrong one gets the same answer. Look-ups are few a second whoever asks, and an answer is good for a while.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from flask import Flask, Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from engine.errors import EngineError
from orders.dates import MONTHS
from orders.snapshot import OrderSnapshot
from orders.tracking import LANGUAGES, Language, Track

_HERE = Path(__file__).parent
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}", re.ASCII)
FRESH_SECONDS, KEPT, A_SECOND = 20.0, 500, 10  # an answer's life; how many are kept; look-ups of the engine a second
_ENGLISH = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December")  # fmt: skip
Find = Callable[[str], OrderSnapshot | None]
Tell = Callable[[OrderSnapshot, Language], Track]


class Busy(Exception):
    """More links are asked for than the engine should be bothered with."""


class Links:
    """Orders by link, each looked up at most once in a while. `find` raises EngineError."""

    def __init__(self, find: Find, clock: Callable[[], float] = time.monotonic) -> None:
        self._find, self._clock = find, clock
        self._kept: OrderedDict[str, tuple[float, OrderSnapshot | None]] = OrderedDict()
        self._asked: list[float] = []
        self._guard = threading.Lock()

    def order(self, token: str) -> OrderSnapshot | None:
        """Return the order of a link, None for none. Raises Busy and EngineError."""
        now = self._clock()
        with self._guard:
            kept = self._kept.get(token)
            if kept is not None and now - kept[0] < FRESH_SECONDS:
                return kept[1]
            self._asked = [at for at in self._asked if now - at < 1]
            if len(self._asked) >= A_SECOND:
                raise Busy
            self._asked.append(now)
        found = self._find(token)
        with self._guard:
            self._kept[token] = (now, found)
            self._kept.move_to_end(token)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


def add_track(site: Flask, find: Find, tell: Tell, day: Callable[[datetime], datetime]) -> None:
    """Open the customers' page on a site; `day` puts an instant into the plant's zone."""
    pages = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined)
    pages.trim_blocks = pages.lstrip_blocks = True
    style, links = (_HERE / "static" / "track.css").read_bytes(), Links(find)

    def said(name: str, language: Language, status: int, **values: object) -> Response:
        def date(at: datetime) -> str:
            here = day(at)
            month = MONTHS[here.month - 1] if language == "ru" else _ENGLISH[here.month - 1]
            return f"{here.day}\u00a0{month} {here.year}"

        text = pages.get_template(f"{name}.html").render(en=language == "en", date=date, **values)
        answer = Response(text, status, content_type="text/html; charset=utf-8")
        answer.headers["Referrer-Policy"] = "no-referrer"  # the address is the secret
        answer.headers["X-Robots-Tag"] = "noindex, nofollow"
        answer.headers["Content-Language"] = language
        return answer

    @site.get("/track/<token>")
    def customer(token: str) -> Response:
        language = _language()
        try:
            order = links.order(token) if _TOKEN.fullmatch(token) else None
        except (EngineError, Busy):
            return said("none", language, 503, away=True)
        if order is None:
            return said("none", language, 404, away=False)
        return said("track", language, 200, shown=tell(order, language))

    @site.get("/static/track.css")
    def css() -> Response:
        return Response(style, content_type="text/css; charset=utf-8")


def _language() -> Language:
    asked = request.args.get("lang", "")
    chosen = asked if asked in LANGUAGES else request.accept_languages.best_match(LANGUAGES, "ru")
    return "en" if chosen == "en" else "ru"
