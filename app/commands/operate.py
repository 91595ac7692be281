"""`bootstrap`, `incidents`, `retry`, `doctor`: the operator's tools."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr

from app.commands.common import console, local, parts, show_lines, table
from app.logins import read_passwords

if TYPE_CHECKING:
    from app.wiring import Parts
    from engine.identity import BootstrapReport


WORKDAY = "working-day"  # under this name the server looks for it


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("bootstrap")(bootstrap)
    cli.command("incidents")(incidents)
    cli.command("retry")(retry)
    cli.command("doctor")(doctor)


def bootstrap(
    reset: Annotated[str | None, typer.Option("--reset-password", help="выдать сотруднику новый пароль")] = None,
    file: Annotated[
        Path | None,
        typer.Option("--passwords", help="файл со строками «сотрудник пароль»"),
    ] = None,
) -> None:
    """Завести в движке сотрудников, группы, права и фильтры по файлу сотрудников; можно повторять.

    Пример: order-route bootstrap --reset-password sokolova
    """
    with parts() as p:
        given = read_passwords(file, p.staff) if file else {}
        if reset is not None:
            _reset(p, reset, given.get(reset))
            return
        report = run_bootstrap(p, given)
    for line in [*report.changes, *report.warnings]:
        console.print(line, markup=False)
    for person, password in report.passwords.items():
        console.print(f"{person}: пароль {password.get_secret_value()} (показан один раз)", markup=False)
    if not report.changed:
        console.print("Всё уже так, как в файле сотрудников")


def _reset(p: Parts, person: str, given: SecretStr | None) -> None:
    from app.errors import CommandError
    from engine.identity import reset_password

    if p.staff.find(person) is None:
        raise CommandError(f"Сотрудника «{person}» нет в файле сотрудников", 2)
    if not p.admin.identity.users(id_=person):
        raise CommandError(f"Сотрудника «{person}» ещё нет в движке: order-route bootstrap")
    password = reset_password(p.admin, person, given)
    text = "как в файле" if given else f"{password.get_secret_value()} (показан один раз)"
    console.print(f"{person}: новый пароль {text}", markup=False)


def run_bootstrap(p: Parts, passwords: Mapping[str, SecretStr] | None = None) -> BootstrapReport:
    """Make the engine's people and rights equal to the staff file, with the technical accounts' passwords.

    `passwords`: of persons, where they are not to be generated. Substitutes of today are let in at once, and the forms
    learn when the plant closes; open steps get the deadlines of the present calendar.
    """
    from engine.deploy import deployed_starters, publish
    from engine.duedates import fit_due_dates
    from engine.identity import bootstrap as make

    a, today = p.accounts, p.calendar.today(datetime.now(UTC))
    technical = {x.user: x.password for x in (a.engine, a.integration, a.deploy)}
    starters = deployed_starters(p.admin)
    report = make(p.admin, p.staff, starters, {**(passwords or {}), **technical}, technical=p.technical, today=today)
    if publish(p.admin, WORKDAY, f"{WORKDAY}.json", p.workday().text().encode()):
        report.changes.append("Формы знают новое окончание рабочего дня")
    changed = p.orders.fit_stand_ins(p.staff, today)
    if changed:
        report.changes.append(f"Замещения: изменено шагов {changed}")
    moved = fit_due_dates(p.integration, p.route, p.calendar)
    if moved:
        report.changes.append(f"Сроки по изменённому календарю: передвинуто {moved}")
    return report


def incidents() -> None:
    """Показать, что ждёт человека и почему. Пример: order-route incidents"""
    with parts() as p:
        rows = []
        for found in p.integration.processes.incidents():
            past = p.integration.history.instance(found.instance_id)
            when = local(found.at, p.settings.zone)
            rows.append((past.business_key or past.definition_key, found.activity_id, when, found.message))
    table(("Заказ", "Шаг", "С какого времени", "Причина"), rows, empty="Ничего не ждёт: сбоев нет")
    if rows:
        console.print("Исправьте причину и повторите: order-route retry ЗАКАЗ")
        raise typer.Exit(1)


def retry(
    order: Annotated[str | None, typer.Argument(help="номер заказа; пусто: все")] = None,
    topic: Annotated[str | None, typer.Option(help="только эта тема")] = None,
) -> None:
    """Повторить то, что остановилось со сбоем. Пример: order-route retry ORD-2026-00042 --topic sync-stage"""
    with parts() as p:
        failed = p.admin.external.find(noRetriesLeft=True)
        chosen = [t for t in failed if order in (None, t.business_key) and topic in (None, t.topic)]
        p.admin.external.set_retries_of([t.id for t in chosen])
        jobs = [] if topic else _failed_jobs(p, order)
        for job in jobs:
            p.admin.processes.set_job_retries(job)
    count = len(chosen) + len(jobs)
    console.print(f"Повторяется: {count}" if count else "Повторять нечего")


def _failed_jobs(p: Parts, order: str | None) -> list[str]:
    jobs = p.admin.processes.jobs(noRetriesLeft=True)
    if order is None:
        return [j.id for j in jobs]
    wanted = {i.id for i in p.admin.processes.instances(business_key=order)}
    return [j.id for j in jobs if j.instance_id in wanted]


def doctor() -> None:
    """Проверить всё хозяйство: движок, права, диаграммы, журнал, календарь, портал. Пример: order-route doctor"""
    from app.doctor import examine

    with parts() as p:
        lines = examine(p)
    show_lines(lines)
