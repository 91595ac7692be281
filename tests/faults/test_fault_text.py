"""Rule: any text is kept whole or refused in words before anything is done: no text makes the engine stumble."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest
from chain import Chain, open_chain
from crowd import REFUSED
from gate_models import Door, door, process, stage, task_of, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import clean
from shop import Shop

pytestmark = pytest.mark.engine
PROCESS = "fault-text"
LONG = st.integers(3990, 10_000).map(lambda n: "ж🙂"[n % 2] * n)
ANY = st.text(st.characters(codec="utf-8"), max_size=300) | st.text(max_size=40) | LONG
NASTY = ["a\0b", "🙂" * 2000, "🙂" * 2001, "\ud83d", "e\u0301", "\u202eevil", "${7*7}", "\x85\u2028", "\ufffe", "\r\n"]


@pytest.fixture(scope="module")
def admin(shop: Shop) -> Door:
    opened = door(shop, "admin")
    answer = opened.deploy(process(PROCESS, [stage("Step", {"field.said": "text; Сказано"})]))
    assert answer.status_code == 200, answer.text
    return opened


def check(shop: Shop, admin: Door, said: str) -> None:
    """Answer a step with this text: it is kept as it was sent, or refused with one sentence and the step stays."""
    started = admin.start(PROCESS)
    assert started.status_code == 200, started.text
    instance = str(started.json()["id"])
    answer = door(shop, "volkov").complete(task_of(admin, instance), {"said": text(said)})
    if answer.status_code == 204:
        (row,) = admin.rows(f"/history/variable-instance?processInstanceId={instance}&variableName=said")
        assert kept(said) == kept(row["value"] or "")
    else:
        assert answer.status_code == 400, (answer.status_code, answer.text[:300])
        assert answer.json()["message"]
        assert task_of(admin, instance)


def kept(value: str) -> str:
    """Return what of a text is kept: all but white space at its ends, in one spelling of accents and line ends."""
    return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


@pytest.mark.parametrize("said", NASTY)
def test_known_nasty_texts(shop: Shop, admin: Door, said: str) -> None:
    check(shop, admin, said)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(said=ANY)
def test_any_text(shop: Shop, admin: Door, said: str) -> None:
    check(shop, admin, said)


@pytest.mark.soak
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(said=ANY)
def test_a_thousand_texts(shop: Shop, admin: Door, said: str) -> None:
    check(shop, admin, said)


@pytest.fixture
def chain(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with open_chain(shop, tmp_path_factory.mktemp("text") / "chain", lock_seconds=15) as opened:
        opened.work()
        yield opened


def test_a_long_comment_with_four_byte_letters_reaches_the_card_whole(chain: Chain) -> None:
    said = "Не наше: " + "🙂ё" * 1300 + " конец"
    order = chain.shop.start_order(itemDescription="Стол 🙂 «Ёлка» ${7*7} \u202e")
    chain.answer(order, "UserTask_ApproveOrder", directorDecision="reject", directorComment=said)
    assert chain.ended(order) == REFUSED
    key = str(order.business_key)
    chain.wait(lambda: any(said in comment for comment in chain.book.comments(key)), "the comment on the card")
    assert "${7*7}" in str(chain.book.value("itemDescription", key))
    clean(chain, [order])
