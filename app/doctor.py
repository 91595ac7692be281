"""Look the whole shop over, one line a matter, each with its remedy. Nothing is changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from app.wiring import ROUTE, Parts
from engine.errors import NotFound

State = Literal["ok", "warning", "fault"]
_GUARANTEES = {
    "authorization": "права",
    "fullHistory": "полная история",
    "gates": "проверки шагов",
    "historyCleanup": "ночная очистка истории",
    "jobRetries": "повторы заданий каждые 5 минут",
    "ownSchemas": "запрет чужих схем XML",
}
_LOW_DISK = 1 << 30  # bytes


@dataclass(frozen=True, slots=True)
class Line:
    """One matter: its state, what it is, and what was seen or is to be done, in Russian."""

    state: State
    what: str
    says: str


def examine(parts: Parts) -> list[Line]:
    """Return one or more lines per matter; a matter that cannot be examined is a fault, never a traceback."""
    lines: list[Line] = []
    for what, look in _MATTERS:
        try:
            lines += [Line(state, what, says) for state, says in look(parts)]
        except Exception as error:  # a command error of any part: said, not thrown
            lines.append(Line("fault", what, str(error)))
    return lines


def _files(p: Parts) -> Iterator[tuple[State, str]]:
    yield "ok", f"{len(p.staff.persons)} сотрудников"
    missing = [person.name for person in p.staff.persons if person.bitrix_id is None]
    if missing and p.settings.bitrix_webhook_url is not None:
        yield "warning", f"без номера Битрикс24: {', '.join(missing)}"


def _calendar(p: Parts) -> Iterator[tuple[State, str]]:
    year = p.calendar.today(datetime.now(UTC)).year
    if p.calendar.approved(year):
        yield "ok", f"{year} год утверждён"
    else:
        yield "warning", f"календарь {year} года не утверждён: переносы дней впишите в файл календаря"


def _disk(p: Parts) -> Iterator[tuple[State, str]]:
    folder = p.settings.data_dir if p.settings.data_dir.exists() else p.settings.data_dir.absolute().parent
    free = shutil.disk_usage(folder).free
    state: State = "ok" if free > _LOW_DISK else "warning"
    yield state, f"свободно {free >> 20} МБ"
    size = sum(f.stat().st_size for f in folder.glob("*.mv.db"))
    if size:
        yield "ok", f"база движка {size >> 20} МБ"


def _ledger(p: Parts) -> Iterator[tuple[State, str]]:
    p.ledger.now()
    yield "ok", "журнал эффектов открывается"


def _engine(p: Parts) -> Iterator[tuple[State, str]]:
    yield "ok", f"Operaton {p.integration.version()} отвечает"
    definition = p.integration.processes.newest(ROUTE)
    yield "ok", f"маршрут опубликован, версия {definition.version}, шагов {len(p.route(definition.id).stages)}"
    open_incidents = p.integration.processes.incidents()
    if open_incidents:
        yield "fault", f"остановилось со сбоем: {len(open_incidents)}, смотрите order-route incidents"
    yield from _guarantees(p)


def _guarantees(p: Parts) -> Iterator[tuple[State, str]]:
    """Tell whether the engine is our server: a stock one has no gates, filters and Russian refusals."""
    try:
        answer = p.integration.caller.rest("GET", "/order/guarantees").json()
    except NotFound:
        yield "fault", "это не сервер Order Route: нет проверок шагов, нумерации и прав учётных записей"
        return
    missing = [_GUARANTEES.get(name, name) for name, there in answer.items() if not there]
    yield ("fault", f"выключено: {', '.join(missing)}") if missing else ("ok", "проверки и права сервера на месте")


def _portal(p: Parts) -> Iterator[tuple[State, str]]:
    if p.portal is None:
        yield "warning", "портал не задан: работа идёт только в Tasklist (ORDER_ROUTE_BITRIX_WEBHOOK_URL)"
        return
    p.portal.call("user.current")
    yield "ok", f"портал {p.portal.portal} отвечает"


_MATTERS: tuple[tuple[str, Callable[[Parts], Iterator[tuple[State, str]]]], ...] = (
    ("Сотрудники", _files),
    ("Календарь", _calendar),
    ("Диск", _disk),
    ("Журнал эффектов", _ledger),
    ("Движок", _engine),
    ("Портал", _portal),
)
