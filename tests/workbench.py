"""A workbench for the worker: small diagrams made on the spot, workers on a shop's engine, a worker as a process."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shop import ROOT, Shop, wait_until

from engine.client import EngineClient
from engine.external import ExternalTask
from engine.processes import Incident, Instance
from ledger import Ledger
from orders.stage import Route
from workers.ports import ExternalTasks
from workers.registry import Handler, Input, Registry, topic
from workers.runtime import Options, Worker
from workers.task import Task

QUICK = Options(lock=2.0, patience=3.0, poll=1.0, short_poll=0.2, slots=4)


@dataclass(frozen=True)
class Step:
    """A service task; `catches` draws a boundary error to an end of its own."""

    topic: str
    id: str = "ServiceTask_Step"
    catches: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


def diagram(process_id: str, *steps: Step, last_condition: str | None = None) -> bytes:
    """Return a process of these steps in a row; `last_condition` puts a gateway with it behind them."""
    body, before = ['<bpmn:startEvent id="Start"/>'], "Start"
    for step in steps:
        shown = "".join(f'<camunda:property name="{n}" value="{v}"/>' for n, v in step.properties.items())
        body.append(
            f'<bpmn:serviceTask id="{step.id}" camunda:type="external" camunda:topic="{step.topic}">'
            f"<bpmn:extensionElements><camunda:properties>{shown}</camunda:properties></bpmn:extensionElements>"
            f"</bpmn:serviceTask>{_flow(before, step.id)}"
        )
        if step.catches:
            body.append(
                f'<bpmn:boundaryEvent id="Caught_{step.id}" attachedToRef="{step.id}">'
                f'<bpmn:errorEventDefinition errorRef="Error_{step.catches}"/></bpmn:boundaryEvent>'
                f'<bpmn:endEvent id="End_Caught"/>{_flow("Caught_" + step.id, "End_Caught")}'
            )
        before = step.id
    body.append('<bpmn:endEvent id="End"/>')
    if last_condition:
        body.append('<bpmn:exclusiveGateway id="Gateway"/><bpmn:endEvent id="End_Other"/>')
        body += [_flow(before, "Gateway"), _flow("Gateway", "End", last_condition), _flow("Gateway", "End_Other")]
    else:
        body.append(_flow(before, "End"))
    errors = "".join(f'<bpmn:error id="Error_{s.catches}" errorCode="{s.catches}"/>' for s in steps if s.catches)
    return _whole(process_id, "".join(body), errors)


def _whole(process_id: str, body: str, errors: str = "") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="http://order-route/test">'
        f'<bpmn:process id="{process_id}" isExecutable="true" camunda:historyTimeToLive="P1D">{body}'
        f"</bpmn:process>{errors}</bpmn:definitions>"
    ).encode()


def _flow(source: str, target: str, condition: str | None = None) -> str:
    inner = (
        f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{condition}</bpmn:conditionExpression>'
        if condition
        else ""
    )
    ends = f'id="{source}_{target}" sourceRef="{source}" targetRef="{target}"'
    return f"<bpmn:sequenceFlow {ends}>{inner}</bpmn:sequenceFlow>"


@dataclass
class Bench:
    """One deployed test process with a topic of its own, so that tests do not meet each other's work."""

    shop: Shop
    process_id: str
    topic: str
    tmp: Path

    def start(self, **values: object) -> Instance:
        """Start an instance with a key of its own."""
        key = f"B.{uuid.uuid4().hex[:12]}"
        return self.shop.admin.processes.start(self.process_id, values, business_key=key)

    def tasks(self) -> list[ExternalTask]:
        """Return the open external tasks of this bench."""
        return self.shop.admin.external.find(topicName=self.topic)

    def running(self) -> set[str]:
        """Return the ids of the running instances."""
        return {i.id for i in self.shop.admin.processes.instances(process_definition_key=self.process_id)}

    def incidents(self, instance: Instance) -> list[Incident]:
        """Return the open incidents of an instance."""
        return self.shop.admin.processes.incidents(processInstanceId=instance.id)

    def ended(self, *instances: Instance, seconds: float = 20.0) -> None:
        """Wait until these instances have ended."""
        ids = {i.id for i in instances}
        wait_until(lambda: not ids & self.running(), seconds, f"end of {len(ids)} instances")

    def end_of(self, instance: Instance) -> str:
        """Return the end event that an instance reached."""
        found = self.shop.admin.history.activities(processInstanceId=instance.id, finished=True)
        return next(a.element for a in found if a.kind.endswith("EndEvent"))

    def variables(self, instance: Instance) -> dict[str, Any]:
        """Return the variables of an instance, running or ended."""
        return {v.name: v.value for v in self.shop.admin.history.variables(processInstanceId=instance.id)}

    @contextlib.contextmanager
    def worker(
        self,
        *handlers: Handler[..., Any],
        options: Options = QUICK,
        world: Mapping[str, object] | None = None,
        engine: ExternalTasks | None = None,
        **more: Any,
    ) -> Iterator[Worker]:
        """Run a worker in this process."""
        with EngineClient(*self.shop.worker_credentials) as client, contextlib.closing(self.ledger()) as ledger:
            worker = Worker(
                engine or client.external,
                Registry(handlers),
                world or {},
                attempts=ledger,
                routes=self.route,
                options=options,
                **more,
            )
            worker.start()
            try:
                yield worker
            finally:
                worker.stop()

    def ledger(self) -> Ledger:
        """Open the bench's ledger."""
        return Ledger(f"sqlite:///{self.tmp / 'ledger.db'}")

    def route(self, definition_id: str) -> Route:
        """Read the deployed diagram."""
        return self.shop.reader.route(definition_id)

    def process(self, mode: str, marks: Path, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker process for this bench's topic; `mode` says what its handler does (`worker_process.py`)."""
        account = self.shop.worker_credentials
        inherited = {n: os.environ[n] for n in ("PATH", "HOME", "LANG", "PYTHONPATH") if n in os.environ}
        return subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "worker_process.py"), mode, self.topic, str(marks)],
            cwd=ROOT,
            env={
                **inherited,
                "ENGINE_URL": account.url,
                "ENGINE_USER": account.user,
                "ENGINE_PASSWORD": account.password.get_secret_value(),
                "LEDGER": f"sqlite:///{self.tmp / 'ledger.db'}",
                **environment,
            },
        )


