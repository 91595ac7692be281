"""The shop runs in containers as the compose file says: small closed images, PostgreSQL, several workers and nodes.

One file, so that one set of containers serves all of it. The start checks and the numbering are tried here again,
against the real image on PostgreSQL.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from ports import free_ports
from runtime import ROOT, Runtime, compose_command, said
from shop import Shop, furnish
from test_start_keys import *  # noqa: F403 - the same rules, on this folder's `shop`
from testcontainers.core.container import DockerContainer
from town import LONG, ROLE, Images, Town, carry_home, logs, wait

pytestmark = [pytest.mark.containers, pytest.mark.engine]

MIB = 1 << 20
PYTHON = "/opt/order-route/bin/python"


# images


@pytest.mark.parametrize("name", ["server", "program"])
def test_an_image_adds_at_most_350_mib_and_no_tools_to_its_base(runtime: Runtime, images: Images, name: str) -> None:
    image, base = {"server": (images.server, images.jre), "program": (images.program, images.python)}[name]
    assert (runtime.size(image) - runtime.size(base)) / MIB <= 350
    tools = "for t in gcc cc make mvn javac git; do command -v $t; done; ls -d /opt/order-route/bin/pip* /build"
    assert runtime.run("run", "--rm", "--entrypoint", "sh", image, "-c", f"({tools}) 2>/dev/null || true").split() == []


@pytest.mark.parametrize("name", ["server", "program"])
def test_an_image_runs_as_nobody_special_and_holds_no_secret(runtime: Runtime, images: Images, name: str) -> None:
    image = getattr(images, name)
    assert runtime.run("run", "--rm", "--entrypoint", "id", image, "-u").strip() == "10001"
    facts = runtime.run("image", "inspect", image)
    assert "HEALTHCHECK" in facts.upper()
    assert not [line for line in facts.splitlines() if "PASSWORD" in line.upper() and "install" not in line]
    inside = runtime.run("run", "--rm", "--entrypoint", "ls", image, "-A", "/app").split()
    assert not {"tests", "secrets", "data", ".env", ".git", "src"} & set(inside), inside


def test_the_server_says_which_secret_is_wrong_and_ends(runtime: Runtime, images: Images) -> None:
    name = "ORDER_ROUTE_ADMIN_PASSWORD"
    for given, says in (
        ({name: "tiger", f"{name}_FILE": "/etc/hostname"}, f"Both {name} and {name}_FILE are set"),
        ({f"{name}_FILE": "/run/secrets/none"}, f"{name}_FILE must name a readable file"),
        ({f"{name}_FILE": "/dev/null"}, f"{name}_FILE must name a readable file"),
    ):
        env = [part for key, value in given.items() for part in ("-e", f"{key}={value}")]
        command = [runtime.program, "run", "--rm", *env, images.server]
        done = subprocess.run(command, env=dict(runtime.env), capture_output=True, text=True, timeout=LONG, check=False)
        assert (done.returncode, says in done.stderr, "tiger" in done.stderr) == (2, True, False), done.stderr


# PostgreSQL, two workers, two nodes


def test_a_whole_order_with_two_workers_and_the_ledger_in_postgresql(town: Town) -> None:
    workers = [town.worker(name, node=0) for name in ("worker1", "worker2")]
    for worker in workers:
        wait(partial(_is_healthy, town, worker), LONG, partial(logs, worker))
    shop = town.shop
    orders = [shop.start_order() for _ in range(4)]
    try:
        carry_home(shop, orders)
        deadline = time.monotonic() + LONG
        while len(_who_worked(shop)) < 2 and time.monotonic() < deadline:  # who gets the work, the engine decides
            orders.append(shop.start_order())
            carry_home(shop, orders[-1:])
    except AssertionError as late:
        pytest.fail(f"{late}\n{logs(workers[0])}\n{logs(workers[1])}")
    assert [shop.reader.snapshot(order.id).end_id for order in orders] == ["End_Delivered"] * len(orders)
    assert shop.admin.processes.incidents() == []
    assert len(_who_worked(shop)) == 2, "both have their own id and both had work"
    ran = town.sql(
        "SELECT count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state <> 'done') FROM "
        "order_route_ledger.effect"
    ).split("|")
    assert (int(ran[0]) > 20, ran[1]) == (True, "0")
    assert town.sql(f"SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = '{ROLE}'") == "f"
    _assert_cards_equal(town, workers[0])
    for worker in workers:
        _assert_healthy(town, worker)
        worker.stop()


def test_a_killed_node_takes_no_order_with_it(town: Town) -> None:
    workers = [town.worker("worker3", node=0), town.worker("worker4", node=1)]
    orders = [town.shop.start_order() for _ in range(4)]
    carry_home(town.shop, orders, until=6)
    town.nodes[0].container.get_wrapped_container().kill()
    other = furnish(town.nodes[1], town.nodes[1].admin_password)  # type: ignore[arg-type]  # the part it uses
    try:
        orders.append(other.start_order())
        carry_home(other, orders)
        assert [other.reader.snapshot(order.id).end_id for order in orders] == ["End_Delivered"] * 5
        assert other.admin.processes.incidents() == []
    except AssertionError as late:
        pytest.fail(f"{late}\n{logs(workers[1])}\n{logs(town.nodes[1].container)}")
    finally:
        other.close()
    _assert_cards_equal(town, workers[1])
    for worker in workers:
        worker.stop()


def _who_worked(shop: Shop) -> set[str]:
    rows: list[dict[str, Any]] = shop.admin.caller.rest(
        "GET", "/history/external-task-log?successLog=true&maxResults=2000"
    ).json()
    return {row["workerId"] for row in rows}


def _assert_cards_equal(town: Town, worker: DockerContainer) -> None:
    town.inside(worker, PYTHON, "-m", "app", "bitrix", "reconcile", "--dry-run")


def _is_healthy(town: Town, container: DockerContainer) -> bool:
    try:
        _assert_healthy(town, container)
    except pytest.fail.Exception:
        return False
    return True


def _assert_healthy(town: Town, container: DockerContainer) -> None:
    facts = json.loads(town.runtime.run("image", "inspect", town.images.program))[0]
    check = facts["Config"].get("Healthcheck") or facts.get("HealthCheck") or facts["Healthcheck"]
    town.inside(container, *check["Test"][1:])


# compose


class Compose:
    """The compose file, up under a name of this run, with addresses of its own."""

    def __init__(self, runtime: Runtime, images: Images, folder: Path) -> None:
        self.runtime, self.project = runtime, f"{runtime.mark}c"
        self.ports = dict(zip(("web", "board", "pages", "sandbox"), free_ports(4), strict=True))
        self.secrets = folder / "secrets"
        self.env = {
            **runtime.env,
            "SECRETS": str(self.secrets),
            "POSTGRES_IMAGE": images.postgres,
            "SERVER_IMAGE": images.server,
            "PROGRAM_IMAGE": images.program,
            "WEB_LISTEN": f"127.0.0.1:{self.ports['web']}",
            "BOARD_PORT": str(self.ports["board"]),
            "PAGES_PORT": str(self.ports["pages"]),
            "SANDBOX_PORT": str(self.ports["sandbox"]),
            "BITRIX_RATE": "100",
            "BITRIX_BURST": "1000",
            "RECONCILE_SECONDS": "5",
        }
        said(["sh", str(ROOT / "containers" / "secrets.sh"), "sandbox"], self.env)
        self.command = [*compose_command(runtime), "-p", self.project, "--profile", "sandbox"]

    def __call__(self, *arguments: str) -> str:
        return said([*self.command, *arguments], self.env)

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return what the engine says of each container, by name."""
        names = self.runtime.run("ps", "-aq", "--filter", f"name={self.project}").split()
        return {c["Name"].lstrip("/"): c for c in json.loads(self.runtime.run("inspect", *names))} if names else {}

    def one(self, service: str) -> str:
        """Return the name of a container of a service."""
        return next(name for name in sorted(self.containers()) if service in name.removeprefix(self.project))

    def get(self, port: str, path: str) -> int:
        """Ask for a path as it stands, without tidying it; 0 while nobody answers."""
        with contextlib.suppress(requests.RequestException), requests.Session() as session:
            asked = requests.Request("GET", f"http://127.0.0.1:{self.ports[port]}/").prepare()
            asked.url = f"http://127.0.0.1:{self.ports[port]}{path}"
            return session.send(asked, timeout=20, allow_redirects=False).status_code
        return 0

    def logs(self) -> str:
        """Return the newest lines of all containers, for a failed test."""
        return "\n".join(
            f"== {name}\n{self.runtime.run('logs', '--tail', '15', name, check=False)}" for name in self.containers()
        )


