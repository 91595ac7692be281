"""The commands, by the person who uses them. A command that is not built is not registered."""

from __future__ import annotations

import typer

from app.commands import analyst, control, files, keep, operate, orders, portal, programs, reports


def register(cli: typer.Typer) -> None:
    """Add all commands to the command line."""
    for module in (programs, orders, files, analyst, operate, control, reports, keep, portal):
        module.register(cli)