def diagram_of_branches(process_id: str, topic: str, branches: int) -> bytes:
    """Return a process whose branches have one step each and meet in a join."""
    body = ['<bpmn:startEvent id="Start"/>', _flow("Start", "Fork"), '<bpmn:parallelGateway id="Fork"/>']
    for number in range(branches):
        step = f"ServiceTask_{number}"
        body.append(f'<bpmn:serviceTask id="{step}" camunda:type="external" camunda:topic="{topic}"/>')
        body += [_flow("Fork", step), _flow(step, "Join")]
    body += ['<bpmn:parallelGateway id="Join"/>', '<bpmn:endEvent id="End"/>', _flow("Join", "End")]
    return _whole(process_id, "".join(body))


def new_bench(
    shop: Shop,
    tmp: Path,
    *,
    last_condition: str | None = None,
    draw: Callable[[str], bytes] | None = None,
    **step: Any,
) -> Bench:
    """Deploy a process of one step whose topic nobody else has; `draw` gives another diagram for that name."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    xml = draw(name) if draw else diagram(name, Step(topic=name, **step), last_condition=last_condition)
    shop.admin.deployments.create(name, {f"{name}.bpmn": xml})
    return Bench(shop, name, name, tmp)


def marks_of(path: Path) -> list[str]:
    """Return what worker processes have noted, in order."""
    return path.read_text(encoding="utf-8").split() if path.exists() else []


@contextlib.contextmanager
def ending(*processes: subprocess.Popen[bytes]) -> Iterator[None]:
    """End processes that a test started, whatever happens."""
    try:
        yield
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
            process.wait(10)


class Ordered(Input):
    """One of the two variables of the instance."""

    customer_name: str


def done(bench: Bench, seen: list[str] | None = None) -> Handler[..., Any]:
    """Return a handler that only notes its task."""

    @topic(bench.topic)
    def note(task: Task) -> None:
        """Note the task."""
        if seen is not None:
            seen.append(task.id)

    return note


def counted(worker: Worker, name: str, bench: Bench) -> float:
    """Read a counter of a worker."""
    return worker.metrics.registry.get_sample_value(f"order_route_tasks_{name}_total", {"topic": bench.topic}) or 0.0
