"""The portal as its methods: calls with a retry policy per kind, batches, lists, downloads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import SecretStr

from bitrix_sync.breaker import PROBE_SECONDS
from bitrix_sync.envelope import SHUT_OUT_CODES, Answer, BatchAnswer, Fault
from bitrix_sync.errors import PortalRefused, UnknownOutcome, Unreadable
from bitrix_sync.php import as_list, as_map, query, sayable
from bitrix_sync.retry import Kind, kind_of, retrying
from bitrix_sync.transport import MAX_ANSWER, Transport, Ways
from ledger import Ledger
from orders.errors import OrderRouteError

BATCH = 50
PAGE = 50
_COUNTED_ATTEMPTS = 4  # of one call: alone it must not open the breaker for everybody

T = TypeVar("T")
Command = tuple[str, Mapping[str, Any]]


class PortalClient:
    """Calls to one portal.

    `webhook` is `https://portal/rest/USER/TOKEN/`. A view made by `bound` shares everything but lane and deadline.
    """

    def __init__(
        self,
        webhook: SecretStr,
        ledger: Ledger,
        *,
        rate: float = 2.0,
        burst: float = 50.0,
        probe_seconds: float = PROBE_SECONDS,
        on_alarm: Callable[[str], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport = Transport(
            webhook, ledger, rate=rate, burst=burst, probe_seconds=probe_seconds, on_alarm=on_alarm, sleep=sleep
        )
        self._ways = Ways()

    def bound(self, *, lane: str | None = None, deadline: float | None = None) -> PortalClient:
        """Return a view for one piece of work: its lane ("people" or "sweep") and its `time.monotonic()` end."""
        view = object.__new__(PortalClient)
        view._transport = self._transport
        view._ways = Ways(lane or self._ways.lane, deadline if deadline is not None else self._ways.deadline)
        return view

    @property
    def portal(self) -> str:
        """Return the portal's host, for messages."""
        return self._transport.portal

    @property
    def origin(self) -> str:
        """Return the portal's address without any secret: `https://portal`."""
        return "://".join(self._transport.origin)

    @property
    def user_id(self) -> int:
        """Return the webhook owner's user id: who we are in the portal."""
        return self._transport.user_id

    @property
    def alarm(self) -> str | None:
        """Return the sentence of the open breaker, None while calls go through."""
        return self._transport.breaker.alarm

    @property
    def requests(self) -> dict[str, int]:
        """Return how many HTTP requests this process has sent, by method."""
        return dict(self._transport.counter.by_method)

    def call(self, method: str, params: Mapping[str, Any] | None = None, *, kind: Kind | None = None) -> Answer:
        """Call one method. Raises NotExecuted, UnknownOutcome (creates: look before repeating), or PortalRefused."""
        return self._repeat(kind or kind_of(method), lambda ways: self._transport.exchange(method, params or {}, ways))

    def ask(self, method: str, params: Mapping[str, Any] | None = None) -> Answer | None:
        """Call a read that a portal may not offer to a webhook: None where it does not."""
        try:
            return self._repeat(
                Kind.READ, lambda ways: self._transport.exchange(method, params or {}, replace(ways, optional=True))
            )
        except PortalRefused:
            return None

    def call_v3(self, method: str, body: Mapping[str, Any], key: str) -> Answer:
        """Call a REST 3 create with an Idempotency-Key: repeating it within 24 h is safe, so it is repeated."""
        return self._repeat(Kind.WRITE, lambda ways: self._transport.exchange(method, body, ways, v3=True, key=key))

    def batch(self, commands: Mapping[str, Command], *, kind: Kind = Kind.READ) -> BatchAnswer:
        """Call many methods, 50 a request; each answer is judged alone. Creates do not belong here (ValueError).

        A write that empties a list goes alone, as JSON: a batch is made of query strings.
        """
        answers = BatchAnswer()
        names = list(commands)
        for name in names:
            if kind_of(commands[name][0]) is Kind.CREATE:
                raise ValueError(f"a create in a batch has an outcome that nobody can look up: {commands[name][0]}")
        for name in [each for each in names if self._transport.blocked(commands[each][0])]:
            answers.put(name, self._transport.block(commands[name][0]))
            names.remove(name)
        for name in [
            each for each in names if kind is Kind.WRITE and not all(map(sayable, commands[each][1].values()))
        ]:
            answers.put(name, self._alone(*commands[name]))
            names.remove(name)
        for at in range(0, len(names), BATCH):
            part = {name: commands[name] for name in names[at : at + BATCH]}
            lines = {name: f"{method}?{query(params)}" for name, (method, params) in part.items()}
            answer = self.call("batch", {"halt": 0, "cmd": lines}, kind=kind)
            methods = {name: method for name, (method, _) in part.items()}
            answers.add(methods, answer, self._refused_inside)
            for name, method in methods.items():
                if answers.error(name) is None:
                    self._transport.note_reset(method, answers[name].operating_reset_at)
        return answers

    def _alone(self, method: str, params: Mapping[str, Any]) -> Answer | OrderRouteError:
        try:
            return self.call(method, params, kind=Kind.WRITE)
        except PortalRefused as refused:
            return refused

    def _refused_inside(self, fault: Fault, method: str) -> OrderRouteError:
        """Judge an error inside a batch, whose own status is always 200."""
        if fault.code in SHUT_OUT_CODES:
            return self._transport.shut_out(fault, method, 403)
        if fault.code == "OPERATION_TIME_LIMIT":
            return self._transport.block(method)
        return fault.raised(method, 400)

    def items(self, method: str, params: Mapping[str, Any], *, path: Sequence[str], id_name: str = "id") -> list[Any]:
        """Read a whole list, paging by ascending id: offsets shift while others write (bitrix24.md 1, Lists).

        `path` leads to the rows inside the result; `id_name` is the filter's name of the id.
        """
        return list(self._pages(method, params, path, id_name))

    def _pages(self, method: str, params: Mapping[str, Any], path: Sequence[str], id_name: str) -> Iterator[Any]:
        last: int | None = None
        while True:
            filters = dict(params.get("filter", {})) | ({f">{id_name}": last} if last is not None else {})
            page = dict(params) | {"order": {id_name: "ASC"}, "filter": filters, "start": -1}
            rows = rows_of(self.call(method, page, kind=Kind.READ), *path)
            yield from rows
            if len(rows) < PAGE:
                return
            newest = int(rows[-1].get(id_name) or rows[-1][id_name.lower()])
            if last is not None and newest <= last:
                raise UnknownOutcome(f"Битрикс24 не листает {method} по возрастанию номера")
            last = newest

    def offsets(self, method: str, params: Mapping[str, Any], *, path: Sequence[str]) -> list[dict[str, Any]]:
        """Read a whole list by offset: for short lists whose filter knows no range of ids."""
        found: list[dict[str, Any]] = []
        start: int | None = 0
        while start is not None:
            answer = self.call(method, dict(params) | {"start": start}, kind=Kind.READ)
            rows = rows_of(answer, *path)
            found += rows
            start = answer.next if rows and (answer.next or 0) > start else None
        return found

    def download(self, url: str, *, limit: int = MAX_ANSWER) -> bytes:
        """Fetch a file's bytes by a link of this portal, at most `limit` bytes."""
        return self.fetch(url, limit=limit)[1]

    def fetch(self, url: str, *, limit: int = MAX_ANSWER) -> tuple[str, bytes]:
        """Fetch a file with the name that the portal gives it ("" where it gives none)."""
        return self._repeat(Kind.READ, lambda ways: self._transport.download(url, ways, limit))

    def _repeat(self, kind: Kind, send: Callable[[Ways], T]) -> T:
        for attempt in retrying(kind, self._ways.deadline, self._transport.sleep):
            with attempt:
                quiet = attempt.retry_state.attempt_number > _COUNTED_ATTEMPTS
                try:
                    return send(replace(self._ways, quiet=quiet))
                except Unreadable:
                    if kind is Kind.CREATE:
                        raise UnknownOutcome("ответ Битрикс24 прочитать нельзя") from None
                    raise
        raise AssertionError("tenacity either returns or raises")


def rows_of(answer: Answer, *path: str) -> list[dict[str, Any]]:
    """Return the rows at a path of a list's result."""
    value = answer.result
    for name in path:
        value = as_map(value).get(name)
    return [as_map(row) for row in as_list(value)]
