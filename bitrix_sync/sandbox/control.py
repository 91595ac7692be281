"""Switches for tests and demos under /sandbox, for callers on this machine only."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from bitrix_sync.sandbox.events import EventSettings
from bitrix_sync.sandbox.limits import LeakyBucket
from bitrix_sync.sandbox.portal import Portal, read_offset
from bitrix_sync.sandbox.rest.disk import attach, keep_file
from bitrix_sync.sandbox.rest.item_files import decode
from bitrix_sync.sandbox.rest.registry import Call
from bitrix_sync.sandbox.rest.task_fields import need_task
from bitrix_sync.sandbox.rest.tasks_v3 import add_message, add_result


def control(portal: Portal) -> Blueprint:
    """Build the control endpoints."""
    pages = Blueprint("control", __name__, url_prefix="/sandbox")

    @pages.before_request
    def only_here() -> None:
        if not ipaddress.ip_address(request.remote_addr or "127.0.0.1").is_loopback:
            abort(403)

    @pages.errorhandler(ValueError)
    @pages.errorhandler(KeyError)
    @pages.errorhandler(TypeError)
    def wrong(error: Exception) -> tuple[Response, int]:
        return jsonify({"error": str(error)}), 400

    @pages.route("/faults", methods=["GET", "POST", "DELETE"])
    def faults() -> Response:
        """Read or replace the fault switches: {"rules": [...], "seed": 1}, or one rule, or a list."""
        if request.method == "POST":
            body: Any = request.get_json()
            seed = body.get("seed") if isinstance(body, dict) else None
            rules = body.get("rules", [body]) if isinstance(body, dict) else body
            portal.faults.replace([{k: v for k, v in rule.items() if k != "seed"} for rule in rules if rule], seed)
        if request.method == "DELETE":
            portal.faults.replace([])
        return jsonify({"rules": portal.faults.describe()})

    @pages.post("/users")
    def users() -> Response:
        """Make or change people: [{"id", "name", "lastName", "email", "active", "admin"}]."""
        portal.set_users(request.get_json())
        with portal.lock:
            return jsonify(portal.store.all("user"))

    @pages.route("/webhooks", methods=["POST", "DELETE"])
    def webhooks() -> Response:
        """Make, change or revoke a person's webhook: {"user": 5, "scopes": [...]}."""
        body = request.get_json()
        if request.method == "DELETE":
            portal.revoke(int(body["user"]))
            return jsonify({})
        token = portal.webhook(int(body["user"]), body.get("scopes"))
        return jsonify({"url": f"{request.host_url}rest/{body['user']}/{token}/"})

    @pages.post("/events")
    def events() -> Response:
        """Set the subscriber: {"url", "application_token", "drop", "duplicate", "shuffle", "delay"}."""
        portal.events.settings = EventSettings(**request.get_json())
        return jsonify({})

    @pages.post("/results")
    def results() -> Response:
        """Write a result into a task as its own page does: {"user", "task", "text", "files": [[name, base64]]}."""
        body = request.get_json()
        with portal.lock:
            person = portal.store.get("user", int(body["user"])) or {}
            call = Call(portal, person, {}, request.host_url.rstrip("/"))
            task = need_task(call, number=int(body["task"]))
            kept = _kept(call, body)
            bound = [attach(portal.store, each, task["id"], call.user_id, portal.now()) for each in kept]
            row = add_result(call, task, str(body.get("text", "")), bound)
            portal.commit()
        return jsonify({"id": row["id"], "files": bound})

    @pages.post("/messages")
    def messages() -> Response:
        """Write into a task's chat as its own page does, with files: {"user", "task", "text", "files"}."""
        body = request.get_json()
        with portal.lock:
            person = portal.store.get("user", int(body["user"])) or {}
            call = Call(portal, person, {}, request.host_url.rstrip("/"))
            task = need_task(call, number=int(body["task"]))
            number = add_message(call, task, str(body.get("text", "")), _kept(call, body))
            portal.commit()
        return jsonify({"id": number})

    @pages.post("/settings")
    def settings() -> Response:
        """Change rate, drain, offset, operating_limit, authors or costs while running."""
        body = request.get_json()
        with portal.lock:
            if "rate" in body or "drain" in body:
                portal.settings.rate = float(body.get("rate", portal.settings.rate))
                portal.settings.drain = float(body.get("drain", portal.settings.drain))
                portal.bucket = LeakyBucket(portal.settings.rate, portal.settings.drain)
            if "offset" in body:
                portal.zone = read_offset(body["offset"])
            if "operating_limit" in body:
                portal.operating.limit = float(body["operating_limit"])
            if "authors" in body:
                portal.settings.authors = bool(body["authors"])
            if "costs" in body:
                portal.settings.costs = {str(key): float(value) for key, value in body["costs"].items()}
        return jsonify({"rate": portal.settings.rate, "drain": portal.settings.drain})

    @pages.post("/clock")
    def clock() -> Response:
        """Set the portal's present: {"to": ISO}; {} sets it back."""
        to = request.get_json().get("to")
        moment = datetime.fromisoformat(to) if to else datetime.now(UTC)
        portal.shift = moment.astimezone(UTC) - datetime.now(UTC)
        return jsonify({"now": portal.now()})

    return pages


def _kept(call: Call, body: dict[str, Any]) -> list[int]:
    """Keep the files of a request on the Drive: [[name, base64]]; return their numbers."""
    sent = ((str(name), decode(data)) for name, data in body.get("files", []))
    return [keep_file(call, None, name, data, unique=True, author=call.user_id)["id"] for name, data in sent]
