"""Rule: the staff file is read whole or refused with every problem named; groups, heads and substitutes follow it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from orders.staff import GROUPS, Staff, StaffError, read_staff

SAMPLE = """
[[person]]
id = "volkov"
name = "Дмитрий Волков"
groups = ["designers"]
heads = ["designers"]
bitrix = 106
substitute = { person = "novikov", from = "02.11.2026", to = "13.11.2026" }

[[person]]
id = "lebedeva"
name = "Мария Лебедева"
groups = ["designers", "orderCreators"]
away = ["02.11.2026..06.11.2026"]

[[person]]
id = "novikov"
name = "Павел Новиков"
groups = ["workshop"]
substitute = [{ person = "gromov", from = 2026-11-10, to = 2026-11-12 }]

[[person]]
id = "gromov"
name = "Андрей Громов"
groups = ["productionDirectors"]
week = ["mon", "tue", "wed", "thu", "fri"]
"""
CALM, AWAY, BOTH = date(2026, 10, 20), date(2026, 11, 2), date(2026, 11, 11)


@pytest.fixture
def staff() -> Staff:
    return read_staff(SAMPLE)


def ids(persons: tuple[object, ...]) -> list[str]:
    return [p.id for p in persons]  # type: ignore[attr-defined]


def test_the_file_of_the_project_is_whole() -> None:
    """Every staff group has at least two members, every department with a deadline has somebody to tell."""
    text = (Path(__file__).parents[2] / "config" / "staff.toml").read_text(encoding="utf-8")
    staff = read_staff(text)
    for group in GROUPS:
        assert len(staff.members(group)) >= 2, group
        assert staff.manager(group) is not None, group
    assert staff.members("accounting")[0].name.startswith("Елена Петровна")
    assert all(p.bitrix_id and p.phone and p.email for p in staff.persons)


def test_groups_and_heads(staff: Staff) -> None:
    """The manager of a task is the head of its group, else the production directors."""
    assert ids(staff.members("designers")) == ["volkov", "lebedeva"]
    assert staff.manager("designers") == staff.find("volkov")
    assert ids(staff.managers(["workshop"])) == ["gromov"]
    assert staff.name("lebedeva") == "Мария Лебедева"
    assert staff.name("gone") == "gone"
    assert staff.of_bitrix(106) == staff.find("volkov")
    assert staff.department("lebedeva", ["designers"]) == "конструкторское бюро"
    assert staff.department("lebedeva") == "конструкторское бюро"
    assert staff.department(None, ["shipping"]) == "служба доставки"


def test_presence(staff: Staff) -> None:
    """Away on holiday, while substituted, and on weekdays that a person does not work."""
    volkov, lebedeva, gromov = (staff.find(i) for i in ("volkov", "lebedeva", "gromov"))
    assert volkov and lebedeva and gromov
    assert [p.present(CALM) for p in (volkov, lebedeva, gromov)] == [True, True, True]
    assert [p.present(AWAY) for p in (volkov, lebedeva, gromov)] == [False, False, True]
    assert not gromov.present(date(2026, 10, 24))
    assert volkov.present(date(2026, 11, 14))


def test_substitutes(staff: Staff) -> None:
    """A substitute counts only in the period; an absent one hands on to their own."""
    assert staff.substitutes("volkov", CALM) == ()
    assert ids(staff.substitutes("volkov", AWAY)) == ["novikov"]
    assert ids(staff.substitutes("volkov", BOTH)) == ["gromov"]
    assert ids(staff.substituted_in(["designers"], AWAY)) == ["novikov"]


def test_who_may_be_addressed(staff: Staff) -> None:
    """Present members first, then substitutes, absent members last; an absent assignee yields to the substitute."""
    assert ids(staff.holder_candidates(["designers"], CALM)) == ["volkov", "lebedeva"]
    assert ids(staff.holder_candidates(["designers"], AWAY)) == ["novikov", "volkov", "lebedeva"]
    assert ids(staff.holder_candidates(["designers"], AWAY, users=["gromov"])) == [
        "gromov",
        "novikov",
        "volkov",
        "lebedeva",
    ]
    assert ids(staff.holder_candidates(["designers"], AWAY, assignee="volkov")) == ["novikov"]
    assert ids(staff.holder_candidates(["designers"], CALM, assignee="volkov")) == ["volkov"]
    assert ids(staff.holder_candidates(["designers"], AWAY, assignee="lebedeva")) == ["lebedeva"]
    assert ids(staff.holder_candidates(["workshop"], CALM, assignee="gone")) == ["novikov"]


def person(**changes: str) -> str:
    fields = {"id": '"ivanov"', "name": '"Иван Иванов"', "groups": '["designers"]'} | changes
    return "[[person]]\n" + "\n".join(f"{k} = {v}" for k, v in fields.items()) + "\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (person(id='"ivаnov"'), "«а» кириллическая, 3-я буква в «ivаnov», вероятно «ivanov»"),
        (person(groups='["dirеctors"]'), "«е» кириллическая, 4-я буква в «dirеctors», вероятно «directors»"),
        (person(heads='["сommercial"]'), "вероятно «commercial»"),
        (person(groups='["painters"]'), "нет группы «painters»; есть: orderCreators"),
        (person(groups='["order-creators"]'), "без дефисов"),
        (person(groups='["workers"]'), "служебная"),
        (person(groups="[]"), "ни одна группа"),
        (person(id='"a-b"'), "без дефисов"),
        (person(id='""'), "не указано id"),
        (person(name='" "'), "не указано name"),
        (person(email='"ivanov"'), "не похож на адрес"),
        (person(bitrix='"12"'), "целое число"),
        (person(language='"de"'), "есть ru и en"),
        (person(telephone='"1"'), "«telephone» неизвестно"),
        (person(week='["пн"]'), "день недели «пн»"),
        (person(away='["31.02.2026"]'), "«31.02.2026» нет в календаре"),
        (person(away='["10.02.2026..01.02.2026"]'), "раньше, чем начинается"),
        (person(substitute='{ person = "x" }'), "substitute пишется"),
        (person(substitute='{ person = "zz", from = "1.1.2026", to = "2.1.2026" }'), "«zz» нет в файле"),
        (person(substitute='{ person = "ivanov", from = "1.1.2026", to = "2.1.2026" }'), "замещает сам себя"),
        (person() + person(), "строка 5, сотрудник «ivanov»: такой id"),
        (person() + person(id='"Ivanov"'), "только размером букв"),
        (person(bitrix="7") + person(id='"b"', bitrix="7"), "Битрикс24 7 указан у нескольких"),
        ("", "нет ни одного"),
        ("[[people]]\nid = 1", "«people» здесь неизвестно"),
        ('[[person]]\nid = "a', "строка 2"),
    ],
)
def test_a_broken_file_is_refused_with_its_problem(text: str, said: str) -> None:
    """Unknown group, doubled id, twin letters, hyphens, bad dates: each named with its line."""
    with pytest.raises(StaffError) as caught:
        read_staff(text)
    assert said in str(caught.value)


def test_all_problems_come_at_once() -> None:
    """Several slips in several persons are all listed, each with its line."""
    with pytest.raises(StaffError) as caught:
        read_staff(person(id='"a-b"', email='"x"') + person(groups='["painters"]'))
    assert [p.split(",")[0] for p in caught.value.problems] == ["строка 1", "строка 1", "строка 6"]


def test_a_department_of_ones_own() -> None:
    """A new approval needs a new department: the file adds it, nobody changes code."""
    group = '[[group]]\nid = "technologists"\nname = "технологи"\n'
    staff = read_staff(group + person(groups='["technologists"]'))
    assert ids(staff.members("technologists")) == ["ivanov"]
    assert staff.groups["technologists"] == staff.department("ivanov") == "технологи"
    assert set(GROUPS) < set(staff.groups)


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ('id = "tеchnologists"\nname = "технологи"', "«е» кириллическая, 2-я буква"),
        ('id = "directors"\nname = "директора"', "уже есть"),
        ('id = "workers"\nname = "рабочие"', "уже есть"),
        ('id = "technologists"', "нужны ровно id и name"),
        ('id = "designersHeads"\nname = "главные"', "Heads"),
    ],
)
def test_a_broken_department_is_refused(group: str, said: str) -> None:
    """A department has an id that the engine takes and a name that people know."""
    with pytest.raises(StaffError) as caught:
        read_staff(f"[[group]]\n{group}\n" + person())
    assert said in str(caught.value)
