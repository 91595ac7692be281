"""A start carries what its form demands, once, as its true initiator, under a key that its caller may give."""

from __future__ import annotations

import re
import threading
import uuid
from typing import Any

import pytest
from gate_models import Door, door, file, process, refusal, stage, text
from shop import Shop, pdf

pytestmark = pytest.mark.engine

PROCESS = "start-keys"
START = {
    "field.customerName": "line; Заказчик",
    "field.orderFile": "file; Файл заказчика",
    "field.budget": "sum; Бюджет",
    "required": "customerName, orderFile",
}
GOOD = {"customerName": text("Ёлка"), "orderFile": file("заявка.pdf", pdf())}
NUMBER = re.compile(r"ORD-\d{4}-(\d{5})")


@pytest.fixture(scope="module")
def admin(shop: Shop) -> Door:
    """The admin's door, with the diagram deployed and startable by sokolova and by nobody else."""
    opened = door(shop, "admin")
    assert opened.deploy(process(PROCESS, [stage("Step", {"field.note": "text; Заметка"})], START)).status_code == 200
    for kind, permissions, resource in ((6, ["READ", "CREATE_INSTANCE"], PROCESS), (8, ["CREATE"], "*")):
        row = {
            "type": 1,
            "userId": "sokolova",
            "resourceType": kind,
            "resourceId": resource,
            "permissions": permissions,
        }
        assert opened.call("POST", "/authorization/create", row).status_code == 200
    repairs = {"type": 1, "groupId": "operators", "resourceType": 6, "resourceId": PROCESS}
    repairs["permissions"] = ["READ", "READ_INSTANCE", "UPDATE_INSTANCE"]  # a repeated bootstrap would give them
    assert opened.call("POST", "/authorization/create", repairs).status_code == 200
    return opened


def count(admin: Door) -> int:
    answer = admin.call("GET", f"/history/process-instance/count?processDefinitionKey={PROCESS}")
    return int(answer.json()["count"])


def by_start(opened: Door, variables: dict[str, Any], key: str | None = None) -> Any:
    return opened.start(PROCESS, variables, businessKey=key)


def by_form(opened: Door, variables: dict[str, Any], key: str | None = None) -> Any:
    body = {"variables": variables, "businessKey": key}
    return opened.call("POST", f"/process-definition/key/{PROCESS}/submit-form", body)


WAYS = [by_start, by_form]
BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "Не хватает: «Заказчик», файл «Файл заказчика»"),
    ({"customerName": text("Ёлка")}, "файл «Файл заказчика»"),
    ({**GOOD, "orderFile": file("a.pdf", b"")}, "пуст"),
    ({**GOOD, "budget": text("1,250")}, "не удалось прочесть"),
    ({**GOOD, "customerName": text("a\0b")}, "недопустимый знак"),
    ({**GOOD, "directorDecision": text("approve")}, "«directorDecision» на этом шаге менять нельзя"),
    ({**GOOD, "orderInstanceId": text("x")}, "менять нельзя"),
    ({**GOOD, "done_Step": text("{}")}, "менять нельзя"),
    ({**GOOD, "initiator": text("orlov")}, "от своего имени"),
    ({**GOOD, "initiator": {"value": None}}, "от своего имени"),
    ({**GOOD, "startKey": text("k" * 65)}, "startKey"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("sent", "words"), BAD)
def test_a_bad_start_is_refused_and_starts_nothing(
    shop: Shop, admin: Door, way: Any, sent: dict[str, Any], words: str
) -> None:
    before = count(admin)
    for opened in (door(shop, "sokolova"), door(shop, "integration", "sokolova")):
        assert words in refusal(way(opened, sent))
    assert count(admin) == before


@pytest.mark.parametrize("way", WAYS)
def test_an_order_without_a_key_gets_the_next_number(shop: Shop, admin: Door, way: Any) -> None:
    first, second = (way(door(shop, "sokolova"), {**GOOD, "initiator": text("sokolova")}).json() for _ in range(2))
    numbers = [NUMBER.fullmatch(started["businessKey"]) for started in (first, second)]
    assert all(numbers)
    assert int(numbers[1].group(1)) == int(numbers[0].group(1)) + 1
    history = admin.call("GET", f"/history/process-instance/{first['id']}").json()
    assert history["businessKey"] == first["businessKey"]
    variable = admin.call("GET", f"/process-instance/{first['id']}/variables/initiator").json()
    assert variable["value"] == "sokolova"


def test_a_refused_start_takes_no_number(shop: Shop, admin: Door) -> None:
    person = door(shop, "sokolova")
    first = by_start(person, GOOD).json()["businessKey"]
    refusal(by_start(person, {}))
    second = by_start(person, GOOD).json()["businessKey"]
    assert int(second[-5:]) == int(first[-5:]) + 1


def test_parallel_starts_get_different_numbers(shop: Shop, admin: Door) -> None:
    found: list[str] = []

    def start() -> None:
        found.append(by_start(door(shop, "sokolova"), GOOD).json()["businessKey"])

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(found)) == 8 and all(NUMBER.fullmatch(key) for key in found)


def test_a_number_that_came_from_outside_is_passed_over(shop: Shop, admin: Door) -> None:
    last = by_start(door(shop, "sokolova"), GOOD).json()["businessKey"]
    taken = f"{last[:-5]}{int(last[-5:]) + 1:05d}"
    assert by_start(door(shop, "integration", "sokolova"), GOOD, taken).status_code == 200
    following = by_start(door(shop, "sokolova"), GOOD).json()["businessKey"]
    assert int(following[-5:]) == int(last[-5:]) + 2


