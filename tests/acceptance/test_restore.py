"""A shop restored to an earlier state doubles nothing: every difference is listed, the repair is done once.

What was done after the backup is gone in the engine and still there in the portal; that is the hard case. Real engine,
real portal process, the installed worker and commands.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from chain import Chain, doubled, open_chain
from command import Said, run
from ownshop import open_own
from shop import Shop, pdf_file

from app.settings import load
from app.wiring import Parts
from engine.processes import Instance

pytestmark = [pytest.mark.acceptance, pytest.mark.engine]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    """An engine of its own at an address of its own: its database is killed and replaced."""
    with open_own(tmp_path / "data") as shop:
        engine = shop.engine
        with open_chain(shop, tmp_path / "chain", data_dir=engine.data_dir, server_jar=engine.jar) as opened:
            opened.work()
            yield opened


def said(chain: Chain, *arguments: str | Path) -> Said:
    return run(*arguments, env=chain.env, seconds=240)


def numbered(chain: Chain) -> Instance:
    """Start an order that the server numbers, as from the Tasklist."""
    shop = chain.shop
    request: dict[str, object] = {
        "customerName": "ООО «Дом»",
        "customerContact": "+7 900 000-00-09",
        "itemDescription": "Полка",
    }
    request |= {"orderFile": pdf_file("эскиз.pdf")}
    return shop.person(shop.member("orderCreators")).processes.start("custom-furniture-order", request)


def test_yesterday_restored_doubles_nothing(chain: Chain, tmp_path: Path) -> None:
    shop, archive = chain.shop, tmp_path / "backup.zip"
    early, late = numbered(chain), numbered(chain)
    chain.carry(early, "ApproveOrder")
    chain.step(early, "UserTask_PrepareDesign")
    chain.step(late, "UserTask_ApproveOrder")
    made = said(chain, "backup", "--out", archive)
    assert made.code == 0, made.text
    _no_secrets(archive, shop)

    chain.carry(early, "PrepareDesign", "PrepareEstimate")
    chain.step(early, "UserTask_AgreePrice")
    chain.carry(late, "ApproveOrder")
    chain.step(late, "UserTask_PrepareDesign")
    lost = numbered(chain)
    chain.step(lost, "UserTask_ApproveOrder")
    refused = said(chain, "restore", archive, "--replace")
    assert (refused.code, "работает" in refused.err) == (1, True), refused.text

    _kill_everything(chain)
    refused = said(chain, "restore", archive)
    assert (refused.code, "--replace" in refused.err) == (1, True), refused.text
    restored = said(chain, "restore", archive, "--replace")
    assert restored.code == 0, restored.text
    shop.engine.start()

    listed = said(chain, "bitrix", "reconcile", "--dry-run")
    assert listed.code == 1
    for order in (early, late, lost):
        assert str(order.business_key) in listed.out, listed.text
    assert "Колонка" in listed.out
    before = len(chain.book.cards())
    repaired = said(chain, "bitrix", "reconcile")
    assert (repaired.code, "Расхождений нет" in repaired.out) == (0, True), repaired.text
    assert str(lost.business_key) in repaired.out, "an orphan is named, never deleted"
    writes = _writes(chain)
    again = said(chain, "bitrix", "reconcile")
    assert (again.code, _writes(chain) - writes) == (0, 0), again.text
    assert len(chain.book.cards()) == before == 3

    chain.work()
    chain.carry(early, "PrepareDesign")
    chain.step(early, "UserTask_PrepareEstimate")
    chain.carry(late, "ApproveOrder")
    chain.step(late, "UserTask_PrepareDesign")
    new = numbered(chain)
    chain.step(new, "UserTask_ApproveOrder")
    assert _counter(new) > _counter(lost), "a number that stands on a card is not given out again"
    assert doubled(chain.created()) == {}
    for order in (early, late, new):
        assert [str(d) for d in chain.parts.cards().differences(order.id, deep=True)] == []
        assert chain.incidents(order) == []


def _kill_everything(chain: Chain) -> None:
    for worker in chain.workers:
        worker.kill()
        worker.wait(10)
    chain.workers.clear()
    chain.shop.engine.kill()
    chain.parts.close()
    chain.parts = Parts(load(chain.env, dotenv=None))  # the ledger's file is another one from here on


def _counter(order: Instance) -> int:
    return int(str(order.business_key).rpartition("-")[2])


def _writes(chain: Chain) -> int:
    reading = ("batch", "get", "list", "current", "fields", "getlist", "getchildren")
    return sum(line["method"].rpartition(".")[2].lower() not in reading for line in chain.portal.log(applied=True))


def _no_secrets(archive: Path, shop: Shop) -> None:
    """The manifest tells what it is; no password of this machine is in any member."""
    with zipfile.ZipFile(archive) as opened:
        manifest = json.loads(opened.read("manifest.json"))
        whole = b"".join(opened.read(name) for name in opened.namelist())
    assert manifest["engine_id"] == manifest["ledger_id"]
    assert {m["name"] for m in manifest["members"]} >= {"engine.mv.db", "ledger.jsonl", "config/staff.toml"}
    secret = (shop.engine.data_dir / "h2.secret").read_text()
    passwords = [
        secret,
        shop.engine.admin_password.get_secret_value(),
        *(p.get_secret_value() for p in shop.passwords.values()),
    ]
    assert [p for p in passwords if p.encode() in whole] == []
