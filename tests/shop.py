"""A shop on a real engine: accounts, orders, and a stand-in that works off external tasks without a portal.

The stand-in writes what the real handlers write, as far as the engine can tell. Tests that need the real worker start
it themselves against `shop.url` and `shop.worker_credentials`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pikepdf
import pytest
from pydantic import SecretStr

from diagram.stages import read_route
from engine.client import EngineClient
from engine.deploy import Deployed, deploy, deployed_starters, folder_files
from engine.embedded import EmbeddedEngine
from engine.errors import Conflict, LockLost, NotFound
from engine.external import ExternalTask, Topic
from engine.identity import BootstrapReport, bootstrap
from engine.processes import Instance
from engine.rights import ROUTE
from engine.snapshot import DeployedRoutes, SnapshotReader
from engine.submit import Submitted, submit
from engine.variables import FileValue
from orders.errors import BusinessError
from orders.persons import Staff
from orders.snapshot import OpenVisit
from orders.staff import read_staff

JAR_VARIABLE = "ORDER_ROUTE_SERVER_JAR"
ROOT = Path(__file__).resolve().parent.parent
SWEEP_SECONDS = 86_400  # the sweep's own timer must not fire in the middle of a test
STAND_IN = "stand-in"
SHORT_RUN = (
    "-XX:TieredStopAtLevel=1",  # starts sooner; nothing here runs long enough for the second compiler
    "-Dorder-route.upload-window-seconds=5",  # how soon a creeping upload is ended
)
START_SECONDS = 400.0  # a machine that does many things at once
TOPICS = (
    *("register-order", "sync-stage", "notify", "validate-attachments", "flag-late-production", "notify-customer"),
    *("close-order", "reconcile-portal", "cancel-order", "move-ready-date"),
    *("correct-order", "record-complaint", "record-actual-cost", "send-digest", "adjust-bonus"),
)
_LOCK_SECONDS = 60.0
_END_SECONDS = 60.0  # a deadline, not a measure

T = TypeVar("T")
Outcome = Mapping[str, object] | BusinessError | Callable[[ExternalTask], Mapping[str, object]]


class Credentials(NamedTuple):
    """An account that a program of ours signs in with."""

    url: str
    user: str
    password: SecretStr


def wait_until(predicate: Callable[[], T], seconds: float, what: str) -> T:
    """Poll until the predicate gives something true and return that; fail after `seconds` naming `what`."""
    deadline = time.monotonic() + seconds
    while True:
        found = predicate()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:g} s for: {what}")
        time.sleep(0.05)


def server_jar() -> Path:
    """Return the server's jar; a missing one fails the test in one sentence."""
    jar = Path(os.environ.get(JAR_VARIABLE) or ROOT / "server" / "target" / "order-route-server.jar")
    if not jar.is_file():
        pytest.fail(f"no engine to test against: {jar} is missing, build it with `make server`", pytrace=False)
    return jar


def pdf(text: str = "order") -> bytes:
    """Return a small whole PDF; another text makes another file."""
    document = pikepdf.new()
    document.add_blank_page(page_size=(200, 200))
    document.docinfo["/Title"] = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def pdf_file(name: str) -> FileValue:
    """Return a PDF under a name."""
    return FileValue(name, pdf(name), "application/pdf")


def good_answer(element: str) -> dict[str, object]:
    """Return what a person answers at a step when all goes well."""
    now = datetime.now(UTC)
    answers: dict[str, dict[str, object]] = {
        "UserTask_FixRequest": {"orderFile": pdf_file("заявка исправленная.pdf")},
        "UserTask_ApproveOrder": {"directorDecision": "approve", "directorComment": "Супер заказ"},
        "UserTask_PrepareDesign": {"designFile": pdf_file("чертёж.pdf"), "designComment": "По эскизу"},
        "UserTask_PrepareEstimate": {"estimateFile": pdf_file("смета.pdf"), "estimateSum": "125000.00"},
        "UserTask_AgreePrice": {"priceDecision": "approve"},
        "UserTask_SetReadyDate": {"readyDecision": "approve", "readyBy": (now + timedelta(days=14)).isoformat()},
        "UserTask_Manufacture": {},
        "UserTask_TellCustomer": {"toldAt": (now - timedelta(minutes=1)).isoformat(), "toldHow": "phone"},
        "UserTask_IssueInvoice": {"invoiceNumber": "С-17"},
        "UserTask_TakePayment": {"paidSum": "125000.00", "paidOn": now.date().isoformat()},
        "UserTask_Ship": {"shippedOn": now.date().isoformat(), "shipmentNumber": "ТТН-5"},
    }
    return answers[element]


