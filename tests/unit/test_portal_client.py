"""Calls to the portal: each kind of trouble has its own answer, nothing is repeated that may have been done."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from portal import LocalPortal
from pydantic import SecretStr

from bitrix_sync.client import PortalClient
from bitrix_sync.errors import AccessLost, Limited, Moved, NotExecuted, PortalRefused, UnknownOutcome, Unreadable
from bitrix_sync.once import Once
from bitrix_sync.retry import Kind, kind_of
from bitrix_sync.secrets import mask
from ledger import Effect, EffectState, Ledger
from orders.errors import Permanent, PortalUnavailable, Transient

NOTE = {"USER_ID": 1, "MESSAGE": "текст"}


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[LocalPortal]:
    with LocalPortal(tmp_path / "portal") as opened:
        yield opened


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    book = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield book
    book.close()


@pytest.fixture
def alarms() -> list[str]:
    return []


@pytest.fixture
def client(portal: LocalPortal, ledger: Ledger, alarms: list[str]) -> PortalClient:
    return make(portal, ledger, alarms)


def make(portal: LocalPortal, ledger: Ledger, alarms: list[str], **more: float) -> PortalClient:
    options = {"rate": 10_000, "burst": 10_000, "probe_seconds": 0.2, **more}
    return PortalClient(SecretStr(portal.webhook_url), ledger, on_alarm=alarms.append, sleep=lambda _: None, **options)


def calls(portal: LocalPortal, method: str) -> int:
    return len(portal.log(method))


def add_task(client: PortalClient, title: str = "Дело") -> object:
    return client.call("tasks.task.add", {"fields": {"TITLE": title, "RESPONSIBLE_ID": 1}}).map("task")


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("crm.item.get", Kind.READ),
        ("crm.item.list", Kind.READ),
        ("userfieldconfig.list", Kind.READ),
        ("disk.folder.getchildren", Kind.READ),
        ("profile", Kind.READ),
        ("crm.item.update", Kind.WRITE),
        ("tasks.task.complete", Kind.WRITE),
        ("im.notify.personal.add", Kind.WRITE),
        ("crm.item.add", Kind.CREATE),
        ("disk.folder.uploadfile", Kind.CREATE),
        ("disk.folder.addsubfolder", Kind.CREATE),
        ("tasks.task.files.attach", Kind.CREATE),
        ("something.nobody.knows", Kind.CREATE),
    ],
)
def test_a_method_is_judged_by_what_repeating_it_would_do(method: str, kind: Kind) -> None:
    assert kind_of(method) is kind


@pytest.mark.parametrize("kind", ["error500", "html502", "truncated", "lost_answer", "query_limit"])
def test_a_read_is_repeated(portal: LocalPortal, client: PortalClient, kind: str) -> None:
    portal.faults({"kind": kind, "count": 2})
    assert client.call("profile").map()["ID"] == "1"
    assert calls(portal, "profile") == 3


@pytest.mark.parametrize("kind", ["error500", "html502", "truncated", "lost_answer"])
def test_a_create_with_unknown_outcome_is_not_repeated(portal: LocalPortal, client: PortalClient, kind: str) -> None:
    portal.faults({"kind": kind, "methods": ["tasks.task.add"]})
    with pytest.raises(UnknownOutcome):
        add_task(client)
    assert calls(portal, "tasks.task.add") == 1


def test_a_deep_answer_to_a_create_is_unknown_and_to_a_read_names_the_method(
    portal: LocalPortal, client: PortalClient
) -> None:
    portal.faults({"kind": "deep_json"})
    with pytest.raises(UnknownOutcome):
        add_task(client)
    with pytest.raises(Unreadable, match=r"tasks\.task\.get"):
        client.call("tasks.task.get", {"taskId": 8001})
    assert client.alarm is None


def test_a_create_refused_for_its_rate_was_not_done_and_is_repeated(portal: LocalPortal, client: PortalClient) -> None:
    portal.faults({"kind": "query_limit", "methods": ["tasks.task.add"], "count": 3})
    add_task(client)
    assert len(portal.call("tasks.task.list")["tasks"]) == 1


def test_a_create_without_connection_was_not_done(portal: LocalPortal, client: PortalClient) -> None:
    portal.stop()
    with pytest.raises(NotExecuted):
        add_task(client)
    portal.start()
    assert portal.log("tasks.task.add") == []


def test_rest_3_with_a_key_may_be_repeated_and_makes_one(portal: LocalPortal, client: PortalClient) -> None:
    fields = {"title": "Дело", "creatorId": 1, "responsibleId": 1}
    portal.faults({"kind": "lost_answer", "methods": ["tasks.task.add"], "count": 2})
    first = client.call_v3("tasks.task.add", {"fields": fields}, "order-1")
    again = client.call_v3("tasks.task.add", {"fields": fields}, "order-1")
    assert first.map("item")["id"] == again.map("item")["id"]
    assert again.replayed
    assert len(portal.call("tasks.task.list")["tasks"]) == 1
    with pytest.raises(PortalRefused) as other:
        client.call_v3("tasks.task.add", {"fields": {**fields, "title": "Иное"}}, "order-1")
    assert other.value.status == 422


def test_a_refusal_names_method_code_and_text(client: PortalClient) -> None:
    with pytest.raises(PortalRefused, match=r"tasks\.task\.add.*not specified") as error:
        client.call("tasks.task.add", {"fields": {"TITLE": ""}})
    assert (error.value.status, error.value.code) == (400, "ERROR_CORE")
    assert isinstance(error.value, Permanent)


def test_an_empty_error_code_is_still_an_error(client: PortalClient) -> None:
    with pytest.raises(PortalRefused) as error:
        client.call("crm.status.add", {"fields": {"NAME": "x"}})
    assert error.value.code == ""


def test_a_blocked_method_rests_until_the_time_that_the_portal_named(portal: LocalPortal, client: PortalClient) -> None:
    client.call("profile")
    portal.faults({"kind": "operation_limit", "methods": ["tasks.task.list"]})
    with pytest.raises(Limited) as error:
        client.call("tasks.task.list")
    assert error.value.retry_after is not None and error.value.retry_after > 30
    before = calls(portal, "tasks.task.list")
    with pytest.raises(Limited):
        client.call("tasks.task.list")
    assert calls(portal, "tasks.task.list") == before
    assert client.call("profile").map()["ID"] == "1"


def test_a_method_for_applications_harms_nobody(portal: LocalPortal, client: PortalClient, alarms: list[str]) -> None:
    assert client.ask("app.info") is None and client.ask("nobody.knows.it") is None
    with pytest.raises(PortalRefused, match="Application context"):
        client.call("app.info")
    assert client.alarm is None and alarms == []


def test_a_scope_lost_inside_a_batch_is_the_webhooks_fault(
    portal: LocalPortal, client: PortalClient, alarms: list[str]
) -> None:
    portal.webhook_of(1, ["crm"])
    for _ in range(3):
        with pytest.raises(PortalUnavailable):
            client.batch({"t": ("tasks.task.list", {})})["t"]
        deadline = time.monotonic() + 5
        while client.alarm is not None and time.monotonic() < deadline:  # a probe is answered well
            try:
                client.call("profile")
            except NotExecuted:
                time.sleep(0.02)
    assert len(alarms) == 1 and "privileges" in alarms[0]


def test_a_blocked_method_rests_in_batches_too_and_others_flow(portal: LocalPortal, client: PortalClient) -> None:
    portal.settings(costs={"tasks.task.list": 1000.0})
    client.call("tasks.task.list")
    both = {"t": ("tasks.task.list", {}), "p": ("profile", {})}
    first = client.batch(both)
    assert isinstance(first.error("t"), Limited) and first["p"].map()["ID"] == "1"
    before = calls(portal, "tasks.task.list")
    again = client.batch(both)
    assert isinstance(again.error("t"), Limited) and again["p"].map()["ID"] == "1"
    assert calls(portal, "tasks.task.list") == before


def test_a_clock_that_differs_from_the_portals_makes_no_longer_wait(portal: LocalPortal, client: PortalClient) -> None:
    """The portal names a moment of its own clock, which is two hours ahead of ours."""
    portal.clock((datetime.now(UTC) + timedelta(hours=2)).isoformat())
    client.call("tasks.task.list")
    portal.faults({"kind": "operation_limit", "methods": ["tasks.task.list"]})
    with pytest.raises(Limited) as error:
        client.call("tasks.task.list")
    assert error.value.retry_after is not None and error.value.retry_after <= 600


def test_a_clock_that_was_set_back_makes_no_longer_wait(tmp_path: Path) -> None:
    """A call was begun with a clock an hour ahead of today's: nobody waits for an hour to look again."""
    once = Once(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), settle_seconds=60)
    begun = Effect("k", EffectState.INTENT, last=time.time() + 3600)
    with pytest.raises(Transient) as error:
        once.wait(begun, "crm.item.add")
    assert error.value.retry_after == 60


