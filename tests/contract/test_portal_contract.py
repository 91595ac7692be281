"""What our client needs of a Bitrix24, method by method, as its documents promise it; runs against any portal.

`pytest tests/contract --portal https://portal/rest/USER/TOKEN/` (an administrator's webhook). Without it: the sandbox.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from anyportal import Contract
from mirrored import Source, Story, the_route, the_staff

from bitrix_sync.client import rows_of
from bitrix_sync.compare import entries
from bitrix_sync.envelope import Answer
from bitrix_sync.errors import PortalRefused
from bitrix_sync.notes import user_commands
from bitrix_sync.observe import task_of
from bitrix_sync.php import as_list, as_map
from bitrix_sync.provision import fit
from bitrix_sync.read_schema import read_schema
from bitrix_sync.reconcile import Reconciler
from bitrix_sync.retry import Kind
from bitrix_sync.values import cleared, instant, same, to_portal
from orders.persons import Staff

ZONE = ZoneInfo("Europe/Moscow")
PDF = b"%PDF-1.4 contract \xff\x00 bytes"


def test_who_calls_and_what_the_webhook_may(contract: Contract) -> None:
    owner = contract.client.call("profile").map()
    assert int(owner["ID"]) == contract.client.user_id and owner["ADMIN"] is True
    scopes = {str(each) for each in as_list(contract.client.call("scope").result)}
    assert {"crm", "task", "im", "disk", "userfieldconfig"} <= scopes
    answers = contract.client.batch(user_commands([contract.client.user_id, 99_999_999]))
    assert [int(row["ID"]) for row in answers.rows("users0")] in ([contract.client.user_id], [])
    assert contract.client.ask("nobody.knows.it") is None and contract.client.alarm is None


def test_a_set_up_is_complete_and_a_second_one_writes_nothing(contract: Contract) -> None:
    number = contract.schema.entity_type_id
    assert fit(contract.client, the_route(), entity_type_id=number, dry_run=True).changes == ()
    assert read_schema(contract.client, the_route(), entity_type_id=number) == contract.schema


def test_every_kind_of_field_keeps_its_value_and_is_cleared(contract: Contract) -> None:
    fields = contract.schema.fields
    values = {
        "customerName": "ООО «Ромашка» & Ко [b]",
        "itemDescription": "Комод\nвторая строка",
        "estimateSum": "125000.50",
        "wishedBy": "2026-12-31",
        "readyBy": "2026-12-30T18:00:00+03:00",
        "directorDecision": "approve",
    }
    sent = {fields[name].name: to_portal(fields[name], value, ZONE) for name, value in values.items()}
    card = contract.add_card(xmlId=f"order:{contract.mark}", **sent)
    shown = contract.card(card)
    for name, value in values.items():
        assert same(fields[name], shown.get(fields[name].name), value, ZONE), (name, shown.get(fields[name].name))
    empty = {fields[name].name: cleared(fields[name]) for name in values}
    update = {"entityTypeId": contract.schema.entity_type_id, "id": card, "fields": empty}
    assert contract.client.batch({"u": ("crm.item.update", update)}, kind=Kind.WRITE).errors() == {}
    shown = contract.card(card)
    for name in values:
        assert same(fields[name], shown.get(fields[name].name), None, ZONE), (name, shown.get(fields[name].name))


def test_a_card_is_found_by_its_key_moved_and_missed_when_gone(contract: Contract) -> None:
    key, columns = f"order:{contract.mark}-move", contract.schema.columns
    card = contract.add_card(xmlId=key, stageId=columns["approve"], categoryId=contract.schema.category_id)
    base: dict[str, Any] = {"entityTypeId": contract.schema.entity_type_id}
    query = base | {"filter": {"=xmlId": key}, "order": {"id": "ASC"}, "start": 0}
    answers = contract.client.batch({
        "found": ("crm.item.list", query),
        "these": ("crm.item.list", base | {"filter": {"@id": [card, 99_999_999]}, "start": -1, "select": ["id"]}),
        "gone": ("crm.item.get", base | {"id": 99_999_999}),
    })  # fmt: skip
    assert [int(row["id"]) for row in rows_of(answers["found"], "items")] == [card]
    assert [int(row["id"]) for row in rows_of(answers["these"], "items")] == [card]
    gone = answers.error("gone")
    assert isinstance(gone, PortalRefused) and gone.not_found
    moved = base | {"id": card, "fields": {"stageId": columns["design"], "observers": [contract.client.user_id]}}
    item = contract.client.call("crm.item.update", moved, kind=Kind.WRITE).map("item")
    assert (item["stageId"], int(item["movedBy"])) == (columns["design"], contract.client.user_id)
    assert instant(item["updatedTime"]) is not None and [int(each) for each in item["observers"]] == [
        contract.client.user_id
    ]
    contract.client.call("crm.item.delete", base | {"id": card})
    with pytest.raises(PortalRefused) as error:
        contract.card(card)
    assert error.value.not_found


def test_files_of_a_card_come_back_byte_for_byte_and_stay_by_their_ids(contract: Contract) -> None:
    single, many = contract.schema.fields["orderFile"], contract.schema.fields["designFile"]
    pair = ["Эскиз.pdf", base64.b64encode(PDF).decode()]
    card = contract.add_card(**{single.name: pair, many.name: [pair, ["Второй.pdf", pair[1]]]})
    item = contract.card(card)
    held, both = entries(single, item), entries(many, item)
    assert (len(held), len(both)) == (1, 2)
    assert contract.client.download(held[0].url) == PDF
    base: dict[str, Any] = {"entityTypeId": contract.schema.entity_type_id, "id": card}
    kept = {many.name: [{"id": both[1].id}]}
    contract.client.call("crm.item.update", base | {"fields": kept}, kind=Kind.WRITE)
    assert [entry.id for entry in entries(many, contract.card(card))] == [both[1].id]
    nothing = {many.name: cleared(many), single.name: cleared(single)}
    contract.client.call("crm.item.update", base | {"fields": nothing}, kind=Kind.WRITE)
    assert entries(many, contract.card(card)) == entries(single, contract.card(card)) == []


def test_a_task_lives_from_its_making_to_its_end(contract: Contract) -> None:
    card, us = contract.add_card(), contract.client.user_id
    due = datetime.now(ZONE).replace(microsecond=0) + timedelta(days=3)
    text = f"Описание [B]жирно[/B]\n· {contract.mark}:task:1"
    number = _new_task(contract, card, text, due)
    assert _new_task(contract, card, text, due) == number, "the same key brings the same task"
    select = [
        "ID",
        "TITLE",
        "DESCRIPTION",
        "STATUS",
        "RESPONSIBLE_ID",
        "ACCOMPLICES",
        "DEADLINE",
        "CLOSED_BY",
        "CHAT_ID",
    ]
    bound = {
        "filter": {"UF_CRM_TASK": f"{contract.schema.binding}_{card}", "REAL_STATUS": [2, 3, 4, 6]},
        "select": select,
    }
    rows = rows_of(contract.client.call("tasks.task.list", bound), "tasks")
    assert [task_of(row).id for row in rows] == [number]
    task = task_of(rows[0])
    assert (task.responsible, task.key, task.status, task.deadline) == (
        us,
        f"{contract.mark}:task:1",
        2,
        instant(due.isoformat()),
    )
    writes: dict[str, Any] = {
        "title": ("tasks.task.update", {"taskId": number, "fields": {"TITLE": "Иное", "ACCOMPLICES": []}}),
        "done": ("tasks.task.complete", {"taskId": number}),
    }
    assert contract.client.batch(writes, kind=Kind.WRITE).errors() == {}
    done = _task(contract, number, [*select, "CLOSED_DATE", "STATUS_CHANGED_BY"])
    assert (done.title, done.closed, done.finished_by) == ("Иное", True, us)
    assert contract.client.batch({"again": ("tasks.task.renew", {"taskId": number})}, kind=Kind.WRITE).errors() == {}
    assert not _task(contract, number, select).closed
    assert rows_of(contract.client.call("tasks.task.result.list", {"taskId": number})) == []
    contract.client.call("tasks.task.delete", {"taskId": number})
    assert contract.client.call("tasks.task.get", {"taskId": number}).map("task") == {}


def _new_task(contract: Contract, card: int, text: str, due: datetime) -> int:
    us = contract.client.user_id
    body: dict[str, Any] = {"title": "Шаг", "description": text, "creatorId": us, "responsibleId": us}
    body |= {"crmItemIds": [f"{contract.schema.binding}_{card}"], "deadline": due.isoformat()}
    key = f"{contract.mark}-{card}"
    return int(contract.client.call_v3("tasks.task.add", {"fields": body}, key).map("item")["id"])


def _task(contract: Contract, number: int, select: list[str]) -> Any:
    return task_of(contract.client.call("tasks.task.get", {"taskId": number, "select": select}).map("task"))


def test_comments_and_log_lines_are_found_by_what_they_end_with(contract: Contract) -> None:
    card, schema = contract.add_card(), contract.schema
    fields = {"ENTITY_ID": card, "ENTITY_TYPE": schema.owner_type, "COMMENT": f"Слова\n· {contract.mark}/c1"}
    number = str(contract.client.call("crm.timeline.comment.add", {"fields": fields}).result)
    line = {"entityTypeId": schema.entity_type_id, "entityId": card, "title": "Шаг", "text": f"· {contract.mark}/c2"}
    made = contract.client.call("crm.timeline.logmessage.add", {"fields": line | {"iconCode": "info"}}).map(
        "logMessage"
    )
    owner = {"ENTITY_ID": card, "ENTITY_TYPE": schema.owner_type}
    reads: dict[str, Any] = {
        "comments": ("crm.timeline.comment.list", {"filter": owner, "order": {"ID": "DESC"}}),
        "one": ("crm.timeline.comment.get", {"id": number}),
        "lines": (
            "crm.timeline.logmessage.list",
            {"entityTypeId": schema.entity_type_id, "entityId": card, "order": {"id": "desc"}},
        ),
    }
    answers = contract.client.batch(reads)
    assert [row["ID"] for row in rows_of(answers["comments"])] == [number]
    assert answers["one"].map()["COMMENT"].endswith(f"· {contract.mark}/c1")
    assert [str(row["id"]) for row in _lines(answers["lines"])] == [str(made["id"])]


def _lines(answer: Answer) -> list[dict[str, Any]]:
    return [as_map(row) for row in as_list(as_map(answer.result).get("logMessages", answer.result))]


def test_a_file_on_the_drive_is_one_and_hangs_on_a_task(contract: Contract) -> None:
    folder = contract.client.call(
        "disk.folder.addsubfolder", {"id": contract.schema.folder_id, "data": {"NAME": f"x{contract.mark}"}}
    ).map()
    content = ["Чертёж.pdf", base64.b64encode(PDF).decode()]
    upload = {"id": folder["ID"], "data": {"NAME": "Чертёж.pdf"}, "fileContent": content, "generateUniqueName": False}
    file = contract.client.call("disk.folder.uploadfile", upload).map()
    with pytest.raises(PortalRefused):
        contract.client.call("disk.folder.uploadfile", upload)
    rows = rows_of(contract.client.call("disk.folder.getchildren", {"id": folder["ID"], "start": 0}))
    assert [(row["NAME"], str(row["SIZE"]), str(row["ID"])) for row in rows] == [
        ("Чертёж.pdf", str(len(PDF)), str(file["ID"]))
    ]
    url = str(contract.client.call("disk.file.get", {"id": file["ID"]}).map()["DOWNLOAD_URL"])
    assert hashlib.sha256(contract.client.download(url)).digest() == hashlib.sha256(PDF).digest()
    number = _new_task(contract, contract.add_card(), "Описание", datetime.now(ZONE) + timedelta(days=1))
    link = {"taskId": number, "fields": {"UF_TASK_WEBDAV_FILES": [f"n{file['ID']}"]}}
    assert contract.client.batch({"u": ("tasks.task.update", link)}, kind=Kind.WRITE).errors() == {}
    select = {"taskId": number, "select": ["ID", "UF_TASK_WEBDAV_FILES"]}
    (attached,) = as_list(contract.client.call("tasks.task.get", select).map("task")["ufTaskWebdavFiles"])
    about = contract.client.call("disk.attachedObject.get", {"id": attached}).map()
    assert (str(about["OBJECT_ID"]), about["NAME"]) == (str(file["ID"]), "Чертёж.pdf")
    assert contract.client.download(str(about["DOWNLOAD_URL"])) == PDF
    contract.client.call("disk.folder.deletetree", {"id": folder["ID"]})


def test_a_notice_is_sent_once_per_tag_and_taken_back(contract: Contract) -> None:
    tag = {"TAG": f"contract:{contract.mark}", "CLIENT_ID": "order-route"}
    notice = {"USER_ID": contract.client.user_id, "MESSAGE": "Проверка связи", **tag}
    assert int(contract.client.call("im.notify.personal.add", notice).result) > 0
    assert int(contract.client.call("im.notify.personal.add", notice).result) > 0
    contract.client.call("im.notify.delete", tag)


def test_whole_steps_are_mirrored_and_a_second_look_finds_nothing(contract: Contract, tmp_path: Path) -> None:
    """The card mirror itself, with everybody addressed to the webhook's owner."""
    source = Source(the_route())
    us, staff = contract.client.user_id, the_staff()
    everybody = Staff(tuple(replace(p, bitrix_id=us) for p in staff.persons), staff.own_groups, shared_bitrix=us)
    mirror = Reconciler(source, contract.client, contract.ledger, everybody, contract.schema, zone=ZONE)
    story = Story(source, f"C-{contract.mark}")
    story.open("approve")
    mirror.reconcile(story.instance)
    story.finish("orlov", "Берём", directorDecision="approve")
    story.open("design")
    mirror.reconcile(story.instance)
    story.file("designFile", "Чертёж.dxf", b"0\nSECTION", "volkov")
    story.finish("volkov")
    story.open("estimate")
    mirror.reconcile(story.instance)
    mirror.reconcile(story.instance)
    assert [str(each) for each in mirror.differences(story.instance, deep=True)] == []
