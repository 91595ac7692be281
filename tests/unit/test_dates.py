"""Rule: dates are dd.mm.yyyy or ISO and nothing else; instants have a zone; people read them in Russian."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from orders import dates
from orders.errors import Refused

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize("text", ["25.12.2026", "2026-12-25", " 25.12.2026 "])
def test_both_forms(text: str) -> None:
    """Russian and ISO."""
    assert dates.parse_day(text) == date(2026, 12, 25)


@pytest.mark.parametrize(
    "text", ["25/12/2026", "12.25.2026", "25.12.26", "31.02.2026", "2026-12-25T00:00", "", "завтра"]
)
def test_no_other_form(text: str) -> None:
    """What means two days, or none, is refused."""
    with pytest.raises(Refused):
        dates.parse_day(text)


@pytest.mark.parametrize(
    "text", ["2026-12-31T18:00+03:00", "2026-12-31T18:00:00.000+0300", "2026-12-31T15:00:00Z", "2027-01-01T01:00+10:00"]
)
def test_one_instant_in_all_notations(text: str) -> None:
    """The portal's offset, the engine's form and ours are one instant."""
    assert dates.parse_moment(text) == datetime(2026, 12, 31, 15, tzinfo=UTC)
    assert dates.same_instant(text, "2026-12-31T18:00:00+03:00")


def test_no_zone_is_guessed() -> None:
    """An instant without offset is read only in a zone that was given."""
    with pytest.raises(Refused, match="пояс"):
        dates.parse_moment("2026-12-31T18:00")
    assert dates.parse_moment("2026-12-31T18:00", MOSCOW).hour == 15
    with pytest.raises(Refused, match="не поняты"):
        dates.parse_moment("24/12/2026")
    with pytest.raises(ValueError, match="time zone"):
        dates.utc(datetime(2026, 1, 1))
    assert not dates.same_instant("x", "2026-12-31T18:00:00+03:00")


def test_rendering() -> None:
    """Long for texts, short for tables, the year only where it differs."""
    moment = datetime(2026, 11, 27, 15, tzinfo=UTC)
    assert dates.long_moment(moment, MOSCOW) == "пт 27 ноября, 18:00"
    assert dates.short_moment(moment, MOSCOW) == "27.11 18:00"
    assert dates.long_day(date(2027, 1, 11), today=date(2026, 12, 30)) == "пн 11 января 2027"
    assert dates.short_day(date(2026, 11, 27)) == "27.11.2026"


def test_the_day_is_the_plants() -> None:
    """Half past midnight in Moscow is a new day there and the old one in UTC."""
    moment = datetime(2026, 12, 31, 21, 30, tzinfo=UTC)
    assert dates.local_day(moment, MOSCOW) == date(2027, 1, 1)
    assert dates.at_local(date(2027, 1, 1), time(0, 30), MOSCOW) == moment
