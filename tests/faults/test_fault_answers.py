"""Rule: a worker killed when all is done but the engine was not told: the next tells it and writes nothing more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from chain import Chain, doubled, open_chain
from oracle import clean
from shop import Shop

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
Tell = Callable[[str], None]
READS = ("list", "get", "current", "fields", "getlist", "getchildren", "profile")


@pytest.fixture
def chain(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with open_chain(shop, tmp_path_factory.mktemp("answers") / "chain") as opened:
        yield opened


def test_killed_before_the_answer_nothing_is_written_again(chain: Chain, tell: Tell) -> None:
    killed_before_the_answer(chain, tell, rounds=1)


@pytest.mark.soak
def test_fifty_times_killed_before_the_answer(chain: Chain, tell: Tell) -> None:
    killed_before_the_answer(chain, tell, rounds=17)


def killed_before_the_answer(chain: Chain, tell: Tell, rounds: int) -> None:
    orders = []
    for _ in range(rounds):
        chain.retire()
        chain.work(*(f"before_complete/{topic}:kill" for topic in ("register-order", "sync-stage", "notify")))
        orders.append(chain.cancelled_order())
    assert chain.deaths == 3 * rounds
    assert doubled(_writes(chain)) == {}, "the very same write was sent twice"
    clean(chain, orders)
    tell(f"before_complete: {chain.deaths} deaths, {len(orders)} orders")


def _writes(chain: Chain) -> list[str]:
    """Return every single write that the portal carried out, with all that was sent."""
    lines = [line for line in chain.portal.log(applied=True) if line["method"] != "batch"]
    return [
        f"{line['method']} {json.dumps(line['params'], sort_keys=True)}" for line in lines if _wrote(line["method"])
    ]


def _wrote(method: str) -> bool:
    return method != "batch" and method.rpartition(".")[2].lower() not in READS
