"""What people write on an order's card and in its task's chat reaches the order's history, once and with its author.

Our own comments are known by the mark that ends them. The engine's own list tells what is there already, so a lost
ledger repeats nothing; the ledger only saves asking for that list each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import structlog

from bitrix_sync.observe import mark_of
from bitrix_sync.php import as_list, as_map
from bitrix_sync.values import instant
from bitrix_sync.work import Work
from orders.discussion import Said, added, plain_words, read, write

log = structlog.get_logger(__name__)


def collect(work: Work) -> None:
    """Write every comment of a person that the order does not hold yet; the caller holds the order's lease."""
    if not work.order.running:
        return
    new = [(talk_key(work.wish.key, number), _said(work, number, row)) for number, row in strangers(work).items()]
    new += _chatted(work)
    if not new:
        return
    held = read(work.engine.discussion(work.order.instance_id))
    for key, said in sorted(new, key=lambda each: each[1].place):
        after = added(held, said)
        if after is not None:
            work.guard.check()
            work.engine.write_discussion(work.order.instance_id, write(after))
            held = after
            log.info("comment_kept", order=work.wish.key, comment=said.id, source=said.source or "card")
        work.note_done(key)


def strangers(work: Work) -> dict[int, Mapping[str, Any]]:
    """Return the comments on the card that are not ours and not known to be kept, by id."""
    us = str(work.guard.client.user_id)
    theirs = {
        int(row["ID"]): row
        for row in work.seen.comments
        if mark_of(str(row.get("COMMENT") or "")) is None and str(row.get("AUTHOR_ID")) != us
    }
    known = work.ledger.effects(talk_key(work.wish.key, number) for number in theirs) if theirs else {}
    return {number: row for number, row in theirs.items() if talk_key(work.wish.key, number) not in known}


def talk_key(key: str, comment: int | str) -> str:
    """Return the effect key of a comment that the order holds."""
    return f"{key}:talk:{comment}"


def _chatted(work: Work) -> Iterator[tuple[str, Said]]:
    """Yield what people wrote in the open task's chat and nobody has kept yet, the portal's own lines left out."""
    us = work.guard.client.user_id
    rows = [as_map(row) for row in as_list(work.seen.chat.get("messages"))]
    theirs = {
        talk_key(work.wish.key, f"m{row.get('id')}"): row
        for row in rows
        if int(row.get("author_id") or 0) not in (0, us)
    }
    known = work.ledger.effects(theirs) if theirs else {}
    names = {
        str(file.get("id")): str(file.get("name") or "") for file in map(as_map, as_list(work.seen.chat.get("files")))
    }
    for key, row in theirs.items():
        if key in known:
            continue
        files = tuple(names.get(str(n), "") for n in as_list(as_map(row.get("params")).get("FILE_ID")))
        person, name = _author(work, int(row["author_id"]))
        at = instant(row.get("date"), work.zone)
        text = plain_words(str(row.get("text") or ""))
        yield key, Said(int(row["id"]), person, name, at.isoformat() if at else "", text, files, "task")


def _author(work: Work, user: int) -> tuple[str, str]:
    person = work.staff.of_bitrix(user)
    return (person.id, person.name) if person else ("", f"пользователь {user}")


def _said(work: Work, number: int, row: Mapping[str, Any]) -> Said:
    person, name = _author(work, int(row.get("AUTHOR_ID") or 0))
    at = instant(row.get("CREATED"), work.zone)
    files = tuple(str(as_map(each).get("name") or "") for each in as_map(row.get("FILES")).values())
    moment = at.isoformat() if at else ""
    return Said(number, person, name, moment, plain_words(str(row.get("COMMENT") or "")), files)
