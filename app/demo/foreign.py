"""A portal of one's own for the demo: a smart process, a folder and people of its own, nothing else is touched."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.errors import CommandError
from app.paths import BPMN
from bitrix_sync.client import Command, PortalClient, rows_of
from bitrix_sync.notes import user_commands
from bitrix_sync.php import as_map
from bitrix_sync.provision import fit
from bitrix_sync.read_schema import DEMO, TITLE
from bitrix_sync.retry import Kind
from diagram.stages import read_route
from engine.deploy import folder_files
from engine.rights import ROUTE
from ledger import Ledger
from orders.staff import read_staff
from orders.stage import Route

DEMO_TITLE = f"{TITLE}{DEMO}"
_TABLE = "[[person]]"


@dataclass(frozen=True, slots=True)
class ForeignPortal:
    """A portal that is not ours: its webhook, the number of the demo's smart process, its board, and the staff file."""

    webhook: str
    entity_type_id: int
    board: str
    staff_file: Path


def prepare(
    webhook: str, staff_file: Path, folder: Path, tell: Callable[[str], None], *, rate: float, burst: float
) -> ForeignPortal:
    """Make the demo's own smart process, empty it of an earlier demo, and address people whom the portal lacks.

    Writes a staff file and a ledger into `folder`. Raises OrderRouteError where the portal does not answer or allow it.
    """
    ledger = Ledger(f"sqlite:///{folder / 'portal-setup.db'}")
    try:
        client = PortalClient(SecretStr(webhook), ledger, rate=rate, burst=burst)
        tell(f"Портал {client.portal}: готовится смарт-процесс «{DEMO_TITLE}», остальное не меняется…")
        entity = fit(client, the_route(), title=DEMO_TITLE).entity_type_id
        if entity is None:
            raise CommandError("смарт-процесс показа не заведён: портал не назвал его номера")
        if gone := clear(client, entity):
            tell(f"Убраны карточки прошлого показа: {gone}.")
        staff = folder / "staff.toml"
        staff.write_text(addressed(client, staff_file.read_text(encoding="utf-8"), tell), encoding="utf-8")
        return ForeignPortal(webhook, entity, f"{client.origin}/crm/type/{entity}/", staff)
    finally:
        ledger.close()


def the_route() -> Route:
    """Return the route of the project's own diagram."""
    routes = (read_route(file.read_bytes()) for file in folder_files(BPMN) if file.suffix == ".bpmn")
    return next(route for route in routes if route.process_id == ROUTE)


def clear(client: PortalClient, entity: int) -> int:
    """Delete the cards that an earlier demo made, with the tasks bound to them; return how many cards.

    The engine of each demo numbers its orders anew: an old card would be taken for the new order's.
    """
    query = {"entityTypeId": entity, "select": ["id", "xmlId", "createdBy"]}
    rows = client.items("crm.item.list", query, path=("items",))
    mine = [int(row["id"]) for row in rows if str(row.get("createdBy")) == str(client.user_id)]
    for card in mine:
        bound = {"filter": {"UF_CRM_TASK": f"T{entity:x}_{card}"}, "select": ["ID"]}
        tasks = [str(row["id"]) for row in rows_of(client.call("tasks.task.list", bound), "tasks")]
        away: dict[str, Command] = {f"t{number}": ("tasks.task.delete", {"taskId": number}) for number in tasks}
        away["card"] = ("crm.item.delete", {"entityTypeId": entity, "id": card})
        client.batch(away, kind=Kind.WRITE)
    return len(mine)


def addressed(client: PortalClient, text: str, tell: Callable[[str], None]) -> str:
    """Return the staff file with the webhook's owner in place of everybody whom the portal does not know by name."""
    staff = read_staff(text)
    numbers = [p.bitrix_id for p in staff.persons if p.bitrix_id is not None]
    answers = client.batch(user_commands(numbers))
    known = {int(row["ID"]): row for name in answers.names() for row in answers.rows(name)}
    strangers = [p for p in staff.persons if not _same(p.name, known.get(p.bitrix_id or 0))]
    if not strangers:
        return text
    tell(
        f"Портал не знает сотрудников: {', '.join(p.name for p in strangers)}. Их задачи и уведомления получает "
        "владелец вебхука."
    )
    lost = {p.id for p in strangers}
    tables = tomllib.loads(text)["person"]
    head, *parts = text.split(_TABLE)
    owner = client.user_id
    for place, table in enumerate(tables):
        if table["id"] in lost:
            kept = [line for line in parts[place].splitlines() if line.partition("=")[0].strip() != "bitrix"]
            parts[place] = "\n".join([kept[0], f"bitrix = {owner}", *kept[1:], ""])
    return f"sharedBitrix = {owner}\n{head}{_TABLE}{_TABLE.join(parts)}"


def _same(name: str, row: Mapping[str, Any] | None) -> bool:
    """Tell whether a working user of the portal is that person: a number alone may be somebody else's there."""
    if row is None or as_map(row).get("ACTIVE") not in (True, "Y", "true", 1):
        return False
    theirs = f"{row.get('NAME') or ''} {row.get('LAST_NAME') or ''}"
    return sorted(theirs.casefold().split()) == sorted(name.casefold().split())
