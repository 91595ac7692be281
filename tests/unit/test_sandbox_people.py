"""The sandbox portal's people side: timeline, Drive and notices, as documented."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from peopled import AGENT, open_portal, refused, task
from portal import LocalPortal


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPortal]:
    with open_portal(tmp_path_factory.mktemp("portal")) as running:
        yield running


def comment(portal: LocalPortal, **fields: Any) -> int:
    sent = {"ENTITY_TYPE": "dynamic_156", "ENTITY_ID": 1, "COMMENT": "текст", **fields}
    return int(portal.call("crm.timeline.comment.add", {"fields": sent}))


def test_comment_honours_its_author(portal: LocalPortal) -> None:
    number = comment(portal, AUTHOR_ID=3, FILES=[["фото.jpg", base64.b64encode(b"jpg").decode()]])
    found = portal.call("crm.timeline.comment.get", {"id": number})
    held = next(iter(found["FILES"].values()))
    link = portal.call("disk.file.get", {"id": held["id"]})["DOWNLOAD_URL"]
    assert (found["AUTHOR_ID"], held["name"]) == ("3", "фото.jpg")
    assert requests.get(link, headers=AGENT, timeout=10).content == b"jpg"


def test_comment_without_files_shows_an_empty_list(portal: LocalPortal) -> None:
    assert portal.call("crm.timeline.comment.get", {"id": comment(portal)})["FILES"] == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"FIELDS": {"COMMENT": "x"}}, "100"),
        ({"fields": {"ENTITY_TYPE": "dynamic_156", "ENTITY_ID": 99, "COMMENT": "x"}}, "OWNER_NOT_FOUND"),
        ({"fields": {"ENTITY_TYPE": "dynamic_156", "ENTITY_ID": 1, "COMMENT": " "}}, "INVALID_ARG_VALUE"),
    ],
)
def test_comment_refusals(portal: LocalPortal, params: dict[str, Any], code: str) -> None:
    assert refused(portal, "crm.timeline.comment.add", params) == (400, code)


def test_comment_list_update_delete(portal: LocalPortal) -> None:
    number = comment(portal)
    portal.call("crm.timeline.comment.update", {"id": number, "fields": {"COMMENT": "новый"}})
    wanted = {"filter": {"ENTITY_TYPE": "dynamic_156", "ENTITY_ID": 1, ">=ID": number}}
    assert [row["COMMENT"] for row in portal.call("crm.timeline.comment.list", wanted)] == ["новый"]
    assert portal.call("crm.timeline.comment.delete", {"id": number}) is None
    assert refused(portal, "crm.timeline.comment.get", {"id": number}) == (400, "")


def test_log_lines_page_by_ten_newest_first(portal: LocalPortal) -> None:
    owner = {"entityTypeId": 156, "entityId": 1}
    for number in range(12):
        fields = {**owner, "title": "t", "text": str(number), "iconCode": "info"}
        portal.call("crm.timeline.logmessage.add", {"fields": fields})
    answer = requests.post(portal.webhook_url + "crm.timeline.logmessage.list", json=owner, timeout=10).json()
    assert [row["text"] for row in answer["result"]] == [str(number) for number in range(11, 1, -1)]
    assert answer["next"] == 10


def test_log_line_needs_an_icon(portal: LocalPortal) -> None:
    fields = {"entityTypeId": 156, "entityId": 1, "title": "t", "text": "x"}
    assert refused(portal, "crm.timeline.logmessage.add", {"fields": fields}) == (400, "100")


# --- Drive


@pytest.fixture(scope="module")
def folder(portal: LocalPortal) -> int:
    storage = portal.call("disk.storage.getlist", {"filter": {"ENTITY_TYPE": "common"}})[0]
    made: int = portal.call("disk.storage.addfolder", {"id": storage["ID"], "data": {"NAME": "Заказы"}})["ID"]
    return made


def upload(portal: LocalPortal, folder: int, name: str, data: bytes, **more: Any) -> dict[str, Any]:
    content = [name, base64.b64encode(data).decode()]
    params = {"id": folder, "data": {"NAME": name}, "fileContent": content, **more}
    made: dict[str, Any] = portal.call("disk.folder.uploadfile", params)
    return made


def test_uploaded_file_comes_back(portal: LocalPortal, folder: int) -> None:
    made = upload(portal, folder, "чертёж.dxf", b"dxf")
    again = portal.call("disk.file.get", {"id": made["ID"]})
    assert (type(made["ID"]), type(again["ID"])) == (int, str)
    assert requests.get(again["DOWNLOAD_URL"], headers=AGENT, timeout=10).content == b"dxf"


def test_upload_in_two_steps(portal: LocalPortal, folder: int) -> None:
    place = portal.call("disk.folder.uploadfile", {"id": folder, "data": {"NAME": "big.step"}})
    sent = {place["field"]: ("большой.step", b"step")}
    made = requests.post(place["uploadUrl"], files=sent, timeout=10).json()["result"]
    assert portal.call("disk.file.get", {"id": made["ID"]})["NAME"] == "большой.step"
    assert requests.post(place["uploadUrl"][:-4] + "0000", files=sent, timeout=10).status_code == 401


def test_taken_names(portal: LocalPortal, folder: int) -> None:
    upload(portal, folder, "a.pdf", b"1")
    content = ["a.pdf", base64.b64encode(b"2").decode()]
    params = {"id": folder, "data": {"NAME": "a.pdf"}, "fileContent": content}
    assert refused(portal, "disk.folder.uploadfile", params) == (400, "DISK_OBJ_22000")
    assert upload(portal, folder, "a.pdf", b"2", generateUniqueName=True)["NAME"] == "a (1).pdf"


def test_folder_of_one_name_exists_once(portal: LocalPortal, folder: int) -> None:
    portal.call("disk.folder.addsubfolder", {"id": folder, "data": {"NAME": "ORD-1"}})
    params = {"id": folder, "data": {"NAME": "ORD-1"}}
    assert refused(portal, "disk.folder.addsubfolder", params) == (400, "DISK_OBJ_22000")


@pytest.mark.parametrize(
    ("params", "code"),
    [({}, "ERROR_ARGUMENT"), ({"id": 1}, "ERROR_NOT_FOUND")],
)
def test_drive_refusals(portal: LocalPortal, params: dict[str, Any], code: str) -> None:
    assert refused(portal, "disk.file.get", params) == (400, code)


def test_broken_base64_is_not_saved(portal: LocalPortal, folder: int) -> None:
    params = {"id": folder, "data": {"NAME": "x.pdf"}, "fileContent": ["x.pdf", "###"]}
    assert refused(portal, "disk.folder.uploadfile", params) == (400, "ERROR_COULD_NOT_SAVE_FILE")


def test_attached_file_is_found_by_its_attachment(portal: LocalPortal, folder: int) -> None:
    drive = upload(portal, folder, "b.pdf", b"b")["ID"]
    number = task(portal, UF_TASK_WEBDAV_FILES=[f"n{drive}"])["id"]
    bound = portal.call("tasks.task.files.attach", {"taskId": number, "fileId": drive})["attachmentId"]
    found = portal.call("tasks.task.get", {"taskId": number, "select": ["UF_TASK_WEBDAV_FILES"]})["task"]
    held = portal.call("disk.attachedObject.get", {"id": bound})
    assert len(found["ufTaskWebdavFiles"]) == 2 and held["OBJECT_ID"] == str(drive)
    assert requests.get(held["DOWNLOAD_URL"], headers=AGENT, timeout=10).content == b"b"


# --- notices


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"MESSAGE": "x"}, 400, "USER_ID_EMPTY"),
        ({"USER_ID": 2, "MESSAGE": " "}, 400, "MESSAGE_EMPTY"),
        ({"USER_ID": 2, "MESSAGE": "x", "TAG": "t"}, 403, "ACCESS_DENIED"),
    ],
)
def test_notice_refusals(portal: LocalPortal, params: dict[str, Any], status: int, code: str) -> None:
    assert refused(portal, "im.notify.personal.add", params) == (status, code)


def test_a_tag_is_unique_whoever_it_was_sent_to(portal: LocalPortal) -> None:
    tagged = {"MESSAGE": "Первое единственное", "TAG": "t1", "CLIENT_ID": "order-route"}
    portal.call("im.notify.personal.add", {"USER_ID": 2, **tagged})
    portal.call("im.notify.personal.add", {"USER_ID": 3, **tagged})
    assert "Первое единственное" not in requests.get(f"{portal.url}/person/2", timeout=10).text


def test_dismissed_person_gets_no_notice(portal: LocalPortal) -> None:
    assert portal.call("im.notify.system.add", {"USER_ID": 4, "MESSAGE": "x"}) is False


def test_notice_is_taken_back_once(portal: LocalPortal) -> None:
    number = portal.call("im.notify.system.add", {"USER_ID": 2, "MESSAGE": "x"})
    gone = {"ID": number, "CLIENT_ID": "order-route"}
    assert [portal.call("im.notify.delete", gone) for _ in range(2)] == [True, False]
