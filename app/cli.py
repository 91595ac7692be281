"""The command line: `order-route COMMAND`.

Exit codes: 0 done, 1 found something wrong, 2 wrong use (arguments, settings). An error is one Russian sentence that
says what happened and what to do; a traceback never reaches a person.
"""

from __future__ import annotations

import os
import sys

import typer

from app import commands
from app.errors import sentence_of
from app.logs import configure

cli = typer.Typer(
    name="order-route",
    help="Один маршрут для каждого заказа: диаграмма BPMN в Operaton, исполнители на Python, карточка в Bitrix24.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
commands.register(cli)


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    configure(os.environ.get("ORDER_ROUTE_LOG_FORMAT", "auto"))
    try:
        cli()
    except KeyboardInterrupt:
        sys.exit(130)
    except BaseException as error:
        found = sentence_of(error)
        if found is None:
            raise
        code, text = found
        typer.echo(text, err=True)
        sys.exit(code)
