"""`bitrix setup`: fit the portal to the route, and say what only a person can set there by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.errors import CommandError
from app.paths import BPMN
from app.wiring import ROUTE, Parts
from bitrix_sync.checklist import checklist
from bitrix_sync.client import PortalClient
from bitrix_sync.php import as_map
from bitrix_sync.provision import Fitted, fit
from bitrix_sync.read_schema import TITLE
from diagram.stages import read_route
from engine.deploy import folder_files
from engine.errors import EngineError
from orders.stage import Route


def portal_of(parts: Parts) -> PortalClient:
    """Return the portal's client. Raises CommandError where no portal is set."""
    if parts.portal is None:
        raise CommandError("Портал не задан: укажите ORDER_ROUTE_BITRIX_WEBHOOK_URL", 2)
    return parts.portal


def portal_route(parts: Parts) -> tuple[Route, bool]:
    """Return the deployed route, or that of the files where the engine has none yet; True if deployed."""
    try:
        return parts.newest_route(), True
    except (EngineError, CommandError):
        routes = [read_route(file.read_bytes()) for file in folder_files(BPMN) if file.suffix == ".bpmn"]
        return next(route for route in routes if route.process_id == ROUTE), False


def set_up_portal(parts: Parts, *, dry_run: bool) -> tuple[Fitted, bool]:
    """Make the portal fit, or only say what would be made; True if by the deployed route."""
    route, deployed = portal_route(parts)
    number = parts.settings.bitrix_entity_type_id
    return fit(portal_of(parts), route, entity_type_id=number, dry_run=dry_run), deployed


def owner_name(profile: Mapping[str, Any]) -> str:
    """Return how people call the webhook's owner; empty where the portal does not say."""
    return f"{profile.get('NAME', '')} {profile.get('LAST_NAME', '')}".strip()


def by_hand(parts: Parts, fitted: Fitted) -> list[str]:
    """Return what REST cannot set, one point each, for exactly this portal and these people."""
    portal = portal_of(parts)
    owner = as_map(portal.call("profile").result)
    name = owner_name(owner) or f"пользователь {portal.user_id}"
    return checklist(portal.origin, fitted.entity_type_id, TITLE, parts.staff, name, parts.settings.public_url)
