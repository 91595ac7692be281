"""Rule: the customer learns what is ready, what to pay and who will call; people read short, plain Russian."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from orders import messages, plural
from orders.snapshot import OrderSnapshot, VisitDone
from orders.staff import read_staff
from orders.stage import Field, FieldKind, Stage

DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
STAFF = read_staff((Path(__file__).parents[2] / "config" / "staff.toml").read_text(encoding="utf-8"))
ORDER = OrderSnapshot(
    "ORD-2026-00042",
    "i",
    "d",
    NOW,
    "sokolova",
    {"customerName": "Кафе «У моста»", "itemDescription": "Барная стойка,\nдуб", "estimateSum": "128400.00"},
    done=(VisitDone("v", "UserTask_PrepareEstimate", "elena", "Е", NOW, values={"estimateSum": "128400.00"}),),
)
STAGE = Stage(
    "UserTask_ApproveOrder",
    "approve",
    "Согласовать заказ",
    "Согласование",
    "8h",
    fields=(
        Field("directorDecision", FieldKind.CHOICE, "Решение", (("approve", "Согласовать"), ("reject", "Отклонить"))),
    ),
)


def test_the_customers_message_has_order_sum_and_accountant() -> None:
    """S-53: ready, what to pay, and Elena Petrovna with her contact."""
    text = messages.customer_message(ORDER, messages.responsible_accountant(ORDER, STAFF, DAY))
    assert text == (
        "Здравствуйте, Кафе «У моста».\n"
        "Ваш заказ ORD-2026-00042 (Барная стойка, дуб) готов.\n"
        "К оплате по счёту: 128\u202f400\u202f₽.\n"
        "По оплате с вами свяжется Елена Петровна Фёдорова (+7 900 000-04-01, fedorova@mebel.example)."
    )


def test_the_customers_message_holds_the_link_to_the_order_where_there_is_an_address() -> None:
    order = replace(ORDER, variables={**ORDER.variables, "trackToken": "t0ken"})
    linked = messages.customer_message(order, None, "https://order.example")
    assert linked.splitlines()[-1] == "Где ваш заказ сейчас: https://order.example/track/t0ken"
    assert "track" not in messages.customer_message(order, None)
    assert "track" not in messages.customer_message(ORDER, None, "https://order.example")


def test_who_the_accountant_is() -> None:
    """Who made the estimate, else the head, else another who is here."""
    other = replace(ORDER, done=(replace(ORDER.done[0], person="zaitseva"),))
    found = messages.responsible_accountant(other, STAFF, DAY)
    assert found and found.id == "zaitseva"
    nobody = messages.responsible_accountant(replace(ORDER, done=()), STAFF, DAY)
    assert nobody and nobody.id == "elena"
    away = read_staff(
        '[[person]]\nid = "a"\nname = "А"\ngroups = ["accounting"]\nheads = ["accounting"]\naway = ["23.11.2026"]\n'
        '[[person]]\nid = "b"\nname = "Б"\ngroups = ["accounting"]'
    )
    stand_in = messages.responsible_accountant(ORDER, away, DAY)
    assert stand_in and stand_in.id == "b"
    assert "Сумму назовёт бухгалтер" in messages.customer_message(replace(ORDER, variables={}), None)


@pytest.mark.parametrize(
    "item", ["комод", "комод дубовый с резными дверцами и латунной фурнитурой под старину", "ж" * 200]
)
def test_titles_fit_a_task(item: str) -> None:
    """At most 60 characters, cut at a word, with the order's number."""
    title = messages.task_title(STAGE, "ORD-2026-00042", item)
    assert len(title) <= 60
    assert title.startswith("Согласовать заказ: ORD-2026-00042, ")


def test_refusals_say_what_to_do() -> None:
    """Each names the field, the decision or the department."""
    field = Field("estimateFile", FieldKind.FILE, "Смета")
    assert messages.missing_field(field) == "Приложите файл: Смета"
    assert messages.missing_field(Field("x", FieldKind.SUM, "Сумма")) == "Заполните поле «Сумма»"
    assert messages.missing_reason(STAGE, "reject") == "Вы выбрали «Отклонить»: напишите причину"
    assert messages.not_yours(("accounting",)) == "Этот шаг выполняет бухгалтерия"
    assert messages.visit_over("Ирина Соколова") == "Этот шаг уже выполнен: Ирина Соколова"


def test_words_about_being_late() -> None:
    """What, since when, at whom; reminders count working time."""
    zone = ZoneInfo("Europe/Moscow")
    told = messages.late_notice("K", "Кафе", datetime(2026, 11, 27, 15, tzinfo=UTC), zone)
    assert told == "Заказ K (Кафе) не готов к сроку пт 27 ноября, 18:00. Сейчас: экспериментальный цех."
    assert "опоздание 4 ч" in messages.late_reminder("K", 4)


def test_no_machine_words_and_no_exclamation_marks() -> None:
    """Every Russian sentence of the module is plain."""
    source = Path(messages.__file__).read_text(encoding="utf-8")
    sentences = re.findall(r'"[^"\n]*[А-Яа-яё][^"\n]*"', source)
    assert len(sentences) > 10
    assert not [s for s in sentences if re.search(r"!|успешно|пожалуйста|инстанс|таск|топик|payload", s, re.IGNORECASE)]


@pytest.mark.parametrize(
    ("n", "text"),
    [(1, "1 заказ"), (2, "2 заказа"), (5, "5 заказов"), (11, "11 заказов"), (21, "21 заказ"), (112, "112 заказов")],
)
def test_plurals(n: int, text: str) -> None:
    """1 заказ, 2 заказа, 5 заказов."""
    assert plural.count(n, "заказ", "заказа", "заказов") == text


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (0.004, "меньше минуты"),
        (0.5, "30 мин"),
        (3, "3 ч"),
        (4.5, "4,5 ч"),
        (16, "2 дня"),
        (20, "2,5 дня"),
        (40, "5 дней"),
        (-4, "4 ч"),
    ],
)
def test_working_time(hours: float, text: str) -> None:
    """Minutes, hours, and days of eight hours."""
    assert plural.working_time(hours) == text
