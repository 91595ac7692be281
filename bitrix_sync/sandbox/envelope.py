"""The answers' outer shape: result, time and error blocks of both REST versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any


class Refusal(Exception):
    """A documented error answer. `code` may be empty or a number in text, as on the real portal."""

    def __init__(self, code: str, description: str, status: int = 400, **extra: Any) -> None:
        super().__init__(f"{code}: {description}")
        self.code, self.description, self.status, self.extra = code, description, status, extra

    def body(self) -> dict[str, Any]:
        """Return the error block of REST 1 and 2."""
        return {"error": self.code, "error_description": self.description}


class RefusalV3(Refusal):
    """An error of REST 3.0 with its own shape; `code` is given without the common prefix."""

    def body(self) -> dict[str, Any]:
        """Return the error block of REST 3.0."""
        error: dict[str, Any] = {"code": f"BITRIX_REST_V3_EXCEPTION_{self.code}", "message": self.description}
        if "field" in self.extra:
            error["validation"] = [{"message": self.description, "field": self.extra["field"]}]
        return {"error": error}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a method answers; `total` and `next` stand beside `result`."""

    result: Any
    total: int | None = None
    next: int | None = None


def missing(name: str) -> Refusal:
    """Build the refusal for a required parameter that was not sent."""
    return Refusal("100", f"Could not find value for parameter {{{name}}}")


def argument(description: str) -> Refusal:
    """Build an INVALID_ARG_VALUE refusal."""
    return Refusal("INVALID_ARG_VALUE", description)


def time_block(begun: float, ended: float, zone: timezone, reset_at: int, operating: float) -> dict[str, Any]:
    """Describe one call's run; `begun` and `ended` are seconds since the epoch."""
    return {
        "start": begun,
        "finish": ended,
        "duration": ended - begun,
        "processing": ended - begun,
        "date_start": datetime.fromtimestamp(begun, zone).isoformat(timespec="seconds"),
        "date_finish": datetime.fromtimestamp(ended, zone).isoformat(timespec="seconds"),
        "operating_reset_at": reset_at,
        "operating": operating,
    }


def php(value: Any) -> Any:
    """Turn empty maps into empty lists at every depth, as PHP's encoder does."""
    if isinstance(value, dict):
        return {key: php(item) for key, item in value.items()} if value else []
    if isinstance(value, list):
        return [php(item) for item in value]
    return value
