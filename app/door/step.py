"""`/do/{visit}`: the step page. One page for every stage, drawn from the stage's properties.

Who is not signed in learns nothing, not even whether the visit exists. Every post of ours carries a mark; an answer is
taken by `bitrix_sync.desk`, the same way as from a card. Without JavaScript the forms still submit.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from flask import Flask, Response, abort, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException

from app.door.page import done_page, step_page, texts
from app.door.session import COOKIE, Session, Sessions, find_person
from bitrix_sync.desk import CLOSED, FOREIGN, UNKNOWN, AlreadyDone, Desk
from orders import discussion
from orders.access import may_do, may_see_content
from orders.errors import OrderRouteError, Refused, Transient
from orders.persons import Person, Staff
from orders.reply import Reply, SentFile
from orders.snapshot import OrderSnapshot
from orders.stage import Stage
from orders.workday import Workday

LARGEST = 62 * 1024 * 1024  # bytes of one answer: 60 MiB of files and what is typed
WAITING_LETTERS = 50  # names that wait to be looked up; more are dropped
AT_ONCE = 3  # answers that are taken at the same time
VISIT = re.compile(r"[A-Za-z0-9_.:-]{1,200}", re.ASCII)
_HERE = Path(__file__).parent
_STATIC = {"step.css": "text/css; charset=utf-8", "step.js": "text/javascript; charset=utf-8"}
SENT = "Если такой сотрудник есть, ссылка для входа придёт ему в Битрикс24 в течение минуты."
OLD_LINK = "Эта ссылка уже использована или устарела: запросите новую."
ENDED = "Сеанс закончился: войдите снова, написанное сохранится."
BROKEN = "Форма устарела: отправьте ответ ещё раз."
LATER = "Сейчас ответ не принят, он остался на странице: нажмите ещё раз через несколько секунд."

AWAY = "Сейчас страница недоступна: откройте её снова через минуту"

log = structlog.get_logger(__name__)

Tell = Callable[[Person, str, str], None]  # person, text, key: sends one notice in the portal


@dataclass(frozen=True, slots=True)
class StepDoor:
    """What the page needs. `public_url`: how people reach us; `workday`: when we close; `largest_file`: bytes."""

    desk: Desk
    sessions: Sessions
    staff: Callable[[], Staff]
    tell: Tell
    public_url: str
    workday: Callable[[], Workday]
    largest_file: int = 20 * 1024 * 1024


def roomy(door: StepDoor) -> Callable[[str, str], bool]:
    """Return which requests may be large: an answer of somebody who is signed in (path, Cookie header)."""
    return lambda path, cookie: path.startswith("/do/") and door.sessions.read_header(cookie) is not None


def add_step_page(site: Flask, door: StepDoor) -> None:
    """Open the page on a site."""
    _Routes(site, door)
    site.config["ROOMY"] = roomy(door)


class _Routes:
    def __init__(self, site: Flask, door: StepDoor) -> None:
        self._door, self._desk, self._sessions = door, door.desk, door.sessions
        self._secure = door.public_url.startswith("https://")
        self._letters = ThreadPoolExecutor(1, thread_name_prefix="sign-in")
        self._asked = threading.BoundedSemaphore(WAITING_LETTERS)
        self._room = threading.BoundedSemaphore(AT_ONCE)
        loader = FileSystemLoader(_HERE / "templates")
        self._pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        site.get("/do/<visit>")(self.show)
        site.post("/do/<visit>")(self.answer)
        site.post("/do/<visit>/sign-in")(self.sign_in)
        site.get("/do/<visit>/file/<variable>")(self.file)
        site.post("/sign-out")(self.sign_out)
        site.get("/static/<name>")(self.static)
        site.register_error_handler(HTTPException, self.not_here)
        site.register_error_handler(OrderRouteError, self.not_now)

    # pages

    def show(self, visit: str) -> Response:
        """Show a step to whoever is signed in, to others only how to sign in."""
        session = self._session(visit)
        if session is None:
            return self._sign_in_page(visit)
        return self._with_cookie(self._step(visit, session), session)

    def answer(self, visit: str) -> Response:
        """Take an answer: done, or the same page with the sentence and all that was typed."""
        self._ours()
        session = self._session(visit)
        if session is None:
            return self._says(401, ENDED, lambda: self._sign_in_page(visit, ENDED, 401))
        if not self._sessions.marked(session, visit, request.form.get("mark")):
            return self._says(400, BROKEN, lambda: self._step(visit, session, BROKEN, 400))
        if not self._room.acquire(timeout=5):
            return self._says(503, LATER, lambda: self._step(visit, session, LATER, 503))
        try:
            return self._take(visit, session)
        finally:
            self._room.release()

    def _take(self, visit: str, session: Session) -> Response:
        try:
            order = self._desk.find(visit)
            stage = self._desk.stage(order, visit) if order else None
            if stage is None:
                raise Refused(CLOSED)
            self._desk.submit(visit, session.person.id, self._reply(stage))
        except AlreadyDone as late:
            return self._says(409, str(late), lambda: self._step(visit, session))
        except Refused as refused:
            text = str(refused)
            return self._says(400, text, lambda: self._step(visit, session, text, 400))
        except Transient as error:
            log.warning("answer_later", visit=visit, person=session.person.id, reason=str(error))
            return self._says(503, LATER, lambda: self._step(visit, session, LATER, 503))
        if self._wants_json():
            return _json({"to": _place(visit)})
        return self._with_cookie(_to(_place(visit)), session)

    def _reply(self, stage: Stage) -> Reply:
        files = {f.name: _sent(request.files.getlist(f.name), f.label) for f in stage.file_fields()}
        return Reply(texts(stage, request.form, self._desk.zone, self._door.workday()), files)

    def _step(self, visit: str, session: Session, refused: str = "", status: int = 200) -> Response:
        order = self._desk.find(visit) if VISIT.fullmatch(visit) else None
        stage = self._desk.stage(order, visit) if order else None
        staff, person = self._door.staff(), session.person
        if order is None or stage is None or not may_see_content(order, self._route(order), staff, person.id):
            text = FOREIGN if order is not None and stage is not None else CLOSED
            return self._page("message.html", 404 if order is None else 403, visit, session, text=text)
        opened = next((v for v in order.open if v.visit == visit), None)
        if opened is None:
            done = next(v for v in order.done if v.visit == visit)
            page: Any = done_page(order, self._route(order), stage, done, staff, person.id, self._desk.zone)
            return self._page("done.html", 200, visit, session, page=page)
        if not may_do(opened, staff, person.id):
            return self._page("message.html", 403, visit, session, text=FOREIGN)
        typed = dict(request.form.items()) if refused else None
        now, day = datetime.now(UTC), self._door.workday()
        talk = discussion.read(self._desk.engine.discussion(order.instance_id))
        page = step_page(
            order, self._route(order), stage, opened, staff, person.id, self._desk.zone, now, day, typed, refused, talk
        )
        return self._page("step.html", status, visit, session, page=page, refused=refused, workday=day.text())

    def _route(self, order: OrderSnapshot) -> Any:
        return self._desk.engine.route(order.definition_id)

    # signing in and out

    def sign_in(self, visit: str) -> Response:
        """Send a link to whoever's name was typed, or open the session of whoever brings one. One answer for all."""
        self._ours()
        if VISIT.fullmatch(visit) is None:
            abort(404)
        shared = request.form.get("shared") == "yes"
        token = request.form.get("token", "").strip().rpartition("#in=")[2]
        if not token:
            name = request.form.get("name", "")[:200]
            if self._asked.acquire(blocking=False):  # a flood of names costs no more than this many
                self._letters.submit(self._send_link, visit, name)
            return self._sign_in_page(visit, SENT, shared=shared, sent=True)
        person = self._sessions.use_link(token[:500])
        if person is None:
            return self._sign_in_page(visit, OLD_LINK, 400)
        log.info("signed_in", person=person.id, shared=shared)
        return self._with_cookie(_to(_place(visit)), Session(person, shared))

    def _send_link(self, visit: str, name: str) -> None:
        person = find_person(self._door.staff(), name)
        try:
            key = self._sessions.link_key(person.id) if person else None
            if person is None or key is None:
                log.warning("no_sign_in_link", known=person is not None)
                return
            link = f"{self._door.public_url}{_place(visit)}#in={self._sessions.link_token(person.id, key)}"
            text = (
                f"Вход на страницу заказов: [URL={link}]войти[/URL]. Ссылка действует 15 минут и один раз. "
                "Если вход запросили не вы, ничего не нажимайте."
            )
            self._door.tell(person, text, key)
        except OrderRouteError as error:
            log.error("sign_in_link_not_sent", reason=str(error))
        finally:
            self._asked.release()

    def sign_out(self) -> Response:
        """End the session on this device."""
        self._ours()
        visit = request.form.get("visit", "")
        answer = _to(_place(visit)) if VISIT.fullmatch(visit) else Response("", 204)
        answer.delete_cookie(COOKIE, secure=self._secure, httponly=True, samesite="Lax")
        return answer

    # files

    def file(self, visit: str, variable: str) -> Response:
        """Send a judged file of the order to somebody who may read it."""
        session = self._session(visit)
        if session is None:
            return self._sign_in_page(visit)
        order = self._desk.find(visit)
        held = next((f for f in order.files if f.variable == variable), None) if order else None
        if order is None or held is None:
            abort(404)
        if not may_see_content(order, self._route(order), self._door.staff(), session.person.id):
            abort(403)
        _, data = self._desk.engine.file_bytes(order.instance_id, variable)
        if hashlib.sha256(data).hexdigest() != held.sha256:
            abort(409)
        answer = Response(data, content_type="application/octet-stream")
        answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(held.name, safe='')}"
        return answer

    def static(self, name: str) -> Response:
        """Send one of our own files."""
        if name not in _STATIC:
            abort(404)
        return Response((_HERE / "static" / name).read_bytes(), content_type=_STATIC[name])

    # trouble

    def not_here(self, error: HTTPException) -> Response | HTTPException:
        """Say in Russian what a wrong address means; other doors of the site keep their plain answers."""
        if not request.path.startswith("/do/"):
            return error
        return self._page("message.html", error.code or 500, "", None, text=UNKNOWN)

    def not_now(self, error: Exception) -> Response:
        """Say that engine or ledger are away; what was typed is kept by the page."""
        log.warning("step_page_unavailable", reason=str(error))
        return self._says(503, AWAY, lambda: self._page("message.html", 503, "", None, text=AWAY))

    # inside

    def _session(self, visit: str) -> Session | None:
        if VISIT.fullmatch(visit) is None:
            abort(404)
        return self._sessions.read(request.cookies.get(COOKIE))

    def _ours(self) -> None:
        """Refuse a post that another site's page sent."""
        origin, own = request.headers.get("Origin"), urlsplit(self._door.public_url)
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            abort(403)
        if origin and origin != "null" and urlsplit(origin)[:2] != own[:2] and urlsplit(origin).netloc != request.host:
            abort(403)

    def _with_cookie(self, answer: Response, session: Session) -> Response:
        answer.set_cookie(
            COOKIE,
            self._sessions.cookie(session),
            max_age=session.seconds,
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )
        return answer

    def _wants_json(self) -> bool:
        return request.accept_mimetypes.best == "application/json"

    def _says(self, status: int, text: str, page: Callable[[], Response]) -> Response:
        return _json({"text": text}, status) if self._wants_json() else page()

    def _sign_in_page(
        self, visit: str, text: str = "", status: int = 200, *, shared: bool = False, sent: bool = False
    ) -> Response:
        return self._page("sign_in.html", status, visit, None, text=text, shared=shared, sent=sent)

    def _page(self, name: str, status: int, visit: str, session: Session | None, **more: Any) -> Response:
        mark = self._sessions.mark(session, visit) if session else ""
        who = session.person.name if session else ""
        body = self._pages.get_template(name).render(
            visit=visit, place=_place(visit), mark=mark, who=who, largest=self._door.largest_file, **more
        )
        return Response(body, status, content_type="text/html; charset=utf-8")


def _sent(given: Sequence[FileStorage], label: str) -> tuple[SentFile, ...]:
    files = tuple(SentFile(each.filename or "", each.read()) for each in given if each.filename)
    if any(not file.data for file in files):
        raise Refused(f"«{label}»: файл пустой, приложите его заново")
    return files


def _place(visit: str) -> str:
    return f"/do/{quote(visit, safe=':')}"


def _to(place: str) -> Response:
    return Response("", 303, headers={"Location": place})


def _json(values: dict[str, str], status: int = 200) -> Response:
    return Response(json.dumps(values, ensure_ascii=False), status, content_type="application/json; charset=utf-8")
