"""Did everything end as planned? Each fault is one Russian line that names the order."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from app.demo.carry import Carried
from app.demo.plan import Story
from app.demo.shop import DemoShop
from orders.snapshot import OrderSnapshot

SETTLE_SECONDS = 30.0  # the last sweep may still be on its way
FOREIGN_SETTLE_SECONDS = 3600.0  # two requests a second


def verdict(shop: DemoShop, orders: list[Carried]) -> list[str]:
    """Return everything that is not as it must be; an empty list is the demo's success."""
    faults = [f"программа «{name}» остановилась сама:\n{shop.log_tail(name)}" for name in shop.dead()]
    faults += [f"{o.key or o.plan.story.words}: {o.fault}" for o in orders if o.fault]
    snapshots = {o.instance_id: shop.parts.orders.snapshot(o.instance_id) for o in orders if o.instance_id}
    for order in orders:
        if order.instance_id and not order.fault:
            faults += _story(order, snapshots[order.instance_id])
    faults += [f"сбой в движке: {i.activity_id}: {i.message}" for i in shop.parts.integration.processes.incidents()]
    faults += _cards(shop, [o for o in orders if o.instance_id])
    return faults


def _story(order: Carried, found: OrderSnapshot) -> Iterator[str]:
    plan, key = order.plan, order.key
    if found.end_id != plan.story.end:
        yield f"{key}: дошёл до {found.end_id or 'ниоткуда'}, а должен был до {plan.story.end}"
    flags = json.loads(str(found.variables.get("lateFlags") or "[]"))
    if len(flags) != (1 if plan.story is Story.LATE else 0):
        yield f"{key}: отметок об опоздании {len(flags)}"
    visits = {code: order.visits[code] for code in ("fix", "design", "approve")}
    expected = {
        "fix": 1 if plan.story is Story.FORGED_REQUEST else 0,
        "design": {Story.FORGED_DESIGN: 2, Story.RETURNED: 2, Story.REFUSED: 0}.get(plan.story, 1),
        "approve": 1,
    }
    for code, wanted in expected.items():
        if visits[code] != wanted:
            yield f"{key}: шаг «{code}» пройден {visits[code]} раз вместо {wanted}"


def _cards(shop: DemoShop, orders: list[Carried]) -> list[str]:
    """Compare every card with the engine, files byte for byte; give the last sweep a moment to come by."""
    deadline = time.monotonic() + (SETTLE_SECONDS if shop.foreign is None else FOREIGN_SETTLE_SECONDS)
    while True:
        found = [str(d) for o in orders for d in shop.parts.cards().differences(o.instance_id, deep=True)]
        found += _count(shop, len(orders))
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(1.0)


def _count(shop: DemoShop, orders: int) -> Iterator[str]:
    cards = shop.parts.cards().cards()
    if len(cards) != orders:
        yield f"карточек {len(cards)}, а заказов {orders}"
