"""`board`, `digest`, `conformance`, `dossier`, `track`: what managers and auditors ask for, at the terminal."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.commands.common import console, local, parts, table
from orders.plural import working_time


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("board")(board)
    cli.command("digest")(digest)
    cli.command("conformance")(conformance)
    cli.command("dossier")(dossier)
    cli.command("track")(track)


def board() -> None:
    """Показать доску: сколько заказов на каждом этапе, кто занят, кто задерживает. Пример: order-route board"""
    from app.board.keeper import read_now
    from orders.money import format_sum
    from reports.board import Risk, total

    with parts() as p:
        shown, zone, listen = read_now(p), p.settings.zone, p.settings.board_listen
    late = sum(t.risk is Risk.LATE for t in shown.tiles)
    unpaid = [t for t in shown.tiles if t.unpaid]
    console.print(
        f"Получено за месяц {shown.received}, в работе {len(shown.tiles)}, опаздывают {late}, "
        f"готовы и не оплачены {len(unpaid)} ({format_sum(total(unpaid))})",
        soft_wrap=True,
    )
    stages = []
    for code, title in shown.columns:
        those = [t for t in shown.tiles if t.column == code]
        amount, late_here = total(those), sum(t.risk is Risk.LATE for t in those)
        stages.append((title, len(those), late_here, format_sum(amount) if amount else ""))
    table(("Этап", "Заказов", "Опаздывают", "По сметам"), stages, empty="", right=(1, 2, 3))
    loads = [(x.name, x.department, x.open, x.addressed, x.overdue, x.today) for x in shown.loads]
    headings = ("Сотрудник", "Отдел", "Открыто", "не взято", "Просрочено", "Срок сегодня")
    table(headings, loads, empty="Открытых шагов нет", right=(2, 3, 4, 5))
    delays = [
        (d.name, d.department, d.open_overdue, d.done_late, working_time(d.hours), ", ".join(d.orders[:5]))
        for d in shown.answers.by_person
    ]
    headings = ("Кто задерживает", "Отдел", "Сейчас", "Сделано поздно", "Всего", "Заказы")
    table(headings, delays, empty="Никто не задерживает", right=(2, 3, 4))
    console.print(f"Данные на {local(shown.now, zone)}. В браузере: http://{listen}/", markup=False)


def digest(
    person: Annotated[str | None, typer.Option("--for", help="чья сводка: сотрудник; пусто: все заказы")] = None,
    out: Annotated[Path | None, typer.Option(help="файл: .html (сводки всех) или .csv (открытые шаги)")] = None,
) -> None:
    """Сказать, у кого что стоит, что опаздывает, что опоздает, чего никто не взял. Пример: order-route digest"""
    from app.board.keeper import read_now
    from app.digests import alerts_of, digest_of
    from app.errors import CommandError
    from reports.alerts import told
    from reports.digest import readers, whole
    from reports.digest_text import chat, page, table

    if out is not None and out.suffix.lower() not in (".html", ".csv"):
        raise CommandError(f"{out}: имя файла должно кончаться на .html или .csv", 2)
    with parts() as p:
        known = p.staff.find(person)
        if person is not None and known is None:
            raise CommandError(f"Сотрудника «{person}» нет в файле сотрудников", 2)
        shown, zone = read_now(p), p.settings.zone
        managers, others = readers(p.staff)
        matters = told(found, {a.id: a.text for a in found}) if (found := alerts_of(p, shown, shown.now)) else ""
    mine = digest_of(shown, known, managers) if known else whole(shown)
    console.print(chat(mine, own=known in others), markup=False, soft_wrap=True)
    if matters and known is None:
        console.print(f"\n{matters}", markup=False, soft_wrap=True)
    if out is None:
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix.lower() == ".csv":
        out.write_text(table(mine, zone), encoding="utf-8-sig", newline="")
    else:
        each = [] if known else [digest_of(shown, one, managers) for one in (*managers, *others)]
        out.write_text(page(shown, [mine, *(d for d in each if d.tiles)], zone), encoding="utf-8")
    console.print(str(out), markup=False, soft_wrap=True)


def conformance(
    order: Annotated[str | None, typer.Argument(help="номер заказа; пусто: все законченные")] = None,
) -> None:
    """Проверить, шли ли заказы по своей схеме и не пользовался ли кто обходными путями.

    Пример: order-route conformance ORD-2026-00042
    """
    from app.conformance import verdicts
    from app.errors import CommandError
    from reports.conformance import summary

    with parts() as p:
        found, zone = verdicts(p, order), p.settings.zone
    if order and not found:
        raise CommandError(f"Заказа «{order}» нет: проверьте номер")
    rows = [(v.key, local(f.at, zone), f.text, f.who) for v in found for f in v.deviations]
    if rows:
        table(("Заказ", "Когда", "Отклонение", "Кто"), rows, empty="")
    remarks = [(v.key, local(f.at, zone), f.text, f.who) for v in found for f in v.remarks]
    if remarks:
        table(("Заказ", "Когда", "Замечание", "Кто"), remarks, empty="")
    console.print(summary(found))
    if rows:
        raise typer.Exit(1)


def dossier(
    order: Annotated[str, typer.Argument(help="номер заказа")],
    out: Annotated[Path | None, typer.Option(help="страница HTML; пусто: в папке данных")] = None,
) -> None:
    """Собрать дело заказа одной страницей: шаги, решения, файлы с SHA-256, кто что делал, ход по схеме.

    Пример: order-route dossier ORD-2026-00042 --out дело.html
    """
    from app.dossier import dossier as made_of
    from app.errors import CommandError

    with parts() as p:
        text = made_of(p, order, datetime.now(UTC))
        if text is None:
            raise CommandError(f"Заказа «{order}» нет: проверьте номер")
        out = out or p.settings.data_dir / "reports" / f"dossier-{order}.html"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    console.print(str(out), markup=False, soft_wrap=True)
    console.print(f"SHA-256 {hashlib.sha256(text.encode()).hexdigest()}", soft_wrap=True)


def track(
    order: Annotated[str, typer.Argument(help="номер заказа")],
    renew: Annotated[bool, typer.Option("--renew", help="отозвать ссылку; идущему заказу дать новую")] = False,
) -> None:
    """Показать ссылку, по которой заказчик видит свой заказ. Пример: order-route track ORD-2026-00042 --renew"""
    from app.board.order import find_order
    from app.errors import CommandError
    from app.track.shop import link
    from app.track.shop import renew as renewed

    with parts() as p:
        found = find_order(p, order)
        if found is None:
            raise CommandError(f"Заказа «{order}» нет: проверьте номер")
        if renew:
            found = renewed(p, found)
        address = link(p, found)
    if address is None and renew:
        console.print("Ссылка отозвана: заказ закончен, новой у него не будет")
        return
    if address is None:
        raise CommandError(f"У заказа «{order}» нет ссылки")
    console.print(address, markup=False, soft_wrap=True)
    if address.startswith("/"):
        console.print("Адрес сайта не задан: укажите ORDER_ROUTE_PUBLIC_URL")
