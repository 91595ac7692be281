"""A container engine for the tests: Docker where it runs, else Podman behind a Docker socket of our own.

On a machine that reaches no image registry the base images are made of Debian's packages, once, and kept under
`build/containers`. Everything else that a run makes carries its name and goes with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / "build" / "containers"
LONG = 900.0  # seconds: a deadline, not a measure
_LABEL = "order-route-test"
_MARK = "ordertest"  # begins the name of every container, network and volume of a run
_BASES = {  # our name: Debian's packages
    "jre": "openjdk-17-jre-headless",
    "python": "python3,python3-venv,ca-certificates",
    "postgres": "postgresql",
}
# The stock limits are higher than what a container inside a container may ask for; crun refuses mixed control groups.
_CONF = """[containers]
default_ulimits = ["nofile=20000:20000","nproc=32768:32768"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
"""
_SOURCES = ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")
_COMPOSE = "podman-compose==1.5.0"


@dataclass
class Runtime:
    """How to reach the container engine. `run` is its command line; `mark` names everything of this run."""

    program: str
    env: Mapping[str, str]
    local_bases: bool
    mark: str = field(default_factory=lambda: f"{_MARK}{uuid.uuid4().hex[:8]}")

    def run(self, *arguments: str, check: bool = True, text: str | None = None, seconds: float = LONG) -> str:
        """Run the command line and return its output. A failure fails the test with what was said."""
        return said([self.program, *arguments], self.env, check=check, text=text, seconds=seconds)

    def image(self, name: str) -> str:
        """Return our tag of an image; the next run finds the unchanged layers again."""
        return f"localhost/{_LABEL}-{name}"

    def base(self, name: str, public: str) -> str:
        """Return a base image: the public one, or one of Debian's packages where registries are out of reach."""
        return self._local(name) if self.local_bases else public

    def build(self, name: str, folder: Path, **arguments: str) -> str:
        """Build an image and return its tag."""
        given = [part for key, value in arguments.items() for part in ("--build-arg", f"{key}={value}")]
        more = ["--format", "docker", "--network", "host"] if self.program == "podman" else []
        tag = self.image(name)
        before = self.run("images", "-q", "--no-trunc", tag, check=False).split()
        self.run("build", "-q", *more, *given, "-t", tag, str(folder))
        after = self.run("images", "-q", "--no-trunc", tag, check=False).split()
        if before and before != after:
            self.run("rmi", *before, check=False)  # the layers that the next build starts from stay
        return tag

    def size(self, image: str) -> int:
        """Return an image's size in bytes."""
        return int(self.run("image", "inspect", "--format", "{{.Size}}", image))

    def _local(self, name: str) -> str:
        tag = self.image(f"base-{name}")
        if not self.run("images", "-q", tag, check=False).strip():
            archive = CACHE / f"{name}.tar"
            if not archive.is_file():
                _bootstrap(_BASES[name], archive)
            self.run("import", "-q", str(archive), tag)
        return tag

    def clear(self) -> None:
        """Remove what runs made, also one that was killed (only one runs at a time); images stay as a cache."""
        for kind, listed in (("rm", "ps -aq"), ("network rm", "network ls -q"), ("volume rm", "volume ls -q")):
            found = self.run(*listed.split(), "--filter", f"name={_MARK}", check=False).split()
            force = [] if kind == "network rm" else ["-f"]
            if found:
                self.run(*kind.split(), *force, *found, check=False)


def said(
    command: Sequence[str],
    env: Mapping[str, str],
    *,
    check: bool = True,
    text: str | None = None,
    seconds: float = LONG,
) -> str:
    """Run a program from the project's folder; return its output, or fail the test with it."""
    done = subprocess.run(
        command, cwd=ROOT, env=dict(env), input=text, capture_output=True, text=True, timeout=seconds, check=False
    )
    if check and done.returncode:
        pytest.fail(
            f"{' '.join(command)[:300]} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-5000:]}"
        )
    return done.stdout


@contextlib.contextmanager
def open_runtime() -> Iterator[Runtime]:
    """Find or start the engine, one test run at a time; clean up afterwards, also after a failure."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock, contextlib.ExitStack() as stack:
        fcntl.flock(lock, fcntl.LOCK_EX)
        env = {name: value for name, value in os.environ.items() if not name.startswith("ORDER_ROUTE_")}
        if (
            shutil.which("docker")
            and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
        ):
            runtime = Runtime("docker", env, local_bases=False)
        elif shutil.which("podman"):
            env |= stack.enter_context(_podman_service(env))
            runtime = Runtime("podman", env, local_bases=os.geteuid() == 0 and bool(shutil.which("mmdebstrap")))
        else:
            pytest.fail("no containers: apt-get install podman runc mmdebstrap, or start Docker", pytrace=False)
        before = {name: os.environ.get(name) for name in runtime.env if os.environ.get(name) != runtime.env[name]}
        os.environ.update({name: runtime.env[name] for name in before})
        try:
            runtime.clear()
            yield runtime
        finally:
            runtime.clear()
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


def _docker_runs() -> bool:
    if not shutil.which("docker"):
        return False
    return subprocess.run(["docker", "info"], capture_output=True, timeout=60, check=False).returncode == 0


@contextlib.contextmanager
def _podman_service(env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Start Podman's Docker interface on a socket of its own; give the variables that lead to it."""
    folder = Path(tempfile.mkdtemp(prefix="order-route-podman-"))
    conf, sock = folder / "containers.conf", folder / "podman.sock"
    conf.write_text(_CONF)
    more = {
        "CONTAINERS_CONF": str(conf),
        "DOCKER_HOST": f"unix://{sock}",
        "TESTCONTAINERS_CONNECTION_MODE": "docker_host",  # else it guesses from /.dockerenv and fails
        "TC_HOST": "localhost",
        "TESTCONTAINERS_RYUK_DISABLED": "true",
    }
    log = (folder / "log").open("wb")
    command = ["podman", "system", "service", "--time=0", f"unix://{sock}"]
    service = subprocess.Popen(command, env={**env, **more}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not sock.exists():
            if service.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"podman does not serve: {(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
        _weigh_as_several()
        yield more
    finally:
        service.terminate()
        try:
            service.wait(20)
        except subprocess.TimeoutExpired:
            service.kill()
            service.wait(5)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _weigh_as_several() -> None:
    """Let the containers have the share of several programs: by default all of them together count as one."""
    group = Path("/sys/fs/cgroup/cpu/libpod_parent")
    with contextlib.suppress(OSError):  # another kind of control groups has other rules
        group.mkdir(exist_ok=True)
        (group / "cpu.shares").write_text(str(8 * 1024))


def compose_command(runtime: Runtime) -> list[str]:
    """Return the compose program: Docker's own, else podman-compose in an environment that is not the project's.

    podman-compose is GPL: it may be run, but has no place among the project's dependencies.
    """
    if runtime.program == "docker":
        return ["docker", "compose"]
    place = CACHE / _COMPOSE
    program = place / "bin" / "podman-compose"
    if not program.is_file():
        said([sys.executable, "-m", "venv", str(place)], runtime.env)
        said([str(place / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", _COMPOSE], runtime.env)
    return [str(program)]


def _bootstrap(packages: str, archive: Path) -> None:
    """Make a Debian of a few packages, with this machine's certificates and pip settings: pip runs inside later."""
    part = archive.with_suffix(".part.tar")
    pip = archive.with_suffix(".pip.conf")
    pip.write_text("[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n" + _index())
    hooks = []
    if packages.startswith("python"):
        hooks = [
            "--customize-hook=copy-in /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs",
            f'--customize-hook=cp {pip} "$1/etc/pip.conf"',
        ]
    sources = [name for name in _SOURCES if Path(name).is_file()][:1]
    wanted = ["--variant=apt", f"--include={packages}", *hooks]
    command = ["mmdebstrap", "--quiet", *wanted, "bookworm", str(part), *sources]
    said(command, os.environ)
    part.replace(archive)
    pip.unlink()


def _index() -> str:
    where = os.environ.get("PIP_INDEX_URL", "")
    return f"index-url = {where}\n" if where else ""
