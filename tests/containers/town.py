"""Containers of one shop, started by testcontainers: PostgreSQL, two engine nodes, a sandbox portal, workers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import requests
from ports import free_port
from pydantic import SecretStr
from runtime import ROOT, Runtime
from shop import Shop, furnish, good_answer
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from engine.processes import Instance

LONG = 300.0  # seconds: a deadline, not a measure
ADMIN = "admin-of-the-container-test"
ROLE, DATABASE = "order_route", "order_route"
_DATABASE_PASSWORD = "database-of-the-container-test"


_HARDENED = {  # what the compose file demands of every container: a test meets the same walls
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "pids_limit": 256,
    "mem_limit": "1536m",
}


@dataclass(frozen=True)
class Images:
    """Tags of the images under test and of what they are built on."""

    jre: str
    python: str
    server: str
    program: str
    postgres: str


@dataclass
class Node:
    """An engine node in a container, as far as `shop.Shop` needs one."""

    container: DockerContainer
    admin_password: SecretStr
    admin_user: str = "admin"

    @property
    def url(self) -> str:
        """Return the REST address as this machine reaches it; published for the tests only."""
        return f"http://127.0.0.1:{self.container.get_exposed_port(8080)}/engine-rest"


class Town:
    """What stands while the tests run. Names start with the run's mark, so that nothing collides or stays."""

    def __init__(self, runtime: Runtime, images: Images, folder: Path, stack: contextlib.ExitStack) -> None:
        self.runtime, self.images, self.folder = runtime, images, folder
        self._stack = stack
        self.network = Network()
        self.network.name = f"{runtime.mark}-net"
        stack.enter_context(self.network)
        self.secrets = self._secrets()
        self.database = self._database()
        self.nodes = [self._node("engine1"), self._node("engine2")]  # at once: on an empty database they take turns
        self.portal = self._program("sandbox", *self._sandbox())
        for node in self.nodes:
            wait(partial(_healthy, node), LONG, partial(logs, node.container))
        self.setup()
        self.shop: Shop = furnish(self.nodes[0], self.nodes[0].admin_password)  # type: ignore[arg-type]  # the part it uses

    def name(self, part: str) -> str:
        """Return the name of a container, which is also its host name."""
        return f"{self.runtime.mark}-{part}"

    def setup(self) -> None:
        """Run `setup` to its end, as compose does."""
        one = self._program("setup", "setup", "--logins", "/tmp/first.txt", roles=("admin", "deploy"))
        assert one.get_wrapped_container().wait(timeout=LONG)["StatusCode"] == 0, logs(one)

    def worker(self, name: str, node: int) -> DockerContainer:
        """Start a worker on one of the nodes."""
        return self._program(name, "worker", node=node)

    def sql(self, query: str) -> str:
        """Ask the shop's database as its administrator; return rows as lines."""
        return self.inside(self.database, "psql", "-U", "postgres", "-d", DATABASE, "-Atc", query).strip()

    def inside(self, container: DockerContainer, *command: str) -> str:
        """Run a command in a container; a failure fails the test. The API would leave a process behind for minutes."""
        return self.runtime.run("exec", container.get_container_id(), *command)

    def _secrets(self) -> Path:
        folder = self.folder / "secrets"
        folder.mkdir()
        ours = {
            "admin_password": ADMIN,
            "db_password": _DATABASE_PASSWORD,
            "db_admin_password": f"{_DATABASE_PASSWORD}-admin",
            "ledger_url": f"postgresql://{ROLE}:{_DATABASE_PASSWORD}@{self.name('db')}:5432/{DATABASE}",
            "bitrix_webhook_url": f"http://{self.name('sandbox')}:8100/rest/1/sandbox/",
        }
        # As `furnish` gives them: tests act for persons beside the programs.
        accounts = {"worker": "worker", "integration": "integration", "deploy": "deployer"}
        ours |= {f"{role}_password": f"{account}-{ADMIN[:12]}" for role, account in accounts.items()}
        for name, value in ours.items():
            (folder / name).write_text(value)
        folder.chmod(0o755)
        return folder

    def _database(self) -> DockerContainer:
        role = ROOT / "containers" / "db-role.sh"
        container = self._container("db", self.images.postgres)
        place = "/var/lib/postgresql/data"
        container.with_envs(POSTGRES_PASSWORD_FILE="/run/secrets/db_admin_password", PGDATA=f"{place}/main")
        container.with_volume_mapping(str(role), "/docker-entrypoint-initdb.d/db-role.sh", "ro")
        # A test's database may live in memory; a volume would have to be found and removed.
        container.with_kwargs(user="postgres", **_HARDENED)
        return self._started(container, "/run/postgresql", place)

    def _node(self, name: str) -> Node:
        container = self._container(name, self.images.server).with_bind_ports(8080, free_port())
        container.with_envs(
            SPRING_DATASOURCE_URL=f"jdbc:postgresql://{self.name('db')}:5432/{DATABASE}",
            SPRING_DATASOURCE_USERNAME=ROLE,
            SPRING_DATASOURCE_PASSWORD_FILE="/run/secrets/db_password",
            ORDER_ROUTE_ADMIN_USER="admin",
            ORDER_ROUTE_ADMIN_PASSWORD_FILE="/run/secrets/admin_password",
            ORDER_ROUTE_TIME_ZONE="Europe/Moscow",
            ORDER_ROUTE_LANGUAGE="ru",
            ORDER_ROUTE_RECONCILE_SECONDS="86400",
            JDK_JAVA_OPTIONS="-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        )
        container.with_kwargs(**_HARDENED)
        return Node(self._started(container), SecretStr(ADMIN))

    def _sandbox(self) -> list[str]:
        state = ["--state", "/portal/portal.db", "--rate", "2000", "--drain", "100"]
        return ["sandbox", "--host", self.name("sandbox"), "--token", "sandbox", *state]

    def _program(self, name: str, *command: str, node: int = 0, roles: Sequence[str] = ()) -> DockerContainer:
        container = self._container(name, self.images.program).with_command(list(command))
        container.with_envs(
            ORDER_ROUTE_ENGINE_URL=f"http://{self.name(f'engine{node + 1}')}:8080/engine-rest",
            ORDER_ROUTE_ENGINE_PASSWORD_FILE="/run/secrets/worker_password",
            ORDER_ROUTE_INTEGRATION_PASSWORD_FILE="/run/secrets/integration_password",
            ORDER_ROUTE_LEDGER_URL_FILE="/run/secrets/ledger_url",
            ORDER_ROUTE_BITRIX_WEBHOOK_URL_FILE="/run/secrets/bitrix_webhook_url",
            ORDER_ROUTE_BITRIX_RATE="100",
            ORDER_ROUTE_BITRIX_BURST="1000",
            ORDER_ROUTE_LOCK_SECONDS="6",
            ORDER_ROUTE_PORTAL_PATIENCE_SECONDS="240",
            **{f"ORDER_ROUTE_{role.upper()}_PASSWORD_FILE": f"/run/secrets/{role}_password" for role in roles},
        )
        container.with_kwargs(**_HARDENED)
        return self._started(container, "/data", "/portal")

    def _container(self, name: str, image: str) -> DockerContainer:
        container = DockerContainer(image).with_name(self.name(name)).with_network(self.network)
        return container.with_volume_mapping(str(self.secrets), "/run/secrets", "ro")

    def _started(self, container: DockerContainer, *writable: str) -> DockerContainer:
        for path in ("/tmp", *writable):
            container.with_tmpfs_mount(path, "mode=1777")
        self._stack.callback(_remove, container)
        return container.start()


@contextlib.contextmanager
def open_town(runtime: Runtime, images: Images, folder: Path) -> Iterator[Town]:
    """Start the town; remove it afterwards, also where its start failed."""
    with contextlib.ExitStack() as stack:
        town = Town(runtime, images, folder, stack)
        stack.callback(lambda: town.shop.close())
        yield town


def carry_home(shop: Shop, orders: Sequence[Instance], *, until: int | None = None) -> None:
    """Let people answer every open step well until all orders have ended, or until so many steps are answered."""
    done, deadline = 0, time.monotonic() + LONG
    open_orders = {order.id for order in orders}
    while open_orders:
        for instance in list(open_orders):
            for task in shop.integration.tasks.of_instance(instance):
                stage = shop.reader.route(task.definition_id).stage(task.element)
                assert stage is not None
                person = shop.person(task.assignee or shop.member(stage.groups[0]))
                person.tasks.complete(task.id, good_answer(task.element))
                done += 1
                if done == until:
                    return
            if shop.integration.history.instance(instance).ended:
                open_orders.discard(instance)
        assert time.monotonic() < deadline, f"after {LONG:g} s these orders have not ended: {sorted(open_orders)}"
        time.sleep(0.1)


def wait(look: Callable[[], object], seconds: float, what: Callable[[], str]) -> None:
    """Poll until `look()` is true; fail with what `what()` says then."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:g} s: {what()}")
        time.sleep(0.2)


def logs(container: DockerContainer) -> str:
    """Return the newest lines of a container, for a failed test."""
    with contextlib.suppress(Exception):
        return str(container.get_wrapped_container().logs(tail=60).decode(errors="replace"))
    return "no logs"


def _healthy(node: Node) -> bool:
    try:
        return requests.get(node.url.replace("/engine-rest", "/actuator/health"), timeout=5).status_code == 200
    except requests.RequestException:
        return False


def _remove(container: DockerContainer) -> None:
    with contextlib.suppress(Exception):  # the run's mark finds it again
        container.stop()
