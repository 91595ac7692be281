"""A value goes to the engine with its type and comes back the same; what the engine would spoil is refused by name."""

from __future__ import annotations

import base64
import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.variables import (
    FileValue,
    JsonText,
    UnsupportedValue,
    all_to_engine,
    from_engine,
    from_instant,
    to_engine,
    to_instant,
)
from orders.stage import FieldKind

MOSCOW = timezone(timedelta(hours=3))


@pytest.mark.parametrize(
    ("value", "kind", "wire"),
    [
        ("Ёлка", "String", "Ёлка"),
        (FieldKind.SUM, "String", "sum"),
        (True, "Boolean", True),
        (7, "Integer", 7),
        (-(2**31), "Integer", -(2**31)),
        (2**31, "Long", 2**31),
        (1.5, "Double", 1.5),
        (Decimal("125000.00"), "String", "125000.00"),
        (Decimal("1E+3"), "String", "1000"),
        (date(2026, 12, 24), "String", "2026-12-24"),
        (datetime(2026, 1, 1, 3, tzinfo=MOSCOW), "Date", "2026-01-01T00:00:00.000+0000"),
        (None, "Null", None),
        (JsonText({"а": [1]}), "String", '{"а":[1]}'),
    ],
)
def test_each_type_has_its_engine_type(value: object, kind: str, wire: Any) -> None:
    assert to_engine(value) == {"value": wire, "type": kind}


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 1),
        {"a": 1},
        ["a"],
        ("a",),
        math.nan,
        math.inf,
        Decimal("NaN"),
        2**63,
        "x" * 4001,
        "ж" * 4001,
        "a\x00b",
        FileValue("a.pdf", None),
        object(),
    ],
)
def test_what_the_engine_would_spoil_is_refused_by_name(value: object) -> None:
    with pytest.raises(UnsupportedValue, match="designComment"):
        all_to_engine({"designComment": value})


def test_four_thousand_letters_fit() -> None:
    assert to_engine("ж" * 4000)["type"] == "String"


def test_a_file_travels_whole() -> None:
    data = bytes(range(256))
    wire = to_engine(FileValue("Чертёж №1.pdf", data, "application/pdf"))
    assert wire["type"] == "File"
    assert wire["valueInfo"] == {"filename": "Чертёж №1.pdf", "mimeType": "application/pdf"}
    assert base64.b64decode(wire["value"]) == data
    assert from_engine(wire) == FileValue("Чертёж №1.pdf", data, "application/pdf")


def test_a_file_without_bytes_keeps_its_name() -> None:
    wire = {"type": "File", "value": None, "valueInfo": {"filename": "а.pdf", "mimeType": "application/pdf"}}
    assert from_engine(wire) == FileValue("а.pdf", None, "application/pdf")


def test_long_json_becomes_a_file() -> None:
    wire = to_engine(JsonText(["ж" * 4000]), name="discussion")
    assert wire["type"] == "File"
    assert wire["valueInfo"] == {"filename": "discussion.json", "mimeType": "application/json"}


def test_a_files_bytes_stay_out_of_its_repr() -> None:
    assert "secret" not in repr(FileValue("a", b"secret"))


@pytest.mark.parametrize(
    "text", ["2026-01-01T00:00:00.000+0000", "2026-01-01T03:00:00.000+0300", "2026-01-01T03:00:00+03:00"]
)
def test_an_instant_is_read_with_any_zone(text: str) -> None:
    assert from_instant(text) == datetime(2026, 1, 1, tzinfo=UTC)
    assert from_instant("2026-01-01T00:00:00Z").tzinfo is UTC


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        from_instant("2026-01-01T00:00:00")


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(MOSCOW)))
def test_an_instant_comes_back_to_the_millisecond(moment: datetime) -> None:
    there = from_instant(to_instant(moment))
    assert timedelta(0) <= moment - there < timedelta(milliseconds=1)


@given(st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)))
def test_plain_values_come_back(value: object) -> None:
    assert from_engine(to_engine(value)) == value
