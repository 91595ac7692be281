"""Erase a customer's personal data: portal, ledger, logs, then the engine, which is what all else is found by.

Every step may be repeated: an erasure that was interrupted is simply asked for again. Steps, their times and who did
them stay in the engine for the auditor. The act names orders and places, never the customer.
"""

from __future__ import annotations

import contextlib
import getpass
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.backup.make import LAST
from app.errors import CommandError
from app.traces import cover, needles
from app.wiring import ROUTE, Parts
from bitrix_sync.leases import lease_name
from engine.history import PastInstance
from engine.variables import FileValue
from orders.stage import FieldKind
from reports.store import FILE as HISTORY
from reports.store import forget

JOURNAL = "erasures.jsonl"
ACTS = "acts"
_LEASE_SECONDS = 600.0
_ENGINE_WORDS = {
    "variables": "значений и файлов",
    "updates": "записей о значениях",
    "comments": "комментариев и вложений",
    "errors": "текстов ошибок",
    "operations": "значений в журнале действий",
}


@dataclass(slots=True)
class Order:
    """One order of the customer: all instances with its key, and the support processes that speak of it."""

    key: str
    instances: list[PastInstance]
    support: list[PastInstance] = field(default_factory=list)

    @property
    def running(self) -> bool:
        """Tell whether anything of it still runs."""
        return any(each.ended is None for each in (*self.instances, *self.support))


def find_orders(p: Parts, wanted: str) -> list[Order]:
    """Return the orders of a customer: by number, else by name or contact exactly as they stand in an order."""
    text = wanted.strip()
    found = _past(p, processInstanceBusinessKey=text, processDefinitionKey=ROUTE)
    for name in ("customerName", "customerContact") if not found else ():
        found += _past(p, processDefinitionKey=ROUTE, variables=[_equals(name, text)])
    keys = list(dict.fromkeys(each.business_key for each in found))
    return [_order(p, key) for key in keys]


def _order(p: Parts, key: str) -> Order:
    instances = _past(p, processInstanceBusinessKey=key, processDefinitionKey=ROUTE)
    support = {
        each.id: each
        for name, value in (("orderKey", key), *(("orderInstanceId", i.id) for i in instances))
        for each in _past(p, variables=[_equals(name, value)])
        if each.definition_key != ROUTE
    }
    return Order(key, instances, list(support.values()))


def refuse_running(orders: Iterable[Order]) -> None:
    """Raise CommandError that names the orders which still run."""
    running = [order.key for order in orders if order.running]
    if running:
        raise CommandError(
            f"Ещё идут заказы этого заказчика: {', '.join(running)}. Закончите или отмените их и повторите"
        )


def erase(p: Parts, orders: list[Order]) -> list[str]:
    """Erase and return the act, line by line; it is kept in the data folder, and the journal gets a line."""
    refuse_running(orders)
    began = datetime.now(UTC)
    lines: list[str] = []
    for order in orders:
        lines += [f"Заказ {order.key}", *(f"  {line}" for line in _one(p, order))]
    if forget(p.settings.data_dir / HISTORY):  # a copy of the engine, which no longer knows the customer
        lines.append("Хранилище отчётов: удалено, соберётся заново из движка")
    act = [*_head(p, orders, began), *lines, *_foot(p)]
    _keep(p, orders, act, began)
    return act


def _one(p: Parts, order: Order) -> list[str]:
    leases = []
    try:
        for each in order.instances:
            lease = p.ledger.lease(lease_name(each.id), _LEASE_SECONDS)
            if lease is None:
                raise CommandError(f"Заказом {order.key} занят другой процесс: повторите через минуту")
            leases.append(lease)
        return list(_places(p, order))
    finally:
        for lease in leases:
            lease.release()


