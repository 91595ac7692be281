"""Pages that people look at: kanban, card, people, one person. Read-only; work without scripts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from bitrix_sync.sandbox import views, words
from bitrix_sync.sandbox.portal import Portal
from bitrix_sync.sandbox.rest.task_results import open_tasks
from bitrix_sync.sandbox.rest.types import find_type
from bitrix_sync.sandbox.store import Doc
from bitrix_sync.sandbox.web import send_file

CSP = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'"
LOGIN = "<!doctype html><html lang=ru><title>Вход</title><p>Эта ссылка открывается только после входа на портал.</html>"


def pages(portal: Portal) -> Blueprint:
    """Build the pages."""
    site = Blueprint("pages", __name__)

    @site.after_request
    def headers(answer: Response) -> Response:
        answer.headers["Content-Security-Policy"] = CSP
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @site.get("/")
    def kanban() -> str:
        with portal.lock:
            return _kanban(portal)

    @site.get("/card/<int:type_id>/<int:number>")
    def card(type_id: int, number: int) -> str:
        with portal.lock:
            return _card(portal, type_id, number)

    @site.get("/crm/type/<int:type_id>/details/<int:number>/")
    def native(type_id: int, number: int) -> AnyResponse:
        """The address that a card has on the real portal."""
        return redirect(f"/card/{type_id}/{number}")

    @site.get("/company/personal/user/<int:_user>/tasks/task/view/<int:number>/")
    def task(_user: int, number: int) -> AnyResponse:
        with portal.lock:
            doc = portal.store.get("task", number)
            place = views.task_view(portal, doc).card if doc else None
        if doc is None:
            abort(404)
        return redirect(f"/card/{place[0]}/{place[1]}#task{number}" if place else f"/person/{doc['responsibleId']}")

    @site.get("/people")
    def people() -> str:
        with portal.lock:
            return render_template("people.html", people=views.people(portal), now=_stamp(portal))

    @site.get("/person/<int:number>")
    def person(number: int) -> str:
        with portal.lock:
            return _person(portal, number)

    @site.get("/file/<kind>/<int:number>")
    def file(kind: str, number: int) -> Response:
        with portal.lock:
            held = portal.store.get({"crm": "crmfile", "disk": "disk"}.get(kind, "none"), number)
        return send_file(portal, held) if held and "sha" in held else abort(404)

    @site.get("/disk/downloadFile/<int:_number>/")
    @site.get("/bitrix/services/main/ajax.php")
    def needs_session(_number: int = 0) -> str:
        """Links that the real portal opens only in a browser's session."""
        return LOGIN

    @site.app_errorhandler(404)
    def absent(_error: Exception) -> tuple[str, int]:
        return render_template("absent.html", now=_stamp(portal)), 404

    return site


def _stamp(portal: Portal) -> str:
    return words.long_moment(views.now_of(portal))


def _owner(portal: Portal) -> Doc | None:
    """Return the type to show: the asked one, else the one with most items, else the newest."""
    asked = request.args.get("type", "")
    if asked.isdigit() and (found := find_type(portal.store, int(asked))):
        return found
    types = portal.store.all("type")
    return max(types, key=lambda doc: (len(portal.store.all(f"item{doc['entityTypeId']}")), doc["id"]), default=None)


def _kanban(portal: Portal) -> str:
    owner = _owner(portal)
    columns = views.columns(portal, owner) if owner else []
    only = request.args.get("column")
    work = [column for column in columns if not column.semantics]
    ended = [column for column in columns if column.semantics]
    late = sum(tile.badge.kind == "late" for column in work for tile in column.tiles)
    running = sum(len(column.tiles) for column in work)
    parts: dict[str, Any] = {
        "owner": owner,
        "work": work,
        "ended": ended,
        "shown": views.SHOWN,
        "late": late,
        "running": words.plural(running, "заказ в работе", "заказа в работе", "заказов в работе"),
        "types": portal.store.all("type"),
    }
    if only:
        picked = next((column for column in columns if column.id == only), None)
        if picked is None:
            abort(404)
        parts |= {"work": [picked], "ended": [], "shown": 10_000, "only": picked}
    return render_template("kanban.html", now=_stamp(portal), **parts)


def _card(portal: Portal, type_id: int, number: int) -> str:
    owner = find_type(portal.store, type_id)
    doc = portal.store.get(f"item{type_id}", number) if owner else None
    if owner is None or doc is None:
        abort(404)
    columns = views.columns(portal, owner)
    place = next((i for i, column in enumerate(columns) if column.id == doc["f"].get("STAGE_ID")), 0)
    tile = next((tile for tile in columns[place].tiles if tile.id == number), None) if columns else None
    tasks = views.tasks_by_card(portal).get(views.binding(type_id, number), [])
    shown = [views.task_view(portal, task) for task in reversed(tasks)]
    plain, files = views.facts(portal, owner, doc)
    return render_template(
        "card.html",
        now=_stamp(portal),
        owner=owner,
        title=doc["f"].get("TITLE"),
        tile=tile,
        columns=columns,
        place=place,
        facts=plain,
        files=files,
        open=[task for task in shown if task.open],
        closed=[task for task in shown if not task.open],
        timeline=views.timeline(portal, type_id, number),
        bb=words.bb,
        assigned=views.name_of(portal, doc["f"].get("ASSIGNED_BY_ID")),
    )


def _person(portal: Portal, number: int) -> str:
    user = portal.store.get("user", number)
    if user is None:
        abort(404)
    tasks = [views.task_view(portal, doc) for doc in open_tasks(portal.store, number)]
    notices = [
        {
            "text": doc["text"],
            "system": doc["system"],
            "who": views.name_of(portal, doc["author"]),
            "at": words.long_moment(datetime.fromisoformat(doc["created"]).astimezone(portal.zone)),
        }
        for doc in reversed(portal.store.of("notice", user=number))
    ]
    own = [task for task in tasks if task.holder_id == number]
    return render_template(
        "person.html",
        now=_stamp(portal),
        user=user,
        name=views.name_of(portal, number),
        own=own,
        helping=[task for task in tasks if task.holder_id != number],
        notices=notices,
        bb=words.bb,
        late=sum(task.badge.kind == "late" for task in own),
        counter=words.plural(len(own), "открытая задача", "открытые задачи", "открытых задач"),
    )
