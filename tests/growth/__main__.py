"""`PYTHONPATH=tests python -m growth`: how costs grow with the shop, on a PostgreSQL of its own."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import structlog
from chain import Chain, open_chain
from postgres import Postgres, binaries, engine_on, open_postgres
from rich.console import Console
from shop import open_shop

from app.commands.operate import run_bootstrap
from growth.measure import Level, measure, prepare_steps, table
from growth.meter import ROUNDS
from growth.portalside import Cards, copy_ledger
from growth.proof import differences, finish_some
from growth.rows import Copy, insert, orphans, plan, run, stage
from growth.templates import Template, live, make

LEVELS = "100:200,1000:2000,10000:50000"
LIVED = 100
RUNNING_DAYS, FINISHED_DAYS, CARD_DAYS = 60, 730, 60
SAMPLE, GO_ON = 200, 20


def main() -> int:
    """Print the growth curve; 1 where copies are not like real orders."""
    parser = argparse.ArgumentParser(prog="growth", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", type=int, default=1, help="how many real orders of each stage and each end")
    parser.add_argument(
        "--lived", type=int, default=LIVED, help="up to so many running orders all are real ones, above they are rows"
    )
    parser.add_argument("--minutes", type=float, default=60, help="for one level's rows; a slow machine gets fewer")
    parser.add_argument("--levels", default=LEVELS, help="running:finished, ascending, separated by commas")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    levels = [(int(a), int(b)) for a, _, b in (level.partition(":") for level in asked.levels.split(","))]
    programs = binaries()
    if programs is None:
        say("no PostgreSQL to measure on: apt-get install postgresql")
        return 2
    with tempfile.TemporaryDirectory(prefix="growth-") as name, open_postgres(programs, fsync=True) as server:
        server.make("engine")
        server.run("ALTER SYSTEM SET max_wal_size = '8GB'", "SELECT pg_reload_conf()")  # millions of rows are written
        folder = Path(name)
        with (
            open_shop(folder, engine_type=engine_on(server, "engine")) as shop,
            open_chain(shop, folder, lock_seconds=60, bitrix_rate=1000, bitrix_burst=10_000) as chain,
        ):
            return _run(Growth(server, chain, asked.seed, asked.real), levels, asked)


class Growth:
    """A shop whose orders are multiplied."""

    def __init__(self, server: Postgres, chain: Chain, seed: int, real: int) -> None:
        self.server, self.chain, self.seed = server, chain, seed
        chain.work()
        self.templates = make(chain, real)
        self.lived: list[Template] = []
        self.copies: list[Copy] = []
        self._pace = 1e9  # orders a second, of the last level
        stage(server, [(each.id, each.key) for each in self.templates])
        say(f"{len(self.templates)} real orders")

    def live_to(self, running: int, finished: int) -> None:
        """Let the real engine have orders until so many run and so many have ended."""
        more = max(0, running - self._count(running=True)), max(0, finished - self._count(running=False))
        self.lived += live(
            self.chain, *more, len(self.lived), lambda done: say(f"{done} of {sum(more)} real orders more")
        )
        say(f"{running} running, {finished} finished, all real")

    def grow_to(self, running: int, finished: int, seconds: float) -> int:
        """Add copies until so many orders run and so many have ended; rows, cards and effects.

        Where the rows would take longer than so many seconds, fewer have ended; returns how many.
        """
        most = round(seconds * self._pace) - running + len(self.copies)
        if most < finished:
            say(f"{self._pace:.1f} orders a second: {most} finished ones instead of {finished}")
            finished = most
        added: list[Copy] = []
        for wanted, still, days in ((running, True, RUNNING_DAYS), (finished, False, FINISHED_DAYS)):
            more = max(0, wanted - self._count(running=still))
            places = [n for n, each in enumerate(self.templates) if each.running is still]
            added += plan(self.seed, len(self.copies) + len(added) + 1, places, more, days)
        began = time.monotonic()
        insert(self.server, added)
        self._pace = len(added) / (time.monotonic() - began)
        self._show(added)
        run(self.server, "CHECKPOINT")  # what was written here is not to disturb the measurement
        self.copies += added
        say(f"{running} running, {finished} finished")
        return finished

    def _show(self, added: Sequence[Copy]) -> None:
        """Give the new orders what the portal and the ledger would hold of them."""
        portal = self.chain.portal
        portal.stop()
        cards = Cards(portal.folder / "portal.db", self.chain.book.schema.entity_type_id)
        cards.add(self.templates, [c for c in added if self.templates[c.template].running or c.back.days < CARD_DAYS])
        copy_ledger(self.chain.folder / "ledger.db", self.templates, added, cards)
        portal.start()

    def settle(self) -> None:
        """Sweep until there is nothing to repair; `bootstrap` gives copies the deadlines of their own days."""
        run_bootstrap(self.chain.parts)
        for _ in range(20):
            before = self.chain.portal.mark()
            self.chain.parts.cards().sweep()
            if not self.chain.portal.log(applied=True, since=before):
                return
        raise AssertionError("the sweep always finds something to repair")

    def _count(self, *, running: bool) -> int:
        copied = (self.templates[each.template] for each in self.copies)
        return sum(each.running is running for each in (*self.templates, *self.lived, *copied))


def _run(growth: Growth, levels: Sequence[tuple[int, int]], asked: argparse.Namespace) -> int:
    measured: list[Level] = []
    for running, finished in levels:
        if running <= asked.lived:
            growth.live_to(running, finished)
        else:
            compared = bool(growth.copies)
            finished = growth.grow_to(running, finished, asked.minutes * 60)
            broken = orphans(growth.server)
            unlike = [] if compared else differences(growth.server, growth.templates, growth.copies[:SAMPLE])
            if broken or unlike:
                show(f"copies are not like real orders: {broken} {unlike}")
                return 1
        growth.settle()
        prepare_steps(growth.chain, ROUNDS)
        measured.append(measure(growth.chain, growth.server, running, finished, say))
        show(table(measured))
    show(f"seed {growth.seed}, load {os.getloadavg()[0]:.1f}")
    if not growth.copies:
        return 0
    ended = finish_some(growth.chain, growth.templates, growth.copies, growth.seed, GO_ON)
    show(f"{SAMPLE} copies are like real orders, column by column; {ended} of {GO_ON} went on to delivery")
    return 0 if ended == GO_ON else 1


def say(text: str) -> None:
    """Tell how far it is, with the time of day."""
    Console(stderr=True).print(time.strftime("%H:%M:%S"), text, markup=False, soft_wrap=True)


def show(text: str) -> None:
    """Print a result."""
    Console().print(text, markup=False, soft_wrap=True, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
