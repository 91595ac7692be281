"""The engine runs with the hardened settings: each is seen from outside, so that switching one off fails here."""

from __future__ import annotations

import socket
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from gate_models import TIMEOUT, Door, door, process, stage, text
from pydantic import SecretStr
from shop import Shop, server_jar, wait_until

from engine.embedded import EmbeddedEngine

pytestmark = pytest.mark.engine

PROCESS = "rights-settings"
MOMENT = "%Y-%m-%dT%H:%M:%S.%f%z"


@pytest.fixture(scope="module")
def admin(shop: Shop) -> Door:
    """The admin's door, with a diagram deployed."""
    opened = door(shop, "admin")
    assert opened.deploy(process(PROCESS, [stage("Step", {"field.note": "text; Заметка"})])).status_code == 200
    return opened


def test_a_list_without_a_limit_is_refused(admin: Door) -> None:
    assert admin.call("GET", "/history/process-instance").status_code == 400
    assert admin.call("GET", "/history/process-instance?maxResults=2001").status_code == 400
    assert admin.call("GET", "/history/process-instance?maxResults=2000").status_code == 200


def test_a_query_holds_no_expression(admin: Door) -> None:
    answer = admin.call("POST", "/task?maxResults=1", {"assigneeExpression": "${''.getClass().forName('x')}"})
    assert answer.status_code in (400, 500)
    assert "Expressions are forbidden in adhoc queries" in answer.text


def test_serialized_java_is_refused(admin: Door) -> None:
    instance = admin.start(PROCESS).json()["id"]
    serialized = {
        "value": "rO0ABXQAAWE=",
        "type": "Object",
        "valueInfo": {
            "objectTypeName": "java.lang.String",
            "serializationDataFormat": "application/x-java-serialized-object",
        },
    }
    answer = admin.call("PUT", f"/process-instance/{instance}/variables/x", serialized)
    assert answer.status_code == 500
    assert "Java serialization format is prohibited" in answer.text


def test_an_expression_in_a_value_stays_text(admin: Door, shop: Shop) -> None:
    instance = admin.start(PROCESS).json()["id"]
    (task,) = admin.rows(f"/task?processInstanceId={instance}")
    assert door(shop, "volkov").complete(task["id"], {"note": text("${7*7} #{7*7}")}).status_code == 204
    (row,) = admin.rows(f"/history/variable-instance?processInstanceId={instance}&variableName=note")
    assert row["value"] == "${7*7} #{7*7}"


def test_an_error_that_no_diagram_catches_ends_nothing(admin: Door) -> None:
    """Without the setting the instance would simply end."""
    work = '<bpmn:serviceTask id="Work" camunda:type="external" camunda:topic="rights-settings"/>'
    assert admin.deploy(process("rights-error", [work])).status_code == 200
    instance = admin.start("rights-error").json()["id"]
    fetch = {"workerId": "t", "maxTasks": 1, "topics": [{"topicName": "rights-settings", "lockDuration": 60000}]}
    (locked,) = admin.call("POST", "/external-task/fetchAndLock", fetch).json()
    error = {"workerId": "t", "errorCode": "NO_SUCH_CODE"}
    assert admin.call("POST", f"/external-task/{locked['id']}/bpmnError", error).status_code >= 400
    assert admin.call("GET", f"/process-instance/{instance}").status_code == 200


def test_the_running_engine_tells_its_settings(shop: Shop, admin: Door) -> None:
    told = door(shop, "integration").call("GET", "/order/guarantees").json()
    names = ("authorization", "fullHistory", "gates", "historyCleanup", "jobRetries", "ownSchemas")
    assert told == dict.fromkeys(names, True)
    window = admin.call("GET", "/history/cleanup/configuration").json()
    assert window["enabled"] is True
    assert [window[name][11:19] for name in ("batchWindowStartTime", "batchWindowEndTime")] == ["01:00:00", "05:00:00"]


def test_a_failed_job_is_tried_again_after_five_minutes(admin: Door) -> None:
    """R5/PT5M: not three times at once. The job fails for want of a variable that its step's condition reads."""
    later = '<bpmn:exclusiveGateway id="Gate" default="Flow_1" camunda:asyncBefore="true"/>'
    other = (
        '<bpmn:sequenceFlow id="Flow_Other" sourceRef="Gate" targetRef="End"><bpmn:conditionExpression '
        "xsi:type=\"bpmn:tFormalExpression\">${missing == 'a'}</bpmn:conditionExpression></bpmn:sequenceFlow>"
    )
    diagram = process("rights-retry", [later]).replace("</bpmn:process>", f"{other}</bpmn:process>")
    answer = admin.deploy(diagram)
    assert answer.status_code == 200, answer.text
    instance = admin.start("rights-retry").json()["id"]

    def failed() -> dict[str, Any] | None:
        (job,) = admin.rows(f"/job?processInstanceId={instance}")
        return job if job["exceptionMessage"] else None

    job = wait_until(failed, TIMEOUT, "the first attempt")
    assert job["retries"] == 4
    wait = datetime.strptime(job["dueDate"], MOMENT) - datetime.strptime(job["createTime"], MOMENT)
    assert timedelta(minutes=4) < wait < timedelta(minutes=7)


