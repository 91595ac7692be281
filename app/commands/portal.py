"""`bitrix setup`, `bitrix doctor`, `bitrix reconcile` and `sandbox`: the portal side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.common import console, local, parts, show_lines, table
from app.errors import CommandError

if TYPE_CHECKING:
    from app.mirror import LazyMirror
    from bitrix_sync.compare import Difference
    from orders.errors import OrderRouteError

bitrix = typer.Typer(help="Портал Bitrix24: настройка, проверка, сверка карточек.", no_args_is_help=True)


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("sandbox")(sandbox)
    cli.add_typer(bitrix, name="bitrix")


@bitrix.command("setup")
def setup(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="только показать, что изменилось бы")] = False,
) -> None:
    """Завести в портале смарт-процесс, колонки и поля по диаграмме; можно повторять.

    Пример: order-route bitrix setup --dry-run
    """
    from app.portal_setup import by_hand, set_up_portal

    with parts() as p:
        fitted, deployed = set_up_portal(p, dry_run=dry_run)
        points = by_hand(p, fitted)
    source = "опубликованной диаграмме" if deployed else "диаграмме из файла (движок не отвечает)"
    heading = "Изменилось бы" if dry_run else "Сделано"
    console.print(f"{heading} по {source}:" if fitted.changes else f"Портал настроен по {source}, менять нечего")
    for line in (*fitted.changes, *fitted.kept):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print("Что сделать в портале руками (через REST нельзя):")
    for number, point in enumerate(points, 1):
        console.print(f"{number}. {point}", markup=False, soft_wrap=True)


@bitrix.command("doctor")
def doctor() -> None:
    """Проверить портал: доступ, тариф, права, колонки, сотрудников, часы. Пример: order-route bitrix doctor"""
    from app.portal_doctor import examine_portal

    with parts(quiet=True) as p:
        lines = examine_portal(p)
    show_lines(lines)


@bitrix.command("reconcile")
def reconcile(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="только показать расхождения")] = False,
    recreate: Annotated[str | None, typer.Option(help="создать заново удалённую карточку этого заказа")] = None,
) -> None:
    """Сверить карточки с движком и исправить их. Пример: order-route bitrix reconcile --dry-run"""
    with parts() as p:
        cards = p.cards()
        if recreate is not None:
            known = p.orders.instances_of(recreate)
            if not known:
                raise CommandError(f"Заказа «{recreate}» нет: проверьте номер")
            cards.recreate(known[0])
        stopped = None if dry_run else _swept(cards)
        found = {instance: cards.differences(instance) for instance in p.recent_orders()}
        lost = {instance: differs[0].order for instance, differs in found.items() if any(d.card_lost for d in differs)}
        if stopped is not None and not lost:
            raise stopped
        if not dry_run:
            differing = [instance for instance, differs in found.items() if differs and instance not in lost]
            found |= {instance: _mended(cards, instance) for instance in differing}
        orphans = p.orphans()
        stuck = p.integration.processes.incidents()
        zone = p.settings.zone
    listed = [d for differs in found.values() for d in differs]
    table(
        ("Заказ", "Что", "В движке", "В портале", "С какого времени", "Кто"),
        [(d.order, d.what, d.engine, d.portal, local(d.since, zone), d.who or "—") for d in listed],
        empty="Расхождений нет: карточки равны движку",
    )
    if lost and not dry_run:
        console.print(_left_alone(list(lost.values())), markup=False, soft_wrap=True)
    if stuck:
        console.print(f"Шагов остановилось со сбоем: {len(stuck)}, причины покажет order-route incidents")
    if orphans:
        console.print("Карточки, заказа которых в движке нет (не удаляются: заведите заказ снова или закройте их):")
        rows = [(card.order, card.item_id, card.title, card.column) for card in orphans]
        table(("Заказ", "Карточка", "Название", "Колонка"), rows, empty="")
    if listed or (dry_run and (orphans or stuck)):
        raise typer.Exit(1)


def _swept(cards: LazyMirror) -> OrderRouteError | None:
    """Sweep and say over how many orders; return what stopped it, since what differs is listed all the same."""
    from orders.errors import PortalUnavailable

    try:
        console.print(f"Сверено заказов: {cards.sweep()}")
    except PortalUnavailable as error:
        return error
    return None


def _left_alone(orders: list[str]) -> str:
    """Say which cards were not made anew, and how to go on."""
    return (
        f"Карточки удалены в портале и заново не созданы ({', '.join(orders)}): верните их из корзины и повторите "
        "order-route bitrix reconcile, или создайте каждую: order-route bitrix reconcile --recreate НОМЕР"
    )


def _mended(cards: LazyMirror, instance: str) -> list[Difference]:
    """Repair a card whose difference outlived the sweep, and return what is left."""
    from orders.errors import OrderRouteError

    try:
        cards.mend(instance)
    except OrderRouteError as error:  # what differs is listed all the same
        console.print(f"Не исправлено: {error}", markup=False, soft_wrap=True)
    return cards.differences(instance)


def sandbox(
    host: Annotated[str, typer.Option(help="адрес, под которым портал видят другие")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="порт")] = 8100,
    token: Annotated[str | None, typer.Option(help="ключ вебхука; без него случайный, хранится в state")] = None,
    state: Annotated[Path, typer.Option(help="файл состояния")] = Path("data/portal.db"),
    rate: Annotated[float, typer.Option(help="сколько запросов вмещает ведро лимита")] = 50,
    drain: Annotated[float, typer.Option(help="сколько запросов в секунду из него уходит")] = 2,
) -> None:
    """Запустить учебный портал с канбаном, чтобы попробовать без Bitrix24. Пример: order-route sandbox --port 8100"""
    from app.programs import stop_signal
    from app.sandbox import run_sandbox

    state.parent.mkdir(parents=True, exist_ok=True)
    with parts() as p, stop_signal() as stop:
        run_sandbox(
            state,
            p.staff,
            stop,
            lambda line: console.print(line, markup=False, soft_wrap=True),
            host=host,
            port=port,
            token=token,
            rate=rate,
            drain=drain,
        )
