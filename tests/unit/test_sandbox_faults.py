"""The sandbox portal goes wrong on demand, in the ways that were seen in the field, and only as told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from portal import LocalPortal, wait_until

ITEM = {"entityTypeId": 156, "fields": {"title": "x"}}


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[LocalPortal]:
    with LocalPortal(tmp_path) as running:
        running.call("crm.type.add", {"fields": {"title": "Заказ", "entityTypeId": 156, "isStagesEnabled": "Y"}})
        yield running
        running.faults()


def post(portal: LocalPortal, method: str, params: Any = None, **more: Any) -> requests.Response:
    return requests.post(portal.webhook_url + method, json=params or {}, **{"timeout": 10, **more})


def count(portal: LocalPortal) -> int:
    portal.faults()
    return len(portal.call("crm.item.list", {"entityTypeId": 156})["items"])


def test_lost_answer_is_done_and_silent(portal: LocalPortal) -> None:
    portal.faults({"kind": "lost_answer", "methods": ["crm.item.add"], "count": 1})
    with pytest.raises(requests.ConnectionError):
        post(portal, "crm.item.add", ITEM)
    assert count(portal) == 1
    assert portal.log("crm.item.add")[-1]["fault"] == "lost_answer"


def test_refused_connection_does_nothing(portal: LocalPortal) -> None:
    portal.faults({"kind": "refused", "methods": ["crm.item.add"]})
    with pytest.raises(requests.ConnectionError):
        post(portal, "crm.item.add", ITEM)
    assert count(portal) == 0


@pytest.mark.parametrize(
    ("kind", "status"),
    [("query_limit", 503), ("operation_limit", 429), ("unauthorized", 401), ("forbidden", 403)],
)
def test_refusals_do_nothing(portal: LocalPortal, kind: str, status: int) -> None:
    portal.faults({"kind": kind})
    assert post(portal, "crm.item.add", ITEM).status_code == status
    assert count(portal) == 0


@pytest.mark.parametrize("apply", [0, 1])
@pytest.mark.parametrize(("kind", "status"), [("error500", 500), ("html502", 502), ("truncated", 200)])
def test_unknown_outcomes(portal: LocalPortal, kind: str, status: int, apply: int) -> None:
    portal.faults({"kind": kind, "methods": ["crm.item.add"], "apply": apply})
    answer = post(portal, "crm.item.add", ITEM)
    assert answer.status_code == (status if apply or kind != "truncated" else 500)
    if kind != "error500":
        with pytest.raises(ValueError, match=r".+"):
            answer.json()
    assert count(portal) == apply


def test_redirect_is_only_told(portal: LocalPortal) -> None:
    portal.faults({"kind": "redirect", "to": "https://new.example/"})
    answer = post(portal, "profile", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://new.example/")


def test_slow_answer_is_done_before_the_caller_gives_up(portal: LocalPortal) -> None:
    portal.faults({"kind": "slow", "seconds": 1.5, "when": "after", "methods": ["crm.item.add"]})
    with pytest.raises(requests.Timeout):
        post(portal, "crm.item.add", ITEM, timeout=0.5)
    assert count(portal) == 1


def test_empty_lists_are_200_without_rows_also_in_a_batch(portal: LocalPortal) -> None:
    post(portal, "crm.item.add", ITEM)
    portal.faults({"kind": "empty_list"})
    answer = post(portal, "crm.item.list", {"entityTypeId": 156})
    batch = post(portal, "batch", {"cmd": {"a": "crm.item.list?entityTypeId=156"}}).json()["result"]["result"]
    assert (answer.status_code, answer.json()["result"], answer.json()["total"]) == (200, {"items": []}, 0)
    assert batch == {"a": {"items": []}}
    assert portal.call("crm.item.get", {"entityTypeId": 156, "id": 1})["item"]["id"] == 1


def test_only_the_second_page_is_empty(portal: LocalPortal) -> None:
    for _ in range(60):
        post(portal, "crm.item.add", ITEM)
    portal.faults({"kind": "empty_list", "pages": "second"})
    first = portal.call("crm.item.list", {"entityTypeId": 156, "filter": {">id": 0}})["items"]
    by_offset = portal.call("crm.item.list", {"entityTypeId": 156, "start": 50})["items"]
    by_id = portal.call("crm.item.list", {"entityTypeId": 156, "filter": {">id": 50}})["items"]
    assert (len(first), by_offset, by_id) == (50, [], [])


def test_deep_answer_for_one_item_only(portal: LocalPortal) -> None:
    for _ in range(2):
        post(portal, "crm.item.add", ITEM)
    portal.faults({"kind": "deep_json", "methods": ["crm.item.get"], "item": 2})
    assert post(portal, "crm.item.get", {"entityTypeId": 156, "id": 1}).json()["result"]["item"]["id"] == 1
    assert "[" * 20_000 in post(portal, "crm.item.get", {"entityTypeId": 156, "id": 2}).text


def test_fraction_is_repeatable_by_seed(portal: LocalPortal) -> None:
    def run() -> list[int]:
        portal.faults({"kind": "query_limit", "fraction": 0.5}, seed=7)
        return [post(portal, "profile").status_code for _ in range(20)]

    first = run()
    assert set(first) == {200, 503} and run() == first


def test_unknown_fault_is_named(portal: LocalPortal) -> None:
    answer = requests.post(f"{portal.url}/sandbox/faults", json={"kind": "sunshine"}, timeout=10)
    assert answer.status_code == 400 and "sunshine" in answer.json()["error"]


def test_events_are_forms_without_a_signature_and_told_once(portal: LocalPortal) -> None:
    seen: list[dict[str, list[str]]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(500)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            portal.events(f"http://127.0.0.1:{server.server_port}/hooks/bitrix24", "secret")
            post(portal, "crm.item.add", ITEM)
            post(portal, "tasks.task.add", {"fields": {"TITLE": "x", "RESPONSIBLE_ID": 1}})
            wait_until("two events", lambda: len(seen) == 2)
        finally:
            server.shutdown()
            thread.join()
    item, task = seen
    assert (item["event"], item["data[FIELDS][ENTITY_TYPE_ID]"]) == (["ONCRMDYNAMICITEMADD"], ["156"])
    assert item["auth[application_token]"] == ["secret"] and "auth[access_token]" not in item
    assert (task["event"], task["data[FIELDS_BEFORE]"]) == (["ONTASKADD"], ["undefined"])