def test_no_schema_is_fetched_for_a_diagram(admin: Door) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/BPMN20.xsd"
        located = f'xsi:schemaLocation="http://www.omg.org/spec/BPMN/20100524/MODEL {address}" id="Definitions"'
        diagram = process(PROCESS, [stage("Step", {"field.note": "text; Заметка"})])
        answer = admin.deploy(diagram.replace('id="Definitions"', located, 1))
        assert answer.status_code >= 400
        assert "'http' access is not allowed" in answer.text
        with pytest.raises(TimeoutError):
            listening.accept()


def test_nothing_else_is_served(shop: Shop) -> None:
    root = shop.url.removesuffix("/engine-rest")
    for path in ("/h2-console", "/actuator/env", "/actuator/heapdump", "/engine-rest/application.wadl"):
        assert requests.get(root + path, timeout=TIMEOUT).status_code in (401, 404), path
    health = requests.get(root + "/actuator/health", timeout=TIMEOUT).json()
    assert health == {"status": "UP"}
    answer = requests.get(root + "/actuator/health", headers={"Origin": "http://evil.example"}, timeout=TIMEOUT)
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_database_file_is_the_owners_alone(shop: Shop) -> None:
    files = list(Path(shop.engine.data_dir).rglob("*.mv.db"))
    assert files
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


@pytest.fixture
def plain(tmp_path: Path) -> EmbeddedEngine:
    """An engine that is not started yet, in no profile."""
    return EmbeddedEngine(
        server_jar(), tmp_path / "plain", admin_user="admin", admin_password=SecretStr("a-plain-password")
    )


def test_the_clock_can_be_moved_in_the_demo_only_and_the_start_is_quick(shop: Shop, plain: EmbeddedEngine) -> None:
    root = shop.url.removesuffix("/engine-rest")
    admin = ("admin", shop.engine.admin_password.get_secret_value())
    clock = "/demo/clock"
    assert requests.get(root + clock, auth=admin, timeout=TIMEOUT).status_code == 200
    assert requests.get(root + clock, timeout=TIMEOUT).status_code == 401
    person = ("volkov", shop.passwords["volkov"].get_secret_value())
    assert requests.post(root + clock + "/advance", auth=person, json={"to": "x"}, timeout=TIMEOUT).status_code == 401
    past = {"to": "2020-01-01T00:00:00Z"}
    assert requests.post(root + clock + "/advance", auth=admin, json=past, timeout=TIMEOUT).status_code == 400
    shop.start_order()  # what has begun keeps its clock
    assert requests.post(root + clock + "/begin", auth=admin, json=past, timeout=TIMEOUT).status_code == 409
    assert requests.post(root + clock + "/begin", auth=person, json=past, timeout=TIMEOUT).status_code == 401
    with plain:
        other = plain.url.removesuffix("/engine-rest")
        login = ("admin", "a-plain-password")
        assert requests.get(plain.url + "/version", auth=login, timeout=TIMEOUT).status_code == 200
        for path in ("", "/begin", "/advance", "/reset"):
            answer = requests.post(
                other + clock + path, auth=login, json={"to": "2099-01-01T00:00:00Z"}, timeout=TIMEOUT
            )
            assert answer.status_code == 404, path


def test_an_h2_file_that_may_lose_work_is_not_opened(plain: EmbeddedEngine, tmp_path: Path) -> None:
    file = tmp_path / "unsafe"
    environment = {
        "SPRING_DATASOURCE_URL": f"jdbc:h2:file:{file}",
        "SPRING_DATASOURCE_USERNAME": "orders",
        "SPRING_DATASOURCE_PASSWORD": "secret",
        "ORDER_ROUTE_ADMIN_USER": "admin",
        "ORDER_ROUTE_ADMIN_PASSWORD": "secret",
        "PATH": "/usr/bin:/bin",
    }
    began = time.monotonic()
    ended = subprocess.run(
        ["java", "-jar", str(server_jar())], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, time.monotonic() - began < 120) == (2, True)
    assert "WRITE_DELAY=0" in ended.stderr and "secret" not in ended.stderr
    assert not file.with_name("unsafe.mv.db").exists()
