"""The engine as a child process: a JVM with an H2 file in the data folder.

The database address always carries `WRITE_DELAY=0`: with H2's default the work of the last half second is lost when
the JVM is killed, although it was acknowledged. The child has a session of its own, so Ctrl-C reaches only the
parent, which then stops it in order.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import psutil
from pydantic import SecretStr

from engine.folder import prepare_folder
from engine.java import StartError, find_java
from engine.uninterrupted import uninterrupted

HOST = "127.0.0.1"
START_SECONDS = 180.0
STOP_SECONDS = 10.0
_HEALTH_SECONDS = 2.0
_COPY_SECONDS = 3600.0
_LEAST_FREE = 256 << 20  # bytes; less than this and H2 stops in the middle of an order
_TAIL_LINES = 20
_KNOWN_CAUSES = (
    ("No space left on device", "на диске нет места"),
    ("Wrong user name or password", "пароль базы не подходит: файл h2.secret не от этой базы"),
    ("Database may be already in use", "базу держит другой процесс"),
    ("was already in use", "порт занят другой программой"),
    ("OutOfMemoryError", "не хватило памяти"),
)


class EmbeddedEngine:
    """Start and stop one engine on a data folder; a context manager.

    `port` 0 takes a free one. `reconcile_seconds` is the rhythm of the sweep. `profile` "demo" opens the clock.
    `java_options` come after ours; a short run starts sooner with `-XX:TieredStopAtLevel=1`.
    """

    def __init__(
        self,
        jar: Path,
        data_dir: Path,
        *,
        port: int = 0,
        admin_user: str,
        admin_password: SecretStr,
        profile: str | None = None,
        reconcile_seconds: int = 300,
        time_zone: str = "Europe/Moscow",
        language: str = "ru",
        heap: str = "512m",
        java_options: Sequence[str] = (),
        start_seconds: float = START_SECONDS,
    ) -> None:
        self.jar = jar
        self.data_dir = data_dir
        self.port = port
        self.admin_user = admin_user
        self.admin_password = admin_password
        self.profile = profile
        self.log_file = data_dir / "engine.log"
        self._settings = {
            "ORDER_ROUTE_TIME_ZONE": time_zone,
            "ORDER_ROUTE_LANGUAGE": language,
            "ORDER_ROUTE_RECONCILE_SECONDS": str(reconcile_seconds),
        }
        self._java_options = (f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", *java_options)
        self._start_seconds = start_seconds
        self._fixed = port != 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> str:
        """Return the server's address without a path; the web pages are under /operaton."""
        return f"http://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """Return the REST address."""
        return f"{self.root}/engine-rest"

    @property
    def pid(self) -> int | None:
        """Return the JVM's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def database_url(self) -> str:
        """Return the JDBC address of the H2 file."""
        return _database_address(self.data_dir)

    def start(self) -> EmbeddedEngine:
        """Start the JVM and return when it answers. Raises StartError with one sentence."""
        java = find_java()
        if not self.jar.is_file():
            raise StartError(f"Нет файла движка {self.jar}: соберите его командой make server.")
        _prepare(self.data_dir)
        if (left := leftover(self.data_dir)) is not None:
            raise StartError(
                f"С папкой {self.data_dir} уже работает движок (процесс {left}): остановите его (kill {left}) "
                "или укажите другую папку в ORDER_ROUTE_DATA_DIR."
            )
        self.port = self.port if self._fixed else _free_port()
        if self._fixed and _taken(self.port):
            raise StartError(f"Порт {self.port} занят другой программой: освободите его или укажите другой.")
        self._launch(java)
        try:
            self._wait_until_healthy()
        except BaseException:  # Ctrl-C as well: a half-started JVM must not stay behind
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """Ask the JVM to stop; after 10 s kill it. Safe to repeat."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._forget()

    def kill(self) -> None:
        """Kill the JVM at once (SIGKILL), as a power cut would."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)
        self._forget()

    def log_tail(self, lines: int = _TAIL_LINES) -> str:
        """Return the last lines of the engine's log."""
        try:
            with self.log_file.open("rb") as log:
                log.seek(max(0, self.log_file.stat().st_size - 64_000))
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _launch(self, java: Path) -> None:
        environment = {
            **_clean(os.environ),
            **self._settings,
            **_database(self.data_dir),
            "SPRING_DATASOURCE_URL": self.database_url,
            "ORDER_ROUTE_ADMIN_USER": self.admin_user,
            "ORDER_ROUTE_ADMIN_PASSWORD": self.admin_password.get_secret_value(),
        }
        temporary = self.data_dir / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)  # Tomcat's, left behind by a killed JVM
        temporary.mkdir()
        if self.log_file.exists():
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        command: list[str | Path] = [
            java,
            *self._java_options,
            *(f"-Djava.io.tmpdir={temporary.resolve()}", "-jar", self.jar.resolve()),
            *(f"--server.port={self.port}", f"--server.address={HOST}"),
            *([f"--spring.profiles.active={self.profile}"] if self.profile else []),
        ]
        with self.log_file.open("wb") as log, uninterrupted():
            self._process = subprocess.Popen(
                command,
                cwd=self.data_dir,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _write_pid(self.data_dir, self._process.pid, self.port)

    def _wait_until_healthy(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + self._start_seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise StartError(self._why(f"движок остановился с кодом {self._process.returncode}"))
            if _healthy(self.port):
                return
            time.sleep(0.1)
        raise StartError(self._why(f"движок не ответил за {self._start_seconds:g} с"))

    def _why(self, what: str) -> str:
        tail = self.log_tail()
        whole = self.log_tail(400)
        cause = next((f": {text}" for sign, text in _KNOWN_CAUSES if sign in whole), "")
        return f"Движок не запустился, {what}{cause}. Журнал: {self.log_file}\n{tail}"

    def _forget(self) -> None:
        self._process = None
        _pid_file(self.data_dir).unlink(missing_ok=True)

    def __enter__(self) -> EmbeddedEngine:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def leftover(data_dir: Path) -> int | None:
    """Return the process id of an engine that still runs on this data folder, or None.

    The process's start time is compared too, so a number that the system gave to another program does not count.
    """
    try:
        noted = json.loads(_pid_file(data_dir).read_text())
        process = psutil.Process(int(noted["pid"]))
        same = abs(process.create_time() - float(noted["started"])) < 1.0
        return process.pid if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None


def stop_leftover(data_dir: Path) -> bool:
    """Stop an engine that an earlier run left on this data folder; tell whether there was one."""
    pid = leftover(data_dir)
    if pid is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
    _pid_file(data_dir).unlink(missing_ok=True)
    return True


def _prepare(data_dir: Path) -> None:
    """Make the folder and prove that it can be written and has room; one sentence where not."""
    prepare_folder(data_dir)
    free = shutil.disk_usage(data_dir).free
    if free < _LEAST_FREE:
        raise StartError(
            f"На диске с папкой {data_dir} осталось {free >> 20} МБ, движку нужно не меньше {_LEAST_FREE >> 20} МБ: "
            "освободите место."
        )


def copy_stopped(jar: Path, data_dir: Path) -> None:
    """Copy the database of an engine that does not run into `engine.copy/`, by the server's own program.

    The copy opens without a password. Raises StartError with one sentence.
    """
    if not jar.is_file():
        raise StartError(f"Нет файла движка {jar}: соберите его командой make server.")
    environment = {**_clean(os.environ), **_database(data_dir)}
    command: list[str | Path] = [find_java(), "-Xmx256m", "-jar", jar.resolve(), "--copy-database"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_COPY_SECONDS, check=False)
    if done.returncode:
        said = done.stdout + done.stderr
        cause = next((text for sign, text in _KNOWN_CAUSES if sign in said), "база не читается")
        raise StartError(f"Копия базы движка не сделана: {cause}.")


def _database_address(data_dir: Path) -> str:
    return f"jdbc:h2:file:{(data_dir / 'engine').resolve()};WRITE_DELAY=0"


def _database(data_dir: Path) -> dict[str, str]:
    return {
        "SPRING_DATASOURCE_URL": _database_address(data_dir),
        "SPRING_DATASOURCE_USERNAME": "order_route",
        "SPRING_DATASOURCE_PASSWORD": _database_password(data_dir).get_secret_value(),
    }


def _database_password(data_dir: Path) -> SecretStr:
    """Return H2's password: random, made once, kept where only the owner reads it."""
    file = data_dir / "h2.secret"
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return SecretStr(file.read_text().strip())
    with os.fdopen(handle, "w") as out:
        out.write(secrets.token_urlsafe(24))
    return SecretStr(file.read_text())


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would change the server's settings behind our back."""
    ours = ("ORDER_ROUTE_", "SPRING_", "OPERATON_", "SERVER_", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS")
    return {name: value for name, value in environment.items() if not name.startswith(ours)}


def _pid_file(data_dir: Path) -> Path:
    return data_dir / "engine.pid"


def _write_pid(data_dir: Path, pid: int, port: int) -> None:
    started = psutil.Process(pid).create_time()
    _pid_file(data_dir).write_text(json.dumps({"pid": pid, "started": started, "port": port}))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=_HEALTH_SECONDS)
    try:
        connection.request("GET", "/actuator/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
