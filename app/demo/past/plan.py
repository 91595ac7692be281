"""What shall happen in two years: when orders come, how each goes, how long everybody takes. Pure, by the seed.

Spring and autumn bring more orders than summer; the shop learns, so that the last months are quicker than the first.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from app.demo.plan import PlannedOrder, Story, make_order
from orders.worktime import WorkingCalendar
from reports.period import Month, month_of, months_until

_SEASON = (0.6, 0.8, 1.1, 1.2, 1.0, 0.9, 0.7, 0.8, 1.2, 1.4, 1.3, 1.0)  # January first
_STORIES: Mapping[Story, float] = {
    Story.IN_TIME: 56,
    Story.LATE: 10,
    Story.MOVED: 8,
    Story.RETURNED: 6,
    Story.REFUSED: 4,
    Story.PRICE_REJECTED: 6,
    Story.CANCELLED: 4,
    Story.FORGED_DESIGN: 2,
    Story.FORGED_REQUEST: 2,
    Story.TWIN_START: 2,
}
# Working hours at a stage: until somebody takes it up, and from then to the answer.
_PACE: Mapping[str, tuple[float, float]] = {
    "fix": (2.0, 0.5),
    "approve": (4.0, 0.5),
    "design": (6.0, 11.0),
    "estimate": (8.0, 3.0),
    "price": (9.0, 1.0),
    "readydate": (3.0, 0.7),
    "tell": (1.5, 0.4),
    "invoice": (2.5, 0.7),
    "payment": (20.0, 0.5),
    "ship": (5.0, 3.0),
}
_USUAL = (4.0, 2.0)  # of a stage that an analyst has added
_UNCLAIMED = 0.12  # of all answers nobody took the step up before
_FORGOTTEN = 0.05  # of all steps lie about for days
_REFUSALS = ("Нет свободных мощностей до весны", "Не наш профиль: мягкая мебель", "Слишком малый бюджет заказчика")
_CANCELS = ("Заказчик передумал, аванс не вносился", "Заказчик не выходит на связь", "Ремонт у заказчика отложен")
_COMPLAINTS = (
    *("Скол на фасаде", "Не закрывается дверца", "Размер ниши не совпал", "Не хватает ручек", "Перекос ящика"),
)


@dataclass(frozen=True, slots=True)
class PastOrder:
    """One order of the history before it exists."""

    plan: PlannedOrder
    at: datetime  # when the request comes
    ease: float  # of this order: 1 = usual, more takes longer

    def pause(self, code: str, visit: int, slow: float) -> tuple[float, float]:
        """Return the working hours until a stage is taken up, and from then until it is answered."""
        rng = self.plan.rng(f"pace-{code}-{visit}")
        wait, touch = _PACE.get(code, _USUAL)
        wait *= rng.gammavariate(1.6, 1 / 1.6) * slow
        touch *= rng.gammavariate(3.0, 1 / 3.0) * self.ease * slow
        if rng.random() < _FORGOTTEN:
            wait += rng.uniform(16, 40)
        return wait, max(touch, 0.1)

    def claims(self, code: str, visit: int) -> bool:
        """Tell whether somebody takes the step up before answering it."""
        return self.plan.rng(f"claims-{code}-{visit}").random() >= _UNCLAIMED

    def promised_hours(self) -> float:
        """Return how many working hours ahead the ready date is set."""
        return round(self.plan.rng("promise").uniform(56, 104) * self.ease)

    def making_hours(self, slow: float) -> float:
        """Return how many working hours it takes from the promise to ready, waiting included."""
        rng = self.plan.rng("making")
        share = rng.uniform(1.05, 1.45) if self.plan.story in (Story.LATE, Story.MOVED) else rng.uniform(0.55, 0.97)
        return self.promised_hours() * share * (0.5 + 0.5 * min(slow, 1.1))

    def refusal(self) -> str:
        """Return why the director refuses."""
        return self.plan.rng("refusal").choice(_REFUSALS)

    def cancel_reason(self) -> str:
        """Return why it is cancelled."""
        return self.plan.rng("cancel").choice(_CANCELS)

    def complaint(self, slow: float) -> tuple[float, str] | None:
        """Return after how many working hours the customer complains, and of what; None where all is well."""
        rng = self.plan.rng("complaint")
        if rng.random() >= 0.08 * slow:
            return None
        return rng.uniform(8, 200), rng.choice(_COMPLAINTS)

    def cost(self) -> tuple[float, Decimal] | None:
        """Return after how many working hours the real cost is known, and the sum; None where nobody writes it."""
        rng = self.plan.rng("cost")
        if rng.random() < 0.2:
            return None
        share = Decimal(str(round(rng.gauss(0.97, 0.09), 3)))
        return rng.uniform(4, 40), (self.plan.total * max(share, Decimal("0.5"))).quantize(Decimal("0.01"))


def slowness(at: datetime, begin: datetime, end: datetime) -> float:
    """Return how much longer than usual everything takes: more at first, less at the end."""
    share = (at - begin) / (end - begin)
    return 1.35 - 0.6 * min(max(share, 0.0), 1.0)


def make_past(months: int, monthly: float, seed: int, now: datetime, calendar: WorkingCalendar) -> list[PastOrder]:
    """Return the orders of the last `months` whole months and of the present one, oldest first.

    The first twelve hold every story at least once, whatever the seed.
    """
    rng = random.Random(f"past-{seed}")  # noqa: S311 - a demo's choices, no secret
    moments = sorted(m for month in months_until(month_of(now, calendar.zone), months + 1)
                     for m in _moments(month, monthly, rng, now, calendar))  # fmt: skip
    stories = list(Story)
    rng.shuffle(stories)
    chosen = stories + rng.choices(list(_STORIES), list(_STORIES.values()), k=max(0, len(moments) - len(stories)))
    return [
        PastOrder(make_order(number, story, seed, _key(number, at, story)), at, rng.uniform(0.7, 1.4))
        for number, (at, story) in enumerate(zip(moments, chosen, strict=False), start=1)
    ]


def _key(number: int, at: datetime, story: Story) -> str | None:
    return f"DEMO-{at:%y%m}-{number:03d}" if story is Story.TWIN_START else None


def _moments(
    month: Month, monthly: float, rng: random.Random, now: datetime, calendar: WorkingCalendar
) -> list[datetime]:
    """Return when the requests of a month come: in working hours, none in the last hour before now."""
    count = max(1, round(monthly * _SEASON[month.month - 1] * rng.uniform(0.85, 1.15)))
    first = date(month.year, month.month, 1)
    days = [day for n in range(31) if (day := first + timedelta(n)).month == month.month and calendar.is_working(day)]
    found = []
    for _ in range(count):
        minute = rng.randrange(9 * 60, 17 * 60)
        at = datetime.combine(rng.choice(days), time(minute // 60, minute % 60, rng.randrange(60)), calendar.zone)
        if at < now - timedelta(hours=1):
            found.append(at)
    return found
