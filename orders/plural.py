"""Russian numbers in words: plurals, amounts of working time and sizes of files as people say them."""

from __future__ import annotations


def plural(n: int, one: str, few: str, many: str) -> str:
    """Return the form that goes with a number: 1 заказ, 2 заказа, 5 заказов."""
    tens, ones = abs(n) % 100, abs(n) % 10
    if 11 <= tens <= 14 or ones == 0 or ones >= 5:
        return many
    return one if ones == 1 else few


def count(n: int, one: str, few: str, many: str) -> str:
    """Render the number with its noun: «5 заказов»."""
    return f"{n} {plural(n, one, few, many)}"


def file_size(count_of_bytes: int) -> str:
    """Render a file's size: «14 КБ», from a mebibyte on «2,4 МБ»."""
    mib = count_of_bytes / 1024 / 1024
    return f"{mib:.1f} МБ".replace(".", ",") if mib >= 1 else f"{max(1, round(count_of_bytes / 1024))} КБ"


def working_time(hours: float) -> str:
    """Render working hours: «меньше минуты», «40 мин», «3 ч», from two days of eight hours on «2,5 дня»."""
    minutes = round(abs(hours) * 60)
    if minutes == 0:
        return "меньше минуты"
    if minutes < 60:
        return f"{minutes} мин"
    if minutes < 16 * 60:
        return f"{_number(minutes / 60)} ч"
    days = _number(minutes / 480)
    return f"{days} дня" if "," in days else count(int(days), "день", "дня", "дней")


def late_by(hours: float) -> str:
    """Render «опоздание 4 ч»."""
    return f"опоздание {working_time(hours)}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0").replace(".", ",")
