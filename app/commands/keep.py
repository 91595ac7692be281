"""`backup`, `restore`, `erase`: keep what must be kept, and nothing that must not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.common import console, parts, settings
from app.errors import CommandError


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("backup")(backup)
    cli.command("restore")(restore)
    cli.command("erase")(erase)


def backup(
    out: Annotated[Path, typer.Option("--out", help="новый файл копии")],
) -> None:
    """Сохранить базу движка, журнал эффектов, сотрудников и календарь в один файл; работу не останавливает.

    Пример: order-route backup --out копии/2026-11-25.zip
    """
    from app.backup.make import make

    with parts() as p:
        manifest = make(p, out)
        when = manifest.made.astimezone(p.settings.zone)
    console.print(
        f"{out}: копия на {when:%d.%m.%Y %H:%M:%S}, {out.stat().st_size / (1 << 20):.1f} МБ. "
        "В ней данные заказчиков, паролей нет: храните как документы",
        markup=False,
    )


def restore(
    file: Annotated[Path, typer.Argument(help="файл копии")],
    replace: Annotated[bool, typer.Option("--replace", help="заменить данные; прежние останутся рядом")] = False,
) -> None:
    """Восстановить хозяйство из копии в папку данных; всё должно быть остановлено.

    Пример: order-route restore копии/2026-11-25.zip --replace
    """
    from app.backup.restore import restore as put_back

    read = settings()
    done = put_back(read, file, replace=replace)
    when = done.manifest.made.astimezone(read.zone)
    console.print(f"Восстановлено состояние на {when:%d.%m.%Y %H:%M:%S}", markup=False)
    if done.aside:
        console.print(f"Прежние данные лежат в {done.aside}", markup=False, soft_wrap=True)
    for note in done.notes:
        console.print(note, markup=False, soft_wrap=True)
    console.print("Дальше: order-route up, затем order-route bitrix reconcile --dry-run покажет расхождения")


def erase(
    customer: Annotated[str, typer.Argument(help="имя или контакт заказчика, как в заказе, или номер заказа")],
    yes: Annotated[bool, typer.Option("--yes", help="удалить; без этого только показать, что будет удалено")] = False,
) -> None:
    """Удалить персональные данные заказчика из движка, портала, журналов и составить акт; вернуть их нельзя.

    Пример: order-route erase "ООО «Ёлочка»" --yes
    """
    from app.erase import erase as act_of
    from app.erase import find_orders, refuse_running

    with parts() as p:
        orders = find_orders(p, customer)
        if not orders:
            raise CommandError("Заказов этого заказчика нет: проверьте имя, контакт или номер, как они стоят в заказе")
        refuse_running(orders)
        if not yes:
            console.print(f"Будут удалены данные заказов: {', '.join(o.key for o in orders)}", markup=False)
            raise CommandError("Ничего не удалено: повторите с --yes")
        for line in act_of(p, orders):
            console.print(line, markup=False, soft_wrap=True)
