"""`demo --portal`: on a portal that is not ours the demo touches only its own process and folder; cards are equal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command import run
from mirrored import MirroredPortal, Story
from portal import LocalPortal
from shop import JAR_VARIABLE, server_jar

from app.demo.foreign import DEMO_TITLE, prepare
from orders.staff import read_staff

pytestmark = [pytest.mark.acceptance, pytest.mark.engine]


def all_but_the_demo(portal: LocalPortal) -> dict[str, Any]:
    """Return what the portal held before: types, cards, tasks, folders of everybody but the demo."""
    types = [kind for kind in portal.call("crm.type.list")["types"] if kind["title"] != DEMO_TITLE]
    found: dict[str, Any] = {"types": types}
    for kind in types:
        found[f"cards {kind['id']}"] = portal.call("crm.item.list", {"entityTypeId": kind["entityTypeId"]})["items"]
    storage = portal.call("disk.storage.getlist", {"filter": {"ENTITY_TYPE": "common"}})[0]["ID"]
    folders = portal.call("disk.storage.getchildren", {"id": storage})
    kept = [folder for folder in folders if not folder["NAME"].endswith("(демо)")]
    found["folders"] = kept
    for folder in kept:
        found[folder["NAME"]] = portal.call("disk.folder.getchildren", {"id": folder["ID"]})
    return found


def test_a_demo_on_a_portal_of_ones_own(tmp_path: Path) -> None:
    """The portal has a shop of its own, and of our people it knows only the director."""
    mirrored = MirroredPortal(tmp_path, process=True)
    try:
        portal = mirrored.portal
        story = Story(mirrored.source, "ORD-2026-00001")  # the same number as the demo's first order
        story.open("approve")
        mirrored.mirror.reconcile(story.instance)
        others = [p for p in mirrored.staff.persons if p.bitrix_id and p.id != "orlov"]
        portal.set_users([{"id": p.bitrix_id, "name": "Иной", "lastName": "Человек"} for p in others])
        before = all_but_the_demo(portal)
        env = {JAR_VARIABLE: str(server_jar()), "TMPDIR": str(tmp_path)}
        env |= {"ORDER_ROUTE_BITRIX_RATE": "100", "ORDER_ROUTE_BITRIX_BURST": "1000"}
        said = run("demo", "--orders", "2", "--seed", "2", "--portal", portal.webhook_url, env=env, seconds=300)
        flat = said.out.replace("\n", " ")
        assert said.code == 0, said.text[-4000:]
        assert "Карточки = движок" in flat and said.out.count("✓") == 2
        assert flat.count("получает владелец вебхука") == 1 and "Виктор Орлов" not in flat.partition("получает")[0]
        assert portal.webhook_url.rstrip("/").rpartition("/")[2] not in said.text
        assert all_but_the_demo(portal) == before
        assert {task["responsibleId"] for task in mirrored.tasks() if task["createdBy"] == "1"} <= {"1", "101"}
    finally:
        mirrored.close()


def test_what_an_earlier_demo_left_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    said: list[str] = []
    with LocalPortal(tmp_path / "portal") as portal:
        staff = Path("config/staff.toml")
        first = prepare(portal.webhook_url, staff, tmp_path, said.append, rate=1000, burst=1000)
        ours = {
            "entityTypeId": first.entity_type_id,
            "fields": {"title": "ORD-2026-00001", "xmlId": "order:ORD-2026-00001"},
        }
        card = portal.call("crm.item.add", ours)["item"]["id"]
        bound = [f"T{first.entity_type_id:x}_{card}"]
        portal.call("tasks.task.add", {"fields": {"TITLE": "Шаг", "RESPONSIBLE_ID": 1, "UF_CRM_TASK": bound}})
        portal.call("tasks.task.add", {"fields": {"TITLE": "Своё", "RESPONSIBLE_ID": 1}})
        second = prepare(portal.webhook_url, staff, tmp_path, said.append, rate=1000, burst=1000)
        assert second.entity_type_id == first.entity_type_id
        assert portal.call("crm.item.list", {"entityTypeId": first.entity_type_id})["items"] == []
        assert [task["title"] for task in portal.call("tasks.task.list")["tasks"]] == ["Своё"]
        assert any("прошлого показа: 1" in line for line in said)
        people = read_staff(second.staff_file.read_text(encoding="utf-8"))
        assert {p.bitrix_id for p in people.persons} == {1}, "nobody of our people works in this portal"
        assert people.of_bitrix(1) is None


def test_a_portal_that_cannot_be_reached_is_one_sentence_at_once(tmp_path: Path) -> None:
    said = run("demo", "--portal", "http://127.0.0.1:9/rest/1/abc/", env={"TMPDIR": str(tmp_path)}, seconds=60)
    assert said.code == 1 and "не начат" in said.text, said.text
    assert "/abc" not in said.text
