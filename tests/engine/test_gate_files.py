"""A file demanded is a file sent, whole and not too much at once; it comes back byte for byte under its name."""

from __future__ import annotations

import hashlib
import os
import threading
import unicodedata
from typing import Any
from urllib.parse import unquote

import psutil
import pytest
from gate_models import Door, door, file, process, refusal, stage, state, task_of, text
from shop import Shop, pdf

from attachments.names import clean

pytestmark = pytest.mark.engine

PROCESS = "gate-files"
MIB = 1 << 20
FIELDS = {"field.designFile": "files; Чертежи", "field.note": "text; Заметка", "required": "designFile"}
NAME = "Шкаф-купе №3 — «эскиз»; финал (ё, й).pdf"


@pytest.fixture(scope="module")
def admin(shop: Shop) -> Door:
    """The admin's door, with the diagram deployed; a second step keeps the instance open."""
    opened = door(shop, "admin")
    diagram = process(PROCESS, [stage("Design", FIELDS), stage("Later", {"field.note": "text; Заметка"})])
    assert opened.deploy(diagram).status_code == 200
    return opened


@pytest.fixture
def instance(admin: Door) -> str:
    """A fresh instance at its file step."""
    return str(admin.start(PROCESS).json()["id"])


NO_FILE: list[tuple[dict[str, Any], str]] = [
    ({}, "файл «Чертежи»"),
    ({"note": text("файл приложу потом")}, "файл «Чертежи»"),
    ({"designFile": {"value": None, "type": "Null"}}, "файл «Чертежи»"),
    ({"designFile": file("пусто.pdf", b"")}, "пуст"),
    ({"designFile": text("чертёж.pdf")}, "нужен файл"),
    ({"designFile": {"value": "JVBERi0=", "type": "Bytes"}}, "нужен файл"),
    ({"designFile": file("a.pdf", pdf()), "designFile_21": file("b.pdf", pdf())}, "менять нельзя"),
    ({"designFile": file("a.pdf", pdf()), "designFile_1": file("b.pdf", pdf())}, "менять нельзя"),
    ({"designFile": file("a.pdf", pdf()), "designFile_2": file("b.pdf", b"")}, "пуст"),
    ({"designFile": file("a.pdf", pdf()), "note": file("b.pdf", pdf())}, "нужен текст"),
]


@pytest.mark.parametrize(("sent", "words"), NO_FILE)
def test_no_file_no_completion(shop: Shop, admin: Door, instance: str, sent: dict[str, Any], words: str) -> None:
    before = state(admin, instance)
    assert words in refusal(door(shop, "volkov").complete(task_of(admin, instance), sent))
    assert state(admin, instance) == before


def test_a_transient_file_is_kept_all_the_same(shop: Shop, admin: Door, instance: str) -> None:
    """`transient` would meet the demand and leave no file behind."""
    data = pdf("kept")
    sent = {"designFile": file("a.pdf", data, transient=True)}
    assert door(shop, "volkov").complete(task_of(admin, instance), sent).status_code == 204
    assert admin.call("GET", f"/process-instance/{instance}/variables/designFile/data").content == data


def test_twenty_files_pass(shop: Shop, admin: Door, instance: str) -> None:
    names = ["designFile", *(f"designFile_{n}" for n in range(2, 21))]
    sent = {name: file("один.pdf", name.encode()) for name in names}
    assert door(shop, "volkov").complete(task_of(admin, instance), sent).status_code == 204
    for name in names:
        assert admin.call("GET", f"/process-instance/{instance}/variables/{name}/data").content == name.encode()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (NAME, NAME),
        (unicodedata.normalize("NFD", NAME), NAME),
        ("a%41+b.pdf", "a%41+b.pdf"),
        ('две "кавычки".pdf', "две _кавычки_.pdf"),
        ("..\\..\\evil/../имя\r\nX: y.pdf", "имяX_ y.pdf"),
        ("я" * 200 + ".pdf", "я" * 200 + ".pdf"),
        ("я" * 240 + ".pdf", "я" * 200 + ".pdf"),
        ("e" * 199 + "x\u0338\u0338.pdf", "e" * 199 + ".pdf"),
        ("\U0001f4d0" * 210 + ".pdf", "\U0001f4d0" * 200 + ".pdf"),
    ],
)
def test_a_file_comes_back_under_its_name_at_every_door(
    shop: Shop, admin: Door, instance: str, given: str, kept: str
) -> None:
    data = bytes(range(256)) * 4
    task = task_of(admin, instance)
    assert door(shop, "volkov").complete(task, {"designFile": file(given, data)}).status_code == 204
    (row,) = admin.rows(f"/history/variable-instance?processInstanceId={instance}&variableName=designFile")
    doors = [
        (door(shop, "volkov"), f"/task/{task_of(admin, instance)}/variables/designFile/data"),
        (admin, f"/process-instance/{instance}/variables/designFile/data"),
        (door(shop, "nikitina"), f"/history/variable-instance/{row['id']}/data"),
    ]
    for opened, path in doors:
        answer = opened.call("GET", path)
        assert answer.status_code == 200, (path, answer.text)
        assert hashlib.sha256(answer.content).digest() == hashlib.sha256(data).digest()
        header = answer.headers["Content-Disposition"]
        assert header.isascii()
        assert unquote(header.split("filename*=UTF-8''", 1)[1]) == kept == clean(given), "as the judge shows it"
        fallback = header.split('filename="', 1)[1].split('"', 1)[0]
        assert fallback.endswith(".pdf") and "\\" not in fallback
        assert answer.headers["Content-Type"].startswith("application/pdf")


