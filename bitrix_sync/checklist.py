"""What no REST method can set in a portal: a numbered list for its administrator, with menu paths.

The documents have no method for CRM roles, for the right to move a card between columns, for the fields that a stage
demands, or for an outgoing webhook (bitrix24.md 3 and 6).
"""

from __future__ import annotations

from collections.abc import Iterable

from orders.persons import CREATORS, Person, Staff

EVENTS = ("ONCRMDYNAMICITEMADD", "ONCRMDYNAMICITEMUPDATE", "ONCRMDYNAMICITEMDELETE", "ONTASKUPDATE", "ONTASKDELETE")
"""Events that are of use; the portal's list shows some with the number of the smart process behind."""


def checklist(
    origin: str, entity_type_id: int | None, title: str, staff: Staff, owner: str, public: str | None
) -> list[str]:
    """Return the points in their order.

    `origin` is the portal's address, `owner` the webhook's owner by name, `public` the setting PUBLIC_URL.
    """
    rights = f"{origin} → CRM → ⚙ Настройки → Права доступа → «{title}»"
    creators = staff.members(CREATORS)
    makers = {person.id for person in creators}
    others = tuple(p for p in staff.persons if p.bitrix_id is not None and p.id not in makers)
    board = f"{origin}/crm/type/{entity_type_id}/" if entity_type_id else f"{origin} → CRM → «{title}»"
    path = "/hooks/bitrix24"
    hook = f"{public}{path}" if public else f"ваш ORDER_ROUTE_PUBLIC_URL (задайте его сначала) и {path}"
    return [
        f"Роль «Заказы: создают»: {rights} → Добавить роль. Чтение — все, Добавление — да, Изменение — все, "
        f"Удаление — нет, Перевод на стадию — нет. Кому: {_names(creators)}.",
        f"Роль «Заказы: сотрудники»: там же. Чтение — все, Добавление — нет, Изменение — все, Удаление — нет, "
        f"Перевод на стадию — нет. Кому: {_names(others)}.",
        f"Роль «Заказы: интеграция»: там же. Всё — да, Перевод на стадию — на любую. Кому: {owner}.",
        f"Остальные роли: там же, для «{title}» всё — нет. Администраторов портала роли не ограничивают: "
        "карточку, которую передвинул администратор, вернёт сверка.",
        f"Роботы: {board} → Роботы. На стадиях не должно быть роботов и триггеров, которые меняют стадию.",
        f"Обязательные поля: {board} → карточка → ⚙ у поля. «Обязательное» не включать ни у одного поля: "
        "чего не хватает, скажет сам шаг.",
        f"Исходящий вебхук: {origin} → Разработчикам → Другое → Исходящий вебхук. Адрес: {hook}. События: "
        f"{', '.join(EVENTS)}. «Токен приложения» впишите в ORDER_ROUTE_BITRIX_APPLICATION_TOKEN.",
        f"Задачи: {origin} → Задачи и проекты → Настройки. Обязательный результат задачи не включать.",
    ]


def _names(people: Iterable[Person]) -> str:
    return ", ".join(person.name for person in people) or "никому"