def test_a_revoked_webhook_stops_all_calls_with_one_alarm_and_is_probed(
    portal: LocalPortal, client: PortalClient, alarms: list[str]
) -> None:
    portal.faults({"kind": "unauthorized"})
    for _ in range(5):
        with pytest.raises(PortalUnavailable):
            client.call("tasks.task.list")
    assert calls(portal, "tasks.task.list") == 1
    assert calls(portal, "profile") <= 1
    assert len(alarms) == 1
    portal.faults()
    deadline = time.monotonic() + 10
    while client.alarm is not None and time.monotonic() < deadline:
        try:
            client.call("tasks.task.list")
        except NotExecuted:
            time.sleep(0.02)
    assert client.alarm is None
    assert client.call("tasks.task.list").map() is not None


def test_the_right_to_probe_is_shared_between_processes(portal: LocalPortal, ledger: Ledger) -> None:
    alarms: list[str] = []
    clients = [make(portal, ledger, alarms, probe_seconds=60) for _ in range(3)]
    portal.faults({"kind": "forbidden"})
    for each in clients:
        for _ in range(3):
            with pytest.raises(PortalUnavailable):
                each.call("tasks.task.list")
    assert calls(portal, "profile") == 0
    assert calls(portal, "tasks.task.list") == 3


def test_five_failures_in_a_row_open_the_breaker_and_one_call_alone_does_not(
    portal: LocalPortal, client: PortalClient, alarms: list[str]
) -> None:
    portal.faults({"kind": "html502", "methods": ["tasks.task.list"]})
    with pytest.raises(UnknownOutcome):
        client.call("tasks.task.list")
    assert alarms == []
    client.call("profile")
    portal.faults({"kind": "html502"})
    for _ in range(5):
        with pytest.raises(PortalUnavailable):
            client.call("crm.type.add", {"fields": {"title": "x"}})
    assert len(alarms) == 1