def test_any_name_is_the_same_for_engine_and_judge(shop: Shop, admin: Door, instance: str) -> None:
    given = [
        "../../etc/passwd.pdf",
        "C:\\fakepath\\Смета.xlsx",
        "смета\u202efdp.exe",
        ".pdf",
        "..",
        "",
        "///",
        "CON.pdf",
    ]
    given += [
        "смета.pdf. ",
        "com1.a.pdf",
        "com1 .pdf",
        " \u00a0я. ",
        "a\u2028b.pdf",
        "a.b c.pdf",
        "x." + "y" * 17,
        ". .",
    ]
    given += ["-=смета.pdf", "b" * 5000 + "/" + "я" * 300, "\U0001f4d0 эскиз.DWG", "x." + "\U0001f4d0" * 16]
    sent = {"designFile" + (f"_{n}" if n > 1 else ""): file(name, b"x") for n, name in enumerate(given, 1)}
    assert door(shop, "volkov").complete(task_of(admin, instance), sent).status_code == 204
    rows = admin.rows(f"/variable-instance?processInstanceIdIn={instance}&deserializeValues=false")
    kept = {row["name"]: row["valueInfo"]["filename"] for row in rows if row["name"] in sent}
    assert kept == {variable: clean(value["valueInfo"]["filename"]) for variable, value in sent.items()}


@pytest.mark.parametrize("data", [b"null", b"eyJhIjoxfQ==", bytes(range(256)), "ёж".encode("cp1251")])
def test_bytes_are_never_read_as_anything_else(shop: Shop, admin: Door, instance: str, data: bytes) -> None:
    sent = {"designFile": file("данные.txt", data, encoding="utf-8")}
    assert door(shop, "volkov").complete(task_of(admin, instance), sent).status_code == 204
    answer = admin.call("GET", f"/process-instance/{instance}/variables/designFile/data")
    assert (answer.content, answer.headers["Content-Type"]) == (data, "application/octet-stream")


def test_more_than_sixty_mib_at_once_is_refused(shop: Shop, admin: Door, instance: str) -> None:
    before = state(admin, instance)
    third = os.urandom(20 * MIB)
    sent = {name: file("a.pdf", third) for name in ("designFile", "designFile_2", "designFile_3")}
    sent["designFile_4"] = file("b.pdf", b"x")
    assert "60 МиБ" in refusal(door(shop, "volkov").complete(task_of(admin, instance), sent))
    assert state(admin, instance) == before
    sent["designFile_4"] = file("b.pdf", os.urandom(20 * MIB))
    assert "60 МиБ" in refusal(door(shop, "volkov").complete(task_of(admin, instance), sent))
    assert state(admin, instance) == before


def test_three_people_upload_twenty_mib_at_once(shop: Shop, admin: Door) -> None:
    people = ["volkov", "lebedeva", "novikov", "volkov"]  # the fourth waits for a place
    instances = [str(admin.start(PROCESS).json()["id"]) for _ in people]
    data = os.urandom(20 * MIB)
    statuses: list[int] = []

    def upload(person: str, instance: str) -> None:
        sent = {"designFile": file("большой.pdf", data)}
        statuses.append(door(shop, person).complete(task_of(admin, instance), sent).status_code)

    threads = [threading.Thread(target=upload, args=pair) for pair in zip(people, instances, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert statuses == [204] * 4
    stored = admin.call("GET", f"/process-instance/{instances[0]}/variables/designFile/data").content
    assert hashlib.sha256(stored).digest() == hashlib.sha256(data).digest()
    assert psutil.Process(shop.engine.pid).memory_info().rss <= 10**9
