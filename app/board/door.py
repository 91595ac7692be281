"""Signing in to the board: the engine's own accounts, its own throttle, one answer to every failure."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, g, redirect, render_template, request
from pydantic import SecretStr
from werkzeug.wrappers import Response as AnyResponse

from app.sessions import LONGEST_SECONDS, Session, Sessions, same
from engine.client import EngineClient
from engine.errors import EngineDown, EngineError, Forbidden, Unauthorized
from orders.persons import Person, Staff

COOKIE, FORM_COOKIE = "order_route_board", "order_route_form"
_LONGEST = 200  # characters of a name or password
_WRONG = "Имя или пароль не подходят. Проверьте раскладку; после нескольких ошибок подождите минуту"
_AWAY = "Движок не отвечает: подождите минуту и войдите снова"
OPEN = ("/login", "/static/", "/readyz", "/metrics", "/favicon.ico")
Verify = Callable[[str, SecretStr], bool]


def verify(url: str, name: str, password: SecretStr) -> bool:
    """Tell whether name and password are an account's: the engine judges, and slows down who guesses."""
    client = EngineClient(url, name, password)
    try:
        client.version()
    except (Unauthorized, Forbidden):
        return False
    finally:
        client.close()
    return True


def still_there(integration: EngineClient, person: str) -> bool:
    """Tell whether a person still has an account in the engine."""
    try:
        integration.as_person(person).caller.rest("GET", "/task/count", params={"taskId": "none"})
    except (Forbidden, Unauthorized):
        return False
    return True


def door(sessions: Sessions, staff: Staff, known: Verify) -> Blueprint:
    """Build the sign-in pages, and the guard that lets nobody past without a session."""
    pages = Blueprint("door", __name__, template_folder="templates", static_folder="static", static_url_path="/static")

    @pages.before_app_request
    def guard() -> AnyResponse | None:
        if request.path.startswith(OPEN):
            return None
        try:
            session = sessions.find(request.cookies.get(COOKIE))
        except EngineError:
            abort(503)
        person = staff.find(session.person) if session else None
        if session is None or person is None:
            return redirect("/login" if request.path == "/" else f"/login?next={request.path}", 303)
        g.session, g.person = session, person
        return None

    @pages.get("/login")
    def ask() -> AnyResponse:
        return _form("", request.args.get("next", ""))

    @pages.post("/login")
    def sign_in() -> AnyResponse:
        sent = request.form
        cookie = request.cookies.get(FORM_COOKIE, "")
        if not cookie or not same(sent.get("form", ""), cookie):
            return _form("Страница устарела: введите имя и пароль ещё раз", sent.get("next", ""), 400)
        name, password = sent.get("name", "").strip(), sent.get("password", "")
        try:
            person = _person(name, password, staff, known)
        except EngineDown:
            return _form(_AWAY, sent.get("next", ""), 503)
        if person is None:
            return _form(_WRONG, sent.get("next", ""), 401)
        answer = redirect(_place(sent.get("next", "")), 303)
        _keep(answer, COOKIE, sessions.begin(person.id), int(LONGEST_SECONDS))
        answer.delete_cookie(FORM_COOKIE)
        return answer

    @pages.post("/logout")
    def sign_out() -> AnyResponse:
        session: Session = g.session
        if not same(request.form.get("csrf", ""), session.csrf):
            abort(400)
        sessions.end(request.cookies.get(COOKIE))
        answer = redirect("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer

    return pages


def _person(name: str, password: str, staff: Staff, known: Verify) -> Person | None:
    """Return the person that a name and password belong to; the engine is asked about strangers too."""
    if not 0 < len(name) <= _LONGEST or not 0 < len(password) <= _LONGEST or ":" in name:
        return None
    return staff.find(name) if known(name, SecretStr(password)) else None


def _form(problem: str, place: str, status: int = 200) -> AnyResponse:
    held = request.cookies.get(FORM_COOKIE, "")  # kept: a second tab must not spoil the first one's form
    secret = held if len(held) == 32 else secrets.token_urlsafe(24)
    answer = Response(render_template("login.html", problem=problem, place=_place(place), form=secret), status)
    _keep(answer, FORM_COOKIE, secret, 3600)
    return answer


def _place(wanted: str) -> str:
    """Return where to go after signing in: a page of ours, nothing else."""
    return wanted if wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and "\n" not in wanted else "/"


def _keep(answer: AnyResponse, name: str, value: str, seconds: int) -> None:
    options: dict[str, Any] = {"httponly": True, "samesite": "Lax", "secure": request.is_secure, "path": "/"}
    answer.set_cookie(name, value, max_age=seconds, **options)
