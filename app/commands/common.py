"""What every command needs: settings, parts, a console, and one way to print a table."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.logs import configure, mask
from app.settings import Settings, load

if TYPE_CHECKING:
    from app.doctor import Line
    from app.wiring import Parts

console = Console(highlight=False)


def settings(*, quiet: bool = False) -> Settings:
    """Read the settings of this process and set its logs up by them; a `quiet` command says everything itself."""
    read = load(os.environ)
    configure(read.log_format, quiet=quiet)
    return read


@contextmanager
def parts(*, quiet: bool = False) -> Iterator[Parts]:
    """Build the parts of this process and close them at the end."""
    from app.wiring import Parts  # imported only when a command runs, so that --help stays fast

    with Parts(settings(quiet=quiet)) as built:
        yield built


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str, right: Sequence[int] = ()) -> None:
    """Print rows as a table, or the sentence that says why there are none; columns in `right` hold numbers."""
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for place, heading in enumerate(headings):
        grid.add_column(heading, justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    console.print(grid if grid.row_count else empty)


def show_lines(lines: Sequence[Line]) -> None:
    """Print what a doctor saw, one line a matter; leaves with exit code 1 where there is a fault."""
    mark = {"ok": "[green]в порядке[/green]", "warning": "[yellow]внимание[/yellow]", "fault": "[red]сбой[/red]"}
    for line in lines:
        console.print(f"{mark[line.state]:9} ", end="")
        console.print(f"{line.what}: {mask(line.says)}", markup=False, soft_wrap=True)
    if any(line.state == "fault" for line in lines):
        raise typer.Exit(1)


def local(at: datetime | None, zone: ZoneInfo) -> str:
    """Return an instant in the plant's zone, «27.11 18:00», or a dash."""
    return f"{at.astimezone(zone):%d.%m %H:%M}" if at else "—"
