"""`check` and `deploy`: what the person who edits the diagram needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.common import console, parts
from app.errors import CommandError
from app.paths import BPMN


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("check")(check)
    cli.command("deploy")(deploy)


def check(
    files: Annotated[list[Path] | None, typer.Argument(help="диаграммы; по умолчанию все из bpmn/")] = None,
) -> None:
    """Проверить диаграммы: шаги, группы, темы, карточка перед каждым шагом. Пример: order-route check bpmn/*.bpmn"""
    found = findings(files or sorted(BPMN.glob("*.bpmn")))
    for problem in found:
        console.print(problem, markup=False)
    if found:
        raise typer.Exit(1)
    console.print("Диаграммы в порядке")


def findings(files: list[Path]) -> list[str]:
    """Return every problem of these diagrams as one line each."""
    from diagram.check import check_files
    from orders.persons import GROUPS
    from workers.handlers import registry

    return [str(f) for f in check_files(files, frozenset(GROUPS), registry().topics)]


def deploy(
    folder: Annotated[Path, typer.Argument(help="папка с диаграммами и формами")] = BPMN,
) -> None:
    """Опубликовать диаграммы и формы в движке. Пример: order-route deploy"""
    from engine.deploy import deploy as send
    from engine.deploy import folder_files

    chosen = folder_files(folder)
    if found := findings([f for f in chosen if f.suffix == ".bpmn"]):
        raise CommandError("Не опубликовано:\n" + "\n".join(found))
    with parts() as p:
        done = send(p.engine_client(p.accounts.deploy), chosen, name="order-route", ttl_days=p.settings.history_days)
    if not done.new:
        console.print("Ничего не изменилось: такие же диаграммы уже опубликованы")
        return
    for definition in done.definitions:
        console.print(f"{definition.key}: опубликована версия {definition.version}")
