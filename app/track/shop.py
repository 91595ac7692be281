"""The customer's page of this shop: orders by their link, and the links themselves."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from flask import Flask

from app.track.page import add_track
from app.wiring import ROUTE, Parts
from engine.rest import path_id
from orders.snapshot import OrderSnapshot
from orders.tracking import Language, Track, track

VARIABLE = "trackToken"


def open_track(site: Flask, parts: Parts) -> None:
    """Open the page on the public site."""

    def tell(order: OrderSnapshot, language: Language) -> Track:
        return track(order, parts.route(order.definition_id), parts.calendar, datetime.now(UTC), language)

    add_track(site, lambda token: by_token(parts, token), tell, lambda at: at.astimezone(parts.settings.zone))


def by_token(parts: Parts, token: str) -> OrderSnapshot | None:
    """Return the order whose link it is, running or ended; None for none. Raises EngineError."""
    sought = [{"name": VARIABLE, "operator": "eq", "value": token}]
    found = parts.integration.history.find(processDefinitionKey=ROUTE, variables=sought)
    snapshots = list(parts.orders.snapshots([i.id for i in found]))
    return next((s for s in snapshots if s.variables.get(VARIABLE) == token), None)


def link(parts: Parts, order: OrderSnapshot) -> str | None:
    """Return the customer's link; without `PUBLIC_URL` only its path. None for an order that has none."""
    token = order.variables.get(VARIABLE)
    return f"{parts.settings.public_url or ''}/track/{token}" if token else None


def renew(parts: Parts, order: OrderSnapshot) -> OrderSnapshot:
    """End a link: a running order gets a new one, of an ended order it is taken out of history for good."""
    if order.running:
        parts.orders.set_variables(order.instance_id, {VARIABLE: secrets.token_urlsafe(24)})
    else:
        one = {"processInstanceId": order.instance_id, "variableName": VARIABLE}
        for found in list(parts.integration.history.variables(**one)):
            parts.admin.caller.rest("DELETE", f"/history/variable-instance/{path_id(found.id)}")
    return parts.orders.snapshot(order.instance_id)
