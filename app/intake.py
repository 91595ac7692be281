"""New orders from files: start them once each, as the person who brings them."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import CommandError
from app.request_sheet import MIME, request_sheet
from app.wiring import ROUTE, Parts
from engine.client import EngineClient
from engine.errors import EngineDown, GateRefused
from engine.variables import FileValue
from orders.intake import Change, Intake, NewOrder, changes
from orders.persons import CREATORS, Staff


@dataclass
class Imported:
    """What an import did; lines in Russian, in the order of the file."""

    started: list[str] = field(default_factory=list)  # business keys
    known: list[str] = field(default_factory=list)
    changed: list[tuple[NewOrder, tuple[Change, ...]]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def start_order(parts: Parts, order: NewOrder, folder: Path, initiator: str) -> tuple[str, bool]:
    """Start one order as `initiator`; return its number and whether it was started now.

    An order with a known key is not started again. Raises GateRefused, or CommandError for a missing file.
    """
    if order.key and parts.orders.instances_of(order.key):
        return order.key, False
    values: dict[str, object] = {**order.values, "orderFile": _file(order, folder)}
    person = parts.integration.as_person(initiator)
    try:
        made = person.processes.start(ROUTE, values, business_key=order.key or None)
    except EngineDown as error:
        # The start may have arrived; with a key that can be looked up, without one a person has to look.
        if order.key and error.maybe_done and parts.orders.instances_of(order.key):
            return order.key, True
        raise
    return made.business_key or _key_of(parts.integration, made.id), True


def import_orders(parts: Parts, intake: Intake, folder: Path, initiator: str, tell: Callable[[str], None]) -> Imported:
    """Start every order of a table once; report a changed row of a known order, apply nothing to it."""
    done = Imported(refused=[str(p) for p in intake.problems])
    for order in intake.orders:
        known = parts.orders.instances_of(order.key) if order.key else []
        if known:
            found = changes(order, parts.orders.snapshot(known[0]).variables)
            if found:
                done.changed.append((order, found))
            else:
                done.known.append(order.key)
            continue
        try:
            key, _ = start_order(parts, order, folder, initiator)
        except (GateRefused, CommandError) as error:
            done.refused.append(f"строка {order.line}: {error}")
            continue
        done.started.append(key)
        tell(key)
    return done


def importer(staff: Staff, chosen: str | None) -> str:
    """Return the person who brings the orders: the one named, else the head of those who may, else the first.

    Raises CommandError for a person who may not create orders.
    """
    creators = staff.members(CREATORS)
    if chosen is not None:
        if chosen not in {p.id for p in creators}:
            raise CommandError(f"«{chosen}» не может заводить заказы: в группе {CREATORS} такого сотрудника нет", 2)
        return chosen
    head = staff.head(CREATORS)
    if head is not None and head in creators:
        return head.id
    if not creators:
        raise CommandError(f"В группе {CREATORS} никого нет: впишите сотрудника в файл сотрудников")
    return creators[0].id


def _file(order: NewOrder, folder: Path) -> FileValue:
    if order.order_file is None:
        return FileValue(f"Заявка {_safe(order.key)}.xlsx", request_sheet(order.sheet()), MIME)
    path = folder / order.order_file
    try:
        data = path.read_bytes()
    except OSError:
        raise CommandError(f"файл заявки {path} не читается: проверьте путь в orderFile") from None
    return FileValue(path.name, data, mimetypes.guess_type(path.name)[0] or "application/octet-stream")


def _safe(key: str) -> str:
    """Return the key as part of a file name."""
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in key) or "новая"


def _key_of(client: EngineClient, instance_id: str) -> str:
    return client.history.instance(instance_id).business_key
