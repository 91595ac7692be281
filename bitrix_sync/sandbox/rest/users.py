"""Who calls, who works here, what the webhook may do, what time it is."""

from __future__ import annotations

from typing import Any

from bitrix_sync.sandbox.envelope import Refusal, Reply
from bitrix_sync.sandbox.index import Getter
from bitrix_sync.sandbox.params import as_list, integer, yes
from bitrix_sync.sandbox.rest import filters
from bitrix_sync.sandbox.rest.registry import METHODS, Call, method, page
from bitrix_sync.sandbox.store import Doc


@method("profile", "basic")
def profile(call: Call) -> Reply:
    """Describe the webhook owner; works with any scope."""
    user = call.user
    return Reply(
        {
            "ID": str(user["id"]),
            "ADMIN": call.admin,
            "NAME": user["name"],
            "LAST_NAME": user["lastName"],
            "PERSONAL_GENDER": "",
            "TIME_ZONE": "",
        }
    )


@method("user.current", "user")
def current(call: Call) -> Reply:
    """Describe the webhook owner as a user."""
    return Reply(_shown(call, call.user))


@method("user.admin", "basic")
def admin(call: Call) -> Reply:
    """Tell whether the webhook owner is an administrator."""
    return Reply(call.admin)


@method("user.get", "user", empty=list)
def users(call: Call) -> Reply:
    """List users by filter, dismissed ones too unless ACTIVE says otherwise."""
    wanted: dict[str, Any] = {}
    for name in ("FILTER", "filter"):
        if isinstance(call.params.get(name), dict):
            wanted = {str(key): value for key, value in call.params[name].items()}
    for name in ("ID", "ACTIVE", "NAME", "LAST_NAME", "EMAIL"):
        if name in call.params:
            wanted[name] = call.params[name]
    rows = filters.matching(call.store, "user", wanted, _resolve, strict=False)
    if str(call.params.get("order", "ASC")).upper() == "DESC":
        rows.reverse()
    cut, total, following = page(rows, call.params)
    return Reply([_shown(call, doc) for doc in cut], total, following)


def _resolve(name: str) -> tuple[Getter, filters.Cast] | None:
    keys = {"NAME": "name", "LAST_NAME": "lastName", "EMAIL": "email"}
    if name == "ID":
        return (lambda doc: doc["id"]), integer
    if name == "ACTIVE":
        return (lambda doc: bool(doc["active"])), yes
    if name in keys:
        return (lambda doc: doc.get(keys[name], "")), str
    return None


def _shown(call: Call, doc: Doc) -> dict[str, Any]:
    return {
        "ID": str(doc["id"]),
        "ACTIVE": bool(doc["active"]),
        "NAME": doc["name"],
        "LAST_NAME": doc["lastName"],
        "SECOND_NAME": "",
        "EMAIL": doc.get("email", ""),
        "LAST_LOGIN": "",
        "DATE_REGISTER": call.show(doc["since"]),
        "TIME_ZONE": "",
        "IS_ONLINE": "N",
        "TIMESTAMP_X": {},
        "LAST_ACTIVITY_DATE": {},
        "PERSONAL_GENDER": "",
        "PERSONAL_BIRTHDAY": "",
        "WORK_POSITION": doc.get("position", ""),
        "UF_EMPLOYMENT_DATE": "",
        "UF_DEPARTMENT": [1],
        "USER_TYPE": "employee",
    }


@method("scope", "basic")
def scope(call: Call) -> Reply:
    """List what the webhook may use."""
    return Reply(call.portal.scopes_of(call.user_id))


@method("methods", "basic")
def methods(call: Call) -> Reply:
    """List the methods that the webhook may call."""
    allowed = {*call.portal.scopes_of(call.user_id), "basic"}
    return Reply(sorted(item.name for item in METHODS.values() if item.scope in allowed))


@method("method.get", "basic")
def method_get(call: Call) -> Reply:
    """Tell whether a method exists and may be called."""
    known = METHODS.get(str(call.params.get("name", "")).lower())
    allowed = {*call.portal.scopes_of(call.user_id), "basic"}
    return Reply({"isExisting": known is not None, "isAvailable": known is not None and known.scope in allowed})


@method("server.time", "basic")
def server_time(call: Call) -> Reply:
    """Tell the time with the portal's offset."""
    return Reply(call.show(call.now()))


@method("app.info", "basic")
def app_info(_call: Call) -> Reply:
    """Refuse: only an application has a description."""
    raise Refusal("ACCESS_DENIED", "Access denied! Application context required", 403)


@method("feature.get", "basic")
def feature(call: Call) -> Reply:
    """Tell whether the plan includes a feature; none that needs an application."""
    if not as_list(call.params.get("CODE")):
        raise Refusal("100", "Could not find value for parameter {CODE}")
    return Reply({"value": "N"})


def _application_only(_call: Call) -> Reply:
    raise Refusal("WRONG_AUTH_TYPE", "Application context required", 403)


for _name in (
    "event.bind",
    "event.get",
    "event.unbind",
    "event.offline.get",
    "event.offline.clear",
    "bizproc.robot.add",
    "bizproc.activity.add",
    "bizproc.workflow.template.add",
    "crm.activity.configurable.add",
    "placement.bind",
):
    method(_name, "basic")(_application_only)
