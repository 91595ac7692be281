"""What people write on an order's card and in its tasks' chats reaches the order's history, once and with its author.

The files that they attach are kept as papers of the order (`bitrix_sync.papers`). Our own comments are known by the
mark that ends them. The engine's own list tells what is there already, so a lost ledger repeats nothing; the ledger
only saves asking for that list each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from bitrix_sync.observe import mark_of
from bitrix_sync.papers import Attached, attached, keep_attached
from bitrix_sync.php import as_list, as_map
from bitrix_sync.values import instant
from bitrix_sync.work import Work
from orders.discussion import Said, added, plain_words, read, write
from orders.errors import PortalUnavailable, Transient

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _New:
    """One comment that the order does not hold yet, under its effect key; `author` is a portal user."""

    key: str
    said: Said
    author: int
    files: tuple[Attached, ...]


def collect(work: Work) -> None:
    """Keep every comment of a person that the order does not hold yet; the caller holds the order's lease.

    A file that cannot be judged now is tried again later and holds up nothing else.
    """
    if not work.order.running:
        return
    new = [*_commented(work), *_chatted(work)]
    if not new:
        return
    held = read(work.engine.discussion(work.order.instance_id))
    for each in sorted(new, key=lambda each: each.said.place):
        after = added(held, each.said)
        if after is not None:
            work.guard.check()
            work.engine.write_discussion(work.order.instance_id, write(after))
            held = after
            log.info("comment_kept", order=work.wish.key, comment=each.said.id, source=each.said.source or "card")
        try:
            if keep_attached(work, each.said, each.author, each.files):
                work.note_done(each.key)
        except PortalUnavailable:
            raise
        except Transient as error:
            work.later.append(error)


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


def _commented(work: Work) -> Iterator[_New]:
    """Yield what people wrote on the card and nobody has kept yet."""
    for number, row in strangers(work).items():
        files = tuple(attached(as_map(each)) for each in as_map(row.get("FILES")).values())
        said = _said(work, number, row.get("AUTHOR_ID"), row.get("CREATED"), row.get("COMMENT"), files)
        yield _New(talk_key(work.wish.key, number), said, int(row.get("AUTHOR_ID") or 0), files)


def _chatted(work: Work) -> Iterator[_New]:
    """Yield what people wrote in the chats of open tasks and nobody has kept yet, the portal's own lines left out."""
    us = work.guard.client.user_id
    rows = [as_map(row) for chat in work.seen.chats for row in as_list(chat.get("messages"))]
    theirs = {
        talk_key(work.wish.key, f"m{row.get('id')}"): row
        for row in rows
        if int(row.get("author_id") or 0) not in (0, us)
    }
    known = work.ledger.effects(theirs) if theirs else {}
    known_files = {
        file.number: file
        for chat in work.seen.chats
        for file in (attached(as_map(row)) for row in as_list(chat.get("files")))
    }
    for key, row in theirs.items():
        if key in known:
            continue
        numbers = [str(n) for n in as_list(as_map(row.get("params")).get("FILE_ID"))]
        files = tuple(known_files.get(n) or Attached(n, "", None) for n in numbers)
        said = _said(work, row["id"], row["author_id"], row.get("date"), row.get("text"), files, source="task")
        yield _New(key, said, int(row["author_id"]), files)


def _said(
    work: Work, number: Any, user: Any, at: Any, text: Any, files: Iterable[Attached], *, source: str = ""
) -> Said:
    """Put what the portal tells of a comment or a message into the order's shape."""
    author = int(user or 0)
    person, moment = work.staff.of_bitrix(author), instant(at, work.zone)
    return Said(
        id=int(number),
        person=person.id if person else "",
        name=person.name if person else f"пользователь {author}",
        at=moment.isoformat() if moment else "",
        text=plain_words(str(text or "")),
        files=tuple(file.name for file in files),
        source=source,
    )
