"""A field takes what can be read one way only and keeps it in one spelling; all else is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from gate_models import Door, door, in_days, process, refusal, stage, state, task_of, text
from shop import Shop

pytestmark = pytest.mark.engine

PROCESS = "gate-fields"
PLANT_TODAY = datetime.now(ZoneInfo("Europe/Moscow")).date()
FIELDS = {
    "field.line": "line; Строка",
    "field.text": "text; Текст",
    "field.decision": "choice; Решение; approve=Согласовать, reject=Отклонить",
    "field.sum": "sum; Сумма",
    "field.day": "date; День",
    "field.paidOn": "date; Оплачено; past",
    "field.startOn": "date; Начало; future",
    "field.readyBy": "moment; Готовность; future",
    "field.toldAt": "moment; Сказано; past",
    "field.paper": "file; Бумага",
    "required": "",
}


@pytest.fixture(scope="module")
def admin(shop: Shop) -> Door:
    """The admin's door, with the diagram deployed."""
    opened = door(shop, "admin")
    answer = opened.deploy(process(PROCESS, [stage("Step", FIELDS)]))
    assert answer.status_code == 200, answer.text
    return opened


@pytest.fixture
def instance(admin: Door) -> str:
    """A fresh instance at its one step."""
    answer = admin.start(PROCESS)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def number(value: float) -> dict[str, object]:
    return {"value": value, "type": "Double"}


KEPT = [
    ("line", text("  Ёлка и Ко \n отдел "), "Ёлка и Ко   отдел"),
    ("line", text("x" * 255), "x" * 255),
    ("text", text("Первая\nвторая: ${7*7} 🙂"), "Первая\nвторая: ${7*7} 🙂"),
    ("text", text("я" * 4000), "я" * 4000),
    ("decision", text("approve"), "approve"),
    ("sum", text("125000"), "125000.00"),
    ("sum", text("125 000,5 ₽"), "125000.50"),
    ("sum", text("1\u00a0250\u202f000.00"), "1250000.00"),
    ("sum", {"value": 17, "type": "Integer"}, "17.00"),
    ("sum", {"value": 100.5}, "100.50"),
    ("day", text("2026-02-28"), "2026-02-28"),
    ("paidOn", text(PLANT_TODAY.isoformat()), PLANT_TODAY.isoformat()),
    ("startOn", text((PLANT_TODAY + timedelta(days=1)).isoformat()), (PLANT_TODAY + timedelta(days=1)).isoformat()),
    ("readyBy", text("2099-12-24T18:00+0300"), "2099-12-24T18:00:00+03:00"),
    ("readyBy", text("2099-12-24T15:00:00.123Z"), "2099-12-24T15:00:00+00:00"),
    ("toldAt", text("2026-01-15T09:30:00+03:00"), "2026-01-15T09:30:00+03:00"),
]

REFUSED = [
    ("line", text("x" * 256), "не больше 255"),
    ("line", text("a\0b"), "недопустимый знак"),
    ("line", {"value": True, "type": "Boolean"}, "нужен текст"),
    ("text", text("я" * 4001), "не больше 4000"),
    ("text", text("a\0b"), "недопустимый знак"),
    ("text", {"value": "AAA=", "type": "Bytes"}, "нужен текст"),
    ("decision", text("maybe"), "нет варианта"),
    ("decision", text("Approve"), "нет варианта"),
    ("decision", text("\u0430pprove"), "русские буквы"),
    ("decision", text("approve "), "нет варианта"),
    ("decision", {"value": 1, "type": "Integer"}, "нет варианта"),
    ("sum", text("0"), "больше нуля"),
    ("sum", text("-5"), "не удалось прочесть"),
    ("sum", text("1,250"), "не удалось прочесть"),
    ("sum", text("1.250,00"), "не удалось прочесть"),
    ("sum", text("12 50"), "не удалось прочесть"),
    ("sum", text("десять"), "не удалось прочесть"),
    ("sum", text("1e6"), "не удалось прочесть"),
    ("sum", number(0.125), "не удалось прочесть"),
    ("sum", text("9" * 13), "слишком велика"),
    ("day", text("30.02.2026"), "нет такой даты"),
    ("day", text("2026-02-30"), "нет такой даты"),
    ("day", text("0026-02-03"), "проверьте год"),
    ("paidOn", text((PLANT_TODAY + timedelta(days=1)).isoformat()), "не может быть в будущем"),
    ("startOn", text(PLANT_TODAY.isoformat()), "в будущем"),
    ("readyBy", text(in_days(-1)), "в будущем"),
    ("readyBy", text("2099-12-24T18:00:00"), "нет такого времени"),
    ("readyBy", text("2099-12-24"), "нет такого времени"),
    ("toldAt", text(in_days(1)), "не может быть в будущем"),
    ("paper", text("files::94erat"), "нужен файл"),
]


@pytest.mark.parametrize(("field", "sent", "kept"), KEPT)
def test_a_readable_value_is_kept_in_one_spelling(
    shop: Shop, admin: Door, instance: str, field: str, sent: dict[str, object], kept: str
) -> None:
    answer = door(shop, "volkov").complete(task_of(admin, instance), {field: sent})
    assert answer.status_code == 204, answer.text
    (row,) = admin.rows(f"/history/variable-instance?processInstanceId={instance}&variableName={field}")
    assert (row["type"], row["value"]) == ("String", kept)


@pytest.mark.parametrize(("field", "sent", "words"), REFUSED)
def test_any_other_value_is_refused_and_nothing_changes(
    shop: Shop, admin: Door, instance: str, field: str, sent: dict[str, object], words: str
) -> None:
    before = state(admin, instance)
    sentence = refusal(door(shop, "volkov").complete(task_of(admin, instance), {field: sent}))
    assert words in sentence and "\0" not in sentence
    assert state(admin, instance) == before


def test_a_long_lines_sentence_stays_short(shop: Shop, admin: Door, instance: str) -> None:
    sentence = refusal(door(shop, "volkov").complete(task_of(admin, instance), {"decision": text("я" * 3000)}))
    assert len(sentence) < 200
