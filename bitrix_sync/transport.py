"""One HTTP exchange with the portal: token of the shared bucket, time limits, and what its failure means."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import structlog
import urllib3
from pydantic import SecretStr
from werkzeug.http import parse_options_header

from bitrix_sync.breaker import PROBE_SECONDS, Breaker
from bitrix_sync.envelope import LIMIT_CODES, Answer, Fault, answer_of, parse
from bitrix_sync.errors import AccessLost, Limited, Moved, NotExecuted, UnknownOutcome, Unreadable
from bitrix_sync.secrets import mask, protect_logs
from ledger import Ledger
from orders.errors import OrderRouteError, Permanent

CONNECT_SECONDS, READ_SECONDS = 3.05, 15.0
MAX_ANSWER = 64 * 1024 * 1024  # bytes
BASKET_SECONDS = 60.0  # the least time in which a method's budget comes back
JITTER_SECONDS = 1.0  # so much may requests gain on each other on their way: a refusal halves the rate for a minute
WINDOW_SECONDS = 600.0  # the portal counts a method's time over so long
MAX_TOKEN_WAIT = 10.0  # seconds; a longer one is the engine's retry
AGENT = "order-route/0.1 (+requests)"  # some portals answer 403 to a library's own name

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ways:
    """How one caller goes: which lane of the bucket, until when (`time.monotonic()`), whether as a probe.

    `quiet` attempts do not count for the breaker; an `optional` method may be missing without harm.
    """

    lane: str = "people"
    deadline: float | None = None
    probe: bool = False
    quiet: bool = False
    optional: bool = False

    def left(self) -> float:
        """Return the seconds left, a large number where there is no deadline."""
        return 1e9 if self.deadline is None else self.deadline - time.monotonic()


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was sent; `answers_for_all`: a 404 to it means that the webhook itself is wrong."""

    method: str
    ways: Ways
    answers_for_all: bool


@dataclass(slots=True)
class Counter:
    """Requests sent by this process, by method: for metrics and for the budget's tests."""

    by_method: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, method: str) -> None:
        """Count one."""
        with self.lock:
            self.by_method[method] = self.by_method.get(method, 0) + 1


