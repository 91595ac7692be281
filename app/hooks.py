"""`POST /hooks/bitrix24`: the portal's events as hints to look again, judged before anything is read from them.

The portal signs nothing, repeats nothing and orders nothing (bitrix24.md 6): an event only says "look at this card or
task". So a known token lets one row into the inbox, committed before the answer; a forged event costs nothing, a copy
changes nothing, and a lost one is found by polling.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from flask import Flask, Response, request
from pydantic import SecretStr

from bitrix_sync.hints import Hint
from ledger import Ledger
from ledger.errors import LedgerError

PATH = "/hooks/bitrix24"
LAST_EVENT = "last-event"  # the ledger's cursor: when the inbox last took one, for `bitrix doctor`
NOTE_SECONDS = 60.0
LARGEST, FIELDS = 64 * 1024, 200  # bytes and fields of one event; the portal's own have about ten
_FORM = "application/x-www-form-urlencoded"
_ID = re.compile(r"[1-9]\d{0,11}", re.ASCII)
_ITEM = re.compile(r"ONCRMDYNAMICITEM(ADD|UPDATE|DELETE)(?:_(\d{1,9}))?", re.ASCII)
_TASK = {"ONTASKADD", "ONTASKUPDATE", "ONTASKDELETE", "ONTASKCOMMENTADD"}


def add_hooks(site: Flask, tokens: Sequence[SecretStr], note: Callable[[Hint], None]) -> None:
    """Open the door on a site; `note` commits one hint, at once."""
    known = [token.get_secret_value().encode() for token in tokens]

    @site.post(PATH)
    def event() -> Response:
        if request.mimetype != _FORM:
            return _says(415)
        if request.content_length is None or request.content_length > LARGEST:
            return _says(411 if request.content_length is None else 413)
        try:
            form = _form(request.get_data(cache=False))
        except ValueError:
            return _says(400)
        if not _token_known(form.get("auth[application_token]", ""), known):
            return _says(403)
        hint = hint_of(form)
        if hint is not None:
            try:
                note(hint)
            except LedgerError:
                return _says(503)  # nothing is repeated: polling will find it
        return _says(200)


def into_inbox(ledger: Ledger) -> Callable[[Hint], None]:
    """Return the way of a hint into the ledger, which remembers once a minute that events come."""
    noted = [float("-inf")]

    def note(hint: Hint) -> None:
        ledger.hint(hint.kind, hint.number)
        if time.monotonic() - noted[0] > NOTE_SECONDS:
            noted[0] = time.monotonic()
            ledger.set_cursor(LAST_EVENT, datetime.now(UTC).isoformat(timespec="seconds"))

    return note


def hint_of(form: Mapping[str, str]) -> Hint | None:
    """Return what an event asks to look at, None for one that is of no use here."""
    name = form.get("event", "").upper()
    if found := _ITEM.fullmatch(name):
        entity = form.get("data[FIELDS][ENTITY_TYPE_ID]", found[2] or "")
        return _hint(f"item:{entity}" if _ID.fullmatch(entity) else "item:", form.get("data[FIELDS][ID]", ""))
    if name == "ONCRMTIMELINECOMMENTADD":  # the documents show both places
        return next(
            (h for place in ("[ID]", "[FIELDS][ID]") if (h := _hint("comment", form.get(f"data{place}", "")))), None
        )
    if name in _TASK:
        places = ("[FIELDS_AFTER][TASK_ID]", "[FIELDS_AFTER][ID]", "[FIELDS_BEFORE][ID]")
        numbers = (form.get(f"data{place}", "") for place in places)
        return next((hint for number in numbers if (hint := _hint("task", number))), None)
    return None


def _hint(kind: str, number: str) -> Hint | None:
    return Hint(kind, number) if _ID.fullmatch(number) else None


def _form(data: bytes) -> dict[str, str]:
    """Read the flat pairs; brackets are part of the names and are never unfolded. Raises ValueError."""
    pairs = parse_qsl(data.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS, errors="replace")
    return dict(pairs)


def _token_known(given: str, known: Sequence[bytes]) -> bool:
    """Compare with every token in constant time: during a rotation two are good."""
    sent = given.encode("utf-8", "surrogatepass")
    return sum(hmac.compare_digest(sent, each) for each in known) > 0


def _says(status: int) -> Response:
    return Response("", status=status, content_type="text/plain; charset=utf-8")
