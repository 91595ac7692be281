"""`inspect` and `calendar`: the two rules that people ask about without an order."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from app.commands.common import console, settings, table
from app.errors import CommandError
from app.paths import find


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("inspect")(inspect_files)
    cli.command("calendar")(calendar)


def inspect_files(
    files: Annotated[list[Path] | None, typer.Argument(help="файлы, которые нужно проверить")] = None,
    listing: Annotated[
        Path | None, typer.Option("--list", help='список JSON: [{"path": "…", "name": "имя, как прислал браузер"}]')
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="ответ в JSON")] = False,
) -> None:
    """Проверить файлы так же, как их проверяет маршрут. Пример: order-route inspect Смета.xlsx Проект.pdf"""
    from app.wiring import Parts
    from attachments.inspect import as_json as to_json
    from attachments.inspect import inspect

    wanted = [(path, path.name) for path in files or []] + (_listed(listing) if listing is not None else [])
    if not wanted:
        raise CommandError("Укажите файлы или --list: order-route inspect Смета.xlsx", code=2)
    with Parts(settings()) as parts:
        found = inspect(wanted, parts.judge)
    if as_json:
        typer.echo(json.dumps(to_json(found), ensure_ascii=False, indent=1))
    else:
        for r in found:
            mark = "принят" if r.verdict == "accept" else "отклонён"
            console.print(f"{mark:9} {r.name}" + (f": {r.reason}" if r.reason else ""), markup=False)
    if any(r.verdict != "accept" for r in found):
        raise typer.Exit(1)


def _listed(listing: Path) -> list[tuple[Path, str]]:
    from attachments.inspect import read_list

    try:
        return read_list(listing.read_text(encoding="utf-8"), listing.parent)
    except ValueError as error:
        raise CommandError(str(error), code=2) from None


def calendar(
    start: Annotated[str, typer.Option("--from", help="начало, ISO: 2026-11-25T15:00")],
    norm: Annotated[str | None, typer.Option(help="норма: 16h или 2d")] = None,
    end: Annotated[str | None, typer.Option("--to", help="конец, ISO")] = None,
) -> None:
    """Срок по рабочему календарю или рабочее время между датами, по дням.

    Пример: order-route calendar --from 2026-12-30T15:00 --norm 16h
    """
    from orders.calendar import read_calendar
    from orders.norms import parse_norm

    if (norm is None) == (end is None):
        raise CommandError("Укажите одно: --norm 16h или --to 2026-12-01T12:00", code=2)
    s = settings()
    plan = read_calendar(find(s.calendar_file).read_text(encoding="utf-8"), s.time_zone)
    begin = _moment(start, s.zone)
    if norm is not None:
        hours = parse_norm(norm).hours
        if hours is None:
            raise CommandError("Здесь нужна норма в часах или днях: 16h или 2d", code=2)
        finish = plan.add(begin, hours)
        console.print(f"Срок: {finish.astimezone(s.zone):%d.%m.%Y %H:%M}")
    else:
        finish = _moment(str(end), s.zone)
        console.print(f"Рабочее время: {plan.between(begin, finish):.2f} ч")
    table(
        ("День", "Часов", "Почему"),
        [(f"{line.day:%d.%m.%Y}", f"{line.hours:g}", line.note) for line in plan.explain(begin, finish)],
        empty="Ни одного дня между датами",
        right=(1,),
    )


def _moment(text: str, zone: ZoneInfo) -> datetime:
    from orders.dates import parse_moment

    return parse_moment(text, zone)
