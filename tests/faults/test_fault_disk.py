"""Rule: on a full disk new work is refused with a reason, and all is whole and goes on when there is room again.

The disk is a small file system in memory, which only root may mount; nothing else is full in the same honest way.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from chain import Chain, open_chain
from crowd import REFUSED, Crowd, said
from oracle import clean
from ownshop import open_own
from shop import Shop

from engine.errors import EngineError
from ledger import Ledger

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system"),
]
PAGE = 4096


class Disk:
    """A mounted file system that a test fills up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave not one free page."""
        with self._filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * PAGE)

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Disk]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", str(folder)], check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_the_ledgers_disk_is_full(shop: Shop, tmp_path: Path) -> None:
    """Without an intent in the ledger nothing is done outside; the worker says why, and goes on when there is room."""
    with mounted(tmp_path / "disk", "16m") as disk, _chain(shop, tmp_path, data_dir=disk.folder) as chain:
        before = chain.shop.start_order()
        chain.step(before, "UserTask_ApproveOrder")
        disk.fill()
        made = chain.created()
        crowd = Crowd(chain, 51, (REFUSED,))
        crowd.start(3)
        chain.wait(lambda: "журнал не пишется" in chain.tail(), "the reason in the log")
        chain.wait(lambda: not chain.healthy(), "the health page red")
        dropped = said(chain, "external_task_dropped")
        chain.wait(lambda: dropped() >= 3, "work given back untouched")
        assert chain.created() == made, "an effect without a row in the ledger"
        assert not any(chain.incidents(order) for order in crowd.orders)
        disk.free()
        crowd.carry_to_the_ends(240)
        chain.wait(chain.healthy, "the health page green")
        clean(chain, [before, *crowd.orders])
        assert chain.retire() == [0]
        again = Ledger(f"sqlite:///{disk.folder / 'ledger.db'}")
        assert set(again.claimed()) == {str(order.business_key) for order in [before, *crowd.orders]}
        again.close()


@contextmanager
def _chain(shop: Shop, folder: Path, **settings: object) -> Iterator[Chain]:
    with open_chain(shop, folder / "chain", lock_seconds=6, **settings) as opened:
        opened.work()
        opened.wait(opened.healthy, "the worker up")
        yield opened


@pytest.mark.soak  # an engine of its own, filled and started again
def test_the_engines_disk_is_full(tmp_path: Path) -> None:
    """The engine refuses what it cannot keep; whatever it said yes to is there after a restart with room."""
    with (
        mounted(tmp_path / "disk", "640m") as disk,
        open_own(disk.folder / "engine") as own,
        _chain(own, tmp_path) as chain,
    ):
        crowd = Crowd(chain, 52, (REFUSED,))
        crowd.start(2)
        disk.fill()
        _until_refused(crowd)
        disk.free()
        own.engine.kill()  # H2 has closed its store for good: it wants a restart, as README says
        own.engine.start()
        crowd.start(1)
        crowd.carry_to_the_ends(240)
        clean(chain, crowd.orders)


def _until_refused(crowd: Crowd) -> None:
    for _ in range(400):
        try:
            crowd.start(1)
        except EngineError:
            return
    pytest.fail("a full disk took 400 orders")
