"""Look the whole shop over, one line a matter, each with its remedy.

Nothing is changed but the note of sizes that the next look compares with.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from app.backup.make import LAST
from app.errors import CommandError
from app.growth import since_last_look
from app.monthly import targets_of
from app.paths import find
from app.wiring import ROUTE, Parts
from bitrix_sync.sweep import sweeps_per_round
from engine.about import About, about
from engine.errors import EngineError, NotFound

State = Literal["ok", "warning", "fault"]
_GUARANTEES = {
    "authorization": "права",
    "fullHistory": "полная история",
    "gates": "проверки шагов",
    "historyCleanup": "ночная очистка истории",
    "jobRetries": "повторы заданий каждые 5 минут",
    "ownSchemas": "запрет чужих схем XML",
}
_LOW_DISK, _NO_DISK = 1 << 30, 256 << 20  # bytes; below the second the engine does not start
_SOON_DAYS = 30.0
_CLOCK_SECONDS, _CLOCK_FAULT = 2.0, 30.0  # the second is a lock's length: steps would be done twice
_BACKUP_DAYS = 2.0
_LEDGER_LARGE = 1 << 30  # bytes


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
    yield "ok", f"{len(p.staff.persons)} сотрудников, файл {find(p.settings.staff_file)}"
    missing = [person.name for person in p.staff.persons if person.bitrix_id is None]
    if missing and p.settings.bitrix_webhook_url is not None:
        yield "warning", f"без номера Битрикс24: {', '.join(missing)}"


def _calendar(p: Parts) -> Iterator[tuple[State, str]]:
    year = p.calendar.today(datetime.now(UTC)).year
    if p.calendar.approved(year):
        yield "ok", f"{year} год утверждён, файл {find(p.settings.calendar_file)}"
    else:
        yield "warning", f"календарь {year} года не утверждён: переносы дней впишите в файл календаря"


def _goals(p: Parts) -> Iterator[tuple[State, str]]:
    named = targets_of(p.settings).alerts_to
    if unknown := [id_ for id_ in named if p.staff.find(id_) is None]:
        yield "warning", f"alerts_to: {', '.join(unknown)} нет в файле сотрудников, впишите id оттуда"
    told = [p.staff.name(id_) for id_ in named if id_ not in unknown] or ["директора"]
    yield "ok", f"о том, что требует внимания, узнают: {', '.join(told)}"


def _disk(p: Parts) -> Iterator[tuple[State, str]]:
    folder = p.settings.data_dir if p.settings.data_dir.exists() else p.settings.data_dir.absolute().parent
    free = shutil.disk_usage(folder).free
    if free < _NO_DISK:
        yield "fault", f"свободно {free >> 20} МБ: движок не запустится, освободите место"
    elif free < _LOW_DISK:
        yield "warning", f"свободно {free >> 20} МБ: освободите место"
    else:
        yield "ok", f"свободно {free >> 20} МБ"
    sizes = _sizes(p)
    growth = since_last_look(folder, sizes)
    for name, size in sizes.items():
        grown = growth.get(name)
        said = f"{name} {size / (1 << 20):.1f} МБ"
        if grown is not None:
            said += f", с прошлого раза ({grown.days:.1f} дн.) {grown.size / (1 << 20):+.1f} МБ"
        left = grown.days_left(free) if grown else None
        if left is not None and left < _SOON_DAYS:
            yield "warning", f"{said}: при таком росте места хватит на {left:.0f} дн., освободите его или добавьте диск"
        else:
            yield "ok", said


def _sizes(p: Parts) -> dict[str, int]:
    """Return the sizes of the databases; that of an engine that does not answer by its file."""
    file = p.settings.data_dir / "engine.mv.db"
    size = file.stat().st_size if file.is_file() else None
    with contextlib.suppress(EngineError, CommandError):
        size = about(p.integration).database_bytes or size
    return {name: n for name, n in (("база движка", size), ("журнал эффектов", _ledger_bytes(p))) if n}


def _ledger_bytes(p: Parts) -> int:
    """Return the size of the ledger's files, 0 where it is in PostgreSQL."""
    return sum(each.stat().st_size for each in p.settings.data_dir.glob("ledger.db*"))


