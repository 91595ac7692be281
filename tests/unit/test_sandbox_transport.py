"""The sandbox portal speaks Bitrix24's REST: envelope, authorisation, limits, batch, and it keeps its state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from portal import LocalPortal, wait_until


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPortal]:
    with LocalPortal(tmp_path_factory.mktemp("portal")) as running:
        yield running


def post(portal: LocalPortal, method: str, params: Any = None, **more: Any) -> requests.Response:
    return requests.post(portal.webhook_url + method, json=params or {}, timeout=10, **more)


def error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_success_has_result_and_time(portal: LocalPortal) -> None:
    body = post(portal, "profile").json()
    assert body["result"]["ID"] == "1" and {"start", "operating", "operating_reset_at"} <= set(body["time"])


@pytest.mark.parametrize("shape", ["json", "form", "query", "suffix", "case"])
def test_parameters_come_in_every_documented_shape(portal: LocalPortal, shape: str) -> None:
    hook, flat = portal.webhook_url, {"filter[ID]": "1"}
    answer = {
        "json": lambda: requests.post(f"{hook}user.get", json={"filter": {"ID": 1}}, timeout=10),
        "form": lambda: requests.post(f"{hook}user.get", data=flat, timeout=10),
        "query": lambda: requests.get(f"{hook}user.get", params=flat, timeout=10),
        "suffix": lambda: requests.get(f"{hook}user.get.json", params=flat, timeout=10),
        "case": lambda: requests.get(f"{hook}USER.Get", params=flat, timeout=10),
    }[shape]()
    assert [row["ID"] for row in answer.json()["result"]] == ["1"]


def test_wrong_secret_is_401(portal: LocalPortal) -> None:
    assert error(requests.get(f"{portal.url}/rest/1/wrong/profile", timeout=10)) == (401, "NO_AUTH_FOUND")


def test_secret_of_another_user_is_401(portal: LocalPortal) -> None:
    token = portal.webhook_url.rstrip("/").rpartition("/")[2]
    assert error(requests.get(f"{portal.url}/rest/2/{token}/profile", timeout=10)) == (401, "NO_AUTH_FOUND")


def test_webhook_of_a_dismissed_owner_is_401(portal: LocalPortal) -> None:
    portal.set_users([{"id": 40, "name": "Пётр", "active": True}])
    hook = portal.webhook_of(40)
    portal.set_users([{"id": 40, "active": False}])
    assert error(requests.get(f"{hook}profile", timeout=10)) == (401, "NO_AUTH_FOUND")


def test_revoked_webhook_is_401(portal: LocalPortal) -> None:
    portal.set_users([{"id": 41, "name": "Олег"}])
    hook = portal.webhook_of(41)
    portal.revoke(41)
    assert error(requests.get(f"{hook}profile", timeout=10)) == (401, "NO_AUTH_FOUND")


def test_unknown_method_is_404(portal: LocalPortal) -> None:
    assert error(post(portal, "crm.nothing.add")) == (404, "ERROR_METHOD_NOT_FOUND")


def test_v3_only_method_is_404_at_the_old_address(portal: LocalPortal) -> None:
    assert error(post(portal, "tasks.task.chat.message.send")) == (404, "ERROR_METHOD_NOT_FOUND")


def test_application_methods_are_refused_on_a_webhook(portal: LocalPortal) -> None:
    assert error(post(portal, "event.bind")) == (403, "WRONG_AUTH_TYPE")


def test_missing_scope_is_403(portal: LocalPortal) -> None:
    portal.set_users([{"id": 42, "name": "Анна", "admin": True}])
    hook = portal.webhook_of(42, scopes=["im"])
    assert error(requests.get(f"{hook}crm.type.list", timeout=10)) == (403, "insufficient_scope")


def test_plain_http_from_afar_is_refused(portal: LocalPortal) -> None:
    from bitrix_sync.sandbox.portal import Portal, Settings
    from bitrix_sync.sandbox.server import build

    inner = Portal(Settings())
    client = build(inner).test_client()
    token = inner.webhook(1)
    answer = client.get(f"/rest/1/{token}/profile", environ_base={"REMOTE_ADDR": "10.0.0.7"})
    inner.in_network = True
    near, far = (
        client.get(f"/rest/1/{token}/profile", environ_base={"REMOTE_ADDR": address}).status_code
        for address in ("10.0.0.7", "8.8.8.8")
    )
    inner.close()
    assert (answer.status_code, answer.get_json()["error"]) == (400, "INVALID_REQUEST")
    assert (near, far) == (200, 400), "a container network is served, the internet never"


def test_control_is_closed_from_afar() -> None:
    from bitrix_sync.sandbox.portal import Portal, Settings
    from bitrix_sync.sandbox.server import build

    inner = Portal(Settings())
    answer = build(inner).test_client().get("/sandbox/faults", environ_base={"REMOTE_ADDR": "10.0.0.7"})
    inner.close()
    assert answer.status_code == 403


def test_full_bucket_is_503_and_nothing_is_done(tmp_path: Path) -> None:
    with LocalPortal(tmp_path, rate=3, drain=0.001) as tight:
        codes = [post(tight, "profile").status_code for _ in range(5)]
        assert codes == [200, 200, 200, 503, 503]
        notice = {"USER_ID": 1, "MESSAGE": "x"}
        assert error(post(tight, "im.notify.system.add", notice)) == (503, "QUERY_LIMIT_EXCEEDED")
        assert tight.log("im.notify.system.add", applied=True) == []


def test_bucket_drains(tmp_path: Path) -> None:
    with LocalPortal(tmp_path, rate=1, drain=20) as tight:
        post(tight, "profile")
        wait_until("a request goes through", lambda: post(tight, "profile").status_code == 200)


def test_used_up_run_time_blocks_that_method_only(tmp_path: Path) -> None:
    with LocalPortal(tmp_path) as slow:
        slow.settings(operating_limit=10, costs={"user.get": 6})
        assert [post(slow, "user.get").status_code for _ in range(3)] == [200, 200, 429]
        assert error(post(slow, "user.get")) == (429, "OPERATION_TIME_LIMIT")
        assert post(slow, "profile").status_code == 200


def test_batch_answers_200_and_lists_for_empty_maps(portal: LocalPortal) -> None:
    answer = post(portal, "batch", {"cmd": {"a": "no.such.method"}})
    body = answer.json()["result"]
    assert answer.status_code == 200
    assert (body["result"], body["result_total"], body["result_next"], body["result_time"]) == ([], [], [], [])
    assert body["result_error"]["a"]["error"] == "ERROR_METHOD_NOT_FOUND"


def test_batch_resolves_references(portal: LocalPortal) -> None:
    body = post(portal, "batch", {"cmd": {"me": "profile", "same": "user.get?filter[ID]=$result[me][ID]"}}).json()
    assert body["result"]["result"]["same"][0]["ID"] == "1"


def test_batch_reference_to_a_failed_call_is_empty(portal: LocalPortal) -> None:
    cmd = {"bad": "no.such", "next": "im.notify.system.add?USER_ID=$result[bad][id]&MESSAGE=x"}
    body = post(portal, "batch", {"halt": 0, "cmd": cmd}).json()
    assert body["result"]["result_error"]["next"]["error"] == "USER_ID_EMPTY"


def test_batch_halts(portal: LocalPortal) -> None:
    body = post(portal, "batch", {"halt": 1, "cmd": {"bad": "no.such", "next": "profile"}}).json()
    assert body["result"]["result"] == []


def test_batch_refuses_nesting_and_files(portal: LocalPortal) -> None:
    body = post(portal, "batch", {"cmd": {"a": "batch?cmd[x]=profile", "b": "disk.folder.uploadfile?id=1"}}).json()
    codes = {row["error"] for row in body["result"]["result_error"].values()}
    assert codes == {"ERROR_BATCH_METHOD_NOT_ALLOWED"}


def test_batch_refuses_calls_over_fifty(portal: LocalPortal) -> None:
    body = post(portal, "batch", {"cmd": {f"k{n}": "profile" for n in range(52)}}).json()["result"]
    assert len(body["result"]) == 50
    assert {row["error"] for row in body["result_error"].values()} == {"ERROR_BATCH_LENGTH_EXCEEDED"}


def test_batch_needs_encoded_values(portal: LocalPortal) -> None:
    cmd = {"raw": "user.get?filter[NAME]=a&b", "encoded": "user.get?filter[NAME]=a%26b"}
    post(portal, "batch", {"cmd": cmd})
    names = [line["params"]["filter"]["NAME"] for line in portal.log("user.get") if line["batch"] in cmd]
    assert names == ["a", "a&b"]


def test_times_carry_the_portals_offset(tmp_path: Path) -> None:
    with LocalPortal(tmp_path, offset="+10:00") as far:
        assert far.call("server.time").endswith("+10:00")


def test_state_survives_a_kill(tmp_path: Path) -> None:
    with LocalPortal(tmp_path, process=True) as running:
        running.call("crm.type.add", {"fields": {"title": "Заказ", "entityTypeId": 156}})
        running.restart()
        assert running.call("crm.type.getByEntityTypeId", {"entityTypeId": 156})["type"]["title"] == "Заказ"


def test_call_log_cuts_files_and_holds_no_secret(portal: LocalPortal) -> None:
    storage = portal.call("disk.storage.getlist", {"filter": {"ENTITY_TYPE": "common"}})[0]
    sent = {"id": storage["ID"], "data": {"NAME": "смета.txt"}, "fileContent": ["смета.txt", "aGVsbG8="]}
    post(portal, "disk.storage.uploadfile", sent)
    line = portal.log("disk.storage.uploadfile")[-1]
    assert line["params"]["fileContent"][1]["size"] == 5
    assert portal.webhook_url.rstrip("/").rpartition("/")[2] not in str(portal.log())
