"""Numbers as people read them: decimal comma, narrow spaces between thousands, the unit after them."""

from __future__ import annotations

from decimal import Decimal

from orders.money import NARROW, plain


def short(value: float | None) -> str:
    """Render a number without its unit: «12», «12,5», «128 400»; a dash for none."""
    if value is None:
        return "—"
    text = plain(Decimal(str(abs(value))))
    text = text.removesuffix("0") if "," in text else text
    return f"−{text}" if value < 0 else text


def fixed(value: float, decimals: int) -> str:
    """Render a number with so many decimals, so that a column of them stands in line: «12,0», «493 500,50»."""
    whole, _, part = f"{abs(value):.{decimals}f}".partition(".")
    text = plain(Decimal(whole)) + (f",{part}" if part else "")
    return f"−{text}" if value < 0 else text


def with_unit(value: float | None, unit: str) -> str:
    """Render a number with its unit: «12,5 %», «128 400 ₽»."""
    return short(value) if value is None else f"{short(value)}{NARROW}{unit}"