@pytest.mark.parametrize("key", ["174-12", "ORD-2020-00001", "ord-2020-00001", "ORD-x"])
def test_keys_of_cards_and_numbers_come_from_the_integration_only(shop: Shop, admin: Door, key: str) -> None:
    before = count(admin)
    for opened in (door(shop, "sokolova"), admin):
        assert "присваивает программа" in refusal(by_start(opened, GOOD, key))
    assert count(admin) == before
    assert by_start(door(shop, "integration", "sokolova"), GOOD, key).json()["businessKey"] == key


@pytest.mark.parametrize("key", ["a b", "заказ", "x" * 65, "a/b", "a;b", "a\nb"])
def test_a_persons_own_key_is_short_and_plain(shop: Shop, admin: Door, key: str) -> None:
    before = count(admin)
    assert "до 64" in refusal(by_start(door(shop, "sokolova"), GOOD, key))
    assert count(admin) == before


@pytest.mark.parametrize("key", ["x" * 65, "a;b", "a\nb", "№1"])
def test_a_key_that_a_program_brings_is_short_and_printable(shop: Shop, admin: Door, key: str) -> None:
    before = count(admin)
    assert "до 64" in refusal(by_start(door(shop, "integration", "sokolova"), GOOD, key))
    assert count(admin) == before


def test_numbers_of_other_books_come_from_the_integration_only(shop: Shop, admin: Door) -> None:
    key = f"2026/К-{uuid.uuid4().hex[:6]}"
    refusal(by_start(door(shop, "sokolova"), GOOD, key))
    assert by_start(door(shop, "integration", "sokolova"), GOOD, key).json()["businessKey"] == key


def test_a_plain_key_of_ones_own_is_kept(shop: Shop, admin: Door) -> None:
    key = f"Kolesnik_{uuid.uuid4().hex[:8]}.1"
    assert by_start(door(shop, "sokolova"), GOOD, key).json()["businessKey"] == key


def test_a_double_click_makes_one_order(shop: Shop, admin: Door) -> None:
    before = count(admin)
    sent = {**GOOD, "startKey": text(uuid.uuid4().hex)}
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(by_form(door(shop, "sokolova"), sent))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    good = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(good) == 1
    (bad,) = [answer for answer in answers if answer.status_code != 200]
    assert refusal(bad) == f"Заказ уже создан: {good[0]['businessKey']}"
    assert count(admin) == before + 1
    assert admin.call("GET", f"/process-instance/{good[0]['id']}/variables/startKey").status_code == 404


def test_a_start_key_of_a_refused_start_stays_free(shop: Shop, admin: Door) -> None:
    key = text(uuid.uuid4().hex)
    refusal(by_form(door(shop, "sokolova"), {"startKey": key}))
    assert by_form(door(shop, "sokolova"), {**GOOD, "startKey": key}).status_code == 200


def test_a_wrong_person_gets_the_engines_own_answer(shop: Shop, admin: Door) -> None:
    before = count(admin)
    for person in ("egorov", "orlov"):
        for sent in ({}, GOOD):
            assert by_start(door(shop, person), sent).status_code in (403, 404)
    assert count(admin) == before


def shortcuts(instance: str, definition: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the ways to be in the middle of the route without having walked there."""
    step = {"type": "startBeforeActivity", "activityId": "Step"}
    inner = [{"type": "startBeforeActivity", "activityId": "End"}]
    return [
        (f"/process-definition/key/{PROCESS}/start", {"variables": GOOD, "startInstructions": [step]}),
        (f"/process-definition/{definition}/restart", {"processInstanceIds": [instance], "instructions": [step]}),
        (f"/process-instance/{instance}/modification", {"instructions": inner}),
        (f"/process-instance/{instance}/modification-async", {"instructions": inner}),
        (
            "/modification/execute",
            {"processDefinitionId": definition, "processInstanceIds": [instance], "instructions": inner},
        ),
    ]


@pytest.mark.parametrize("at", range(5))
def test_nobody_starts_or_jumps_in_the_middle(shop: Shop, admin: Door, at: int) -> None:
    started = by_start(door(shop, "sokolova"), GOOD).json()
    before = count(admin)
    path, body = shortcuts(started["id"], started["definitionId"])[at]
    for opened in (door(shop, "sokolova"), door(shop, "volkov"), door(shop, "integration", "sokolova")):
        answer = opened.call("POST", path, body)
        assert answer.status_code in (400, 403, 404), answer.text
    if at == 0:
        assert "Перескакивать" in refusal(door(shop, "sokolova").call("POST", path, body))
    assert count(admin) == before
    assert len(admin.rows(f"/task?processInstanceId={started['id']}")) == 1


def test_an_operator_may_repair(shop: Shop, admin: Door) -> None:
    started = by_start(door(shop, "sokolova"), GOOD).json()
    body = {
        "instructions": [
            {"type": "cancel", "activityId": "Step"},
            {"type": "startBeforeActivity", "activityId": "Step"},
        ]
    }
    answer = door(shop, "kozlov").call("POST", f"/process-instance/{started['id']}/modification", body)
    assert answer.status_code == 204, answer.text
