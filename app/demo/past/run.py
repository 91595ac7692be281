"""Make a history of many months on the real engine, keep it in the data folder, and report on it."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from app.demo.past.carry import Going, PastCarrier
from app.demo.past.plan import make_past
from app.demo.past.shop import PastShop
from app.demo.past.showcase import FOLDER, ROUTE_FILE, Made, made, reported
from app.demo.past.versions import versions
from app.errors import CommandError
from app.monthly import book
from app.paths import BPMN, data_folder, find
from app.programs import embedded
from app.running import alone
from app.settings import Settings
from app.wiring import ROUTE, Parts
from engine.about import about
from engine.deploy import folder_files
from reports.period import month_of, read_month
from reports.store import FORMAT

LAG = timedelta(minutes=10)  # the simulated present stays behind the real one, so that the clock never goes back
_SAY_SECONDS = 10.0


def run_past(console: Console, settings: Settings, *, months: int, orders: float, seed: int) -> Path:
    """Make the history unless the same one is there; return the page of its report. Raises CommandError."""
    target = data_folder(settings.data_dir) / FOLDER
    end = datetime.now(UTC) - LAG
    key = _key(settings, months, orders, seed, end)
    there = made(target)
    if there is None and target.exists() and any(target.iterdir()):
        raise CommandError(f"В папке {target} лежит что-то другое: уберите её или задайте ORDER_ROUTE_DATA_DIR", 2)
    if there is None or there.key != key:
        with alone(target):
            _replace(console, settings, target, (months, orders, seed), key, end)
    return reported(settings)


def _replace(
    console: Console, settings: Settings, target: Path, wish: tuple[int, float, int], key: str, end: datetime
) -> None:
    began = time.monotonic()
    shop = PastShop(settings)
    try:
        with shop:
            _make(console, shop, *wish, end)
        origin = _settle(shop, end)
        Made(key, origin, end).write(shop.folder)
        shutil.rmtree(target, ignore_errors=True)
        shutil.move(shop.folder, target)
    finally:
        shop.remove()
    console.print(f"Время: {time.monotonic() - began:.0f} с. История в папке {target}", markup=False, soft_wrap=True)


def _make(console: Console, shop: PastShop, months: int, orders: float, seed: int, end: datetime) -> None:
    planned = make_past(months, orders, seed, end, shop.parts.calendar)
    begin = min(order.at for order in planned) - timedelta(days=1)
    shop.clock.begin(begin)
    diagrams = versions(shop.folder / "versions")
    shop.open(diagrams[0])
    carrier = PastCarrier(shop, begin, end, _teller(console, shop))
    for number, files in enumerate(diagrams[1:], 1):
        carrier.at(begin + (end - begin) * number / len(diagrams), lambda files=files: shop.deploy(files))  # type: ignore[misc]  # bound now
    console.print(f"Заказов: {len(planned)}, месяцев {months}, начальное число {seed}; часы движка: {begin:%d.%m.%Y}")
    carrier.carry([Going(order) for order in planned])
    shop.clock.reset()


def _settle(shop: PastShop, end: datetime) -> str:
    """Open the history once more in real time, as its next user does: the file is compacted, the store filled."""
    with Parts(shop.settings) as parts, embedded(shop.settings, parts):
        book(parts, end, read_month(None, end, shop.settings.zone))  # other months are checked when asked for
        newest = parts.integration.processes.newest(ROUTE)
        (shop.folder / ROUTE_FILE).write_text(parts.integration.processes.xml(newest.id), encoding="utf-8")
        return about(parts.integration).id or ""


def _teller(console: Console, shop: PastShop) -> Callable[[datetime], None]:
    said = [time.monotonic()]

    def tell(moment: datetime) -> None:
        if time.monotonic() - said[0] >= _SAY_SECONDS:
            said[0] = time.monotonic()
            console.print(f"  {month_of(moment, shop.settings.zone).title}", highlight=False)

    return tell


def _key(settings: Settings, months: int, orders: float, seed: int, end: datetime) -> str:
    """Return what a history depends on: diagrams, people, calendar, its size and its last month."""
    files = [*folder_files(BPMN), find(settings.staff_file), find(settings.calendar_file)]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    return f"{FORMAT}-{digest}-{months}-{orders:g}-{seed}-{month_of(end, settings.zone)}"
