"""What people put beside the route is a paper of the order too: files of comments, of chats, and of fields too early.

They are judged as any other file and kept in the engine with size, SHA-256, author and time, so every door shows them.
Whoever sent one that cannot be kept is told why. The variable's name comes from the portal's own number of the thing:
a repeat, also after a lost ledger, finds what is there.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from bitrix_sync.card import Notice
from bitrix_sync.client import Command
from bitrix_sync.compare import Entry
from bitrix_sync.errors import PortalRefused
from bitrix_sync.notes import send
from bitrix_sync.schema import CardField
from bitrix_sync.values import instant
from bitrix_sync.work import Work
from orders.discussion import Said
from orders.errors import Permanent, Refused
from orders.papers import BESIDE
from orders.reply import SentFile

MOST = 60  # of one order
LARGEST = 20 << 20  # bytes; what is said to be larger is not even fetched
_IN_LINK = re.compile(r"/(?:downloadFile|showFile)/(\d+)")
_WAYS = ("disk.file.get", "disk.attachedObject.get")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attached:
    """A file as a comment or a message names it. `size` in bytes; None where the portal does not tell."""

    number: str
    name: str
    size: int | None
    link: str = ""  # opens in a browser's session only, but names the file's number on the Drive


@dataclass(frozen=True, slots=True)
class _Paper:
    """A file that is to be kept; `author` is a portal user, `where` says where it was found."""

    variable: str
    name: str
    author: int
    at: datetime
    where: str


def attached(row: Mapping[str, Any]) -> Attached:
    """Read one file of a comment or of a chat."""
    link, name = str(row.get("urlDownload") or ""), str(row.get("name") or "")
    return Attached(str(row.get("id") or ""), name, _number(row.get("size")), link)


def keep_attached(work: Work, said: Said, author: int, files: Sequence[Attached]) -> bool:
    """Keep the files of a comment; False where nobody here can judge them. Raises Transient: tried again."""
    if work.desk is None:
        return not files
    place = "m" if said.source else "c"
    at = datetime.fromisoformat(said.at) if said.at else datetime.now(UTC)
    for n, file in enumerate(files, 1):
        paper = _Paper(f"{BESIDE}{place}{said.id}_{n}", file.name, author, at, "из обсуждения")
        _keep(work, paper, partial(_fetched, work, file))
    return True


def rescue(work: Work, field: CardField, strange: Iterable[Entry]) -> None:
    """Keep what somebody put into a field while it was not its turn, before it is taken off. Raises Transient."""
    entries = list(strange)
    if work.desk is None or not entries or not work.order.running:
        return
    item, ours = work.seen.item or {}, _our_files(work)
    author, at = int(item.get("updatedBy") or 0), instant(item.get("updatedTime"), work.zone) or datetime.now(UTC)
    for entry in entries:
        if str(entry.id) not in ours:
            paper = _Paper(f"{BESIDE}f{entry.id}", "", author, at, f"из поля «{field.label}» до его шага")
            _keep(work, paper, partial(_of_the_card, work, entry.url))


def _keep(work: Work, paper: _Paper, fetch: Callable[[], SentFile]) -> None:
    assert work.desk is not None
    key = f"{work.wish.key}:{paper.variable}"
    held = {file.variable for file in work.order.files if file.variable.startswith(BESIDE)}
    if paper.variable in held or work.ledger.effect(key).state == "done":
        return
    person = work.staff.of_bitrix(paper.author)
    try:
        if len(held) >= MOST:
            raise Refused(f"«{paper.name}»: в заказе уже {MOST} таких файлов")
        sent = fetch()
        if hashlib.sha256(sent.data).hexdigest() in {file.sha256 for file in work.order.files}:
            work.note_done(key)  # the order has it already
            return
        work.guard.check()
        by = person.id if person else f"пользователь {paper.author}"
        work.desk.keep_paper(work.order, paper.variable, sent, by, paper.at)
    except Refused as refused:
        reason = str(refused)
    except Permanent as error:
        log.error("paper_unreadable", order=work.wish.key, variable=paper.variable, reason=str(error))
        reason = f"«{paper.name}»: портал не отдаёт его программе" if paper.name else "Он не читается"
    else:
        log.info("paper_kept", order=work.wish.key, variable=paper.variable, by=by)
        work.note_done(key)
        return
    log.warning("paper_refused", order=work.wish.key, variable=paper.variable, reason=reason)
    text = f"Заказ {work.wish.key}: файл {paper.where} не сохранён. {reason.rstrip('.')}. Приложите его к шагу заново."
    if paper.author not in (0, work.guard.client.user_id):
        notice = Notice(f"{key}:refused", person.id if person else "", text)
        send(work.guard, work.ledger, notice, person, paper.author)
    work.note_done(key)


def _our_files(work: Work) -> set[str]:
    """Return the portal's numbers of all files that this order's fields ever held rightly."""
    keys = [key for key in work.ledger.keys_of(work.wish.key) if key.startswith(f"{work.wish.key}:file:")]
    return {effect.remote_id for effect in work.ledger.effects(keys).values() if effect.remote_id}


def _of_the_card(work: Work, url: str) -> SentFile:
    return SentFile(*work.guard.fetch(url))


def _fetched(work: Work, file: Attached) -> SentFile:
    """Fetch a file by its number. Raises PortalRefused where the portal does not show it, Refused for its size.

    The documents do not say whether a comment's file is numbered as on the Drive or as attached: both are asked, in one
    request, and the one with this name and size is it.
    """
    if file.size is not None and file.size > LARGEST:
        raise Refused(f"«{file.name}»: больше {LARGEST >> 20} МБ")
    numbers = dict.fromkeys(n for n in (file.number, *_IN_LINK.findall(file.link)) if n.isdigit())
    commands: dict[str, Command] = {f"{way}:{n}": (way, {"id": n}) for n in numbers for way in _WAYS}
    answers = work.guard.batch(commands)
    errors = list(answers.errors().values())
    if lost := next((error for error in errors if not isinstance(error, PortalRefused)), None):
        raise lost
    rows = [answers[name].map() for name in commands if answers.error(name) is None]
    fitting = next((row for row in rows if _fits(row, file)), None)
    if fitting is None:
        raise PortalRefused(_WAYS[0], 400, "ERROR_NOT_FOUND", f"файла «{file.name}» с этим размером нет")
    name, data = work.guard.fetch(str(fitting["DOWNLOAD_URL"]))
    return SentFile(file.name or str(fitting.get("NAME") or name), data)


def _fits(row: Mapping[str, Any], file: Attached) -> bool:
    named = not file.name or _plain(str(row.get("NAME"))) == _plain(file.name)
    return named and bool(row.get("DOWNLOAD_URL")) and file.size in (None, _number(row.get("SIZE")))


def _number(shown: object) -> int | None:
    text = str(shown)
    return int(text) if text.isdecimal() else None


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
