"""`check`, `diff`, `deploy`, `migrate`: what the person who edits the diagram needs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.common import console, parts, table
from app.errors import CommandError
from app.paths import BPMN, find
from app.settings import load

if TYPE_CHECKING:
    from app.versions import Migration
    from diagram.check import FileReport
    from orders.persons import Staff

NoLint = Annotated[bool, typer.Option("--no-lint", help="обойтись без проверки bpmnlint, если нет Node.js")]
Folder = Annotated[Path, typer.Argument(help="папка с диаграммами и формами")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("check")(check)
    cli.command("diff")(diff)
    cli.command("deploy")(deploy)
    cli.command("migrate")(migrate)


def check(
    files: Annotated[list[Path] | None, typer.Argument(help="диаграммы; по умолчанию все из bpmn/")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="замечания в JSON")] = False,
    no_lint: NoLint = False,
) -> None:
    """Проверить диаграммы: рисунок, шаги, группы, темы, карточка перед каждым шагом, никакого кода.

    Пример: order-route check bpmn/*.bpmn
    """
    reports, missing = examine(files or _all(BPMN), lint=not no_lint)
    found = [finding for report in reports for finding in report.findings]
    if as_json:
        typer.echo(json.dumps(_as_json(reports, missing), ensure_ascii=False, indent=1))
    else:
        for line in [line for report in reports for line in report.lines()]:
            console.print(line, markup=False, soft_wrap=True)
        if missing:
            console.print(missing, markup=False, soft_wrap=True)
    if found or missing:
        raise typer.Exit(1)


def _all(folder: Path) -> list[Path]:
    return [*sorted(folder.glob("*.bpmn")), *sorted((folder / "variants").glob("*.bpmn"))]


def _as_json(reports: list[FileReport], missing: str | None) -> dict[str, object]:
    files = [
        {
            "file": report.file,
            "what": report.what,
            "findings": [
                {"element": f.element_id, "label": f.element_label, "problem": f.problem, "remedy": f.remedy}
                for f in report.findings
            ],
        }
        for report in reports
    ]
    return {"files": files, "leftOut": missing}


def examine(files: list[Path], *, lint: bool) -> tuple[list[FileReport], str | None]:
    """Return a report a file, and the sentence that says which checks had to be left out, if any."""
    from diagram.check import examine as look
    from diagram.lint import LintMissing
    from workers.handlers import registry

    groups, topics = frozenset(_staff().groups), registry().topics
    try:
        return look(files, groups, topics, linted=lint), None
    except LintMissing as error:
        missing = f"Не проверено правилами bpmnlint (рисунок, стрелки, подписи): {error} Без них: --no-lint"
        return look(files, groups, topics, linted=False), missing


def _staff() -> Staff:
    """Read the staff file of the settings: it says which departments there are."""
    from orders.staff import read_staff

    return read_staff(find(load(os.environ).staff_file).read_text(encoding="utf-8"))


def diff(folder: Folder = BPMN) -> None:
    """Сказать, что изменится против опубликованного: сначала пропавшие требования, потом шаги, нормы, группы.

    Пример: order-route diff
    """
    from app.versions import compare_folder

    with parts() as p:
        found = compare_folder(p.engine_client(p.accounts.deploy), folder, p.staff.groups)
    for line in found.lines():
        console.print(line, markup=False, soft_wrap=True)


def deploy(
    folder: Folder = BPMN,
    yes: Annotated[bool, typer.Option("--yes", help="согласиться с пропавшими требованиями")] = False,
    no_lint: NoLint = False,
) -> None:
    """Проверить и опубликовать диаграммы и формы в движке. Пример: order-route deploy"""
    from app.setup import fit_portal
    from app.versions import compare_folder
    from engine.deploy import deploy as send
    from engine.deploy import folder_files

    chosen = folder_files(folder)
    _refuse_faults([f for f in chosen if f.suffix == ".bpmn"], lint=not no_lint)
    with parts() as p:
        client = p.engine_client(p.accounts.deploy)
        found = compare_folder(client, folder, p.staff.groups)
        if found.lost and not yes:
            _ask(found.lines())
        if not found.nothing:
            fit_portal(p, chosen)  # before any order can need them
        done = send(client, chosen, name="order-route", ttl_days=p.settings.history_days)
    if not done.new:
        console.print("Ничего не изменилось: такие же диаграммы уже опубликованы")
        return
    for line in found.lines():
        console.print(line, markup=False, soft_wrap=True)
    for definition in done.definitions:
        console.print(f"{definition.key}: опубликована версия {definition.version}")


def _refuse_faults(files: list[Path], *, lint: bool) -> None:
    reports, missing = examine(files, lint=lint)
    wrong = [line for report in reports if report.findings for line in report.lines()]
    if wrong or missing:
        raise CommandError("Не опубликовано:\n" + "\n".join([*wrong, *([missing] if missing else [])]))


def _ask(lines: list[str]) -> None:
    """Show what is lost and get an explicit yes; where nobody can be asked, refuse."""
    text = "\n".join(lines)
    if not sys.stdin.isatty():
        raise CommandError(
            f"Не опубликовано: заказы лишатся требований.\n{text}\nЕсли так и надо: order-route deploy --yes"
        )
    console.print(text, markup=False, soft_wrap=True)
    if not typer.confirm("Опубликовать?", default=False):
        raise CommandError("Не опубликовано")


def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="только показать, что будет")] = False,
) -> None:
    """Перенести идущие заказы на новейшую версию: все или ни одного, сроки и отметки не меняются.

    Пример: order-route migrate --dry-run
    """
    from app.versions import plan_migration

    with parts() as p:
        client = p.engine_client(p.accounts.deploy, timeout=120.0)
        plan = plan_migration(client)
        if not plan.orders:
            console.print(f"Переносить нечего: все идущие заказы уже на версии {plan.target.version}")
            return
        _show(plan)
        if not plan.possible:
            raise CommandError("Ни один заказ не перенесён: сначала устраните сказанное выше")
        if dry_run:
            console.print("Показано, что будет; ничего не перенесено")
            return
        client.migrations.move(plan.moves)
    console.print(f"Перенесено на версию {plan.target.version}: {len(plan.orders)}")


def _show(plan: Migration) -> None:
    rows = []
    for order in plan.orders:
        remarks = [*order.problems, *(f"не увидит шаг «{name}»" for name in order.unseen)]
        if order.unseen and order.may_return:
            remarks.append("разве что его вернут назад")
        if order.suspended:
            remarks.append("приостановлен, так и останется")
        rows.append((order.key, order.place, "; ".join(remarks) or "перейдёт"))
    table(("Заказ", "Шаг", f"На версию {plan.target.version}"), rows, empty="")
    for problem in plan.problems:
        console.print(f"Движок против: {problem}", markup=False, soft_wrap=True)
