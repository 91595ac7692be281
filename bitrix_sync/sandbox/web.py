"""The HTTP surface of REST: addresses, authorisation, limits, faults, downloads."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import secrets
import socket
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, request

from bitrix_sync.sandbox import batch, params
from bitrix_sync.sandbox.envelope import Refusal, RefusalV3, time_block
from bitrix_sync.sandbox.faults import Fault
from bitrix_sync.sandbox.portal import Portal
from bitrix_sync.sandbox.rest.item_files import token as sign
from bitrix_sync.sandbox.store import Doc

Answer = tuple[Any, int, dict[str, str]]  # body, status, headers
DAY = 86_400  # seconds
DEEP = "@@deep@@"
HTML = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
BEFORE = {"refused", "query_limit", "operation_limit", "unauthorized", "forbidden", "redirect"}
AROUND = {"lost_answer", "error500", "html502", "truncated", "slow"}
TECHNICAL = ("python-requests", "python-urllib", "python/", "curl", "wget", "go-http-client", "java/", "aiohttp")


def add_rest(app: Flask, portal: Portal) -> None:
    """Register the REST addresses."""

    @app.route("/rest/api/<user>/<token>/<name>", methods=["GET", "POST"])
    def call_v3(user: str, token: str, name: str) -> Response:
        return _handle(portal, user, token, name.removesuffix(".json"), v3=True)

    @app.route("/rest/<user>/<token>/<name>", methods=["GET", "POST"])
    def call(user: str, token: str, name: str) -> Response:
        return _handle(portal, user, token, name.removesuffix(".json"), v3=False)

    @app.get("/rest/crm.controller.item.getFile.json")
    def item_file() -> Response:
        return _download(portal, "crm", "crmfile")

    @app.get("/rest/download.json")
    def disk_file() -> Response:
        return _download(portal, "disk", "disk")

    @app.post("/rest/upload.json")
    def upload() -> Response:
        """Take the file for a folder whose address `disk.folder.uploadfile` without fileContent gave away."""
        parts = request.args.get("token", "").split("|")
        number = params.integer(parts[1]) if len(parts) == 3 else None
        if not secrets.compare_digest(sign(portal.secret, "upload", number or 0).encode(), parts[-1].encode()):
            return _json({"error": "NO_AUTH_FOUND", "error_description": "Wrong authorization data"}, 401, {})
        sent = request.files.get("file")
        content = [sent.filename, base64.b64encode(sent.read()).decode()] if sent else []
        given = {"id": number, "data": {"NAME": sent.filename if sent else ""}, "fileContent": content}
        with portal.lock:
            owner = portal.store.get("user", 1) or {}
            try:
                body = portal.run("disk.folder.uploadfile", given, owner, request.host_url.rstrip("/"))
            except Refusal as refusal:
                return _json(refusal.body(), refusal.status, {})
            finally:
                portal.commit()
        return _json(body, 200, {})

    @app.get("/bitrix/tools/disk/uf.php")
    def attached_file() -> Response:
        number = params.integer(request.args.get("attachedId")) or 0
        with portal.lock:
            bound = portal.store.get("attached", number)
            held = portal.store.get("disk", bound["object"]) if bound else None
        return _send(portal, held, sign(portal.secret, "attached", number), request.args.get("auth[auth]", ""))


def _handle(portal: Portal, user: str, token: str, name: str, *, v3: bool) -> Response:
    """Take one request through faults, brakes, authorisation and the method, and log it."""
    rule = portal.faults.hit(name.lower(), BEFORE)
    if rule:
        with portal.lock:
            _log_fault(portal, name, user, rule)
        return _refuse_by_fault(rule)
    around = portal.faults.hit(name.lower(), AROUND)
    done = around is None or portal.faults.applies(around)
    if around and around.kind == "slow" and around.when == "before":
        time.sleep(around.seconds)
    body, status, headers = _work(portal, user, token, name, v3, around) if done else ({}, 500, {})
    if around and not done:
        with portal.lock:
            _log_fault(portal, name, user, around)
    if around and around.kind == "slow" and around.when == "after":
        time.sleep(around.seconds)
    return _spoil(around, _json(body, status, headers))


def _log_fault(portal: Portal, name: str, user: str, rule: Fault) -> None:
    line: Doc = {"method": name, "params": {}, "user": params.integer(user), "batch": None, "status": 0}
    portal.write_log({**line, "error": rule.kind, "applied": False, "fault": rule.kind})


def _refuse_by_fault(rule: Fault) -> Response:
    if rule.kind == "refused":
        return _hang_up()
    if rule.kind == "redirect":
        return Response(status=302, headers={"Location": rule.to})
    bodies = {
        "query_limit": (503, "QUERY_LIMIT_EXCEEDED", "Too many requests"),
        "operation_limit": (429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit."),
        "unauthorized": (401, "NO_AUTH_FOUND", "Wrong authorization data"),
        "forbidden": (403, "INVALID_CREDENTIALS", "Invalid request credentials"),
    }
    status, code, text = bodies[rule.kind]
    return _json({"error": code, "error_description": text}, status, {})


def _spoil(rule: Fault | None, answer: Response) -> Response:
    if rule is None or rule.kind == "slow":
        return answer
    if rule.kind == "lost_answer":
        return _hang_up()
    if rule.kind == "html502":
        return Response(HTML, 502, content_type="text/html")
    if rule.kind == "error500":
        return _json({"error": "INTERNAL_SERVER_ERROR", "error_description": "Internal server error"}, 500, {})
    whole = answer.get_data()
    return Response(whole[: max(1, len(whole) // 2)], answer.status_code, content_type=answer.content_type)


def _hang_up() -> Response:
    """Close the connection without an answer."""
    check = request.environ.get("waitress.client_disconnected")
    if check is None:
        raise RuntimeError("only the real server can hang up")
    check.__self__.socket.shutdown(socket.SHUT_RDWR)
    return Response(status=500)


def _json(body: Any, status: int, headers: Mapping[str, str]) -> Response:
    text = json.dumps(body, ensure_ascii=False)
    if DEEP in text:
        text = text.replace(f'"{DEEP}"', "[" * 20_000 + "]" * 20_000)
    return Response(text, status, headers=dict(headers), content_type="application/json; charset=utf-8")


def _work(portal: Portal, user: str, token: str, name: str, v3: bool, rule: Fault | None) -> Answer:
    with portal.lock:
        portal.fault = rule.kind if rule else None
        try:
            return _run(portal, user, token, name, v3)
        except Refusal as refusal:
            shown = refusal
            if v3 and not isinstance(refusal, RefusalV3):
                code = "ACCESSDENIEDEXCEPTION" if refusal.status in {401, 403} else "REQUESTVALIDATIONEXCEPTION"
                shown = RefusalV3(code, refusal.description, refusal.status)
            return shown.body(), refusal.status, {}
        finally:
            portal.fault = None
            portal.commit()


def _run(portal: Portal, user: str, token: str, name: str, v3: bool) -> Answer:
    line: Doc = {"method": name, "params": {}, "user": params.integer(user), "batch": None, "applied": False}
    try:
        if not portal.bucket.take(time.monotonic()):
            raise Refusal("QUERY_LIMIT_EXCEEDED", "Too many requests", 503)
        _need_https(portal)
        owner = portal.owner_of(user, token)
        given = _given(v3)
    except Refusal as refusal:
        portal.write_log({**line, "status": refusal.status, "error": refusal.code})
        raise
    base = request.host_url.rstrip("/")
    if v3:
        return _once(portal, name, given, owner, base)
    if name.lower() == "batch":
        return _batch(portal, given, owner, base)
    answer = portal.run(name, given, owner, base)
    return _deepen(portal, name, given, answer), 200, {}


def _batch(portal: Portal, given: Mapping[str, Any], owner: Doc, base: str) -> Answer:
    begun = time.time()
    commands = given.get("cmd") or {}
    line: Doc = {"method": "batch", "params": {"calls": len(commands)}, "user": owner["id"], "batch": None}
    portal.write_log({**line, "status": 200, "error": None, "applied": False})
    result = batch.run(portal, given, owner, base)
    _deepen_batch(portal, commands, result)
    stamp = time_block(begun, time.time(), portal.zone, 0, 0.0)
    kept = {key: value for key, value in stamp.items() if not key.startswith("operating")}  # only its calls count
    return {"result": result, "time": kept}, 200, {}


def _deepen_batch(portal: Portal, commands: Any, result: dict[str, Any]) -> None:
    """Nest the answer of a struck call within a batch: the whole batch cannot be read then."""
    for key, text in commands.items() if isinstance(commands, dict) else enumerate(commands):
        name, _, query = str(text).partition("?")
        given = params.from_query(query)
        number = params.integer(given.get("id", given.get("taskId")))
        struck = portal.faults.hit(name.lower(), {"deep_json"}, item=number)
        if struck and isinstance(result["result"], dict) and str(key) in result["result"]:
            result["result"][str(key)] = DEEP


def _deepen(portal: Portal, name: str, given: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    number = params.integer(given.get("id", given.get("taskId")))
    if portal.faults.hit(name.lower(), {"deep_json"}, item=number):
        return {**answer, "result": DEEP}
    return answer


def _need_https(portal: Portal) -> None:
    """Refuse plain http from afar as the real portal does, unless this one was told to serve a container's network."""
    address = ipaddress.ip_address(request.remote_addr or "127.0.0.1")
    ours = address.is_loopback or (portal.in_network and address.is_private)
    if request.scheme != "https" and not ours:
        raise Refusal("INVALID_REQUEST", "Https required")


