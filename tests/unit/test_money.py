"""Rule: a sum is read in one way or asked about; never a thousand times too small."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.errors import Refused
from orders.money import AmbiguousSum, format_sum, parse_sum, plain, stored


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("185000.50", "185000.50"),
        ("185000,50", "185000.50"),
        ("185 000,50", "185000.50"),
        ("185\u00a0000,50", "185000.50"),
        ("185\u202f000,50\u202f₽", "185000.50"),
        ("1.250.000,00", "1250000.00"),
        ("1,250,000.00", "1250000.00"),
        ("1.250.000", "1250000.00"),
        ("12 500 руб.", "12500.00"),
        ("12500р.", "12500.00"),
        ("7 000", "7000.00"),
        ("22.5", "22.50"),
        ("0,05", "0.05"),
        ("999999999999,99", "999999999999.99"),
    ],
)
def test_what_people_and_programs_write(text: str, expected: str) -> None:
    """Blanks of all widths, roubles in words and signs, either decimal mark."""
    assert stored(parse_sum(text)) == expected


@pytest.mark.parametrize("text", ["1.250", "1,250", "12.500", "185,000 ₽"])
def test_ambiguous_sums_are_asked_about(text: str) -> None:
    """One mark before three digits is a thousand or a fraction: both readings are shown."""
    with pytest.raises(AmbiguousSum, match="двояко") as caught:
        parse_sum(text)
    low, high = (Decimal(r) for r in caught.value.readings)
    assert low * 1000 == high


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "пуста"),
        ("₽", "пуста"),
        ("-5000", "отрицательная"),
        ("−5000", "отрицательная"),
        ("0", "больше нуля"),
        ("0,00", "больше нуля"),
        ("1e6", "не понята"),
        ("12500,999", "двух знаков"),
        ("0,250", "двух знаков"),
        ("1 250,500", "двух знаков"),
        ("около 100000", "не понята"),
        ("99999999999999999", "велика"),
        ("18 50 00", "не понята"),
        ("1.25.000", "по три цифры"),
        ("1,250.00,0", "вперемешку"),
        ("125000 $", "не понята"),
        ("12О", "не понята"),  # a Cyrillic letter for a nought
        ("٣٥", "не понята"),
    ],
)
def test_what_is_no_sum_is_refused(text: str, why: str) -> None:
    """Each refusal says what is wrong."""
    with pytest.raises(Refused, match=why):
        parse_sum(text)


@given(st.decimals(Decimal("0.01"), Decimal(99999999), places=2))
def test_what_we_show_we_can_read(value: Decimal) -> None:
    """Rendering and reading are inverse, kopecks included."""
    assert parse_sum(format_sum(value)) == value


def test_rendering() -> None:
    """Narrow no-break spaces, kopecks only where there are any."""
    assert format_sum("128400.00") == "128\u202f400\u202f₽"
    assert plain("1250.5") == "1\u202f250,50"