def _places(p: Parts, order: Order) -> Iterable[str]:
    instances = [*order.instances, *order.support]
    wanted = needles(value for each in instances for value in _personal(p, each.id))
    if p.portal is not None:
        yield "Битрикс24: " + _counted(p.cards().erase(order.key))
    else:
        yield "Битрикс24: не настроен"
    yield f"Журнал эффектов: записей {p.ledger.forget_order(order.key)}"
    files = cover(p.settings.data_dir, wanted)
    yield "Журналы программ: " + (", ".join(f"{name} ({n})" for name, n in files.items()) or "ничего не найдено")
    removed: dict[str, int] = {}
    for each in instances:
        answer = p.admin.caller.rest("POST", f"/order/{each.id}/erase", body={}, once=True).json()
        for name, word in _ENGINE_WORDS.items():
            removed[word] = removed.get(word, 0) + int(answer.get(name, 0))
    yield "Движок: " + _counted(removed)


def _personal(p: Parts, instance_id: str) -> Iterable[str]:
    """Return what people wrote about the customer, also what was replaced since: texts, lines, names of files."""
    found = p.integration.history.instance(instance_id)
    names = {"customerName", "customerContact", "cancelReason", "moveReason", "correctReason", "complaintText"}
    if found.definition_key == ROUTE:
        route = p.route(found.definition_id)
        fields = (*route.start_fields, *(f for stage in route.stages for f in stage.fields))
        names |= {f.name for f in fields if f.kind in (FieldKind.LINE, FieldKind.TEXT)}
    for update in p.integration.history.updates(processInstanceId=instance_id):
        if isinstance(update.value, FileValue):
            yield update.value.name
        elif update.name in names and isinstance(update.value, str):
            yield update.value


def _head(p: Parts, orders: list[Order], at: datetime) -> list[str]:
    local = at.astimezone(p.settings.zone)
    return [
        "Акт об уничтожении персональных данных заказчика",
        f"Когда: {local:%d.%m.%Y %H:%M:%S %z}",
        f"Кто: {getpass.getuser()}, администратор движка {p.settings.admin_user}",
        f"Чем: order-route erase, движок {p.prove_engine().id}",
        f"Заказов: {len(orders)}",
        "",
    ]


def _foot(p: Parts) -> list[str]:
    lines = [
        "",
        "Осталось: номер заказа, шаги, их время и кто их выполнил.",
        "Файл базы H2 перепишется без удалённого при следующем запуске движка: перезапустите order-route up.",
        "Портал сам сутки помнит свои ответы, а его корзина хранит удалённое, пока её не очистят.",
        "Уведомления портала о задачах остаются у сотрудников: в них номер и изделие.",
    ]
    copies = [str(path.name) for path in sorted(p.settings.data_dir.glob("before-*"))]
    with contextlib.suppress(OSError, ValueError, KeyError):
        copies.append(json.loads((p.settings.data_dir / LAST).read_text(encoding="utf-8"))["file"])
    if copies:
        lines.append(f"В резервных копиях данные остаются, удалите их в срок: {', '.join(copies)}")
    return lines


def _keep(p: Parts, orders: list[Order], act: list[str], at: datetime) -> None:
    folder = p.settings.data_dir / ACTS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"erase-{at:%Y%m%d-%H%M%S-%f}.txt"
    act.append(f"Акт: {file}")
    file.write_text("\n".join(act) + "\n", encoding="utf-8")
    line = {"at": at.isoformat(), "by": getpass.getuser(), "orders": [o.key for o in orders], "act": file.name}
    with (p.settings.data_dir / JOURNAL).open("a", encoding="utf-8") as journal:
        journal.write(json.dumps(line, ensure_ascii=False) + "\n")


def _past(p: Parts, **query: object) -> list[PastInstance]:
    return p.integration.history.find(**query)


def _equals(name: str, value: str) -> dict[str, str]:
    return {"name": name, "operator": "eq", "value": value}


def _counted(found: dict[str, int]) -> str:
    return ", ".join(f"{what} {count}" for what, count in found.items() if count) or "ничего не найдено"