def test_an_unknown_method_is_the_webhooks_fault(client: PortalClient) -> None:
    with pytest.raises(AccessLost):
        client.call("no.such.method")
    assert client.alarm is not None


def test_a_redirect_is_not_followed_and_the_alarm_names_the_new_address(
    portal: LocalPortal, client: PortalClient, alarms: list[str], tmp_path: Path
) -> None:
    with LocalPortal(tmp_path / "other") as other:
        portal.faults({"kind": "redirect", "to": f"{other.url}/rest/1/secret/profile"})
        for _ in range(3):
            with pytest.raises(PortalUnavailable) as error:
                client.call("profile")
        assert other.log() == []
        assert len(alarms) == 1 and other.url.removeprefix("http://") in alarms[0]
        assert "secret" not in alarms[0] + str(error.value)
    assert isinstance(error.value, NotExecuted | Moved)


def test_a_deadline_bounds_retries_and_waits(portal: LocalPortal, ledger: Ledger) -> None:
    slow = PortalClient(SecretStr(portal.webhook_url), ledger, rate=10_000, burst=10_000)
    portal.faults({"kind": "error500"})
    begun = time.monotonic()
    with pytest.raises(PortalUnavailable):
        slow.bound(deadline=begun + 1.0).call("profile")
    assert time.monotonic() - begun < 3
    with pytest.raises(NotExecuted):
        slow.bound(deadline=time.monotonic() - 1).call("profile")


def test_the_shared_bucket_holds_all_clients_to_the_rate(portal: LocalPortal, ledger: Ledger) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(seconds)

    hook = SecretStr(portal.webhook_url)
    clients = [PortalClient(hook, ledger, rate=8, burst=5, sleep=sleep) for _ in range(2)]
    begun = time.monotonic()
    for _ in range(10):
        for each in clients:
            each.call("profile")
    assert time.monotonic() - begun >= (20 - 5 - 1) / 8
    assert waits
    with pytest.raises(Limited):
        for _ in range(10):
            PortalClient(SecretStr(portal.webhook_url), ledger, rate=0.01, burst=5).call("profile")


def test_no_secret_reaches_a_log_or_an_error(
    portal: LocalPortal, client: PortalClient, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    token = portal.webhook_url.rstrip("/").rsplit("/", 1)[1]
    texts = []
    with caplog.at_level(logging.DEBUG):
        for kind in ("lost_answer", "error500", "html502", "unauthorized", "redirect", "refused"):
            portal.faults({"kind": kind})
            with pytest.raises(PortalUnavailable) as error:
                client.call("profile")
            texts += [str(error.value), repr(error.value), str(error.value.__cause__), str(error.value.__context__)]
    seen = "".join(texts) + caplog.text + "".join(capsys.readouterr())
    assert "portal_alarm" in seen
    assert token not in seen


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://p.ru/rest/1/abc123/crm.item.get", "https://p.ru/rest/1/***/crm.item.get"),
        ("/rest/api/15/abc123/tasks.task.add?x=1", "/rest/api/15/***/tasks.task.add?x=1"),
        ("x?auth=aa&token=crm%7C5%7Cbb&n=1", "x?auth=***&token=***&n=1"),
    ],
)
def test_masking(text: str, masked: str) -> None:
    assert mask(text) == masked
