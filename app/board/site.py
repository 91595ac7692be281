"""Puts the board on the site of `BOARD_LISTEN`."""

from __future__ import annotations

from flask import Flask, render_template

from app.board.door import door, still_there, verify
from app.board.keeper import Keeper
from app.board.order import order_pages
from app.board.pages import pages
from app.board.words import teach
from app.sessions import Sessions
from app.wiring import Parts

_SAID = {
    404: "Такой страницы нет, или она не для вашей роли.",
    503: "Движок не отвечает: подождите минуту и обновите страницу.",
    400: "Запрос не понят: вернитесь на доску и повторите.",
}


def add_board(site: Flask, parts: Parts, keeper: Keeper) -> None:
    """Add the board's pages and their door to a site."""
    sessions = Sessions(lambda person: still_there(parts.integration, person))
    site.register_blueprint(
        door(sessions, parts.staff, lambda name, password: verify(parts.engine_url, name, password))
    )
    site.register_blueprint(pages(parts, keeper))
    site.register_blueprint(order_pages(parts, keeper))
    teach(site, parts.settings.zone)
    for status, text in _SAID.items():
        site.register_error_handler(status, lambda _error, s=status, t=text: (render_template("said.html", text=t), s))