@pytest.fixture(scope="module")
def compose(runtime: Runtime, images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """Everything up by one command, with two workers; down again, leaving nothing."""
    up = Compose(runtime, images, tmp_path_factory.mktemp("compose"))
    try:
        up("up", "-d", "--scale", "worker=2")
        wait(lambda: up.get("web", "/healthz") == 200, LONG, up.logs)
        wait(lambda: "Готово к работе" in runtime.run("logs", up.one("setup"), check=False), LONG, up.logs)
        yield up
    finally:
        up("down", "-v", "--remove-orphans")
    assert up.containers() == {}
    assert runtime.run("volume", "ls", "-q", "--filter", f"name={up.project}").split() == []


def test_compose_publishes_the_pages_inside_and_the_rest_interface_nowhere(compose: Compose) -> None:
    found = [
        (inside, binding["HostIp"], int(binding["HostPort"]))
        for facts in compose.containers().values()
        for inside, bindings in (facts["NetworkSettings"]["Ports"] or {}).items()
        for binding in bindings or []
    ]
    ports = {"8090/tcp": "web", "8091/tcp": "board", "8081/tcp": "pages", "8100/tcp": "sandbox"}
    assert sorted(found) == sorted((inside, "127.0.0.1", compose.ports[name]) for inside, name in ports.items())
    assert compose.get("pages", "/operaton/app/tasklist/default/") in (200, 302)
    rest = "/engine-rest/engine"
    sneaky = (rest, f"/operaton/..{rest}", f"/operaton/%2e%2e{rest}", f"//{rest[1:]}", f"/operaton/..;{rest}", "/")
    asked = {path: compose.get("pages", path) for path in (*sneaky, "/actuator/health", "/demo/clock")}
    assert set(asked.values()) <= {400, 404}, asked
    assert [compose.get(site, rest) for site in ("web", "board")] == [404, 303], "the board shows its sign-in page"


def test_compose_closes_every_container(compose: Compose) -> None:
    containers = compose.containers()
    assert len([name for name in containers if "worker" in name]) == 2
    for name, facts in containers.items():
        host = facts["HostConfig"]
        assert host["ReadonlyRootfs"], name
        assert any("no-new-privileges" in option for option in host["SecurityOpt"]), name
        assert "ALL" in host["CapDrop"] or len(host["CapDrop"]) > 8, name
        assert (host["Memory"] > 0, 0 < host["PidsLimit"] <= 256) == (True, True), name
        assert facts["Config"]["User"] not in ("", "root", "0"), name
        assert not [line for line in facts["Config"]["Env"] if "PASSWORD=" in line], name
        networks = {network.removeprefix(f"{compose.project}_") for network in facts["NetworkSettings"]["Networks"]}
        assert networks <= ({"db"} if "_db_" in name or "-db-" in name else {"edge", "app", "db"}), name


def test_the_demo_runs_in_the_compose_shop(compose: Compose) -> None:
    volume = ["-v", f"{compose.project}_logins:/logins:ro", "--entrypoint", "cat"]
    kept = compose.runtime.run("run", "--rm", *volume, compose.env["PROGRAM_IMAGE"], "/logins/first.txt")
    passwords = dict(line.split(" ", 1) for line in kept.splitlines())
    assert len(passwords) > 10
    assert not [
        name
        for name in compose.containers()
        if next(iter(passwords.values())) in compose.runtime.run("logs", name, check=False)
    ], "first passwords stay out of the logs"
    script = Path(__file__).with_name("carry_demo.py").read_text()
    text = f"PASSWORDS = {passwords!r}\nORDERS = 4\n" + script
    worker = compose.one("worker")
    done = subprocess.run(
        [compose.runtime.program, "exec", "-i", worker, PYTHON, "-"],
        input=text,
        env=dict(compose.runtime.env),
        capture_output=True,
        text=True,
        timeout=LONG * 2,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-2000:]}\n{compose.logs()}"
    assert "4 ok" in done.stdout
