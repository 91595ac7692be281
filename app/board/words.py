"""Russian words, dates and sums of the board's templates."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from decimal import Decimal

from flask import Flask

from orders.dates import WEEKDAYS, long_moment
from orders.money import format_sum, plain
from orders.plural import count, file_size, working_time


def teach(site: Flask, zone: tzinfo) -> None:
    """Give a site's templates the filters; instants are shown in the plant's zone."""

    def short(at: datetime | None) -> str:
        return f"{at.astimezone(zone):%d.%m %H:%M}" if at else "—"

    def day(at: datetime | None) -> str:
        if at is None:
            return "—"
        here = at.astimezone(zone)
        return f"{WEEKDAYS[here.weekday()]} {here:%d.%m}"

    def roubles(amount: Decimal | None) -> str:
        return format_sum(amount) if amount is not None else "—"

    site.jinja_env.filters |= {
        "short": short,
        "day": day,
        "long": lambda at: long_moment(at, zone) if at else "—",
        "roubles": roubles,
        "hours": working_time,
        "size": file_size,
        "plain": plain,
        "tied": lambda words: re.sub(r"(?<=\d) (?=[а-я])", "\N{NO-BREAK SPACE}", words),  # a unit stays with its number
        "orders": lambda n: count(n, "заказ", "заказа", "заказов"),
    }
    site.jinja_env.trim_blocks = site.jinja_env.lstrip_blocks = True