def _ledger(p: Parts) -> Iterator[tuple[State, str]]:
    p.ledger.now()
    owner = p.ledger.belongs_to()
    with contextlib.suppress(EngineError, CommandError):
        engine = about(p.integration).id
        if owner is not None and engine is not None and owner != engine:
            yield (
                "fault",
                f"журнал другого движка ({owner}, а отвечает {engine}): верните прежний ORDER_ROUTE_LEDGER_URL",
            )
            return
    size = _ledger_bytes(p)
    if size > _LEDGER_LARGE:
        yield "warning", f"журнал эффектов {size >> 20} МБ: остановите программы и перенесите его в PostgreSQL"
    else:
        yield "ok", f"журнал эффектов открывается, заказов в нём {len(p.ledger.claimed())}"


def _backup(p: Parts) -> Iterator[tuple[State, str]]:
    remedy = "сделайте: order-route backup --out ФАЙЛ"
    try:
        last = json.loads((p.settings.data_dir / LAST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        yield "warning", f"резервной копии ещё не было, {remedy}"
        return
    days = (datetime.now(UTC) - datetime.fromisoformat(last["at"])).total_seconds() / 86400
    if not Path(last["file"]).is_file():
        yield "warning", f"последней копии {last['file']} нет на месте: проверьте, где она, или {remedy}"
    elif days > _BACKUP_DAYS:
        yield "warning", f"последней копии {days:.0f} дн., {remedy}"
    else:
        yield "ok", f"последней копии {days * 24:.0f} ч"


def _address(url: str) -> Iterator[tuple[State, str]]:
    """Tell of an engine below a path: its pages name theirs from the host's root."""
    path = urlsplit(url).path.strip("/")
    if path != "engine-rest":
        remedy = "дайте ему в прокси своё имя хоста: иначе Tasklist и Cockpit не откроются"
        yield "warning", f"движок под путём /{path}: {remedy}"


def _engine(p: Parts) -> Iterator[tuple[State, str]]:
    yield from _address(p.engine_url)
    told = about(p.integration)
    java = f", Java {told.java.partition('+')[0]}" if told.java else ""
    base = f", база {told.database} {(told.database_version or '').partition(' ')[0]}" if told.database else ""
    yield "ok", f"Operaton {told.version} отвечает{java}{base}"
    yield from _clock(told)
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


def _clock(told: About) -> Iterator[tuple[State, str]]:
    if told.ahead is not None:
        apart = abs(told.ahead)
        state: State = "ok" if apart <= _CLOCK_SECONDS else "warning" if apart <= _CLOCK_FAULT else "fault"
        remedy = "" if state == "ok" else ": включите сверку времени (chrony) на обоих компьютерах"
        yield state, f"часы движка и этого компьютера расходятся на {apart:.1f} с{remedy}"
    if told.cleanup is not None:
        yield "ok", f"старая история удаляется с {told.cleanup[0]} до {told.cleanup[1]}"
    elif told.id is not None:
        yield "fault", "окно очистки истории не задано, база будет расти: задайте history-cleanup-batch-window"


def _portal(p: Parts) -> Iterator[tuple[State, str]]:
    if p.portal is None:
        yield "warning", "портал не задан: работа идёт только в Tasklist (ORDER_ROUTE_BITRIX_WEBHOOK_URL)"
        return
    p.portal.call("user.current")
    yield "ok", f"портал {p.portal.portal} отвечает"
    orders = len(p.orders.open_orders())
    wait = sweeps_per_round(orders) * p.settings.reconcile_seconds / 60
    yield "ok", f"сверка: идущих заказов {orders}, карточка каждого проверяется не реже чем раз в {wait:.0f} мин"


_MATTERS: tuple[tuple[str, Callable[[Parts], Iterator[tuple[State, str]]]], ...] = (
    ("Сотрудники", _files),
    ("Календарь", _calendar),
    ("Цели", _goals),
    ("Диск", _disk),
    ("Журнал эффектов", _ledger),
    ("Копия", _backup),
    ("Движок", _engine),
    ("Портал", _portal),
)
