"""Rule: a stage is due when its norm of working time has passed, or at the promise it waits for."""

from __future__ import annotations

from datetime import datetime

import pytest

from orders.calendar import WorkingCalendar
from orders.errors import Permanent
from orders.norms import due, parse_norm

CALENDAR = WorkingCalendar()
START = datetime.fromisoformat("2026-11-23T09:00+03:00")


@pytest.mark.parametrize(
    ("norm", "variables", "expected"),
    [
        ("8h", {}, "2026-11-23T18:00+03:00"),
        ("2d", {}, "2026-11-24T18:00+03:00"),
        ("0.5d", {}, "2026-11-23T13:00+03:00"),
        ("until:readyBy", {"readyBy": "2026-12-31T18:00:00+03:00"}, "2026-12-31T18:00+03:00"),
        ("until:readyBy", {"readyBy": "2026-12-31T18:00:00.000+0300"}, "2026-12-31T18:00+03:00"),
        ("until:readyBy", {"readyBy": "2026-12-31T18:00"}, "2026-12-31T18:00+03:00"),
        ("until:readyBy", {}, None),
        ("until:readyBy", {"readyBy": None}, None),
        ("", {}, None),
        ("0h", {}, None),
    ],
)
def test_due(norm: str, variables: dict[str, str | None], expected: str | None) -> None:
    """Hours, days of eight working hours, a promise; nothing where there is no norm or no promise yet."""
    assert due(CALENDAR, START, norm, variables) == (datetime.fromisoformat(expected) if expected else None)


@pytest.mark.parametrize("norm", ["2", "2w", "-1h", "until:", "until:ready by", "два дня", "99999h"])
def test_an_unreadable_norm_names_itself(norm: str) -> None:
    """A wrong norm is the diagram's fault: no retry can help."""
    with pytest.raises(Permanent, match="Норма"):
        parse_norm(norm)


def test_an_unreadable_promise_is_permanent() -> None:
    """A promise that is no date is named with its variable."""
    with pytest.raises(Permanent, match="readyBy"):
        due(CALENDAR, START, "until:readyBy", {"readyBy": "24/12/2026"})
