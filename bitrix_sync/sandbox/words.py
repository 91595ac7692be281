"""Russian words, dates and sums of the pages."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from markupsafe import Markup, escape

MONTHS = (
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
)
DAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")
TASK = {"2": "ждёт", "3": "в работе", "4": "на проверке", "5": "завершена", "6": "отложена"}
MOVE = {1: "заведена", 2: "перешла", 3: "завершена", 5: "в другой воронке"}
_THIN = "\u202f"
_TAGS = ((r"\[B\](.*?)\[/B\]", r"<strong>\1</strong>"), (r"\[I\](.*?)\[/I\]", r"<em>\1</em>"))
_URL = re.compile(r"\[URL=(https?://[^\]\s\"<>]+)\](.*?)\[/URL\]", re.IGNORECASE | re.DOTALL)
_BARE = re.compile(r"(?<![\"=>])(https?://[^\s<\"\[\]]+)")
_LEFT = re.compile(r"\[/?(?:U|S|USER|COLOR|SIZE|LIST|URL|P)(?:=[^\]]*)?\]", re.IGNORECASE)


def plural(number: int, one: str, few: str, many: str) -> str:
    """Return «1 карточка», «2 карточки», «5 карточек»."""
    tail = number % 100
    word = many if 11 <= tail <= 14 else one if tail % 10 == 1 else few if 2 <= tail % 10 <= 4 else many
    return f"{number} {word}"


def long_moment(moment: datetime) -> str:
    """Return «пт 27 ноября, 18:00»."""
    return f"{DAYS[moment.weekday()]} {moment.day} {MONTHS[moment.month - 1]}, {moment:%H:%M}"


def long_date(moment: datetime) -> str:
    """Return «27 ноября 2026»."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def short_moment(moment: datetime, now: datetime) -> str:
    """Return «27.11 18:00», with the year where it is another one."""
    return f"{moment:%d.%m %H:%M}" if moment.year == now.year else f"{moment:%d.%m.%Y}"


def local(text: str | None, zone: timezone) -> datetime | None:
    """Read a kept moment in the portal's zone."""
    return datetime.fromisoformat(text).astimezone(zone) if text else None


def span(length: timedelta) -> str:
    """Return «40 мин», «4 ч», «2 дня» of calendar time."""
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return f"{max(1, minutes)} мин"
    hours = minutes // 60
    return f"{hours} ч" if hours < 48 else plural(hours // 24, "день", "дня", "дней")


def money(text: str) -> str:
    """Return «128 400 ₽» for 128400|RUB."""
    amount, _, currency = text.partition("|")
    whole, _, part = amount.partition(".")
    sign, digits = ("−", whole[1:]) if whole.startswith("-") else ("", whole)
    grouped = re.sub(r"(?<=\d)(?=(\d{3})+$)", _THIN, digits)
    tail = f",{part.ljust(2, '0')[:2]}" if part.strip("0") else ""
    return f"{sign}{grouped}{tail}\u00a0{'₽' if currency == 'RUB' else currency}".rstrip()


def size(count: int) -> str:
    """Return «120 Б», «14 КБ», «2,4 МБ»."""
    if count < 1024:
        return f"{count} Б"
    if count < 1024 * 1024:
        return f"{count // 1024} КБ"
    return f"{count / 1024 / 1024:.1f} МБ".replace(".", ",")


def bb(text: str) -> Markup:
    """Show BB codes; everything else is escaped first."""
    shown = str(escape(text))
    shown = _URL.sub(r'<a href="\1" rel="noreferrer">\2</a>', shown)
    for pattern, tag in _TAGS:
        shown = re.sub(pattern, tag, shown, flags=re.IGNORECASE | re.DOTALL)
    shown = _BARE.sub(r'<a href="\1" rel="noreferrer">\1</a>', _LEFT.sub("", shown))
    return Markup(shown.replace("\n", "<br>"))  # noqa: S704 - escaped above


def split_mark(text: str) -> tuple[str, str]:
    """Split a comment into what people read and the mark at its end («· ORD-1/c7»)."""
    head, line, tail = text.rstrip().rpartition("\n")
    return (head, tail) if line and tail.startswith("· ") else (text, "")