class Transport:
    """Sends requests to one portal through an inbound webhook; thread-safe, secrets stay inside."""

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
        protect_logs()
        self._base = webhook.get_secret_value().rstrip("/") + "/"
        parts = urlsplit(self._base)
        self.origin = (parts.scheme, parts.netloc)
        self.portal = parts.netloc
        self.user_id = int(parts.path.strip("/").split("/")[1])  # settings have checked the form
        self._ledger, self._rate, self.sleep = ledger, rate, sleep
        self._burst = burst - min(rate * JITTER_SECONDS, burst / 10)
        self.breaker = Breaker(ledger, self.portal, probe_seconds=probe_seconds, on_alarm=on_alarm)
        self.counter = Counter()
        self._blocked: dict[str, float] = {}  # method -> seconds since 1970 at which the portal lets it run again
        self._reset_at: dict[str, float] = {}
        self._local = threading.local()

    def exchange(self, method: str, body: Any, ways: Ways, *, v3: bool = False, key: str | None = None) -> Answer:
        """Send one call and return its answer, or raise what its failure means."""
        self._let_through(method, ways)
        base = self._base.replace("/rest/", "/rest/api/", 1) if v3 else self._base
        headers = {"Idempotency-Key": key} if key else {}
        begun = time.monotonic()
        outcome = "ok"
        try:
            got = self._send("POST", base + method, ways, method, json=body, headers=headers)
            return self._judge(Sent(method, ways, answers_for_all=not (v3 or ways.optional)), *got)
        except OrderRouteError as error:
            outcome = type(error).__name__
            raise
        finally:
            log.debug("portal_call", method=method, outcome=outcome, ms=round((time.monotonic() - begun) * 1000))

    def download(self, url: str, ways: Ways, limit: int) -> tuple[str, bytes]:
        """Fetch a file by a link of this portal: its name ("" where none is told) and its bytes.

        Raises Permanent for another host: links come from outside.
        """
        target = urljoin(f"{self.origin[0]}://{self.origin[1]}/", url)
        parts = urlsplit(target)
        if (parts.scheme, parts.netloc) != self.origin:
            raise Permanent(f"ссылка на файл ведёт не на портал, а на {parts.netloc or parts.scheme}: не скачан")
        self._let_through("download", ways)
        status, headers, data = self._send("GET", target, ways, "download", limit=limit)
        if status == 200:
            self.breaker.good()
            return _named(headers.get("content-disposition", "")), data
        self._judge(Sent("download", ways, answers_for_all=False), status, headers, data)
        raise UnknownOutcome(f"файл не скачан: портал ответил {status}")

    def blocked(self, method: str) -> Limited | None:
        """Return why a method may not be called now, None where it may."""
        left = self._blocked.get(method, 0) - time.time()
        return Limited(f"Битрикс24 временно не даёт вызывать {method}", left) if left > 0 else None

    def block(self, method: str) -> Limited:
        """Note that the portal let a method run too long; it rests until the moment the portal last named for it."""
        now = time.time()  # the portal's moment is of its own clock: never believed beyond its own window
        until = min(max(self._reset_at.get(method, 0.0), now + BASKET_SECONDS), now + WINDOW_SECONDS)
        self._blocked[method] = until
        return Limited(f"Битрикс24 временно не даёт вызывать {method}", until - now)

    def note_reset(self, method: str, moment: float | None) -> None:
        """Remember when the portal says that a method's budget comes back (seconds since 1970, its clock)."""
        if moment is not None:
            self._reset_at[method] = moment

    def shut_out(self, fault: Fault, method: str, status: int) -> AccessLost:
        """Stop all calls: it is the webhook that the portal refuses, not this request."""
        self.breaker.trip(f"портал не пускает вебхук: {mask(fault.description) or fault.code} [{status}]")
        text = f"Битрикс24 не пускает вебхук ({fault.code}, {method})"
        return AccessLost(text, status=status, code=fault.code)

    def _let_through(self, method: str, ways: Ways) -> None:
        if not ways.probe:
            self.breaker.admit(lambda: self.exchange("profile", {}, Ways(ways.lane, ways.deadline, probe=True)))
        if (blocked := self.blocked(method)) is not None:
            raise blocked
        while (wait := self._ledger.take_token(self.portal, self._rate, self._burst, ways.lane)) > 0:
            if wait > min(MAX_TOKEN_WAIT, ways.left()):
                raise Limited("очередь запросов к Битрикс24 полна", wait)
            self.sleep(wait)
        if ways.left() < 0.2:
            raise NotExecuted(f"на {method} не осталось времени", 1.0)
        self.counter.add(method)

    def _send(self, verb: str, url: str, ways: Ways, method: str, **more: Any) -> tuple[int, dict[str, str], bytes]:
        limit = more.pop("limit", MAX_ANSWER)
        read = max(0.2, min(READ_SECONDS, ways.left()))
        try:
            with self._session().request(
                verb, url, timeout=(min(CONNECT_SECONDS, read), read), allow_redirects=False, stream=True, **more
            ) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                return response.status_code, headers, b"".join(_chunks(response, limit, time.monotonic() + 4 * read))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._no_answer(method, error, ways) from None  # the cause's text carries the address and its token

    def _no_answer(self, method: str, error: Exception, ways: Ways) -> OrderRouteError:
        name = type(error).__name__
        self._failed(name, ways)
        log.warning("portal_no_answer", method=method, error=name, text=mask(str(error))[:200])
        if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
            return NotExecuted(f"нет связи с Битрикс24 ({name})")
        return UnknownOutcome(f"Битрикс24 не ответил на {method} ({name})")

    def _failed(self, why: str, ways: Ways) -> None:
        if not ways.quiet:
            self.breaker.failed(why)

    def _judge(self, sent: Sent, status: int, headers: dict[str, str], data: bytes) -> Answer:
        method, ways = sent.method, sent.ways
        if 300 <= status < 400:
            where = urlsplit(urljoin(self._base, headers.get("location", ""))).netloc or "неизвестный адрес"
            self.breaker.trip(f"портал переехал: теперь {where}; задайте новый ORDER_ROUTE_BITRIX_WEBHOOK_URL")
            raise Moved(f"Битрикс24 переехал на {where}")
        try:
            body = parse(data)
        except RecursionError:
            raise Unreadable(f"ответ Битрикс24 на {method} вложен слишком глубоко, прочитать нельзя") from None
        if body is None:
            self._failed(f"ответ не JSON, код {status}", ways)
            raise UnknownOutcome(f"Битрикс24 ответил на {method} не JSON (код {status})")
        fault = Fault.of(body)
        if fault is None and status < 400:
            return self._good(method, answer_of(body, replayed="idempotent-replayed" in headers))
        raise self._bad(sent, status, fault or Fault(code=str(status)))

    def _good(self, method: str, answer: Answer) -> Answer:
        self.breaker.good()
        self.note_reset(method, answer.operating_reset_at)
        return answer

    def _bad(self, sent: Sent, status: int, fault: Fault) -> OrderRouteError:
        method = sent.method
        if status == 429 or fault.code == "OPERATION_TIME_LIMIT":
            return self.block(method)
        if fault.code in LIMIT_CODES:
            self._ledger.penalise(self.portal)
            self.breaker.good()
        elif status in (401, 403, 404) and sent.answers_for_all and not fault.one_thing_only:
            return self.shut_out(fault, method, status)
        elif status >= 500:
            self._failed(f"код {status}", sent.ways)
        else:
            self.breaker.good()
        return Fault(code=fault.code, description=mask(fault.description)).raised(method, status)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False  # a proxy from the environment would see the token
            session.headers["User-Agent"] = AGENT
        return session


def _named(disposition: str) -> str:
    """Return the file's name out of a Content-Disposition; one written in bare UTF-8 is understood too."""
    _, told = parse_options_header(disposition)
    name = told.get("filename") or ""
    try:
        return name.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return name


def _chunks(response: requests.Response, limit: int, until: float) -> Iterator[bytes]:
    size = 0
    for chunk in response.iter_content(65536):
        size += len(chunk)
        if size > limit or time.monotonic() > until:
            raise requests.Timeout("answer too long")  # a drip that never ends is a timeout too
        yield chunk


def _never_connected(error: BaseException) -> bool:
    seen: list[BaseException | None] = [error]
    while seen:
        each = seen.pop()
        if isinstance(each, urllib3.exceptions.NewConnectionError | ConnectionRefusedError):
            return True
        if each is not None:
            seen += [each.__cause__, getattr(each, "reason", None), *(a for a in each.args if isinstance(a, Exception))]
    return False