@dataclass
class Shop:
    """An open shop. Clients are shared: they are safe to use from many threads."""

    engine: EmbeddedEngine
    staff: Staff
    passwords: Mapping[str, SecretStr]
    admin: EngineClient
    integration: EngineClient
    deployed: Deployed
    bootstrapped: BootstrapReport
    reader: SnapshotReader
    _worker: EngineClient
    _opened: list[EngineClient] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return the REST address."""
        return self.engine.url

    @property
    def worker_credentials(self) -> Credentials:
        """Return what a worker signs in with."""
        return Credentials(self.url, "worker", self.passwords["worker"])

    @property
    def integration_credentials(self) -> Credentials:
        """Return what the mirror signs in with."""
        return Credentials(self.url, "integration", self.passwords["integration"])

    def person(self, person_id: str) -> EngineClient:
        """Return a client that acts as a person through the integration account."""
        return self.integration.as_person(person_id)

    def signed_in(self, user_id: str) -> EngineClient:
        """Return a client with a person's own account, as the Tasklist would use it."""
        client = EngineClient(self.url, user_id, self.passwords[user_id])
        self._opened.append(client)
        return client

    def member(self, group: str) -> str:
        """Return the id of the first member of a group."""
        return self.staff.members(group)[0].id

    def start_order(self, initiator: str | None = None, *, key: str | None = None, **values: object) -> Instance:
        """Start an order as a person; `values` replace or add to a good request. A unique key unless given."""
        who = initiator or self.member("orderCreators")
        request: dict[str, object] = {
            "customerName": "ООО «Ёлка и Ко»",
            "customerContact": "+7 900 123-45-67",
            "itemDescription": "Стол переговорный, дуб, 3,2 м",
            "orderFile": pdf_file("заявка Ёлка.pdf"),
            **values,
        }
        return self.person(who).processes.start(ROUTE, request, business_key=key or f"T.{uuid.uuid4().hex[:12]}")

    def drain(self, instance: Instance | None = None, outcomes: Mapping[str, Outcome] | None = None) -> int:
        """Work off the external tasks of one order (or all) as a stand-in worker until none is left; return how many.

        `outcomes`: topic -> variables, a BusinessError to report, or a function of the task that gives variables.
        """
        done = 0
        while tasks := self._fetch(instance):
            for task in tasks:
                self._work_off(task, (outcomes or {}).get(task.topic))
                done += 1
        return done

    def open_step(self, instance: Instance) -> OpenVisit:
        """Work off what is automatic and return the one open step of an order."""
        self.drain(instance)
        visits = self.reader.snapshot(instance.id).open
        assert len(visits) == 1, f"one open step expected, there are {[v.task_id for v in visits]}"
        return visits[0]

    def answer(self, instance: Instance, person: str | None = None, **values: object) -> Submitted:
        """Answer the open step as somebody entitled; `values` replace the good answer where they are given."""
        step = self.open_step(instance)
        who = person or step.assignee or self.member(step.groups[0])
        return submit(self.person(who), step, values or good_answer(step.task_id))

    def carry_to(self, instance: Instance, element: str) -> OpenVisit:
        """Carry an order with good answers until that user task is open; what is on the way is done unclaimed."""
        self._carry(instance, element)
        step = self.open_step(instance)
        assert step.task_id == element, f"the order ended up at {step.task_id}"
        return step

    def carry_home(self, instance: Instance) -> None:
        """Carry an order with good answers to its end."""
        self._carry(instance, None)

    def end_everything(self) -> None:
        """Delete what still runs, until nothing is left: what a worker is just finishing meets the delete."""
        deadline = time.monotonic() + _END_SECONDS
        while running := self.admin.processes.instances():
            for instance in running:
                with contextlib.suppress(NotFound, Conflict):
                    self.admin.processes.delete(instance.id)
            assert time.monotonic() < deadline, f"these do not end: {[instance.id for instance in running]}"

    def close(self) -> None:
        """Close all clients."""
        for client in (self.admin, self.integration, self._worker, *self._opened):
            client.close()

    def _carry(self, instance: Instance, element: str | None) -> None:
        """Answer open steps in as few calls as it takes: by the candidates of the diagram, without a claim."""
        route = self.reader.route(instance.definition_id)
        self.drain(instance)
        while tasks := self.integration.tasks.of_instance(instance.id):
            for task in tasks:
                if task.element == element:
                    return
                stage = route.stage(task.element)
                assert stage is not None
                who = task.assignee or self.member(stage.groups[0])
                self.person(who).tasks.complete(task.id, good_answer(task.element))
            self.drain(instance)

    def _fetch(self, instance: Instance | None) -> list[ExternalTask]:
        key = instance.business_key if instance else None
        asked = [Topic(name, _LOCK_SECONDS, business_key=key) for name in TOPICS]
        return self._worker.external.fetch_and_lock(STAND_IN, asked, 50)

    def _work_off(self, task: ExternalTask, outcome: Outcome | None) -> None:
        if isinstance(outcome, BusinessError):
            self._worker.external.bpmn_error(task.id, STAND_IN, outcome.code, str(outcome), outcome.outputs)
            return
        given = outcome(task) if callable(outcome) else outcome
        try:
            self._worker.external.complete(task.id, STAND_IN, given if given is not None else self._usual(task))
        except (NotFound, LockLost):
            return  # the order was cancelled meanwhile

    def _usual(self, task: ExternalTask) -> dict[str, object]:
        """Return what the real handler of the topic would write."""
        route = self.reader.route(task.definition_id)
        now = datetime.now(UTC)
        if task.topic == "register-order":
            return {"orderKey": task.business_key, "trackToken": uuid.uuid4().hex}
        if task.topic == "sync-stage":
            target = route.sync_targets[task.activity_id]
            stage = route.stage(target)
            written: dict[str, object] = {f"visit_{target}": task.activity_instance_id, "portalPending": False}
            if stage is not None:
                written |= {"cardStage": stage.code, f"due_{target}": now + timedelta(days=1)}
            return written
        if task.topic == "validate-attachments":
            return self._judged(task)
        if task.topic == "close-order":
            return {"closedAt": now, "closingSummary": "Отгружен"}
        if task.topic == "notify-customer":
            return {"customerMessage": "Ваш заказ готов"}
        return {}

    def _judged(self, task: ExternalTask) -> dict[str, object]:
        judged: dict[str, object] = {}
        for variable in self.reader.file_names(task.instance_id):
            name, data = self.reader.file_bytes(task.instance_id, variable)
            info: dict[str, Any] = {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            info |= {"by": STAND_IN, "at": datetime.now(UTC).isoformat()}
            judged[f"{variable}Info"] = json.dumps(info, ensure_ascii=False)
        return judged


@contextlib.contextmanager
def open_shop(
    folder: Path, *, profile: str | None = "demo", engine_type: type[EmbeddedEngine] = EmbeddedEngine
) -> Iterator[Shop]:
    """Start an engine on a new folder, deploy the analyst's files, bootstrap the staff file; stop it afterwards."""
    admin_password = SecretStr(uuid.uuid4().hex)
    engine = engine_type(
        server_jar(),
        folder / "engine",
        admin_user="admin",
        admin_password=admin_password,
        profile=profile,
        reconcile_seconds=SWEEP_SECONDS,
        java_options=SHORT_RUN,
        start_seconds=START_SECONDS,
    )
    with engine:
        opened = furnish(engine, admin_password)
        try:
            yield opened
        finally:
            opened.close()


def furnish(engine: EmbeddedEngine, admin_password: SecretStr) -> Shop:
    """Deploy and bootstrap on a running engine; also after its restart."""
    staff = read_staff((ROOT / "config" / "staff.toml").read_text(encoding="utf-8"))
    accounts = [p.id for p in staff.persons] + ["worker", "integration", "deployer"]
    passwords = {account: SecretStr(f"{account}-{admin_password.get_secret_value()[:12]}") for account in accounts}
    admin = EngineClient(engine.url, "admin", admin_password)
    deployed = deploy(admin, folder_files(ROOT / "bpmn"), name="order-route", ttl_days=1095)
    report = bootstrap(admin, staff, deployed_starters(admin), passwords)
    integration = EngineClient(engine.url, "integration", passwords["integration"])
    reader = SnapshotReader(integration, DeployedRoutes(integration, read_route))
    worker = EngineClient(engine.url, "worker", passwords["worker"])
    passwords[engine.admin_user] = admin_password
    return Shop(engine, staff, passwords, admin, integration, deployed, report, reader, worker)
