"""What goes beside single calls: batches judged call by call, long lists page by page, files from the portal only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from portal import LocalPortal
from pydantic import SecretStr

from bitrix_sync.client import PortalClient
from bitrix_sync.errors import PortalRefused
from bitrix_sync.php import query
from bitrix_sync.retry import Kind
from ledger import Ledger
from orders.errors import Permanent, PortalUnavailable


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[LocalPortal]:
    with LocalPortal(tmp_path / "portal") as opened:
        yield opened


@pytest.fixture
def client(portal: LocalPortal, tmp_path: Path) -> Iterator[PortalClient]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield PortalClient(SecretStr(portal.webhook_url), ledger, rate=10_000, burst=10_000, sleep=lambda _: None)
    ledger.close()


def new_task(client: PortalClient) -> str:
    made = client.call("tasks.task.add", {"fields": {"TITLE": "Дело", "RESPONSIBLE_ID": 1}}).map("task")
    return str(made["id"])


def test_a_batch_judges_each_call_alone_and_sends_fifty_a_request(portal: LocalPortal, client: PortalClient) -> None:
    commands = {f"c{n}": ("tasks.task.get", {"taskId": 9000 + n}) for n in range(60)}
    answers = client.batch({**commands, "bad": ("crm.item.get", {"entityTypeId": 1, "id": 1})})
    assert answers["c59"].map("task") == {}
    assert isinstance(answers.error("bad"), PortalRefused)
    with pytest.raises(PortalRefused):
        _ = answers["bad"]
    assert len(portal.log("batch")) == 2
    with pytest.raises(ValueError, match=r"crm\.item\.add"):
        client.batch({"x": ("crm.item.add", {})})


def test_values_of_a_batch_survive_the_query_string(portal: LocalPortal, client: PortalClient) -> None:
    number = new_task(client)
    text = "a&b=c [x] 100% +1 «Ё» \n\tпробел"
    fields = {"TITLE": text, "ACCOMPLICES": [1], "DEADLINE": "2026-12-31T18:00:00+03:00"}
    client.batch({"u": ("tasks.task.update", {"taskId": number, "fields": fields})}, kind=Kind.WRITE)
    task = portal.call("tasks.task.get", {"taskId": number})["task"]
    assert (task["title"], task["accomplices"], task["deadline"]) == (text, ["1"], "2026-12-31T18:00:00+03:00")


def test_a_query_string_refuses_what_it_cannot_say() -> None:
    assert query({"a": {"b": [1, None]}, "c": True}) == "a[b][0]=1&a[b][1]=&c=1"
    with pytest.raises(ValueError, match="a"):
        query({"a": []})


def test_an_emptied_list_goes_beside_the_batch(portal: LocalPortal, client: PortalClient) -> None:
    """A query string has no way to write an empty list, and an empty text is not what a list field takes."""
    number = new_task(client)
    portal.call("tasks.task.update", {"taskId": number, "fields": {"ACCOMPLICES": [1]}})
    writes = {
        "u": ("tasks.task.update", {"taskId": number, "fields": {"ACCOMPLICES": []}}),
        "t": ("tasks.task.update", {"taskId": number, "fields": {"TITLE": "Дело второе"}}),
    }
    answers = client.batch(writes, kind=Kind.WRITE)
    assert answers.errors() == {}
    task = portal.call("tasks.task.get", {"taskId": number})["task"]
    assert (task["title"], task["accomplices"]) == ("Дело второе", [])


def test_a_long_list_is_read_by_ascending_id(portal: LocalPortal, client: PortalClient) -> None:
    kind = portal.call("crm.type.add", {"fields": {"title": "T", "isStagesEnabled": "Y"}})["type"]["entityTypeId"]
    for n in range(120):
        portal.call("crm.item.add", {"entityTypeId": kind, "fields": {"title": f"n{n}"}})
    rows = client.items("crm.item.list", {"entityTypeId": kind}, path=("items",))
    assert [row["title"] for row in rows] == [f"n{n}" for n in range(120)]
    assert len(portal.log("crm.item.list")) == 3


def test_a_file_is_fetched_from_the_portal_only(portal: LocalPortal, client: PortalClient) -> None:
    storage = portal.call("disk.storage.getlist", {"filter": {"ENTITY_TYPE": "common"}})[0]["ID"]
    data = {"id": storage, "data": {"NAME": "a.bin"}, "fileContent": ["a.bin", "AAECAw=="]}
    url = portal.call("disk.storage.uploadfile", data)["DOWNLOAD_URL"]
    assert client.download(url) == b"\x00\x01\x02\x03"
    for foreign in ("http://169.254.169.254/latest/", "file:///etc/passwd", "//example.org/x"):
        with pytest.raises(Permanent, match="не на портал"):
            client.download(foreign)
    with pytest.raises(PortalUnavailable):
        client.download(url, limit=2)
