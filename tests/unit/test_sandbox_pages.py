"""The sandbox portal's pages: what people must see is there, everything is escaped, nothing comes from outside."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from portal import LocalPortal

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPortal]:
    with LocalPortal(tmp_path_factory.mktemp("portal")) as running:
        running.set_users([{"id": 2, "name": "Ирина", "lastName": "Соколова"}])
        fields = {"title": "Заказы", "entityTypeId": 156, "isStagesEnabled": "Y", "isUseInUserfieldEnabled": "Y"}
        fields |= {"linkedUserFields": {"TASKS_TASK|UF_CRM_TASK": "true"}}
        running.call("crm.type.add", {"fields": fields})
        for code, kind, label in (("CUSTOMER_NAME", "string", "Заказчик"), ("PLAN", "file", "Чертёж")):
            field = {"entityId": "CRM_13", "fieldName": f"UF_CRM_13_{code}", "userTypeId": kind}
            field |= {"editFormLabel": {"ru": label}}
            running.call("userfieldconfig.add", {"moduleId": "crm", "field": field})
        plan = ["эскиз.pdf", base64.b64encode(b"pdf").decode()]
        item = {"xmlId": "order:ORD-1", "title": f"ORD-1 {EVIL}", "ufCrm13CustomerName": f"Петров {EVIL}"}
        item |= {"ufCrm13Plan": plan}
        running.call("crm.item.add", {"entityTypeId": 156, "fields": item})
        due = (datetime.now(UTC) - timedelta(hours=4, minutes=5)).isoformat()
        task = {"TITLE": f"Смета {EVIL}", "RESPONSIBLE_ID": 2, "UF_CRM_TASK": ["T9c_1"], "DEADLINE": due}
        task["DESCRIPTION"] = f"[B]Сделать[/B] {EVIL}[URL=javascript:alert(1)]x[/URL]"
        running.call("tasks.task.add", {"fields": task})
        note = {"ENTITY_TYPE": "dynamic_156", "ENTITY_ID": 1, "AUTHOR_ID": 2, "COMMENT": f"{EVIL}\n· ORD-1/c1"}
        running.call("crm.timeline.comment.add", {"fields": note})
        yield running


def page(portal: LocalPortal, path: str) -> str:
    answer = requests.get(portal.url + path, timeout=10)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("path", ["/", "/card/156/1", "/person/2", "/people"])
def test_everything_is_escaped(portal: LocalPortal, path: str) -> None:
    shown = page(portal, path)
    assert "<script>alert" not in shown and 'href="javascript:' not in shown


@pytest.mark.parametrize("path", ["/", "/card/156/1", "/person/2", "/people"])
def test_nothing_is_loaded_from_elsewhere(portal: LocalPortal, path: str) -> None:
    assert re.findall(r'(?:src|link[^>]*href)="https?://[^"]*"', page(portal, path)) == []


def test_pages_forbid_foreign_scripts(portal: LocalPortal) -> None:
    assert "default-src 'self'" in requests.get(portal.url, timeout=10).headers["Content-Security-Policy"]


def test_pages_refresh_without_scripts(portal: LocalPortal) -> None:
    assert '<noscript><meta http-equiv="refresh"' in page(portal, "/")


def test_kanban_shows_number_customer_holder_and_lateness(portal: LocalPortal) -> None:
    shown = page(portal, "/")
    assert all(word in shown for word in ("ORD-1", "Петров", "Ирина Соколова", "▲ опоздание 4 ч", "1 заказ в работе"))


def test_card_shows_task_fields_files_and_timeline(portal: LocalPortal) -> None:
    shown = page(portal, "/card/156/1")
    wanted = ("Заказчик", "эскиз.pdf", "<strong>Сделать</strong>", "· ORD-1/c1", "заведена")
    assert [word for word in wanted if word not in shown] == []


def test_file_link_on_the_card_downloads(portal: LocalPortal) -> None:
    link = re.findall(r'href="(/file/crm/\d+)"', page(portal, "/card/156/1"))[0]
    assert requests.get(portal.url + link, timeout=10).content == b"pdf"


def test_person_page_counts_open_tasks(portal: LocalPortal) -> None:
    assert "1 открытая задача" in page(portal, "/person/2")


@pytest.mark.parametrize("path", ["/card/156/99", "/person/99", "/?column=none", "/nowhere"])
def test_missing_page_says_so_in_russian(portal: LocalPortal, path: str) -> None:
    answer = requests.get(portal.url + path, timeout=10)
    assert answer.status_code == 404 and "Такой страницы нет" in answer.text


@pytest.mark.parametrize("path", ["/", "/card/156/1", "/person/2", "/people", "/nowhere"])
def test_words_are_russian(portal: LocalPortal, path: str) -> None:
    body = requests.get(portal.url + path, timeout=10).text.partition("<body>")[2]
    text = re.sub(r"<[^>]+>", " ", body).replace("&lt;script&gt;alert(1)&lt;/script&gt;", "")
    words = set(re.findall(r"[A-Za-z]{3,}", text.replace("&lt;", "").replace("&gt;", "")))
    assert words <= {"ORD", "pdf"}


def test_empty_portal_says_what_will_fill_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    with LocalPortal(tmp_path_factory.mktemp("empty")) as empty:
        assert "Здесь появится доска" in page(empty, "/")
