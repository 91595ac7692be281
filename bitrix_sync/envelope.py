"""What the portal answers, as models: the envelope of REST 2 and 3, and the parts of a batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bitrix_sync.errors import Limited, PortalRefused, UnknownOutcome
from bitrix_sync.php import as_list, as_map
from orders.errors import OrderRouteError

LIMIT_CODES = frozenset({"QUERY_LIMIT_EXCEEDED", "OVERLOAD_LIMIT", "OPERATION_TIME_LIMIT"})
SHUT_OUT_CODES = frozenset({
    "NO_AUTH_FOUND", "INVALID_CREDENTIALS", "insufficient_scope", "expired_token", "user_access_error",
    "allowed_only_intranet_user",
})  # fmt: skip
_ONE_THING_CODES = frozenset({"WRONG_AUTH_TYPE", "ACCESS_ERROR"})  # of one method, of one chat
LOST_CODES = frozenset({"INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER"})


class Answer(BaseModel):
    """One good answer; `total` and `next` only on lists, `operating_reset_at` in seconds since 1970 where given.

    `at` is when the portal answered, by its own clock and with its own offset.
    """

    model_config = ConfigDict(frozen=True)

    result: Any = None
    total: int | None = None
    next: int | None = None
    operating_reset_at: float | None = None
    at: str | None = None
    replayed: bool = False  # REST 3 answered from its memory of the Idempotency-Key

    def map(self, *path: str) -> dict[str, Any]:
        """Return the map at a path inside the result; empty where PHP sent `[]` or nothing."""
        value = self.result
        for name in path:
            value = as_map(value).get(name)
        return as_map(value)


class Fault(BaseModel):
    """An error block: REST 2 (text, perhaps empty) or REST 3 (an object)."""

    code: str
    description: str = ""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Fault | None:
        """Read the error of a body; the key decides, since its value may be an empty text."""
        if "error" not in body:
            return None
        error = body["error"]
        if isinstance(error, dict):
            return cls(code=str(error.get("code", "")), description=str(error.get("message", "")))
        return cls(code=str(error), description=str(body.get("error_description", "")))

    @property
    def one_thing_only(self) -> bool:
        """Tell whether a 403 is about this method or object, and says nothing of the webhook as a whole."""
        return self.code in _ONE_THING_CODES or "application context" in self.description.lower()

    def raised(self, method: str, status: int) -> OrderRouteError:
        """Return the error to raise for it."""
        if self.code in LIMIT_CODES:
            return Limited(f"Битрикс24 ограничил частоту запросов ({method}: {self.code})")
        if self.code in LOST_CODES or status >= 500:
            return UnknownOutcome(f"Битрикс24 не смог ответить ({method}: {self.code or status})")
        return PortalRefused(method, status, self.code, self.description)


class BatchResult(BaseModel):
    """The inside of a batch answer; each part may be `[]` instead of a map."""

    result: dict[str, Any] = Field(default_factory=dict)
    result_error: dict[str, Any] = Field(default_factory=dict)
    result_total: dict[str, Any] = Field(default_factory=dict)
    result_next: dict[str, Any] = Field(default_factory=dict)
    result_time: dict[str, Any] = Field(default_factory=dict)

    @field_validator("*", mode="before")
    @classmethod
    def _maps(cls, value: Any) -> dict[str, Any]:
        if isinstance(value, list):  # PHP turns keys 0..n-1 into a list
            return {str(place): item for place, item in enumerate(value)}
        return as_map(value)


Refused = Callable[[Fault, str], OrderRouteError]
"""What an error inside a batch means for one command: (the error, the method)."""


class BatchAnswer:
    """Answers of a batch by name; each is judged alone."""

    def __init__(self) -> None:
        self._answers: dict[str, Answer | OrderRouteError] = {}

    def __getitem__(self, name: str) -> Answer:
        """Return one answer or raise its error."""
        got = self._answers[name]
        if isinstance(got, OrderRouteError):
            raise got
        return got

    def error(self, name: str) -> OrderRouteError | None:
        """Return the error of one command, or None."""
        got = self._answers[name]
        return got if isinstance(got, OrderRouteError) else None

    def errors(self) -> dict[str, OrderRouteError]:
        """Return all errors by name."""
        return {name: got for name, got in self._answers.items() if isinstance(got, OrderRouteError)}

    def put(self, name: str, answer: OrderRouteError | Answer) -> None:
        """Take over the answer of one command that did not travel in a batch."""
        self._answers[name] = answer

    def names(self) -> list[str]:
        """Return the names of all commands that were sent."""
        return list(self._answers)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of one list that comes without a name of its own."""
        return [as_map(row) for row in as_list(self[name].result)]

    def add(self, methods: Mapping[str, str], answer: Answer, refused: Refused) -> None:
        """Take over one answered batch of these commands (name -> method); `refused` says what an error means."""
        parts = BatchResult.model_validate(as_map(answer.result))
        for name, method in methods.items():
            self._answers[name] = _part(parts, name, method, refused)


def _part(parts: BatchResult, name: str, method: str, refused: Refused) -> Answer | OrderRouteError:
    if name in parts.result_error:
        return refused(Fault.of(as_map(parts.result_error[name])) or Fault(code="", description=""), method)
    if name not in parts.result:
        return UnknownOutcome(f"Битрикс24 ничего не ответил на {method} внутри пакета")
    total, following = parts.result_total.get(name), parts.result_next.get(name)
    reset = _number(as_map(parts.result_time.get(name)).get("operating_reset_at"))
    return Answer(result=parts.result[name], total=_int(total), next=_int(following), operating_reset_at=reset)


def parse(data: bytes) -> dict[str, Any] | None:
    """Read a JSON object, or None where the bytes are not one. Raises RecursionError on absurd nesting."""
    try:
        body = json.loads(data)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def answer_of(body: Mapping[str, Any], *, replayed: bool = False) -> Answer:
    """Read a good body; unexpected types of the counters are dropped, not fatal."""
    times = as_map(body.get("time"))
    try:
        return Answer(
            result=body.get("result"),
            total=_int(body.get("total")),
            next=_int(body.get("next")),
            operating_reset_at=_number(times.get("operating_reset_at")),
            at=str(times["date_finish"]) if times.get("date_finish") else None,
            replayed=replayed,
        )
    except ValidationError as error:  # a key that is not text, and the like
        raise UnknownOutcome("Битрикс24 ответил не по своей документации") from error


def _int(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
