"""`report`, `payroll`: what the manager and the accountant ask for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.common import console, parts, table

if TYPE_CHECKING:
    from reports.report import Report

_SHOWN = (
    *("received", "wip", "late_open", "on_time_last", "on_time_first", "lead_time.p50", "lead_time.p85"),
    *("overdue_hours", "ready_unpaid", "sum_running", "sum_shipped"),
)


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("report")(report)
    cli.command("payroll")(payroll)


def report(
    month: Annotated[str | None, typer.Option(help="месяц, 2026-10; пусто: последний целый")] = None,
    baseline: Annotated[Path | None, typer.Option(help="CSV kpi;key;value с прежними числами")] = None,
    out: Annotated[Path | None, typer.Option(help="страница HTML")] = None,
    xlsx: Annotated[Path | None, typer.Option(help="книга Excel")] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="JSON; рядом ляжет его схема")] = None,
    history: Annotated[bool, typer.Option("--history", help="по учебной истории (make history)")] = False,
) -> None:
    """Собрать отчёт за месяц: показатели, графики и заказы за каждым числом.

    Пример: order-route report --month 2026-10 --out отчёт.html --xlsx отчёт.xlsx
    """
    from app.demo.past.showcase import report_on
    from app.monthly import monthly
    from app.outputs import write_report

    with parts() as p:
        now = datetime.now(UTC)
        made = report_on(p.settings, month, baseline) if history else monthly(p, month, baseline, now)
        if out is None and xlsx is None and as_json is None:
            out = p.settings.data_dir / "reports" / f"report-{made.period}.html"
        written = write_report(made, out, xlsx, as_json)
    _show(made)
    for path in written:
        console.print(str(path), markup=False, soft_wrap=True)


def payroll(
    month: Annotated[str, typer.Option(help="месяц, 2026-10")],
    out: Annotated[Path, typer.Option(help="таблица: .xlsx или .csv")],
) -> None:
    """Выгрузить для расчёта зарплаты: сколько задач у кого за месяц, сколько в срок, подтверждённые корректировки.

    Пример: order-route payroll --month 2026-10 --out зарплата.xlsx
    """
    from app.errors import CommandError
    from app.monthly import adjustments, monthly
    from reports.payroll import payroll_of, write_csv, write_xlsx

    writers = {".xlsx": write_xlsx, ".csv": write_csv}
    write = writers.get(out.suffix.lower())
    if write is None:
        raise CommandError(f"{out}: имя файла должно кончаться на .xlsx или .csv", 2)
    with parts() as p:
        now, s = datetime.now(UTC), p.settings
        made = payroll_of(monthly(p, month, None, now), p.staff, adjustments(p, month, now), s.zone, s.bonus_act)
    out.parent.mkdir(parents=True, exist_ok=True)
    written = write(made, out)
    for remark in made.remarks:
        console.print(remark, markup=False)
    console.print(f"{out}: сотрудников {len(made.rows)}", markup=False, soft_wrap=True)
    for beside in written[1:]:
        console.print(f"{beside}: записей {len(made.entries)}", markup=False, soft_wrap=True)


def _show(made: Report) -> None:
    from reports.numbers import short
    from reports.page import said

    rows = [
        (f.label, said(f), f.unit, f.n, short(f.target) if f.target is not None else "")
        for f in made.kpi
        if f.id in _SHOWN and not f.by
    ]
    console.print(f"Отчёт за {made.title}")
    for remark in made.remarks:
        console.print(remark, markup=False)
    table(("Показатель", "Значение", "Единица", "n", "Цель"), rows, empty="", right=(1, 3, 4))
