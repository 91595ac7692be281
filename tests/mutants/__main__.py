"""`PYTHONPATH=tests python -m mutants [--quick] [NAME…]`: the table of mechanisms and the tests that guard them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mutants.copy import Copy, source_root
from mutants.guard import Result, run_all, run_whole
from mutants.mutant import GuardError, Mutant, check
from mutants.whole import MUTANTS


def main() -> int:
    """Run the guard: 0 when every mutant is noticed, 1 when one survives, 2 where there is no verdict."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only mutants whose name holds one of these")
    parser.add_argument("--quick", action="store_true", help="only what runs within make test")
    parser.add_argument("--no-baseline", action="store_true", help="do not run the tests unchanged first")
    asked = parser.parse_args()
    chosen = tuple(m for m in MUTANTS if (m.quick or not asked.quick) and _named(m, asked.names))
    console = Console(stderr=True)
    try:
        check(chosen, source_root())
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            results = _run(Copy(source_root(), Path(folder).resolve() / "copy"), chosen, console, asked.no_baseline)
    except GuardError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    Console(width=None if sys.stdout.isatty() else 160).print(table(results))
    troubled = [result.mutant.name for result in results if result.trouble]
    survivors = [result.mutant.name for result in results if result.killer is None and not result.trouble]
    if survivors:
        console.print(f"[red]nobody notices that these are gone: {', '.join(survivors)}[/red]")
    if troubled:
        console.print(f"[red]no verdict: {', '.join(troubled)}[/red]")
    return 1 if survivors or not results else 2 if troubled else 0


def _run(copy: Copy, chosen: tuple[Mutant, ...], console: Console, no_baseline: bool) -> list[Result]:
    if not no_baseline:
        console.print(f"nothing removed: all pass, {run_whole(copy, chosen):.0f} s", soft_wrap=True)

    def tell(result: Result) -> None:
        fate = escape(result.trouble or result.killer or "SURVIVES")
        style = None if result.killer else "red"
        console.print(
            f"{result.mutant.name}: {fate}, {result.seconds:.0f} s", style=style, highlight=False, soft_wrap=True
        )

    return run_all(copy, chosen, tell)


def _named(mutant: Mutant, names: list[str]) -> bool:
    return not names or any(name in mutant.name for name in names)


def table(results: list[Result]) -> Table:
    """Return the results as a table for people."""
    made = Table("mechanism", "removed", "killed by", "s", title="Each mechanism removed once")
    for result in sorted(results, key=lambda r: r.mutant.mechanism):
        killer = (result.killer or ("no verdict" if result.trouble else "NOBODY")).rpartition("/")[2]
        made.add_row(result.mutant.mechanism, result.mutant.removed, escape(killer), f"{result.seconds:.0f}")
    return made


if __name__ == "__main__":
    sys.exit(main())
