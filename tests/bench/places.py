"""Where is measured: one engine with H2 or PostgreSQL, gone with all its files afterwards."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import SecretStr

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from ports import free_port  # noqa: E402 - the path is set just above
from postgres import PASSWORD, USER, binaries, open_postgres  # noqa: E402 - the path is set just above

from engine.client import EngineClient  # noqa: E402

ADMIN = "admin"
_START_SECONDS = 600.0  # a machine that does many things at once


class Missing(Exception):
    """Something that the machine lacks; one sentence."""


@contextlib.contextmanager
def open_engine(database: str, folder: Path) -> Iterator[tuple[EngineClient, int]]:
    """Give a client of a running engine, and the JVM's process id. `database` is h2 or postgresql."""
    with contextlib.ExitStack() as stack:
        if database == "h2":
            address, user, password = f"jdbc:h2:file:{folder / 'h2'};WRITE_DELAY=0", "bench", secrets.token_urlsafe(12)
        else:
            programs = binaries()
            if programs is None:
                raise Missing("Нужен PostgreSQL: apt-get install postgresql")
            server = stack.enter_context(open_postgres(programs, fsync=True))
            server.make("engine")
            address, user, password = server.jdbc("engine"), USER, PASSWORD
        yield stack.enter_context(_engine(address, user, password, folder))


@contextlib.contextmanager
def _engine(address: str, user: str, password: str, folder: Path) -> Iterator[tuple[EngineClient, int]]:
    jar = ROOT / "server" / "target" / "order-route-server.jar"
    secret, port = secrets.token_urlsafe(12), free_port()
    settings = {
        "SPRING_DATASOURCE_URL": address,
        "SPRING_DATASOURCE_USERNAME": user,
        "SPRING_DATASOURCE_PASSWORD": password,
        "ORDER_ROUTE_ADMIN_USER": ADMIN,
        "ORDER_ROUTE_ADMIN_PASSWORD": secret,
        "ORDER_ROUTE_TIME_ZONE": "Europe/Moscow",
        "ORDER_ROUTE_LANGUAGE": "ru",
        "ORDER_ROUTE_RECONCILE_SECONDS": "86400",
    }
    command = ["java", "-Xmx1g", "-XX:+UseSerialGC", f"-Djava.io.tmpdir={folder}", "-jar", str(jar)]
    command += [f"--server.port={port}", "--server.address=127.0.0.1"]
    with (folder / "engine.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=clean_environment() | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(process, port, folder / "engine.log")
        with EngineClient(f"http://127.0.0.1:{port}/engine-rest", ADMIN, SecretStr(secret)) as client:
            yield client, process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


def clean_environment() -> Mapping[str, str]:
    """Return an environment without settings of ours or of the server's framework."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "JAVA_HOME", "TMPDIR") if name in os.environ}


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", "/actuator/health")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.2)
    raise Missing("Движок не запустился:\n" + "\n".join(log.read_text("utf-8", "replace").splitlines()[-10:]))