def _given(v3: bool) -> dict[str, Any]:
    """Read the parameters: query, then body; REST 3.0 reads JSON bodies only."""
    body = request.get_data(cache=True)
    if v3:
        if request.method == "POST" and (not request.is_json and body):
            raise RefusalV3("INVALIDJSONEXCEPTION", "The request body is not valid JSON")
        try:
            return params.from_json(body)
        except Refusal as refusal:
            raise RefusalV3("INVALIDJSONEXCEPTION", "The request body is not valid JSON") from refusal
    given = params.from_query(request.query_string.decode())
    if request.method == "POST" and (request.is_json or body.lstrip()[:1] in {b"{", b"["}):
        return given | params.from_json(body)
    if request.method == "POST" and request.mimetype == "multipart/form-data":
        return given | params.from_pairs(request.form.items(multi=True))
    return given | params.from_query(body.decode("utf-8", "replace"))


def _once(portal: Portal, name: str, given: Mapping[str, Any], owner: Doc, base: str) -> Answer:
    """Run a REST 3.0 call; an Idempotency-Key that was seen brings the stored answer back."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return portal.run(name, given, owner, base, v3=True), 200, {}
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise RefusalV3("INVALIDIDEMPOTENCYKEYEXCEPTION", "Invalid Idempotency-Key")
    digest = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
    same = f"{owner['id']}:{name.lower()}:{key}"
    known = portal.store.one("once", key=same)
    if known and time.time() - known["at"] < DAY:
        if known["digest"] != digest:
            raise RefusalV3("IDEMPOTENCYKEYREUSEDEXCEPTION", "The key was already used with a different request", 422)
        line = {"method": name, "params": given, "user": owner["id"], "batch": None, "status": 200, "error": None}
        portal.write_log({**line, "applied": False, "replayed": True})
        return known["answer"], 200, {"Idempotency-Key": key, "Idempotent-Replayed": "true"}
    answer = portal.run(name, given, owner, base, v3=True)
    number = portal.store.next_id("once")
    portal.store.put(
        "once", number, {"number": number, "key": same, "digest": digest, "at": time.time(), "answer": answer}
    )
    return answer, 200, {"Idempotency-Key": key}


def _download(portal: Portal, kind: str, kept: str) -> Response:
    parts = request.args.get("token", "").split("|")
    number = params.integer(parts[1]) if len(parts) == 3 and parts[0] == kind else None
    with portal.lock:
        held = portal.store.get(kept, number or 0)
    return _send(portal, held, sign(portal.secret, kind, number or 0), parts[-1])


def _send(portal: Portal, held: Doc | None, expected: str, given: str) -> Response:
    agent = request.headers.get("User-Agent", "").lower()
    rule = portal.faults.hit("download", BEFORE | AROUND)
    if rule and rule.kind in {"refused", "lost_answer"}:
        return _hang_up()
    if not secrets.compare_digest(expected.encode(), given.encode()):
        return _json({"error": "NO_AUTH_FOUND", "error_description": "Wrong authorization data"}, 401, {})
    if not agent or agent.startswith(TECHNICAL):
        return Response("<html><body>Access denied</body></html>", 403, content_type="text/html")
    if held is None or "sha" not in held:
        return _json({"error": "ERROR_NOT_FOUND", "error_description": "Not found"}, 404, {})
    answer = send_file(portal, held)
    return _spoil(rule, answer) if rule else answer


def send_file(portal: Portal, held: Doc) -> Response:
    """Send a kept file under its own name."""
    with portal.lock:
        data = portal.store.blob(held["sha"])
    answer = Response(data, 200, content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = f"attachment; filename*=utf-8''{quote(held['name'], safe='')}"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
