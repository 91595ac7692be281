"""Erasing a customer leaves nothing of the person anywhere of ours, and everything of everybody else.

Searched are dumps of the engine's database, the ledger, the data folder and the portal's state, in every notation that
a word may have there. A search that finds nothing before the erasure would prove nothing, so it is made twice.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from chain import Chain, open_chain
from command import run
from dumps import engine_script, hits, sqlite_script
from shop import Shop, pdf

from engine.processes import Instance
from engine.variables import FileValue

pytestmark = [pytest.mark.acceptance, pytest.mark.engine, pytest.mark.soak]


@pytest.fixture
def chain(shop: Shop, tmp_path: Path) -> Iterator[Chain]:
    with open_chain(shop, tmp_path / "data", lock_seconds=15) as opened:
        opened.work()
        yield opened


class Customer:
    """A person with a name, a phone, a file and words of others about the person that occur nowhere else."""

    def __init__(self) -> None:
        mark = uuid.uuid4().hex[:12]
        self.name, self.phone = f"Канарейкина {mark}n", f"+7 900 {mark}p"
        self.paper, self.words = f"{mark}f", f"{mark}w"

    @property
    def all(self) -> list[str]:
        return [self.name, self.phone, self.paper, self.words]

    def order(self, chain: Chain) -> Instance:
        file = FileValue(f"{self.paper}.pdf", pdf(self.paper), "application/pdf")
        return chain.shop.start_order(customerName=self.name, customerContact=self.phone, orderFile=file)

    def refused(self, chain: Chain) -> Instance:
        """Let an order of this customer end: the director declines, in words about the person."""
        order = self.order(chain)
        reason = f"{self.name} звонит с {self.phone} и {self.words}"
        chain.answer(order, "UserTask_ApproveOrder", directorDecision="reject", directorComment=reason)
        assert chain.ended(order) == "End_RefusedByDirector"
        return order


def search(chain: Chain, folder: Path, words: list[str]) -> dict[str, list[str]]:
    """Return place -> words that are there. The portal is stopped for it: its state is its own."""
    chain.portal.stop()
    places = {"engine": engine_script(chain.shop, folder), "portal": sqlite_script(chain.portal.folder / "portal.db")}
    chain.portal.start()
    for path in (p for p in chain.folder.rglob("*") if p.is_file() and not p.name.startswith("portal.db")):
        places[path.name] = path.read_bytes() + str(path).encode()
    return {place: found for place, data in places.items() if (found := hits(data, words))}


def test_nothing_of_the_person_is_left(chain: Chain, tmp_path: Path) -> None:
    gone, other, busy = Customer(), Customer(), Customer()
    erased, kept, running = gone.refused(chain), other.refused(chain), busy.order(chain)
    chain.step(running, "UserTask_ApproveOrder")
    chain.wait(lambda: chain.parts.cards().differences(kept.id) == [], "the card of the other order")
    before = search(chain, tmp_path, gone.all)
    assert {"engine", "portal"} <= set(before), "the search finds what is there"
    assert set(before["engine"]) == set(gone.all)
    theirs = chain.shop.reader.snapshot(kept.id)
    card = chain.book.card(str(kept.business_key))

    refused = run("erase", busy.name, "--yes", env=chain.env)
    assert (refused.code, str(running.business_key) in refused.err) == (1, True), refused.text
    asked = run("erase", gone.name, env=chain.env)
    assert (asked.code, "--yes" in asked.err) == (1, True), asked.text
    assert str(erased.business_key) in asked.out
    assert chain.shop.reader.snapshot(erased.id).variables["customerName"] == gone.name, "asked only"

    done = run("erase", gone.name, "--yes", env=chain.env, seconds=240)
    assert done.code == 0, done.text
    assert search(chain, tmp_path, gone.all) == {}
    _act(chain, str(erased.business_key), done.out, gone)
    assert (chain.shop.engine.data_dir / "engine.compact").exists(), "the next start writes the file anew"

    assert chain.shop.reader.snapshot(kept.id) == theirs
    assert chain.book.card(str(kept.business_key)) == card
    assert chain.parts.cards().differences(kept.id, deep=True) == []
    past = chain.shop.integration.history
    assert past.instance(erased.id).business_key == erased.business_key
    assert [t.element for t in past.tasks(processInstanceId=erased.id)] == ["UserTask_ApproveOrder"]
    assert all(t.assignee or t.ended for t in past.tasks(processInstanceId=erased.id)), "who and when stays"

    chain.reconcile(erased, kept, running)
    assert search(chain, tmp_path, gone.all) == {}, "the mirror brings nothing back"
    emptied = chain.book.card(str(erased.business_key))
    assert emptied["title"] == f"{erased.business_key} · данные удалены"
    again = run("erase", gone.name, "--yes", env=chain.env)
    assert (again.code, "нет" in again.err) == (1, True), again.text
    assert run("erase", str(erased.business_key), "--yes", env=chain.env, seconds=240).code == 0, "repeatable"


def _act(chain: Chain, key: str, shown: str, gone: Customer) -> None:
    (file,) = (chain.folder / "acts").iterdir()
    act = file.read_text(encoding="utf-8")
    assert act.strip() == shown.strip(), "the act on paper is the act on the screen"
    for place in (key, "Движок: ", "Битрикс24: карточек очищено 1", "Журнал эффектов: записей"):
        assert place in act
    assert gone.name not in act
    (line,) = (chain.folder / "erasures.jsonl").read_text(encoding="utf-8").splitlines()
    assert (json.loads(line)["orders"], json.loads(line)["act"]) == ([key], file.name)
