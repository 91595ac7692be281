"""The oracle of every fault test: what must be zero after the trouble, read from outside the worker.

Sources: the portal's own call log and state, the engine's history, the logs of worker and engine. The figures are
those that the promise names: no acknowledged order lost, nothing done twice, no step back that the diagram does not
have, no incident that a person did not need to see, a card for each order and an order for each card, no secret in
a log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from chain import CREATES, Chain, doubled

from bitrix_sync.schema import outcome_code
from engine.errors import NotFound
from engine.processes import Instance

FIGURES = (
    *("lost orders", "doubled things", "doubled notices", "back moves", "incidents", "orders without card"),
    *("cards without order", "differences", "secrets in logs"),
)
DEEP = 12  # orders whose files are compared byte by byte; of a crowd the rest is compared without a download


def clean(chain: Chain, orders: Sequence[Instance], *, expected: Iterable[Instance] = ()) -> None:
    """Assert that every figure is zero. `orders` are all that were acknowledged; `expected` may have incidents."""
    wrong = {name: found for name, found in figures(chain, orders, expected).items() if found}
    assert wrong == {}, f"{wrong}\n{chain.tail()}"


def figures(chain: Chain, orders: Sequence[Instance], expected: Iterable[Instance] = ()) -> dict[str, list[str]]:
    """Return what is wrong, by figure; empty lists where nothing is."""
    allowed = {order.id for order in expected}
    cards = Counter(str(card["xmlId"]).removeprefix("order:") for card in chain.book.cards())
    there = [order for order in orders if _there(chain, order)]
    keys = {str(order.business_key) for order in orders}
    found: dict[str, list[str]] = {name: [] for name in FIGURES}
    found["lost orders"] = [str(order.business_key) for order in orders if order not in there]
    found["doubled things"] = [*doubled(chain.created()), *(f"card {key}" for key, n in cards.items() if n > 1)]
    found["doubled notices"] = _doubled_notices(chain)
    found["back moves"] = [move for order in there for move in back_moves(chain, order)]
    found["incidents"] = [f"{o.business_key}: {r}" for o in there if o.id not in allowed for r in chain.incidents(o)]
    found["orders without card"] = sorted(keys - set(cards))
    found["cards without order"] = sorted(key for key in cards if key not in keys and not _known(chain, key))
    for place, order in enumerate(there):
        if order.id not in allowed:
            told = chain.parts.cards().differences(order.id, deep=place < DEEP)
            found["differences"] += [str(each) for each in told]
    found["secrets in logs"] = secrets_in_logs(chain)
    return found


def back_moves(chain: Chain, order: Instance) -> list[str]:
    """Return the moves of an order's card that its own way through the diagram does not explain."""
    way = _way(chain, order)
    moves, place = [], 0
    for column in _columns(chain, str(order.business_key)):
        ahead = next((n for n in range(place, len(way)) if way[n] == column), None)
        if ahead is None:
            moves.append(f"{order.business_key}: {column} after {way[: place + 1]}")
        else:
            place = ahead
    return moves


def secrets_in_logs(chain: Chain) -> list[str]:
    """Return which secret stands in which log of this shop: passwords, the webhook's token, the database's password."""
    engine = chain.shop.engine
    hook = chain.portal.webhook_url.rstrip("/").rpartition("/")[2]
    words = {"webhook": hook, "admin": engine.admin_password.get_secret_value()}
    words |= {f"password of {name}": word.get_secret_value() for name, word in chain.shop.passwords.items()}
    database = engine.data_dir / "h2.secret"
    if database.is_file():
        words["database"] = database.read_text().strip()
    logs = [chain.folder / "worker.log", *engine.data_dir.glob("engine.log*")]
    return [f"{name} in {log.name}" for log in logs if log.is_file() for name in _held(log, words)]


def _held(log: Path, words: dict[str, str]) -> list[str]:
    text = log.read_text(encoding="utf-8", errors="replace")
    return [name for name, word in words.items() if word and word in text]


def _there(chain: Chain, order: Instance) -> bool:
    try:
        return bool(chain.shop.integration.history.instance(order.id))
    except NotFound:
        return False


def _known(chain: Chain, key: str) -> bool:
    return bool(list(chain.shop.integration.history.instances(processInstanceBusinessKey=key)))


def _doubled_notices(chain: Chain) -> list[str]:
    """Return the notices that a person sees twice: without a tag, or one tag with different words.

    A repeat of the same tag by the same sender replaces the first one; so says the portal's documentation.
    """
    texts: dict[tuple[str, str], set[str]] = {}
    for line in chain.portal.log("im.notify.personal.add", applied=True):
        params: dict[str, Any] = line["params"]
        tag = params.get("TAG") if params.get("CLIENT_ID") else None
        texts.setdefault((str(params["USER_ID"]), str(tag or f"none, call {line['n']}")), set()).add(params["MESSAGE"])
    return [f"{user}: {tag}" for (user, tag), said in texts.items() if len(said) > 1 or tag.startswith("none, ")]


def _way(chain: Chain, order: Instance) -> list[str]:
    """Return the columns that the diagram led this order through, in time: one for each sync-stage entered."""
    snapshot = chain.shop.reader.snapshot(order.id)
    route = chain.shop.reader.route(snapshot.definition_id)
    way = []
    for activity in chain.shop.integration.history.activities(processInstanceId=order.id):
        target = route.sync_targets.get(activity.element)
        if target is not None:
            stage = route.stage(target)
            way.append(stage.code if stage else outcome_code(target))
    return way


def _columns(chain: Chain, key: str) -> list[str]:
    """Return the columns in which the order's cards were put, in the order of the calls."""
    cards = {card["id"] for card in chain.book.cards() if card["xmlId"] == f"order:{key}"}
    columns: list[str] = []
    for line in chain.portal.log(applied=True):
        params, method = line["params"], line["method"]
        if method not in (CREATES["card"], "crm.item.update"):
            continue
        fields = params.get("fields") or {}
        mine = fields.get("xmlId") == f"order:{key}" or params.get("id") in cards
        column = chain.book.schema.column_code(fields.get("stageId")) if mine and "stageId" in fields else None
        if column and columns[-1:] != [column]:
            columns.append(column)
    return columns
