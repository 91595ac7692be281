"""What shall happen to each order of the demo: ten stories that always occur, then more of the same by the seed.

Pure: the same (orders, seed) gives the same plan.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

DELIVERED, REFUSED, REJECTED, CANCELLED = (
    "End_Delivered",
    "End_RefusedByDirector",
    "End_PriceRejected",
    "End_Cancelled",
)


class Story(Enum):
    """A story: (what it is, the end event it must reach)."""

    IN_TIME = ("выдан в срок", DELIVERED)
    LATE = ("изготовлен с опозданием, отметка одна", DELIVERED)
    REFUSED = ("директор отклонил с причиной", REFUSED)
    PRICE_REJECTED = ("заказчик не согласился с ценой", REJECTED)
    RETURNED = ("возвращён на доработку проекта один раз", DELIVERED)
    FORGED_DESIGN = ("поддельный файл проекта отклонён и исправлен", DELIVERED)
    FORGED_REQUEST = ("поддельный файл заявки исправлен автором", DELIVERED)
    CANCELLED = ("отменён заказчиком во время изготовления", CANCELLED)
    MOVED = ("срок готовности перенесён", DELIVERED)
    TWIN_START = ("одна заявка отправлена дважды одновременно", DELIVERED)

    @property
    def words(self) -> str:
        """Return the story in Russian."""
        return self.value[0]

    @property
    def end(self) -> str:
        """Return the end event id that the order must reach."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """One order of the demo before it exists."""

    number: int  # 1-based place in the plan
    story: Story
    customer: str
    contact: str
    item: str
    total: Decimal  # roubles
    key: str | None  # caller's business key; None: the server numbers it
    seed: int  # of this order's own random choices

    def rng(self, purpose: str) -> random.Random:
        """Return a random source for one purpose, independent of the order of calls."""
        return random.Random(f"{self.seed}-{self.number}-{purpose}")  # noqa: S311 - a demo's choices, no secret


_CUSTOMERS = (
    "ООО «Ёлочка»", "Анна Викторовна Белова", "Кафе «Причал № 1»", "Сергей Ильин", "ООО «Вектор-Строй»",
    "Мария Кузьмина", "Гостиница «Северная»", "Олег Щукин", "Школа № 27", "Наталья Фёдорова", "ИП Громов",
    "Библиотека им. Горького",
)  # fmt: skip
_ITEMS = (
    "шкаф-купе с зеркалом", "комод дубовый", "кухонный гарнитур", "стойка администратора", "стеллаж для книг",
    "обеденный стол на восемь человек", "кровать с ящиками", "гардеробная", "тумба под телевизор",
    "письменный стол угловой", "прихожая с полками", "барная стойка",
)  # fmt: skip


def make_plan(orders: int, seed: int) -> list[PlannedOrder]:
    """Return `orders` planned orders; the first twelve hold every story at least once, whatever the seed."""
    rng = random.Random(f"plan-{seed}")  # noqa: S311 - a demo's choices, no secret
    stories = list(Story)
    first = [*stories, Story.IN_TIME, rng.choice(stories)]
    rng.shuffle(first)
    weighted = [Story.IN_TIME] * 5 + stories
    chosen = (first + [rng.choice(weighted) for _ in range(max(0, orders - len(first)))])[:orders]
    return [
        make_order(number, story, seed, f"DEMO-{seed}-{number:03d}" if story is Story.TWIN_START else None)
        for number, story in enumerate(chosen, start=1)
    ]


def make_order(number: int, story: Story, seed: int, key: str | None) -> PlannedOrder:
    """Return one order with a customer, an item and a price by the seed; without a key the server numbers it."""
    rng = random.Random(f"order-{seed}-{number}")  # noqa: S311 - a demo's choices, no secret
    customer = _CUSTOMERS[(number - 1 + seed) % len(_CUSTOMERS)]
    item = _ITEMS[rng.randrange(len(_ITEMS))]
    total = Decimal(rng.randrange(18_000, 420_000, 50)) + Decimal(rng.choice(("0.00", "0.50")))
    contact = f"+7 900 {rng.randrange(100, 999)}-{rng.randrange(10, 99)}-{rng.randrange(10, 99)}"
    return PlannedOrder(number, story, customer, contact, item, total, key, seed)
