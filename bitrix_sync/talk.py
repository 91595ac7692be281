"""What people write on an order's card reaches the order's history, each comment once and with its author.

Our own comments are known by the mark that ends them. The engine's own list tells what is there already, so a lost
ledger repeats nothing; the ledger only saves asking for that list each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bitrix_sync.observe import mark_of
from bitrix_sync.php import as_map
from bitrix_sync.values import instant
from bitrix_sync.work import Work
from orders.discussion import Said, added, plain_words, read, write

log = structlog.get_logger(__name__)


def collect(work: Work) -> None:
    """Write every comment of a person that the order does not hold yet; the caller holds the order's lease."""
    new = strangers(work)
    if not new or not work.order.running:
        return
    held = read(work.engine.discussion(work.order.instance_id))
    for number, row in sorted(new.items()):
        after = added(held, _said(work, number, row))
        if after is not None:
            work.guard.check()
            work.engine.write_discussion(work.order.instance_id, write(after))
            held = after
            log.info("comment_kept", order=work.wish.key, comment=number)
        work.note_done(talk_key(work.wish.key, number))


def strangers(work: Work) -> dict[int, Mapping[str, Any]]:
    """Return the comments that are not ours and not known to be kept, by id."""
    us = str(work.guard.client.user_id)
    theirs = {
        int(row["ID"]): row
        for row in work.seen.comments
        if mark_of(str(row.get("COMMENT") or "")) is None and str(row.get("AUTHOR_ID")) != us
    }
    known = work.ledger.effects(talk_key(work.wish.key, number) for number in theirs) if theirs else {}
    return {number: row for number, row in theirs.items() if talk_key(work.wish.key, number) not in known}


def talk_key(key: str, comment: int) -> str:
    """Return the effect key of a comment that the order holds."""
    return f"{key}:talk:{comment}"


def _said(work: Work, number: int, row: Mapping[str, Any]) -> Said:
    user = int(row.get("AUTHOR_ID") or 0)
    person = work.staff.of_bitrix(user)
    at = instant(row.get("CREATED"), work.zone)
    files = tuple(str(as_map(each).get("name") or "") for each in as_map(row.get("FILES")).values())
    name = person.name if person else f"пользователь {user}"
    moment = at.isoformat() if at else ""
    return Said(number, person.id if person else "", name, moment, plain_words(str(row.get("COMMENT") or "")), files)
